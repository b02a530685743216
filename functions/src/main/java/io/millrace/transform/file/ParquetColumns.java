package io.millrace.transform.file;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.annotation.Nullable;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.BooleanType;
import org.apache.flink.table.types.logical.DateType;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.DoubleType;
import org.apache.flink.table.types.logical.FloatType;
import org.apache.flink.table.types.logical.IntType;
import org.apache.flink.table.types.logical.LocalZonedTimestampType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.MapType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.SmallIntType;
import org.apache.flink.table.types.logical.TimeType;
import org.apache.flink.table.types.logical.TimestampType;
import org.apache.flink.table.types.logical.TinyIntType;
import org.apache.flink.table.types.logical.VarBinaryType;
import org.apache.flink.table.types.logical.VarCharType;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.io.LocalInputFile;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.DecimalLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.EnumLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.Float16LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.IntLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.IntervalLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.JsonLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.ListLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.MapKeyValueTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.MapLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.StringLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeUnit;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimestampLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.UUIDLogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Type.Repetition;

/**
 * The columns of Parquet files, as their footers have them. Unsigned integers get the next wider
 * type, UUIDs are text, times of day end at milliseconds.
 */
public final class ParquetColumns {
  private static final int MILLIS = 3;
  private static final int MICROS = 6;
  private static final int NANOS = 9;
  private static final int UNSIGNED_LONG_DIGITS = 20;

  private ParquetColumns() {}

  /** The columns of files, which all have the same. */
  public record Columns(List<String> names, List<LogicalType> types, long rows) {
    public Columns {
      names = List.copyOf(names);
      types = List.copyOf(types);
    }
  }

  /**
   * Reads the files' footers.
   *
   * @throws MalformedFileException when one is no Parquet file, has a column of a type that is not
   *     read, or other columns than the first
   */
  public static Columns read(List<Path> files) throws IOException {
    List<String> names = new ArrayList<>();
    List<LogicalType> types = new ArrayList<>();
    long rows = 0;
    for (Path file : files) {
      MessageType schema;
      try (ParquetFileReader reader = ParquetFileReader.open(new LocalInputFile(file))) {
        schema = reader.getFileMetaData().getSchema();
        rows += reader.getRecordCount();
      } catch (IOException | RuntimeException e) {
        throw unreadable(file, e);
      }
      List<String> own = schema.getFields().stream().map(Type::getName).toList();
      if (own.isEmpty()) {
        throw new MalformedFileException(file.getFileName() + " has no columns");
      }
      boolean first = names.isEmpty();
      if (first) {
        names.addAll(own);
      }
      int[] positions = CsvInference.positions(names, own, file);
      for (int i = 0; i < own.size(); i++) {
        LogicalType type = type(schema.getType(i), own.get(i), file);
        if (first) {
          types.add(type);
        } else if (!types.get(positions[i]).equals(type)) {
          throw new MalformedFileException(
              file.getFileName()
                  + " has the column '"
                  + own.get(i)
                  + "' as "
                  + type.asSummaryString()
                  + ", but in the first file it is "
                  + types.get(positions[i]).asSummaryString());
        }
      }
    }
    return new Columns(names, types, rows);
  }

  static MalformedFileException unreadable(Path file, Exception e) {
    Throwable cause = e;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    String message = cause.getMessage() == null ? cause.toString() : cause.getMessage();
    return new MalformedFileException(
        file.getFileName()
            + " is not a Parquet file that can be read: "
            + message.strip().lines().findFirst().orElse(cause.toString()),
        e);
  }

  /** A repeated field that nothing says to be a list is one too. */
  private static LogicalType type(Type field, String path, Path file)
      throws MalformedFileException {
    LogicalType one =
        field.isPrimitive()
            ? primitive(field.asPrimitiveType(), path, file)
            : group(field.asGroupType(), path, file);
    return field.isRepetition(Repetition.REPEATED) ? new ArrayType(one) : one;
  }

  private static LogicalType group(GroupType group, String path, Path file)
      throws MalformedFileException {
    LogicalTypeAnnotation annotation = group.getLogicalTypeAnnotation();
    if (isList(group)) {
      Type element = element(group);
      return new ArrayType(
          element.isPrimitive()
              ? primitive(element.asPrimitiveType(), path + "[]", file)
              : group(element.asGroupType(), path + "[]", file));
    }
    if (annotation instanceof MapLogicalTypeAnnotation
        || annotation instanceof MapKeyValueTypeAnnotation) {
      GroupType entry = isMap(group) ? group.getType(0).asGroupType() : null;
      if (entry == null) {
        throw refused(group, path, file);
      }
      return new MapType(
          type(entry.getType(0), path + "{key}", file).copy(false),
          type(entry.getType(1), path + "{value}", file));
    }
    List<RowType.RowField> fields = new ArrayList<>();
    for (Type field : group.getFields()) {
      String name = field.getName();
      fields.add(new RowType.RowField(name, type(field, path + "." + name, file)));
    }
    return new RowType(fields);
  }

  static boolean isList(GroupType group) {
    return group.getLogicalTypeAnnotation() instanceof ListLogicalTypeAnnotation
        && group.getFieldCount() == 1
        && group.getType(0).isRepetition(Repetition.REPEATED);
  }

  static boolean isMap(GroupType group) {
    LogicalTypeAnnotation annotation = group.getLogicalTypeAnnotation();
    return (annotation instanceof MapLogicalTypeAnnotation
            || annotation instanceof MapKeyValueTypeAnnotation)
        && group.getFieldCount() == 1
        && group.getType(0).isRepetition(Repetition.REPEATED)
        && !group.getType(0).isPrimitive()
        && group.getType(0).asGroupType().getFieldCount() == 2;
  }

  /** What a list is of, by the format's rules for older writers. */
  static Type element(GroupType list) {
    Type repeated = list.getType(0);
    return isWrapped(list) ? repeated.asGroupType().getType(0) : repeated;
  }

  /** Whether an element stands in a group of its own, so that it can be null. */
  static boolean isWrapped(GroupType list) {
    Type repeated = list.getType(0);
    return !repeated.isPrimitive()
        && repeated.asGroupType().getFieldCount() == 1
        && !repeated.getName().equals("array")
        && !repeated.getName().equals(list.getName() + "_tuple");
  }

  private static LogicalType primitive(PrimitiveType field, String path, Path file)
      throws MalformedFileException {
    LogicalTypeAnnotation annotation = field.getLogicalTypeAnnotation();
    if (annotation instanceof DecimalLogicalTypeAnnotation decimal) {
      if (decimal.getPrecision() > DecimalType.MAX_PRECISION || decimal.getScale() < 0) {
        throw refused(field, path, file);
      }
      return new DecimalType(decimal.getPrecision(), decimal.getScale());
    }
    LogicalType type =
        switch (field.getPrimitiveTypeName()) {
          case BOOLEAN -> new BooleanType();
          case FLOAT -> new FloatType();
          case DOUBLE -> new DoubleType();
          case INT96 -> new TimestampType(NANOS);
          case INT32 -> int32(annotation);
          case INT64 -> int64(annotation);
          case BINARY, FIXED_LEN_BYTE_ARRAY -> bytes(annotation);
        };
    if (type == null) {
      throw refused(field, path, file);
    }
    return type;
  }

  @Nullable
  private static LogicalType int32(@Nullable LogicalTypeAnnotation annotation) {
    if (annotation == null) {
      return new IntType();
    } else if (annotation instanceof LogicalTypeAnnotation.DateLogicalTypeAnnotation) {
      return new DateType();
    } else if (annotation instanceof TimeLogicalTypeAnnotation) {
      return new TimeType(MILLIS);
    } else if (annotation instanceof IntLogicalTypeAnnotation integer) {
      return switch (integer.getBitWidth()) {
        case 8 -> integer.isSigned() ? new TinyIntType() : new SmallIntType();
        case 16 -> integer.isSigned() ? new SmallIntType() : new IntType();
        default -> integer.isSigned() ? new IntType() : new BigIntType();
      };
    }
    return null;
  }

  @Nullable
  private static LogicalType int64(@Nullable LogicalTypeAnnotation annotation) {
    if (annotation == null) {
      return new BigIntType();
    } else if (annotation instanceof TimeLogicalTypeAnnotation) {
      return new TimeType(MILLIS);
    } else if (annotation instanceof IntLogicalTypeAnnotation integer) {
      return integer.isSigned() ? new BigIntType() : new DecimalType(UNSIGNED_LONG_DIGITS, 0);
    } else if (annotation instanceof TimestampLogicalTypeAnnotation timestamp) {
      int precision = precision(timestamp.getUnit());
      return timestamp.isAdjustedToUTC()
          ? new LocalZonedTimestampType(precision)
          : new TimestampType(precision);
    }
    return null;
  }

  private static int precision(TimeUnit unit) {
    return switch (unit) {
      case MILLIS -> MILLIS;
      case MICROS -> MICROS;
      case NANOS -> NANOS;
    };
  }

  @Nullable
  private static LogicalType bytes(@Nullable LogicalTypeAnnotation annotation) {
    if (annotation instanceof StringLogicalTypeAnnotation
        || annotation instanceof EnumLogicalTypeAnnotation
        || annotation instanceof JsonLogicalTypeAnnotation
        || annotation instanceof UUIDLogicalTypeAnnotation) {
      return new VarCharType(VarCharType.MAX_LENGTH);
    } else if (annotation instanceof Float16LogicalTypeAnnotation) {
      return new FloatType();
    } else if (annotation instanceof IntervalLogicalTypeAnnotation) {
      return null;
    }
    return new VarBinaryType(VarBinaryType.MAX_LENGTH);
  }

  private static MalformedFileException refused(Type field, String path, Path file) {
    String what =
        field.getLogicalTypeAnnotation() == null
            ? field.toString()
            : field.getLogicalTypeAnnotation().toString();
    return new MalformedFileException(
        file.getFileName() + " has the column '" + path + "' as " + what + ", which is not read");
  }
}

package io.millrace.codec.arrow;

import com.google.flatbuffers.FlatBufferBuilder;
import java.util.List;
import org.apache.arrow.flatbuf.Bool;
import org.apache.arrow.flatbuf.Date;
import org.apache.arrow.flatbuf.DateUnit;
import org.apache.arrow.flatbuf.Decimal;
import org.apache.arrow.flatbuf.Endianness;
import org.apache.arrow.flatbuf.Field;
import org.apache.arrow.flatbuf.FixedSizeBinary;
import org.apache.arrow.flatbuf.FloatingPoint;
import org.apache.arrow.flatbuf.Int;
import org.apache.arrow.flatbuf.Precision;
import org.apache.arrow.flatbuf.Schema;
import org.apache.arrow.flatbuf.Struct_;
import org.apache.arrow.flatbuf.Time;
import org.apache.arrow.flatbuf.TimeUnit;
import org.apache.arrow.flatbuf.Timestamp;
import org.apache.arrow.flatbuf.Type;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.BinaryType;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.MapType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.utils.LogicalTypeChecks;

/** The Arrow schema of a row type, as it stands in a message. */
final class SchemaWriter {
  private static final int DECIMAL_BITS = 128;
  private static final int TIME_BITS = 32;

  private SchemaWriter() {}

  /** Refuses a type that has no place in Arrow data, wherever in the row it stands. */
  static void check(RowType row) {
    for (RowType.RowField field : row.getFields()) {
      check(field.getName(), field.getType());
    }
  }

  private static void check(String path, LogicalType type) {
    switch (type.getTypeRoot()) {
      case CHAR, VARCHAR, BOOLEAN, BINARY, VARBINARY, DECIMAL -> {}
      case TINYINT, SMALLINT, INTEGER, BIGINT, FLOAT, DOUBLE -> {}
      case DATE, TIME_WITHOUT_TIME_ZONE -> {}
      case TIMESTAMP_WITHOUT_TIME_ZONE, TIMESTAMP_WITH_LOCAL_TIME_ZONE -> {}
      case ARRAY -> check(path + "[]", ((ArrayType) type).getElementType());
      case MAP -> {
        check(path + "{key}", ((MapType) type).getKeyType());
        check(path + "{value}", ((MapType) type).getValueType());
      }
      case ROW -> {
        for (RowType.RowField field : ((RowType) type).getFields()) {
          check(path + "." + field.getName(), field.getType());
        }
      }
      default -> throw unsupported(path, type);
    }
  }

  static ValidationException unsupported(String path, LogicalType type) {
    return new ValidationException(
        "column '" + path + "' is " + type.asSummaryString() + ", which the format arrow has not");
  }

  /** The coarsest unit that keeps so many digits of a second, in nanoseconds. */
  static long unit(int precision) {
    return precision == 0
        ? ArrowField.SECOND
        : precision <= 3 ? ArrowField.MILLI : precision <= 6 ? ArrowField.MICRO : ArrowField.NANO;
  }

  /** Writes the schema, and tells where it is. */
  static int write(FlatBufferBuilder to, RowType row) {
    int[] fields = new int[row.getFieldCount()];
    for (int i = 0; i < fields.length; i++) {
      RowType.RowField field = row.getFields().get(i);
      fields[i] = field(to, field.getName(), field.getType(), field.getType().isNullable());
    }
    int vector = Schema.createFieldsVector(to, fields);
    Schema.startSchema(to);
    Schema.addEndianness(to, Endianness.Little);
    Schema.addFields(to, vector);
    return Schema.endSchema(to);
  }

  private static int field(FlatBufferBuilder to, String name, LogicalType type, boolean nullable) {
    int[] children =
        switch (type.getTypeRoot()) {
          case ARRAY -> {
            LogicalType element = ((ArrayType) type).getElementType();
            yield new int[] {field(to, "item", element, element.isNullable())};
          }
          case MAP -> new int[] {entries(to, (MapType) type)};
          case ROW -> {
            List<RowType.RowField> fields = ((RowType) type).getFields();
            int[] written = new int[fields.size()];
            for (int i = 0; i < written.length; i++) {
              written[i] = field(to, fields.get(i).getName(), fields.get(i).getType(), true);
            }
            yield written;
          }
          default -> new int[0];
        };
    return finish(to, name, nullable, typeNumber(type), type(to, type), children);
  }

  private static int entries(FlatBufferBuilder to, MapType map) {
    int key = field(to, "key", map.getKeyType(), false);
    int value = field(to, "value", map.getValueType(), map.getValueType().isNullable());
    Struct_.startStruct_(to);
    int struct = Struct_.endStruct_(to);
    return finish(to, "entries", false, Type.Struct_, struct, new int[] {key, value});
  }

  private static int finish(
      FlatBufferBuilder to,
      String name,
      boolean nullable,
      byte typeNumber,
      int type,
      int[] children) {
    int nameAt = to.createString(name);
    int childrenAt = Field.createChildrenVector(to, children);
    Field.startField(to);
    Field.addName(to, nameAt);
    Field.addNullable(to, nullable);
    Field.addTypeType(to, typeNumber);
    Field.addType(to, type);
    Field.addChildren(to, childrenAt);
    return Field.endField(to);
  }

  private static byte typeNumber(LogicalType type) {
    return switch (type.getTypeRoot()) {
      case BOOLEAN -> Type.Bool;
      case TINYINT, SMALLINT, INTEGER, BIGINT -> Type.Int;
      case FLOAT, DOUBLE -> Type.FloatingPoint;
      case DECIMAL -> Type.Decimal;
      case DATE -> Type.Date;
      case TIME_WITHOUT_TIME_ZONE -> Type.Time;
      case TIMESTAMP_WITHOUT_TIME_ZONE, TIMESTAMP_WITH_LOCAL_TIME_ZONE -> Type.Timestamp;
      case CHAR, VARCHAR -> Type.Utf8;
      case BINARY -> Type.FixedSizeBinary;
      case VARBINARY -> Type.Binary;
      case ARRAY -> Type.List;
      case MAP -> Type.Map;
      case ROW -> Type.Struct_;
      default -> throw unsupported("", type);
    };
  }

  private static int type(FlatBufferBuilder to, LogicalType type) {
    return switch (type.getTypeRoot()) {
      case TINYINT -> Int.createInt(to, 8, true);
      case SMALLINT -> Int.createInt(to, 16, true);
      case INTEGER -> Int.createInt(to, 32, true);
      case BIGINT -> Int.createInt(to, 64, true);
      case FLOAT -> FloatingPoint.createFloatingPoint(to, Precision.SINGLE);
      case DOUBLE -> FloatingPoint.createFloatingPoint(to, Precision.DOUBLE);
      case DECIMAL -> {
        DecimalType decimal = (DecimalType) type;
        yield Decimal.createDecimal(to, decimal.getPrecision(), decimal.getScale(), DECIMAL_BITS);
      }
      case DATE -> Date.createDate(to, DateUnit.DAY);
      case TIME_WITHOUT_TIME_ZONE -> Time.createTime(to, TimeUnit.MILLISECOND, TIME_BITS);
      case TIMESTAMP_WITHOUT_TIME_ZONE -> Timestamp.createTimestamp(to, timeUnit(type), 0);
      case TIMESTAMP_WITH_LOCAL_TIME_ZONE -> {
        int zone = to.createString("UTC");
        yield Timestamp.createTimestamp(to, timeUnit(type), zone);
      }
      case BINARY -> FixedSizeBinary.createFixedSizeBinary(to, ((BinaryType) type).getLength());
      case MAP -> org.apache.arrow.flatbuf.Map.createMap(to, false);
      // The other types have nothing to say but their number.
      default -> {
        Bool.startBool(to);
        yield Bool.endBool(to);
      }
    };
  }

  private static short timeUnit(LogicalType type) {
    return switch (ColumnBinding.digits(unit(LogicalTypeChecks.getPrecision(type)))) {
      case 0 -> TimeUnit.SECOND;
      case 3 -> TimeUnit.MILLISECOND;
      case 6 -> TimeUnit.MICROSECOND;
      default -> TimeUnit.NANOSECOND;
    };
  }
}

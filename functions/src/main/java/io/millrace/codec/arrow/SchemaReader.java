package io.millrace.codec.arrow;

import io.millrace.codec.arrow.ArrowField.Dictionary;
import io.millrace.codec.arrow.ArrowField.Kind;
import io.millrace.codec.arrow.ArrowRejection.Reason;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.flatbuf.Date;
import org.apache.arrow.flatbuf.DateUnit;
import org.apache.arrow.flatbuf.Decimal;
import org.apache.arrow.flatbuf.DictionaryEncoding;
import org.apache.arrow.flatbuf.Endianness;
import org.apache.arrow.flatbuf.Field;
import org.apache.arrow.flatbuf.FixedSizeBinary;
import org.apache.arrow.flatbuf.FixedSizeList;
import org.apache.arrow.flatbuf.FloatingPoint;
import org.apache.arrow.flatbuf.Int;
import org.apache.arrow.flatbuf.Precision;
import org.apache.arrow.flatbuf.Schema;
import org.apache.arrow.flatbuf.Time;
import org.apache.arrow.flatbuf.TimeUnit;
import org.apache.arrow.flatbuf.Timestamp;
import org.apache.arrow.flatbuf.Type;
import org.apache.arrow.flatbuf.Union;
import org.apache.arrow.flatbuf.UnionMode;

/**
 * Reads the schema of a stream. The tables of its bytes may refer to one another in any way, cycles
 * and shared parts included, so fields, depth and names are counted on the way.
 */
final class SchemaReader {
  private static final int TABLE_REFERENCE_BYTES = 4;

  private final ArrowLimits limits;
  private final boolean beforeV5;
  private final int size;
  private int fields;
  private long nameBytes;

  private SchemaReader(ArrowLimits limits, boolean beforeV5, int size) {
    this.limits = limits;
    this.beforeV5 = beforeV5;
    this.size = size;
  }

  /**
   * Reads all fields.
   *
   * @param beforeV5 whether the metadata are of version 4, in which a union has a validity buffer
   * @param size bytes of the metadata
   */
  static List<ArrowField> read(Schema schema, ArrowLimits limits, boolean beforeV5, int size)
      throws BadArrowException {
    if (schema.endianness() != Endianness.Little) {
      throw BadArrowException.of(
          Reason.UNSUPPORTED, "the data are big-endian, only little-endian is read");
    }
    SchemaReader reader = new SchemaReader(limits, beforeV5, size);
    int count = reader.checkCount(schema.fieldsLength());
    List<ArrowField> columns = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      columns.add(reader.field(schema.fields(i), 1));
    }
    return columns;
  }

  private int checkCount(int count) throws BadArrowException {
    if (count < 0 || count > size / TABLE_REFERENCE_BYTES) {
      throw BadArrowException.malformed("a schema of %d bytes with %d fields", size, count);
    }
    return count;
  }

  private ArrowField field(Field field, int depth) throws BadArrowException {
    fields++;
    if (fields > limits.maxFields()) {
      throw BadArrowException.of(
          Reason.TOO_LARGE, "more than %d fields in the schema", limits.maxFields());
    }
    if (depth > limits.maxDepth()) {
      throw BadArrowException.of(
          Reason.TOO_DEEP, "a column is nested deeper than %d levels", limits.maxDepth());
    }
    String name = name(field);
    int count = checkCount(field.childrenLength());
    List<ArrowField> children = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      children.add(field(field.children(i), depth + 1));
    }
    return withType(field, name, List.copyOf(children));
  }

  private String name(Field field) throws BadArrowException {
    ByteBuffer bytes = field.nameAsByteBuffer();
    if (bytes == null) {
      return "";
    }
    nameBytes += bytes.remaining();
    if (nameBytes > size) {
      throw BadArrowException.malformed("the names of the fields have more bytes than the schema");
    }
    return field.name();
  }

  private ArrowField withType(Field field, String name, List<ArrowField> children)
      throws BadArrowException {
    Shape shape = new Shape(name, children);
    switch (field.typeType()) {
      case Type.Null -> shape.as(Kind.NULL, 0, "Null");
      case Type.Bool -> shape.as(Kind.BOOL, 2, "Bool");
      case Type.Int -> {
        Int type = present((Int) field.type(new Int()), name);
        shape.width = oneOf(type.bitWidth(), name, 8, 16, 32, 64);
        shape.signed = type.isSigned();
        shape.as(Kind.INT, 2, (shape.signed ? "Int" : "UInt") + shape.width);
      }
      case Type.FloatingPoint -> {
        FloatingPoint type = present((FloatingPoint) field.type(new FloatingPoint()), name);
        shape.width =
            switch (type.precision()) {
              case Precision.HALF -> 16;
              case Precision.SINGLE -> 32;
              case Precision.DOUBLE -> 64;
              default ->
                  throw BadArrowException.malformed(
                      "column '%s': %d is no precision of a float", name, type.precision());
            };
        shape.as(Kind.FLOAT, 2, "Float" + shape.width);
      }
      case Type.Decimal -> {
        Decimal type = present((Decimal) field.type(new Decimal()), name);
        shape.width = oneOf(type.bitWidth(), name, 32, 64, 128, 256);
        shape.precision = type.precision();
        shape.scale = type.scale();
        if (shape.precision < 1 || shape.precision > 76) {
          throw BadArrowException.malformed(
              "column '%s': a decimal of %d digits", name, shape.precision);
        }
        shape.as(
            Kind.DECIMAL,
            2,
            "Decimal" + shape.width + "(" + shape.precision + ", " + shape.scale + ")");
      }
      case Type.Date -> {
        short unit = present((Date) field.type(new Date()), name).unit();
        shape.width = unit == DateUnit.DAY ? 32 : 64;
        shape.as(Kind.DATE, 2, unit == DateUnit.DAY ? "Date(day)" : "Date(ms)");
      }
      case Type.Time -> {
        Time type = present((Time) field.type(new Time()), name);
        shape.unit = unit(type.unit(), name);
        shape.width = oneOf(type.bitWidth(), name, 32, 64);
        if ((shape.unit >= ArrowField.MILLI) != (shape.width == 32)) {
          throw BadArrowException.malformed(
              "column '%s': a time in %s of %d bits",
              name, ArrowField.nameOf(shape.unit), shape.width);
        }
        shape.as(Kind.TIME, 2, "Time(" + ArrowField.nameOf(shape.unit) + ")");
      }
      case Type.Timestamp -> {
        Timestamp type = present((Timestamp) field.type(new Timestamp()), name);
        ByteBuffer zone = type.timezoneAsByteBuffer();
        shape.zoned = zone != null && zone.hasRemaining();
        shape.unit = unit(type.unit(), name);
        shape.as(
            Kind.TIMESTAMP,
            2,
            "Timestamp("
                + ArrowField.nameOf(shape.unit)
                + (shape.zoned ? ", with zone)" : ", without zone)"));
      }
      case Type.Utf8 -> shape.as(Kind.TEXT, 3, "Utf8");
      case Type.LargeUtf8 -> shape.as(Kind.LARGE_TEXT, 3, "LargeUtf8");
      case Type.Binary -> shape.as(Kind.BINARY, 3, "Binary");
      case Type.LargeBinary -> shape.as(Kind.LARGE_BINARY, 3, "LargeBinary");
      case Type.FixedSizeBinary -> {
        FixedSizeBinary type = present((FixedSizeBinary) field.type(new FixedSizeBinary()), name);
        shape.width = notNegative(type.byteWidth(), name);
        shape.as(Kind.FIXED_BINARY, 2, "FixedSizeBinary(" + shape.width + ")");
      }
      case Type.List -> shape.nested(Kind.LIST, 2, 1, "List");
      case Type.LargeList -> shape.nested(Kind.LARGE_LIST, 2, 1, "LargeList");
      case Type.FixedSizeList -> {
        FixedSizeList type = present((FixedSizeList) field.type(new FixedSizeList()), name);
        shape.width = notNegative(type.listSize(), name);
        shape.nested(Kind.FIXED_LIST, 1, 1, "FixedSizeList(" + shape.width + ")");
      }
      case Type.Struct_ -> shape.as(Kind.STRUCT, 1, "Struct");
      case Type.Map -> {
        shape.nested(Kind.MAP, 2, 1, "Map");
        ArrowField entry = children.get(0);
        if (entry.kind() != Kind.STRUCT
            || entry.children().size() != 2
            || entry.dictionary() != null) {
          throw BadArrowException.malformed(
              "column '%s': the entries of a map are not a struct of key and value", name);
        }
      }
      case Type.Union -> {
        Union type = present((Union) field.type(new Union()), name);
        int buffers = (type.mode() == UnionMode.Dense ? 2 : 1) + (beforeV5 ? 1 : 0);
        shape.as(Kind.OTHER, buffers, "Union");
      }
      case Type.Duration -> shape.as(Kind.OTHER, 2, "Duration");
      case Type.Interval -> shape.as(Kind.OTHER, 2, "Interval");
      case Type.RunEndEncoded -> shape.as(Kind.OTHER, 0, "RunEndEncoded");
      case Type.ListView -> shape.as(Kind.OTHER, 3, "ListView");
      case Type.LargeListView -> shape.as(Kind.OTHER, 3, "LargeListView");
      case Type.Utf8View -> shape.asView("Utf8View");
      case Type.BinaryView -> shape.asView("BinaryView");
      default ->
          throw BadArrowException.of(
              Reason.UNSUPPORTED, "column '%s' has a type of number %d", name, field.typeType());
    }
    DictionaryEncoding encoding = field.dictionary();
    if (encoding != null) {
      // Absent means signed 32 bits.
      Int index = encoding.indexType();
      int width = index == null ? 32 : oneOf(index.bitWidth(), name, 8, 16, 32, 64);
      shape.dictionary = new Dictionary(encoding.id(), width, index == null || index.isSigned());
    }
    return shape.build();
  }

  private static <T> T present(T type, String name) throws BadArrowException {
    if (type == null) {
      throw BadArrowException.malformed("column '%s' has no type", name);
    }
    return type;
  }

  private static int oneOf(int value, String name, int... allowed) throws BadArrowException {
    for (int a : allowed) {
      if (a == value) {
        return value;
      }
    }
    throw BadArrowException.malformed("column '%s': a width of %d bits", name, value);
  }

  private static int notNegative(int value, String name) throws BadArrowException {
    if (value < 0) {
      throw BadArrowException.malformed("column '%s': a size of %d", name, value);
    }
    return value;
  }

  private static long unit(short unit, String name) throws BadArrowException {
    return switch (unit) {
      case TimeUnit.SECOND -> ArrowField.SECOND;
      case TimeUnit.MILLISECOND -> ArrowField.MILLI;
      case TimeUnit.MICROSECOND -> ArrowField.MICRO;
      case TimeUnit.NANOSECOND -> ArrowField.NANO;
      default -> throw BadArrowException.malformed("column '%s': %d is no time unit", name, unit);
    };
  }

  /** A field while its type is read. */
  private static final class Shape {
    private final String name;
    private final List<ArrowField> children;
    private Kind kind = Kind.OTHER;
    private int width;
    private boolean signed;
    private int precision;
    private int scale;
    private long unit;
    private boolean zoned;
    private int buffers;
    private boolean view;
    private String typeName = "";
    private Dictionary dictionary;

    Shape(String name, List<ArrowField> children) {
      this.name = name;
      this.children = children;
    }

    void as(Kind found, int bufferCount, String shown) {
      kind = found;
      buffers = bufferCount;
      typeName = shown;
    }

    void nested(Kind found, int bufferCount, int childCount, String shown)
        throws BadArrowException {
      if (children.size() != childCount) {
        throw BadArrowException.malformed(
            "column '%s': a %s of %d children", name, shown, children.size());
      }
      as(found, bufferCount, shown);
    }

    void asView(String shown) {
      as(Kind.OTHER, 2, shown);
      view = true;
    }

    ArrowField build() throws BadArrowException {
      boolean mayHaveChildren =
          switch (kind) {
            case LIST, LARGE_LIST, FIXED_LIST, STRUCT, MAP, OTHER -> true;
            default -> false;
          };
      if (!mayHaveChildren && !children.isEmpty()) {
        throw BadArrowException.malformed(
            "column '%s': a %s of %d children", name, typeName, children.size());
      }
      return new ArrowField(
          name,
          kind,
          width,
          signed,
          precision,
          scale,
          unit,
          zoned,
          buffers,
          view,
          typeName,
          dictionary,
          children);
    }
  }
}

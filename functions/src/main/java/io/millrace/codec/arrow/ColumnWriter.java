package io.millrace.codec.arrow;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.annotation.Nullable;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.MapData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.BinaryType;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.MapType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.utils.LogicalTypeChecks;

/** Gathers the values of one column, with those of its children, until a batch is written. */
abstract class ColumnWriter {
  private static final int DECIMAL_BYTES = 16;

  private final String path;
  private final boolean nullable;
  private final Bytes validity = new Bytes();
  private int length;
  private int nulls;

  /** Bytes that grow. */
  static final class Bytes {
    private byte[] array = new byte[64];
    private int length;

    byte[] array() {
      return array;
    }

    int length() {
      return length;
    }

    /** Makes room for so many bytes, which are zero, and tells where it is. */
    int add(int bytes) {
      int at = length;
      int needed = Math.addExact(at, bytes);
      if (needed > array.length) {
        array = Arrays.copyOf(array, (int) Math.min(Integer.MAX_VALUE - 8L, needed * 2L));
      }
      length = needed;
      return at;
    }

    void clear() {
      Arrays.fill(array, 0, length, (byte) 0);
      length = 0;
    }
  }

  /** Receives what a batch is made of, in the order of the format. */
  interface Target {
    void node(int length, int nulls);

    void buffer(byte[] bytes, int length);
  }

  private ColumnWriter(String path, boolean nullable) {
    this.path = path;
    this.nullable = nullable;
  }

  /** A writer for a type; {@code path} names the column in messages. */
  static ColumnWriter of(String path, LogicalType type) {
    boolean nullable = type.isNullable();
    return switch (type.getTypeRoot()) {
      case BOOLEAN -> new BoolWriter(path, nullable);
      case TINYINT, SMALLINT, INTEGER, BIGINT, FLOAT, DOUBLE, DATE, TIME_WITHOUT_TIME_ZONE ->
          new NumberWriter(path, nullable, width(type));
      case DECIMAL -> new DecimalWriter(path, nullable, (DecimalType) type);
      case TIMESTAMP_WITHOUT_TIME_ZONE, TIMESTAMP_WITH_LOCAL_TIME_ZONE ->
          new TimestampWriter(
              path, nullable, SchemaWriter.unit(LogicalTypeChecks.getPrecision(type)));
      case CHAR, VARCHAR, VARBINARY -> new VarBytesWriter(path, nullable);
      case BINARY -> new FixedBytesWriter(path, nullable, ((BinaryType) type).getLength());
      case ARRAY -> new ListWriter(path, nullable, ((ArrayType) type).getElementType());
      case MAP -> new MapWriter(path, nullable, (MapType) type);
      case ROW -> new StructWriter(path, nullable, (RowType) type);
      default -> throw SchemaWriter.unsupported(path, type);
    };
  }

  private static int width(LogicalType type) {
    return switch (type.getTypeRoot()) {
      case TINYINT -> 1;
      case SMALLINT -> 2;
      case BIGINT, DOUBLE -> 8;
      default -> 4;
    };
  }

  final String path() {
    return path;
  }

  final int length() {
    return length;
  }

  /**
   * Adds a value.
   *
   * @param value as a row's field getter has it
   * @return about how many bytes it takes
   */
  final int append(@Nullable Object value) {
    if ((length & 7) == 0) {
      validity.add(1);
    }
    int i = length++;
    if (value == null) {
      if (!nullable) {
        throw new IllegalArgumentException(
            "column '" + path + "' is NOT NULL, and a value is null");
      }
      nulls++;
      return addNull() + 1;
    }
    validity.array()[i >> 3] |= (byte) (1 << (i & 7));
    return add(value) + 1;
  }

  /** Adds what stands in the place of a value that is null. */
  abstract int addNull();

  abstract int add(Object value);

  /** Hands over the buffers after that of validity, and the children. */
  abstract void writeValues(Target target);

  abstract void clearValues();

  final void write(Target target) {
    target.node(length, nulls);
    target.buffer(validity.array(), nulls == 0 ? 0 : validity.length());
    writeValues(target);
  }

  final void clear() {
    length = 0;
    nulls = 0;
    validity.clear();
    clearValues();
  }

  private static final class BoolWriter extends ColumnWriter {
    private final Bytes bits = new Bytes();

    BoolWriter(String path, boolean nullable) {
      super(path, nullable);
    }

    @Override
    int addNull() {
      if (((length() - 1) & 7) == 0) {
        bits.add(1);
      }
      return 1;
    }

    @Override
    int add(Object value) {
      int i = length() - 1;
      addNull();
      if ((boolean) value) {
        bits.array()[i >> 3] |= (byte) (1 << (i & 7));
      }
      return 1;
    }

    @Override
    void writeValues(Target target) {
      target.buffer(bits.array(), bits.length());
    }

    @Override
    void clearValues() {
      bits.clear();
    }
  }

  /** What has one buffer, of so many bytes a value. */
  private abstract static class FixedWriter extends ColumnWriter {
    private final int width;
    private final Bytes values = new Bytes();

    FixedWriter(String path, boolean nullable, int width) {
      super(path, nullable);
      this.width = width;
    }

    abstract void put(Object value, byte[] target, int at);

    @Override
    final int addNull() {
      values.add(width);
      return width;
    }

    @Override
    final int add(Object value) {
      int at = values.add(width);
      put(value, values.array(), at);
      return width;
    }

    @Override
    final void writeValues(Target target) {
      target.buffer(values.array(), values.length());
    }

    @Override
    final void clearValues() {
      values.clear();
    }
  }

  /** Numbers, days since 1970-01-01 and milliseconds of a day. */
  private static final class NumberWriter extends FixedWriter {
    NumberWriter(String path, boolean nullable, int width) {
      super(path, nullable, width);
    }

    @Override
    void put(Object value, byte[] target, int at) {
      if (value instanceof Integer number) {
        Slice.putInt(target, at, number);
      } else if (value instanceof Long number) {
        Slice.putLong(target, at, number);
      } else if (value instanceof Double number) {
        Slice.putLong(target, at, Double.doubleToRawLongBits(number));
      } else if (value instanceof Float number) {
        Slice.putInt(target, at, Float.floatToRawIntBits(number));
      } else if (value instanceof Short number) {
        Slice.putShort(target, at, number);
      } else {
        target[at] = (byte) value;
      }
    }
  }

  private static final class DecimalWriter extends FixedWriter {
    private final DecimalType type;

    DecimalWriter(String path, boolean nullable, DecimalType type) {
      super(path, nullable, DECIMAL_BYTES);
      this.type = type;
    }

    @Override
    void put(Object value, byte[] target, int at) {
      DecimalData decimal = (DecimalData) value;
      if (decimal.scale() != type.getScale()) {
        throw new IllegalArgumentException(
            "column '" + path() + "': " + decimal + " has not the scale " + type.getScale());
      }
      byte[] bigEndian = decimal.toUnscaledBytes();
      byte sign = (byte) (bigEndian[0] >> 7);
      for (int k = 0; k < DECIMAL_BYTES; k++) {
        target[at + k] = k < bigEndian.length ? bigEndian[bigEndian.length - 1 - k] : sign;
      }
    }
  }

  private static final class TimestampWriter extends FixedWriter {
    private final long unit;

    TimestampWriter(String path, boolean nullable, long unit) {
      super(path, nullable, 8);
      this.unit = unit;
    }

    @Override
    void put(Object value, byte[] target, int at) {
      TimestampData time = (TimestampData) value;
      long millis = time.getMillisecond();
      long ticks;
      try {
        ticks =
            unit >= ArrowField.MILLI
                ? Math.floorDiv(millis, unit / ArrowField.MILLI)
                : Math.addExact(
                    Math.multiplyExact(millis, ArrowField.MILLI / unit),
                    time.getNanoOfMillisecond() / unit);
      } catch (ArithmeticException e) {
        throw new IllegalArgumentException(
            "column '"
                + path()
                + "': "
                + time
                + " is out of the range of a timestamp in "
                + ArrowField.nameOf(unit),
            e);
      }
      Slice.putLong(target, at, ticks);
    }
  }

  private static final class FixedBytesWriter extends FixedWriter {
    private final int width;

    FixedBytesWriter(String path, boolean nullable, int width) {
      super(path, nullable, width);
      this.width = width;
    }

    @Override
    void put(Object value, byte[] target, int at) {
      byte[] bytes = (byte[]) value;
      if (bytes.length != width) {
        throw new IllegalArgumentException(
            "column '" + path() + "': " + bytes.length + " bytes, not " + width);
      }
      System.arraycopy(bytes, 0, target, at, width);
    }
  }

  /** What begins with a buffer of offsets. */
  private abstract static class OffsetWriter extends ColumnWriter {
    private final Bytes offsets = new Bytes();

    OffsetWriter(String path, boolean nullable) {
      super(path, nullable);
      offsets.add(4);
    }

    final void end(int offset) {
      int at = offsets.add(4);
      Slice.putInt(offsets.array(), at, offset);
    }

    final void writeOffsets(Target target) {
      target.buffer(offsets.array(), offsets.length());
    }

    final void clearOffsets() {
      offsets.clear();
      offsets.add(4);
    }
  }

  private static final class VarBytesWriter extends OffsetWriter {
    private final Bytes values = new Bytes();

    VarBytesWriter(String path, boolean nullable) {
      super(path, nullable);
    }

    @Override
    int addNull() {
      end(values.length());
      return 4;
    }

    @Override
    int add(Object value) {
      byte[] bytes = value instanceof StringData text ? text.toBytes() : (byte[]) value;
      int at = values.add(bytes.length);
      System.arraycopy(bytes, 0, values.array(), at, bytes.length);
      end(values.length());
      return bytes.length + 4;
    }

    @Override
    void writeValues(Target target) {
      writeOffsets(target);
      target.buffer(values.array(), values.length());
    }

    @Override
    void clearValues() {
      clearOffsets();
      values.clear();
    }
  }

  private static final class ListWriter extends OffsetWriter {
    private final ColumnWriter elements;
    private final ArrayData.ElementGetter getter;

    ListWriter(String path, boolean nullable, LogicalType element) {
      super(path, nullable);
      elements = of(path + "[]", element);
      getter = ArrayData.createElementGetter(element);
    }

    @Override
    int addNull() {
      end(elements.length());
      return 4;
    }

    @Override
    int add(Object value) {
      ArrayData array = (ArrayData) value;
      int bytes = 4;
      for (int i = 0; i < array.size(); i++) {
        bytes += elements.append(getter.getElementOrNull(array, i));
      }
      end(elements.length());
      return bytes;
    }

    @Override
    void writeValues(Target target) {
      writeOffsets(target);
      elements.write(target);
    }

    @Override
    void clearValues() {
      clearOffsets();
      elements.clear();
    }
  }

  private static final class MapWriter extends OffsetWriter {
    private final ColumnWriter keys;
    private final ColumnWriter values;
    private final ArrayData.ElementGetter keyGetter;
    private final ArrayData.ElementGetter valueGetter;

    MapWriter(String path, boolean nullable, MapType type) {
      super(path, nullable);
      keys = of(path + "{key}", type.getKeyType().copy(false));
      values = of(path + "{value}", type.getValueType());
      keyGetter = ArrayData.createElementGetter(type.getKeyType());
      valueGetter = ArrayData.createElementGetter(type.getValueType());
    }

    @Override
    int addNull() {
      end(keys.length());
      return 4;
    }

    @Override
    int add(Object value) {
      MapData map = (MapData) value;
      ArrayData keyArray = map.keyArray();
      ArrayData valueArray = map.valueArray();
      int bytes = 4;
      for (int i = 0; i < map.size(); i++) {
        bytes += keys.append(keyGetter.getElementOrNull(keyArray, i));
        bytes += values.append(valueGetter.getElementOrNull(valueArray, i));
      }
      end(keys.length());
      return bytes;
    }

    @Override
    void writeValues(Target target) {
      writeOffsets(target);
      target.node(keys.length(), 0);
      target.buffer(new byte[0], 0);
      keys.write(target);
      values.write(target);
    }

    @Override
    void clearValues() {
      clearOffsets();
      keys.clear();
      values.clear();
    }
  }

  private static final class StructWriter extends ColumnWriter {
    private final List<ColumnWriter> fields = new ArrayList<>();
    private final List<RowData.FieldGetter> getters = new ArrayList<>();
    private final int arity;

    StructWriter(String path, boolean nullable, RowType type) {
      super(path, nullable);
      arity = type.getFieldCount();
      for (int i = 0; i < arity; i++) {
        RowType.RowField field = type.getFields().get(i);
        // Where the struct is null its fields are too, whatever their own type says.
        fields.add(of(path + "." + field.getName(), field.getType().copy(true)));
        getters.add(RowData.createFieldGetter(field.getType(), i));
      }
    }

    @Override
    int addNull() {
      int bytes = 0;
      for (ColumnWriter field : fields) {
        bytes += field.append(null);
      }
      return bytes;
    }

    @Override
    int add(Object value) {
      RowData row = (RowData) value;
      int bytes = 0;
      for (int i = 0; i < arity; i++) {
        bytes += fields.get(i).append(getters.get(i).getFieldOrNull(row));
      }
      return bytes;
    }

    @Override
    void writeValues(Target target) {
      for (ColumnWriter field : fields) {
        field.write(target);
      }
    }

    @Override
    void clearValues() {
      for (ColumnWriter field : fields) {
        field.clear();
      }
    }
  }
}

package io.millrace.transform.file;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.GenericMapData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.parquet.column.Dictionary;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.io.api.Converter;
import org.apache.parquet.io.api.GroupConverter;
import org.apache.parquet.io.api.PrimitiveConverter;
import org.apache.parquet.io.api.RecordMaterializer;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.DecimalLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.Float16LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.IntLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeUnit;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimestampLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.UUIDLogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Type.Repetition;

/**
 * Puts records of a Parquet file together as rows, of the types that {@link ParquetColumns} has.
 */
final class ParquetRecords extends RecordMaterializer<GenericRowData> {
  private static final long JULIAN_EPOCH_DAY = 2_440_588;
  private static final long MILLIS_OF_DAY = 86_400_000;
  private static final int NANOS_OF_MILLI = 1_000_000;
  private static final int MICROS_OF_MILLI = 1_000;
  private static final int COMPACT_DIGITS = 18;
  private static final int UNSIGNED_LONG_DIGITS = 20;

  private final RowConverter root;
  private GenericRowData current;

  /**
   * Rows of so many fields.
   *
   * @param positions where in a row each field of the file belongs
   */
  ParquetRecords(MessageType schema, int[] positions, int arity) {
    this.root = new RowConverter(schema, positions, arity, row -> current = (GenericRowData) row);
  }

  @Override
  public GenericRowData getCurrentRecord() {
    return current;
  }

  @Override
  public GroupConverter getRootConverter() {
    return root;
  }

  private static Converter converter(Type field, Consumer<Object> to) {
    if (field.isPrimitive()) {
      return primitive(field.asPrimitiveType(), to);
    }
    GroupType group = field.asGroupType();
    if (ParquetColumns.isList(group)) {
      return new ListConverter(group, to);
    } else if (ParquetColumns.isMap(group)) {
      return new MapConverter(group, to);
    }
    int[] positions = new int[group.getFieldCount()];
    for (int i = 0; i < positions.length; i++) {
      positions[i] = i;
    }
    return new RowConverter(group, positions, positions.length, to);
  }

  private static final class RowConverter extends GroupConverter {
    private final Converter[] fields;
    private final List<Object>[] repeated;
    private final int[] positions;
    private final int arity;
    private final Consumer<Object> to;
    private GenericRowData row;

    @SuppressWarnings({"unchecked", "rawtypes"})
    RowConverter(GroupType group, int[] positions, int arity, Consumer<Object> to) {
      this.positions = positions;
      this.arity = arity;
      this.to = to;
      this.fields = new Converter[group.getFieldCount()];
      this.repeated = new List[fields.length];
      for (int i = 0; i < fields.length; i++) {
        int field = i;
        boolean list = group.getType(i).isRepetition(Repetition.REPEATED);
        fields[i] =
            converter(
                group.getType(i),
                list
                    ? value -> repeated[field].add(value)
                    : value -> row.setField(positions[field], value));
        repeated[i] = list ? new ArrayList<>() : null;
      }
    }

    @Override
    public Converter getConverter(int i) {
      return fields[i];
    }

    @Override
    public void start() {
      row = new GenericRowData(arity);
      for (List<Object> values : repeated) {
        if (values != null) {
          values.clear();
        }
      }
    }

    @Override
    public void end() {
      for (int i = 0; i < repeated.length; i++) {
        if (repeated[i] != null) {
          row.setField(positions[i], new GenericArrayData(repeated[i].toArray()));
        }
      }
      to.accept(row);
    }
  }

  private static final class ListConverter extends GroupConverter {
    private final Converter repeated;
    private final Consumer<Object> to;
    private final List<Object> values = new ArrayList<>();

    ListConverter(GroupType list, Consumer<Object> to) {
      this.to = to;
      Type element = ParquetColumns.element(list);
      this.repeated =
          ParquetColumns.isWrapped(list)
              ? new Wrapper(element, values::add)
              : converter(element, values::add);
    }

    @Override
    public Converter getConverter(int i) {
      return repeated;
    }

    @Override
    public void start() {
      values.clear();
    }

    @Override
    public void end() {
      to.accept(new GenericArrayData(values.toArray()));
    }
  }

  /** An element in a group of its own, which is empty for null. */
  private static final class Wrapper extends GroupConverter {
    private final Converter element;
    private final Consumer<Object> to;
    private Object value;

    Wrapper(Type element, Consumer<Object> to) {
      this.element = converter(element, read -> value = read);
      this.to = to;
    }

    @Override
    public Converter getConverter(int i) {
      return element;
    }

    @Override
    public void start() {
      value = null;
    }

    @Override
    public void end() {
      to.accept(value);
    }
  }

  private static final class MapConverter extends GroupConverter {
    private final RowConverter entry;
    private final Consumer<Object> to;
    private Map<Object, Object> values = new LinkedHashMap<>();

    MapConverter(GroupType map, Consumer<Object> to) {
      this.to = to;
      this.entry =
          new RowConverter(
              map.getType(0).asGroupType(),
              new int[] {0, 1},
              2,
              row -> {
                GenericRowData pair = (GenericRowData) row;
                values.put(pair.getField(0), pair.getField(1));
              });
    }

    @Override
    public Converter getConverter(int i) {
      return entry;
    }

    @Override
    public void start() {
      values = new LinkedHashMap<>();
    }

    @Override
    public void end() {
      to.accept(new GenericMapData(values));
    }
  }

  private static Converter primitive(PrimitiveType field, Consumer<Object> to) {
    LogicalTypeAnnotation annotation = field.getLogicalTypeAnnotation();
    return switch (field.getPrimitiveTypeName()) {
      case BOOLEAN ->
          new PrimitiveConverter() {
            @Override
            public void addBoolean(boolean value) {
              to.accept(value);
            }
          };
      case FLOAT ->
          new PrimitiveConverter() {
            @Override
            public void addFloat(float value) {
              to.accept(value);
            }
          };
      case DOUBLE ->
          new PrimitiveConverter() {
            @Override
            public void addDouble(double value) {
              to.accept(value);
            }
          };
      case INT32 ->
          new PrimitiveConverter() {
            @Override
            public void addInt(int value) {
              to.accept(int32(value, annotation));
            }
          };
      case INT64 ->
          new PrimitiveConverter() {
            @Override
            public void addLong(long value) {
              to.accept(int64(value, annotation));
            }
          };
      case INT96 ->
          new PrimitiveConverter() {
            @Override
            public void addBinary(Binary value) {
              to.accept(int96(value));
            }
          };
      case BINARY, FIXED_LEN_BYTE_ARRAY -> bytes(annotation, to);
    };
  }

  private static Converter bytes(LogicalTypeAnnotation annotation, Consumer<Object> to) {
    if (annotation instanceof DecimalLogicalTypeAnnotation decimal) {
      return new BytesConverter(
          value ->
              DecimalData.fromUnscaledBytes(
                  value.getBytes(), decimal.getPrecision(), decimal.getScale()),
          to);
    } else if (annotation instanceof UUIDLogicalTypeAnnotation) {
      return new BytesConverter(
          value -> {
            ByteBuffer bits = value.toByteBuffer();
            UUID uuid = new UUID(bits.getLong(bits.position()), bits.getLong(bits.position() + 8));
            return StringData.fromString(uuid.toString());
          },
          to);
    } else if (annotation instanceof Float16LogicalTypeAnnotation) {
      return new BytesConverter(ParquetRecords::half, to);
    }
    boolean text =
        annotation instanceof LogicalTypeAnnotation.StringLogicalTypeAnnotation
            || annotation instanceof LogicalTypeAnnotation.EnumLogicalTypeAnnotation
            || annotation instanceof LogicalTypeAnnotation.JsonLogicalTypeAnnotation;
    return text
        ? new BytesConverter(value -> StringData.fromBytes(value.getBytes()), to)
        : new BytesConverter(Binary::getBytes, to);
  }

  /** Bytes that mean something; what stands in a dictionary is read once only. */
  private static final class BytesConverter extends PrimitiveConverter {
    private final Function<Binary, Object> meaning;
    private final Consumer<Object> to;
    private Object[] known = new Object[0];

    BytesConverter(Function<Binary, Object> meaning, Consumer<Object> to) {
      this.meaning = meaning;
      this.to = to;
    }

    @Override
    public boolean hasDictionarySupport() {
      return true;
    }

    @Override
    public void setDictionary(Dictionary dictionary) {
      known = new Object[dictionary.getMaxId() + 1];
      for (int i = 0; i < known.length; i++) {
        known[i] = meaning.apply(dictionary.decodeToBinary(i));
      }
    }

    @Override
    public void addValueFromDictionary(int id) {
      to.accept(known[id]);
    }

    @Override
    public void addBinary(Binary value) {
      to.accept(meaning.apply(value));
    }
  }

  /** A number of sixteen bits: a sign, five bits of exponent, ten of fraction. */
  private static Object half(Binary value) {
    ByteBuffer bytes = value.toByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    int bits = bytes.getShort(bytes.position());
    int exponent = bits >> 10 & 0x1F;
    int fraction = bits & 0x3FF;
    float size =
        switch (exponent) {
          case 0 -> Math.scalb((float) fraction, -24);
          case 0x1F -> fraction == 0 ? Float.POSITIVE_INFINITY : Float.NaN;
          default -> Math.scalb(1 + fraction / 1024f, exponent - 15);
        };
    return bits < 0 ? -size : size;
  }

  private static Object int32(int value, LogicalTypeAnnotation annotation) {
    if (annotation instanceof DecimalLogicalTypeAnnotation decimal) {
      return decimal(value, decimal);
    } else if (annotation instanceof IntLogicalTypeAnnotation integer) {
      return switch (integer.getBitWidth()) {
        case 8 -> integer.isSigned() ? (Object) (byte) value : (Object) (short) (value & 0xFF);
        case 16 -> integer.isSigned() ? (Object) (short) value : (Object) (value & 0xFFFF);
        default -> integer.isSigned() ? (Object) value : (Object) Integer.toUnsignedLong(value);
      };
    }
    return value;
  }

  private static Object int64(long value, LogicalTypeAnnotation annotation) {
    if (annotation instanceof DecimalLogicalTypeAnnotation decimal) {
      return decimal(value, decimal);
    } else if (annotation instanceof IntLogicalTypeAnnotation integer && !integer.isSigned()) {
      BigDecimal unsigned = new BigDecimal(new BigInteger(Long.toUnsignedString(value)));
      return DecimalData.fromBigDecimal(unsigned, UNSIGNED_LONG_DIGITS, 0);
    } else if (annotation instanceof TimeLogicalTypeAnnotation time) {
      return (int) (value / (time.getUnit() == TimeUnit.MICROS ? MICROS_OF_MILLI : NANOS_OF_MILLI));
    } else if (annotation instanceof TimestampLogicalTypeAnnotation timestamp) {
      return switch (timestamp.getUnit()) {
        case MILLIS -> TimestampData.fromEpochMillis(value);
        case MICROS ->
            TimestampData.fromEpochMillis(
                Math.floorDiv(value, MICROS_OF_MILLI),
                Math.floorMod(value, MICROS_OF_MILLI) * MICROS_OF_MILLI);
        case NANOS ->
            TimestampData.fromEpochMillis(
                Math.floorDiv(value, NANOS_OF_MILLI), Math.floorMod(value, NANOS_OF_MILLI));
      };
    }
    return value;
  }

  private static Object decimal(long unscaled, DecimalLogicalTypeAnnotation decimal) {
    return decimal.getPrecision() <= COMPACT_DIGITS
        ? DecimalData.fromUnscaledLong(unscaled, decimal.getPrecision(), decimal.getScale())
        : DecimalData.fromBigDecimal(
            BigDecimal.valueOf(unscaled, decimal.getScale()),
            decimal.getPrecision(),
            decimal.getScale());
  }

  /** Nanoseconds of the day, and the day, as it was counted before there were timestamps. */
  private static Object int96(Binary value) {
    ByteBuffer bytes = value.toByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    long nanos = bytes.getLong(bytes.position());
    long day = bytes.getInt(bytes.position() + Long.BYTES) - JULIAN_EPOCH_DAY;
    return TimestampData.fromEpochMillis(
        day * MILLIS_OF_DAY + Math.floorDiv(nanos, NANOS_OF_MILLI),
        Math.floorMod(nanos, NANOS_OF_MILLI));
  }
}

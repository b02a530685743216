package io.millrace.codec.arrow;

import static io.millrace.codec.arrow.Slice.intAt;
import static io.millrace.codec.arrow.Slice.longAt;
import static io.millrace.codec.arrow.Slice.shortAt;

import java.math.BigDecimal;
import java.math.BigInteger;
import javax.annotation.Nullable;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.MapData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.data.columnar.ColumnarArrayData;
import org.apache.flink.table.data.columnar.ColumnarMapData;
import org.apache.flink.table.data.columnar.ColumnarRowData;
import org.apache.flink.table.data.columnar.vector.ArrayColumnVector;
import org.apache.flink.table.data.columnar.vector.BooleanColumnVector;
import org.apache.flink.table.data.columnar.vector.ByteColumnVector;
import org.apache.flink.table.data.columnar.vector.BytesColumnVector;
import org.apache.flink.table.data.columnar.vector.ColumnVector;
import org.apache.flink.table.data.columnar.vector.DecimalColumnVector;
import org.apache.flink.table.data.columnar.vector.DoubleColumnVector;
import org.apache.flink.table.data.columnar.vector.FloatColumnVector;
import org.apache.flink.table.data.columnar.vector.IntColumnVector;
import org.apache.flink.table.data.columnar.vector.LongColumnVector;
import org.apache.flink.table.data.columnar.vector.MapColumnVector;
import org.apache.flink.table.data.columnar.vector.RowColumnVector;
import org.apache.flink.table.data.columnar.vector.ShortColumnVector;
import org.apache.flink.table.data.columnar.vector.TimestampColumnVector;
import org.apache.flink.table.data.columnar.vector.VectorizedColumnBatch;

/**
 * Columns of Flink's rows over the bytes of Arrow buffers, without a copy: a vector keeps the array
 * that its buffers are part of, and nothing else, so it stays valid as long as somebody holds it.
 *
 * <p>A vector reads as every wider type that holds all its values. It trusts its buffers: {@link
 * BatchReader} has checked them.
 */
final class ArrowVectors {
  private static final long MILLIS_PER_DAY = 86_400_000;
  private static final long NANOS_PER_MILLI = 1_000_000;

  private ArrowVectors() {}

  /** What has a validity bitmap, or none when no value is null. */
  abstract static class Vector implements ColumnVector {
    private final byte[] validity;
    private final int validityStart;

    Vector(@Nullable Slice validity) {
      this.validity = validity == null ? null : validity.bytes();
      this.validityStart = validity == null ? 0 : validity.start();
    }

    @Override
    public final boolean isNullAt(int i) {
      return validity != null && (validity[validityStart + (i >> 3)] & (1 << (i & 7))) == 0;
    }
  }

  /** Values of a fixed width. */
  abstract static class FixedVector extends Vector {
    final byte[] bytes;
    final int start;

    FixedVector(@Nullable Slice validity, Slice data) {
      super(validity);
      this.bytes = data.bytes();
      this.start = data.start();
    }
  }

  /** Nothing but nulls: a column of type Null, or one that the data do not have. */
  static final class Nulls implements ColumnVector {
    @Override
    public boolean isNullAt(int i) {
      return true;
    }
  }

  static final class Bools extends FixedVector implements BooleanColumnVector {
    Bools(@Nullable Slice validity, Slice data) {
      super(validity, data);
    }

    @Override
    public boolean getBoolean(int i) {
      return (bytes[start + (i >> 3)] & (1 << (i & 7))) != 0;
    }
  }

  static final class Int8 extends FixedVector
      implements ByteColumnVector, ShortColumnVector, IntColumnVector, LongColumnVector {
    Int8(@Nullable Slice validity, Slice data) {
      super(validity, data);
    }

    @Override
    public byte getByte(int i) {
      return bytes[start + i];
    }

    @Override
    public short getShort(int i) {
      return getByte(i);
    }

    @Override
    public int getInt(int i) {
      return getByte(i);
    }

    @Override
    public long getLong(int i) {
      return getByte(i);
    }
  }

  static final class UInt8 extends FixedVector
      implements ShortColumnVector, IntColumnVector, LongColumnVector {
    UInt8(@Nullable Slice validity, Slice data) {
      super(validity, data);
    }

    @Override
    public short getShort(int i) {
      return (short) getInt(i);
    }

    @Override
    public int getInt(int i) {
      return Byte.toUnsignedInt(bytes[start + i]);
    }

    @Override
    public long getLong(int i) {
      return getInt(i);
    }
  }

  static final class Int16 extends FixedVector
      implements ShortColumnVector, IntColumnVector, LongColumnVector {
    Int16(@Nullable Slice validity, Slice data) {
      super(validity, data);
    }

    @Override
    public short getShort(int i) {
      return shortAt(bytes, start + 2 * i);
    }

    @Override
    public int getInt(int i) {
      return getShort(i);
    }

    @Override
    public long getLong(int i) {
      return getShort(i);
    }
  }

  static final class UInt16 extends FixedVector implements IntColumnVector, LongColumnVector {
    UInt16(@Nullable Slice validity, Slice data) {
      super(validity, data);
    }

    @Override
    public int getInt(int i) {
      return Short.toUnsignedInt(shortAt(bytes, start + 2 * i));
    }

    @Override
    public long getLong(int i) {
      return getInt(i);
    }
  }

  /** Also days since 1970-01-01. */
  static final class Int32 extends FixedVector implements IntColumnVector, LongColumnVector {
    Int32(@Nullable Slice validity, Slice data) {
      super(validity, data);
    }

    @Override
    public int getInt(int i) {
      return intAt(bytes, start + 4 * i);
    }

    @Override
    public long getLong(int i) {
      return getInt(i);
    }
  }

  static final class UInt32 extends FixedVector implements LongColumnVector {
    UInt32(@Nullable Slice validity, Slice data) {
      super(validity, data);
    }

    @Override
    public long getLong(int i) {
      return Integer.toUnsignedLong(intAt(bytes, start + 4 * i));
    }
  }

  static final class Int64 extends FixedVector implements LongColumnVector {
    Int64(@Nullable Slice validity, Slice data) {
      super(validity, data);
    }

    @Override
    public long getLong(int i) {
      return longAt(bytes, start + 8 * i);
    }
  }

  /** Unsigned 64 bits as a decimal without a fraction. */
  static final class UInt64 extends FixedVector implements DecimalColumnVector {
    private static final BigInteger RANGE = BigInteger.ONE.shiftLeft(64);

    UInt64(@Nullable Slice validity, Slice data) {
      super(validity, data);
    }

    @Override
    public DecimalData getDecimal(int i, int precision, int scale) {
      long value = longAt(bytes, start + 8 * i);
      BigInteger whole = BigInteger.valueOf(value);
      return DecimalData.fromBigDecimal(
          new BigDecimal(value < 0 ? whole.add(RANGE) : whole), precision, scale);
    }
  }

  static final class Float16 extends FixedVector implements FloatColumnVector, DoubleColumnVector {
    Float16(@Nullable Slice validity, Slice data) {
      super(validity, data);
    }

    @Override
    public float getFloat(int i) {
      return ofHalf(shortAt(bytes, start + 2 * i));
    }

    @Override
    public double getDouble(int i) {
      return getFloat(i);
    }

    /** One sign bit, five of the exponent with a bias of 15, ten of the fraction. */
    private static float ofHalf(short half) {
      int exponent = (half >> 10) & 0x1f;
      int fraction = half & 0x3ff;
      float magnitude =
          switch (exponent) {
            case 0 -> fraction * 0x1p-24f;
            case 31 -> fraction == 0 ? Float.POSITIVE_INFINITY : Float.NaN;
            default -> Math.scalb(1 + fraction * 0x1p-10f, exponent - 15);
          };
      return half < 0 ? -magnitude : magnitude;
    }
  }

  static final class Float32 extends FixedVector implements FloatColumnVector, DoubleColumnVector {
    Float32(@Nullable Slice validity, Slice data) {
      super(validity, data);
    }

    @Override
    public float getFloat(int i) {
      return Float.intBitsToFloat(intAt(bytes, start + 4 * i));
    }

    @Override
    public double getDouble(int i) {
      return getFloat(i);
    }
  }

  static final class Float64 extends FixedVector implements DoubleColumnVector {
    Float64(@Nullable Slice validity, Slice data) {
      super(validity, data);
    }

    @Override
    public double getDouble(int i) {
      return Double.longBitsToDouble(longAt(bytes, start + 8 * i));
    }
  }

  /** Two's complement of 4, 8, 16 or 32 bytes. */
  static final class Decimals extends FixedVector implements DecimalColumnVector {
    private final int width;

    Decimals(@Nullable Slice validity, Slice data, int width) {
      super(validity, data);
      this.width = width;
    }

    @Override
    public DecimalData getDecimal(int i, int precision, int scale) {
      return DecimalData.isCompact(precision)
          ? DecimalData.fromUnscaledLong(low(i), precision, scale)
          : DecimalData.fromBigDecimal(new BigDecimal(unscaled(i), scale), precision, scale);
    }

    /** The lowest 64 bits, with their sign; all there is of a value of up to 18 digits. */
    long low(int i) {
      int at = start + width * i;
      return width == 4 ? intAt(bytes, at) : longAt(bytes, at);
    }

    BigInteger unscaled(int i) {
      byte[] bigEndian = new byte[width];
      int last = start + width * i + width - 1;
      for (int k = 0; k < width; k++) {
        bigEndian[k] = bytes[last - k];
      }
      return new BigInteger(bigEndian);
    }

    /** Whether the bits above the lowest 64 repeat their sign. */
    boolean fitsLong(int i) {
      int at = start + width * i;
      long sign = low(i) >> 63;
      for (int k = 8; k < width; k += 8) {
        if (longAt(bytes, at + k) != sign) {
          return false;
        }
      }
      return true;
    }
  }

  /** Milliseconds since 1970-01-01 as days. */
  static final class DateMillis extends FixedVector implements IntColumnVector {
    DateMillis(@Nullable Slice validity, Slice data) {
      super(validity, data);
    }

    @Override
    public int getInt(int i) {
      return (int) days(i);
    }

    long days(int i) {
      return Math.floorDiv(longAt(bytes, start + 8 * i), MILLIS_PER_DAY);
    }
  }

  /** Times of day as milliseconds, which is all that Flink keeps of one. */
  static final class Times extends FixedVector implements IntColumnVector {
    private final boolean isLong;
    private final long unit;

    Times(@Nullable Slice validity, Slice data, boolean isLong, long unit) {
      super(validity, data);
      this.isLong = isLong;
      this.unit = unit;
    }

    @Override
    public int getInt(int i) {
      long ticks = ticks(i);
      return (int)
          (unit >= NANOS_PER_MILLI
              ? ticks * (unit / NANOS_PER_MILLI)
              : ticks / (NANOS_PER_MILLI / unit));
    }

    long ticks(int i) {
      return isLong ? longAt(bytes, start + 8 * i) : intAt(bytes, start + 4 * i);
    }
  }

  static final class Timestamps extends FixedVector implements TimestampColumnVector {
    private final long unit;

    Timestamps(@Nullable Slice validity, Slice data, long unit) {
      super(validity, data);
      this.unit = unit;
    }

    @Override
    public TimestampData getTimestamp(int i, int precision) {
      long ticks = ticks(i);
      if (unit >= NANOS_PER_MILLI) {
        return TimestampData.fromEpochMillis(ticks * (unit / NANOS_PER_MILLI));
      }
      long perMilli = NANOS_PER_MILLI / unit;
      return TimestampData.fromEpochMillis(
          Math.floorDiv(ticks, perMilli), (int) (Math.floorMod(ticks, perMilli) * unit));
    }

    long ticks(int i) {
      return longAt(bytes, start + 8 * i);
    }
  }

  static final class FixedBytes extends FixedVector implements BytesColumnVector {
    private final int width;

    FixedBytes(@Nullable Slice validity, Slice data, int width) {
      super(validity, data);
      this.width = width;
    }

    @Override
    public Bytes getBytes(int i) {
      return new Bytes(bytes, start + width * i, width);
    }
  }

  /** Where the values of a column of variable width begin; that of {@code n} is the end. */
  record Offsets(byte[] bytes, int start, boolean large) {
    int at(int i) {
      return large ? (int) longAt(bytes, start + 8 * i) : intAt(bytes, start + 4 * i);
    }

    long exact(int i) {
      return large ? longAt(bytes, start + 8 * i) : intAt(bytes, start + 4 * i);
    }
  }

  static final class VarBytes extends FixedVector implements BytesColumnVector {
    private final byte[] offsets;
    private final int offsetsStart;

    VarBytes(@Nullable Slice validity, Offsets offsets, Slice data) {
      super(validity, data);
      this.offsets = offsets.bytes();
      this.offsetsStart = offsets.start();
    }

    @Override
    public Bytes getBytes(int i) {
      int from = intAt(offsets, offsetsStart + 4 * i);
      return new Bytes(bytes, start + from, intAt(offsets, offsetsStart + 4 * i + 4) - from);
    }
  }

  static final class LargeVarBytes extends FixedVector implements BytesColumnVector {
    private final Offsets offsets;

    LargeVarBytes(@Nullable Slice validity, Offsets offsets, Slice data) {
      super(validity, data);
      this.offsets = offsets;
    }

    @Override
    public Bytes getBytes(int i) {
      int from = offsets.at(i);
      return new Bytes(bytes, start + from, offsets.at(i + 1) - from);
    }
  }

  static final class Lists extends Vector implements ArrayColumnVector {
    private final Offsets offsets;
    private final ColumnVector elements;

    Lists(@Nullable Slice validity, Offsets offsets, ColumnVector elements) {
      super(validity);
      this.offsets = offsets;
      this.elements = elements;
    }

    @Override
    public ArrayData getArray(int i) {
      int from = offsets.at(i);
      return new ColumnarArrayData(elements, from, offsets.at(i + 1) - from);
    }
  }

  static final class FixedLists extends Vector implements ArrayColumnVector {
    private final int width;
    private final ColumnVector elements;

    FixedLists(@Nullable Slice validity, int width, ColumnVector elements) {
      super(validity);
      this.width = width;
      this.elements = elements;
    }

    @Override
    public ArrayData getArray(int i) {
      return new ColumnarArrayData(elements, width * i, width);
    }
  }

  static final class Maps extends Vector implements MapColumnVector {
    private final Offsets offsets;
    private final ColumnVector keys;
    private final ColumnVector values;

    Maps(@Nullable Slice validity, Offsets offsets, ColumnVector keys, ColumnVector values) {
      super(validity);
      this.offsets = offsets;
      this.keys = keys;
      this.values = values;
    }

    @Override
    public MapData getMap(int i) {
      int from = offsets.at(i);
      return new ColumnarMapData(keys, values, from, offsets.at(i + 1) - from);
    }
  }

  static final class Structs extends Vector implements RowColumnVector {
    private final VectorizedColumnBatch fields;

    Structs(@Nullable Slice validity, ColumnVector[] fields) {
      super(validity);
      this.fields = new VectorizedColumnBatch(fields);
    }

    @Override
    public ColumnarRowData getRow(int i) {
      return new ColumnarRowData(fields, i);
    }
  }
}

package io.millrace.codec.arrow;

import java.util.List;
import javax.annotation.Nullable;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.MapData;
import org.apache.flink.table.data.TimestampData;
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

/**
 * A dictionary-encoded column: indices into values, which stand in one part per message that added
 * some. It is a vector of whatever type its values have.
 */
final class DictionaryVector
    implements BooleanColumnVector,
        ByteColumnVector,
        ShortColumnVector,
        IntColumnVector,
        LongColumnVector,
        FloatColumnVector,
        DoubleColumnVector,
        DecimalColumnVector,
        TimestampColumnVector,
        BytesColumnVector,
        ArrayColumnVector,
        MapColumnVector,
        RowColumnVector {

  /** Values of a dictionary that came in one message. */
  record Part(ColumnVector values, int length) {}

  private final Slice validity;
  private final Slice indices;
  private final int width;
  private final boolean signed;
  private final ColumnVector[] parts;
  private final int[] starts;
  private final int length;

  /**
   * @param width bits of an index
   */
  DictionaryVector(
      @Nullable Slice validity, Slice indices, int width, boolean signed, List<Part> parts) {
    this.validity = validity;
    this.indices = indices;
    this.width = width;
    this.signed = signed;
    this.parts = new ColumnVector[parts.size()];
    this.starts = new int[parts.size()];
    int end = 0;
    for (int p = 0; p < parts.size(); p++) {
      this.parts[p] = parts.get(p).values();
      this.starts[p] = end;
      end = Math.addExact(end, parts.get(p).length());
    }
    this.length = end;
  }

  /** How many values the dictionary has. */
  int length() {
    return length;
  }

  boolean hasIndex(int i) {
    return validity == null || validity.bit(i);
  }

  /** The index as it stands there, whether the dictionary has such a value or not. */
  long index(int i) {
    byte[] bytes = indices.bytes();
    int start = indices.start();
    return switch (width) {
      case 8 -> signed ? bytes[start + i] : Byte.toUnsignedInt(bytes[start + i]);
      case 16 -> {
        short value = Slice.shortAt(bytes, start + 2 * i);
        yield signed ? value : Short.toUnsignedInt(value);
      }
      case 32 -> {
        int value = Slice.intAt(bytes, start + 4 * i);
        yield signed ? value : Integer.toUnsignedLong(value);
      }
      default -> Slice.longAt(bytes, start + 8 * i);
    };
  }

  private int part(int index) {
    int p = 0;
    if (starts.length > 1) {
      int low = 0;
      int high = starts.length - 1;
      while (low < high) {
        int middle = (low + high + 1) >>> 1;
        if (starts[middle] <= index) {
          low = middle;
        } else {
          high = middle - 1;
        }
      }
      p = low;
    }
    return p;
  }

  @Override
  public boolean isNullAt(int i) {
    if (!hasIndex(i)) {
      return true;
    }
    int index = (int) index(i);
    int p = part(index);
    return parts[p].isNullAt(index - starts[p]);
  }

  @Override
  public boolean getBoolean(int i) {
    int index = (int) index(i);
    int p = part(index);
    return ((BooleanColumnVector) parts[p]).getBoolean(index - starts[p]);
  }

  @Override
  public byte getByte(int i) {
    int index = (int) index(i);
    int p = part(index);
    return ((ByteColumnVector) parts[p]).getByte(index - starts[p]);
  }

  @Override
  public short getShort(int i) {
    int index = (int) index(i);
    int p = part(index);
    return ((ShortColumnVector) parts[p]).getShort(index - starts[p]);
  }

  @Override
  public int getInt(int i) {
    int index = (int) index(i);
    int p = part(index);
    return ((IntColumnVector) parts[p]).getInt(index - starts[p]);
  }

  @Override
  public long getLong(int i) {
    int index = (int) index(i);
    int p = part(index);
    return ((LongColumnVector) parts[p]).getLong(index - starts[p]);
  }

  @Override
  public float getFloat(int i) {
    int index = (int) index(i);
    int p = part(index);
    return ((FloatColumnVector) parts[p]).getFloat(index - starts[p]);
  }

  @Override
  public double getDouble(int i) {
    int index = (int) index(i);
    int p = part(index);
    return ((DoubleColumnVector) parts[p]).getDouble(index - starts[p]);
  }

  @Override
  public DecimalData getDecimal(int i, int precision, int scale) {
    int index = (int) index(i);
    int p = part(index);
    return ((DecimalColumnVector) parts[p]).getDecimal(index - starts[p], precision, scale);
  }

  @Override
  public TimestampData getTimestamp(int i, int precision) {
    int index = (int) index(i);
    int p = part(index);
    return ((TimestampColumnVector) parts[p]).getTimestamp(index - starts[p], precision);
  }

  @Override
  public Bytes getBytes(int i) {
    int index = (int) index(i);
    int p = part(index);
    return ((BytesColumnVector) parts[p]).getBytes(index - starts[p]);
  }

  @Override
  public ArrayData getArray(int i) {
    int index = (int) index(i);
    int p = part(index);
    return ((ArrayColumnVector) parts[p]).getArray(index - starts[p]);
  }

  @Override
  public MapData getMap(int i) {
    int index = (int) index(i);
    int p = part(index);
    return ((MapColumnVector) parts[p]).getMap(index - starts[p]);
  }

  @Override
  public ColumnarRowData getRow(int i) {
    int index = (int) index(i);
    int p = part(index);
    return ((RowColumnVector) parts[p]).getRow(index - starts[p]);
  }
}

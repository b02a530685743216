package io.millrace.lake.parquet;

import java.io.IOException;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.Encoding;
import org.apache.parquet.column.statistics.Statistics;

/** A leaf of booleans: one bit each, the first in the lowest bit. */
final class BooleanColumn extends LeafColumn {
  private final PageBuffer plain;
  private int bits;
  private int bitCount;
  private boolean sawTrue;
  private boolean sawFalse;

  BooleanColumn(ColumnDescriptor descriptor, int pageBytes, MemoryUse memory) {
    super(descriptor, pageBytes, memory);
    this.plain = new PageBuffer(memory);
  }

  boolean write(boolean value, int repetition) throws IOException {
    value(repetition);
    if (value) {
      bits |= 1 << bitCount;
      sawTrue = true;
    } else {
      sawFalse = true;
    }
    if (++bitCount == Byte.SIZE) {
      plain.write(bits);
      bits = 0;
      bitCount = 0;
    }
    return plain.size() >= pageBytes;
  }

  @Override
  int pageSize() {
    return plain.size();
  }

  @Override
  Encoding encode(PageBuffer page) {
    page.write(plain.bytes(), 0, plain.size());
    if (bitCount > 0) {
      page.write(bits);
    }
    return Encoding.PLAIN;
  }

  @Override
  Statistics<?> statistics() {
    Statistics.Builder statistics =
        Statistics.getBuilderForReading(descriptor.getPrimitiveType()).withNumNulls(nulls());
    return nonNulls() == 0
        ? statistics.build()
        : statistics.withMin(encoded(!sawFalse)).withMax(encoded(sawTrue)).build();
  }

  private static byte[] encoded(boolean value) {
    return new byte[] {(byte) (value ? 1 : 0)};
  }

  @Override
  void clearPage() {
    plain.clear(2 * pageBytes);
    bits = 0;
    bitCount = 0;
    sawTrue = false;
    sawFalse = false;
  }

  @Override
  void release() {
    clearPage();
    plain.clear(0);
  }
}

package io.millrace.lake.parquet;

import java.io.IOException;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.Encoding;
import org.apache.parquet.column.statistics.Statistics;

/** A leaf of 64-bit floating point numbers, plain. */
final class DoubleColumn extends LeafColumn {
  private final PageBuffer plain;
  private Statistics<?> statistics;

  DoubleColumn(ColumnDescriptor descriptor, int pageBytes, MemoryUse memory) {
    super(descriptor, pageBytes, memory);
    this.plain = new PageBuffer(memory);
    this.statistics = Statistics.createStats(descriptor.getPrimitiveType());
  }

  boolean write(double value, int repetition) throws IOException {
    value(repetition);
    plain.putLong(Double.doubleToRawLongBits(value));
    statistics.updateStats(value);
    return plain.size() >= pageBytes;
  }

  @Override
  int pageSize() {
    return plain.size();
  }

  @Override
  Encoding encode(PageBuffer page) {
    page.write(plain.bytes(), 0, plain.size());
    return Encoding.PLAIN;
  }

  @Override
  Statistics<?> statistics() {
    statistics.incrementNumNulls(nulls());
    return statistics;
  }

  @Override
  void clearPage() {
    plain.clear(2 * pageBytes);
    statistics = Statistics.createStats(descriptor.getPrimitiveType());
  }

  @Override
  void release() {
    clearPage();
    plain.clear(0);
  }
}

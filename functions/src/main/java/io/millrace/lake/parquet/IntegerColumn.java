package io.millrace.lake.parquet;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.Encoding;
import org.apache.parquet.column.statistics.Statistics;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;

/** A leaf of 32-bit or 64-bit integers, plain: their runs are left to the compression. */
final class IntegerColumn extends LeafColumn {
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final boolean wide;
  private final PageBuffer plain;
  private long min = Long.MAX_VALUE;
  private long max = Long.MIN_VALUE;

  IntegerColumn(ColumnDescriptor descriptor, int pageBytes, MemoryUse memory) {
    super(descriptor, pageBytes, memory);
    this.wide = descriptor.getPrimitiveType().getPrimitiveTypeName() == PrimitiveTypeName.INT64;
    this.plain = new PageBuffer(memory);
  }

  boolean write(long value, int repetition) throws IOException {
    value(repetition);
    if (wide) {
      plain.putLong(value);
    } else {
      plain.putInt((int) value);
    }
    min = Math.min(min, value);
    max = Math.max(max, value);
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
    Statistics.Builder statistics =
        Statistics.getBuilderForReading(descriptor.getPrimitiveType()).withNumNulls(nulls());
    return nonNulls() == 0
        ? statistics.build()
        : statistics.withMin(encoded(min)).withMax(encoded(max)).build();
  }

  private byte[] encoded(long value) {
    byte[] b = new byte[wide ? Long.BYTES : Integer.BYTES];
    if (wide) {
      LONG.set(b, 0, value);
    } else {
      INT.set(b, 0, (int) value);
    }
    return b;
  }

  @Override
  void clearPage() {
    plain.clear(2 * pageBytes);
    min = Long.MAX_VALUE;
    max = Long.MIN_VALUE;
  }

  @Override
  void release() {
    clearPage();
    plain.clear(0);
  }
}

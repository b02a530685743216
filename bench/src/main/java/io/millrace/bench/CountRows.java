package io.millrace.bench;

import org.apache.flink.api.common.accumulators.LongCounter;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichFilterFunction;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.RowDataSerializer;

/** Copies each row as a shuffle would, counts it, and lets nothing pass. */
public final class CountRows extends RichFilterFunction<RowData> {
  private static final long serialVersionUID = 1L;

  static final String ROWS = "rows";

  private final LongCounter rows = new LongCounter();
  private transient RowDataSerializer serializer;

  @Override
  public void open(OpenContext context) {
    getRuntimeContext().addAccumulator(ROWS, rows);
    serializer = new RowDataSerializer(EventRows.TYPE);
  }

  @Override
  public boolean filter(RowData row) {
    if (serializer.toBinaryRow(row).getSizeInBytes() > 0) {
      rows.add(1L);
    }
    return false;
  }
}

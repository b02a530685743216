package io.millrace.transform.clean;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.table.data.RowData;
import org.apache.flink.util.Collector;

/**
 * Passes the first row of a key, and drops those that lie less than a range of event time from it.
 * A key is forgotten when the watermark has passed that range.
 */
public final class DropDuplicates extends KeyedProcessFunction<RowData, RowData, RowData> {
  private static final long serialVersionUID = 1L;

  static final ValueStateDescriptor<Long> FIRST_TIME =
      new ValueStateDescriptor<>("first-time", Types.LONG);

  private final long rangeMs;
  private transient ValueState<Long> firstTime;

  /** {@code rangeMs} is the range in milliseconds. */
  public DropDuplicates(long rangeMs) {
    this.rangeMs = rangeMs;
  }

  @Override
  public void open(OpenContext context) {
    firstTime = getRuntimeContext().getState(FIRST_TIME);
  }

  @Override
  public void processElement(RowData row, Context context, Collector<RowData> out)
      throws Exception {
    Long first = firstTime.value();
    long time = context.timestamp();
    if (first != null && Math.abs(time - first) < rangeMs) {
      return;
    }
    out.collect(row);
    // A late row is not remembered instead of a younger one.
    if (first == null || time > first) {
      if (first != null) {
        context.timerService().deleteEventTimeTimer(first + rangeMs);
      }
      firstTime.update(time);
      context.timerService().registerEventTimeTimer(time + rangeMs);
    }
  }

  @Override
  public void onTimer(long timestamp, OnTimerContext context, Collector<RowData> out) {
    firstTime.clear();
  }
}

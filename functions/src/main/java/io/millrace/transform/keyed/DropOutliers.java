package io.millrace.transform.keyed;

import javax.annotation.Nullable;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.util.Collector;

/**
 * Drops rows whose number is more than so many sample deviations from the mean of its key, both of
 * the values up to the row and with it, in the order of event time. What is dropped has counted. A
 * late row is judged at once by what is known.
 */
public final class DropOutliers extends KeyedProcessFunction<RowData, RowData, RowData> {
  private static final long serialVersionUID = 1L;

  private final Scope scope;
  private final double threshold;
  private final RowType input;
  private final int number;
  private final RowData.FieldGetter[] getters;
  private transient HeldRows held;
  private transient Panes panes;

  /**
   * Judges the last column of rows, a DOUBLE, without which they leave.
   *
   * @param threshold the most deviations
   */
  public DropOutliers(Scope scope, double threshold, RowType input) {
    this.scope = scope;
    this.threshold = threshold;
    this.input = input;
    this.number = input.getFieldCount() - 1;
    this.getters = new RowData.FieldGetter[number];
    for (int i = 0; i < number; i++) {
      getters[i] = RowData.createFieldGetter(input.getTypeAt(i), i);
    }
  }

  @Override
  public void open(OpenContext context) {
    held = new HeldRows(getRuntimeContext(), input);
    panes = new Panes(getRuntimeContext(), scope, 1);
  }

  @Override
  public void processElement(RowData row, Context context, Collector<RowData> out)
      throws Exception {
    long time = context.timestamp();
    if (!held.hold(row, time, context.timerService())) {
      judge(row, time, context.timerService().currentWatermark(), context, out);
    }
  }

  @Override
  public void onTimer(long time, OnTimerContext context, Collector<RowData> out) throws Exception {
    for (RowData row : held.take(time)) {
      judge(row, time, time, context, out);
    }
    panes.forget(time);
  }

  private void judge(RowData row, long time, long now, Context context, Collector<RowData> out)
      throws Exception {
    Double value = row.isNullAt(number) ? null : row.getDouble(number);
    if (value != null && !value.isNaN()) {
      double x = value;
      panes.add(
          time,
          now,
          context.timerService(),
          statistics -> statistics[0].addNumber(x, Statistics.Kind.MOMENTS));
      Statistics known = panes.at(time)[0];
      if (isOutlier(x, known.mean(), known.deviation())) {
        return;
      }
    }
    GenericRowData kept = new GenericRowData(row.getRowKind(), number);
    for (int i = 0; i < number; i++) {
      kept.setField(i, getters[i].getFieldOrNull(row));
    }
    out.collect(kept);
  }

  private boolean isOutlier(double value, @Nullable Double mean, @Nullable Double deviation) {
    return mean != null
        && deviation != null
        && deviation > 0
        && Math.abs(value - mean) / deviation > threshold;
  }
}

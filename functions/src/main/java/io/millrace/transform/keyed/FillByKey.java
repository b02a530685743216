package io.millrace.transform.keyed;

import java.util.Arrays;
import javax.annotation.Nullable;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.util.Collector;

/**
 * Fills missing values of columns with a statistic of their key: of the values up to the row, in
 * the order of event time. A late row is filled at once with what is known, and counts from then
 * on. What there is no statistic for stays missing.
 */
public final class FillByKey extends KeyedProcessFunction<RowData, RowData, RowData> {
  private static final long serialVersionUID = 1L;

  /** The statistic that fills. */
  public enum With {
    MEAN,
    MEDIAN,
    MODE
  }

  private final With with;
  private final Scope scope;
  private final RowType input;
  private final LogicalType[] output;
  private final int[] columns;
  private final ColumnValues[] values;
  private final RowData.FieldGetter[] getters;
  private transient HeldRows held;
  private transient Panes panes;

  /**
   * Fills the columns at these positions.
   *
   * @param output the type of rows that leave: as those that come, but for the columns' types
   */
  public FillByKey(With with, Scope scope, int[] columns, RowType input, RowType output) {
    this.with = with;
    this.scope = scope;
    this.input = input;
    this.output = output.getChildren().toArray(LogicalType[]::new);
    this.columns = columns.clone();
    this.values =
        Arrays.stream(columns)
            .mapToObj(column -> new ColumnValues(column, input.getTypeAt(column)))
            .toArray(ColumnValues[]::new);
    this.getters = new RowData.FieldGetter[input.getFieldCount()];
    for (int i = 0; i < getters.length; i++) {
      getters[i] = RowData.createFieldGetter(input.getTypeAt(i), i);
    }
  }

  @Override
  public void open(OpenContext context) {
    held = new HeldRows(getRuntimeContext(), input);
    panes = new Panes(getRuntimeContext(), scope, columns.length);
  }

  @Override
  public void processElement(RowData row, Context context, Collector<RowData> out)
      throws Exception {
    long time = context.timestamp();
    if (!held.hold(row, time, context.timerService())) {
      fill(row, time, context.timerService().currentWatermark(), context, out);
    }
  }

  @Override
  public void onTimer(long time, OnTimerContext context, Collector<RowData> out) throws Exception {
    for (RowData row : held.take(time)) {
      fill(row, time, time, context, out);
    }
    panes.forget(time);
  }

  private void fill(RowData row, long time, long now, Context context, Collector<RowData> out)
      throws Exception {
    Object[] found = new Object[columns.length];
    boolean any = false;
    boolean all = true;
    for (int i = 0; i < columns.length; i++) {
      found[i] = values[i].of(row);
      any |= found[i] != null;
      all &= found[i] != null;
    }
    if (any) {
      panes.add(time, now, context.timerService(), statistics -> count(found, statistics));
    }
    Statistics[] known = all ? null : panes.at(time);
    GenericRowData filled = new GenericRowData(row.getRowKind(), getters.length);
    for (int i = 0; i < getters.length; i++) {
      filled.setField(i, getters[i].getFieldOrNull(row));
    }
    for (int i = 0; i < columns.length; i++) {
      Object value = found[i] == null ? statistic(i, known[i]) : converted(i, found[i]);
      filled.setField(columns[i], value);
    }
    out.collect(filled);
  }

  private void count(Object[] found, Statistics[] statistics) {
    for (int i = 0; i < found.length; i++) {
      if (found[i] != null) {
        switch (with) {
          case MEAN -> statistics[i].addNumber(values[i].number(found[i]), Statistics.Kind.MOMENTS);
          case MEDIAN ->
              statistics[i].addNumber(values[i].number(found[i]), Statistics.Kind.QUANTILES);
          case MODE -> statistics[i].addValue(values[i].text(found[i]));
        }
      }
    }
  }

  /** A value as the column that leaves has it. */
  private Object converted(int i, Object value) {
    LogicalType type = output[columns[i]];
    return type.getTypeRoot() == input.getTypeAt(columns[i]).getTypeRoot()
        ? value
        : ColumnValues.ofNumber(values[i].number(value), type);
  }

  @Nullable
  private Object statistic(int i, Statistics known) {
    if (with == With.MODE) {
      ColumnValues column = values[i];
      return known.counts() == null
          ? null
          : known.counts().mode(column::read, ColumnValues.order());
    }
    Double number = with == With.MEAN ? known.mean() : known.median();
    return number == null ? null : ColumnValues.ofNumber(number, output[columns[i]]);
  }
}

package io.millrace.transform.keyed;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.runtime.typeutils.RowDataSerializer;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.util.Collector;

/**
 * Fills missing values of columns with the last one of their key before them, in the order of event
 * time, unless it is older than the scope. A late row is filled at once, from what is the last
 * value then, and carries nothing forward.
 */
public final class CarryForward extends KeyedProcessFunction<RowData, RowData, RowData> {
  private static final long serialVersionUID = 1L;

  private static final String LAST_VALUES = "last-values";

  private final Scope scope;
  private final RowType type;
  private final int[] columns;
  private final RowData.FieldGetter[] getters;
  private final RowData.FieldGetter[] lastGetters;
  private final LogicalType[] lastTypes;
  private transient HeldRows held;

  /** The last value of each column, then its event time each; a column without one is null. */
  private transient ValueState<RowData> last;

  private transient RowDataSerializer serializer;

  /** Fills the columns at these positions. */
  public CarryForward(Scope scope, int[] columns, RowType type) {
    this.scope = scope;
    this.type = type;
    this.columns = columns.clone();
    this.getters = new RowData.FieldGetter[type.getFieldCount()];
    for (int i = 0; i < getters.length; i++) {
      getters[i] = RowData.createFieldGetter(type.getTypeAt(i), i);
    }
    this.lastTypes = new LogicalType[2 * columns.length];
    this.lastGetters = new RowData.FieldGetter[lastTypes.length];
    for (int i = 0; i < lastTypes.length; i++) {
      lastTypes[i] =
          i < columns.length ? type.getTypeAt(columns[i]).copy(true) : new BigIntType(true);
      lastGetters[i] = RowData.createFieldGetter(lastTypes[i], i);
    }
  }

  @Override
  public void open(OpenContext context) {
    held = new HeldRows(getRuntimeContext(), type);
    serializer = new RowDataSerializer(lastTypes);
    last =
        getRuntimeContext()
            .getState(
                new ValueStateDescriptor<RowData>(
                    LAST_VALUES, InternalTypeInfo.ofFields(lastTypes)));
  }

  @Override
  public void processElement(RowData row, Context context, Collector<RowData> out)
      throws Exception {
    long time = context.timestamp();
    if (!held.hold(row, time, context.timerService())) {
      out.collect(filled(row, lastValues(), time));
    }
  }

  @Override
  public void onTimer(long time, OnTimerContext context, Collector<RowData> out) throws Exception {
    GenericRowData values = lastValues();
    boolean changed = false;
    for (RowData row : held.take(time)) {
      GenericRowData filled = filled(row, values, time);
      out.collect(filled);
      for (int i = 0; i < columns.length; i++) {
        Object value = getters[columns[i]].getFieldOrNull(row);
        if (value != null) {
          values.setField(i, value);
          values.setField(columns.length + i, time);
          changed = true;
        }
      }
    }
    if (changed) {
      last.update(serializer.copy(serializer.toBinaryRow(values)));
      if (!scope.isAll()) {
        context.timerService().registerEventTimeTimer(time + scope.rangeMs() + 1);
      }
    } else if (!scope.isAll() && isOld(values, time)) {
      last.clear();
    }
  }

  private GenericRowData lastValues() throws Exception {
    GenericRowData values = new GenericRowData(lastTypes.length);
    RowData known = last.value();
    if (known != null) {
      for (int i = 0; i < lastTypes.length; i++) {
        values.setField(i, lastGetters[i].getFieldOrNull(known));
      }
    }
    return values;
  }

  private GenericRowData filled(RowData row, GenericRowData values, long time) {
    GenericRowData filled = new GenericRowData(row.getRowKind(), getters.length);
    for (int i = 0; i < getters.length; i++) {
      filled.setField(i, getters[i].getFieldOrNull(row));
    }
    for (int i = 0; i < columns.length; i++) {
      Long since = (Long) values.getField(columns.length + i);
      boolean known = since != null && (scope.isAll() || time - since <= scope.rangeMs());
      if (known && filled.isNullAt(columns[i])) {
        filled.setField(columns[i], values.getField(i));
      }
    }
    return filled;
  }

  /** Whether no value can be carried any further. */
  private boolean isOld(GenericRowData values, long time) {
    for (int i = 0; i < columns.length; i++) {
      Long since = (Long) values.getField(columns.length + i);
      if (since != null && time - since <= scope.rangeMs()) {
        return false;
      }
    }
    return true;
  }
}

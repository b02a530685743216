package io.millrace.transform.keyed;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.typeutils.ListTypeInfo;
import org.apache.flink.streaming.api.TimerService;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.runtime.typeutils.RowDataSerializer;
import org.apache.flink.table.types.logical.RowType;

/** The rows of a key that wait for the watermark, by event time, those of one in their order. */
final class HeldRows {
  private final MapState<Long, List<RowData>> held;
  private final RowDataSerializer serializer;

  HeldRows(RuntimeContext context, RowType type) {
    InternalTypeInfo<RowData> row = InternalTypeInfo.of(type);
    held =
        context.getMapState(
            new MapStateDescriptor<>("held-rows", Types.LONG, new ListTypeInfo<>(row)));
    serializer = row.toRowSerializer();
  }

  /** Keeps a row until {@link #take} of its time; false when that has been: the row is late. */
  boolean hold(RowData row, long time, TimerService timers) throws Exception {
    if (time <= timers.currentWatermark()) {
      return false;
    }
    List<RowData> rows = held.get(time);
    if (rows == null) {
      rows = new ArrayList<>(1);
      timers.registerEventTimeTimer(time);
    }
    rows.add(serializer.copy(row));
    held.put(time, rows);
    return true;
  }

  /** The rows of that time, which are no longer held. */
  List<RowData> take(long time) throws Exception {
    List<RowData> rows = held.get(time);
    if (rows == null) {
      return List.of();
    }
    held.remove(time);
    return rows;
  }
}

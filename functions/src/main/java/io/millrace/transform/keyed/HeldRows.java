package io.millrace.transform.keyed;

import java.util.ArrayList;
import java.util.List;
import javax.annotation.Nullable;
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

/**
 * The rows of a key that wait for the watermark, by event time, those of one in their order.
 *
 * <p>A state backend may write a whole list for each row that is added, so the rows of one time are
 * in lists that grow by a factor from level to level: the youngest rows are at level 0, under the
 * time itself, and when a list is full it goes behind the older ones of the level above. So n rows
 * of a time cost n log n. Where a level is, all below it are.
 */
final class HeldRows {
  /** The bits by which a list may be longer than one of the level below; also those of level 0. */
  private static final int GROWTH_BITS = 4;

  /** Where a state's key holds the level, above all bits of an event time but its sign's. */
  private static final int LEVEL_SHIFT = 56;

  private final MapState<Long, List<RowData>> held;
  private final RowDataSerializer serializer;

  HeldRows(RuntimeContext context, RowType type) {
    this(
        context.getMapState(
            new MapStateDescriptor<>(
                "held-rows", Types.LONG, new ListTypeInfo<>(InternalTypeInfo.of(type)))),
        InternalTypeInfo.of(type).toRowSerializer());
  }

  HeldRows(MapState<Long, List<RowData>> held, RowDataSerializer serializer) {
    this.held = held;
    this.serializer = serializer;
  }

  /** Keeps a row until {@link #take} of its time; false when that has been: the row is late. */
  boolean hold(RowData row, long time, TimerService timers) throws Exception {
    if (time <= timers.currentWatermark()) {
      return false;
    }
    if (!add(row, time)) {
      timers.registerEventTimeTimer(time);
    }
    return true;
  }

  /** Adds a row to those of its time; false when it is the first. */
  boolean add(RowData row, long time) throws Exception {
    List<RowData> known = held.get(time);
    List<RowData> rows = known;
    if (known == null) {
      rows = new ArrayList<>(1);
    } else if (isFull(known, 0)) {
      lift(known, time, 1);
      rows = new ArrayList<>();
    }
    rows.add(serializer.copy(row));
    held.put(time, rows);
    return known != null;
  }

  private void lift(List<RowData> rows, long time, int level) throws Exception {
    List<RowData> older = held.get(key(time, level));
    if (older == null) {
      held.put(key(time, level), rows);
    } else if (isFull(older, level)) {
      lift(older, time, level + 1);
      held.put(key(time, level), rows);
    } else {
      older.addAll(rows);
      held.put(key(time, level), older);
    }
  }

  private static boolean isFull(List<RowData> rows, int level) {
    return rows.size() >= 1L << (GROWTH_BITS * (level + 1));
  }

  private static long key(long time, int level) {
    return time ^ ((long) level << LEVEL_SHIFT);
  }

  /** The rows of that time, which are no longer held. */
  List<RowData> take(long time) throws Exception {
    List<List<RowData>> levels = new ArrayList<>();
    for (List<RowData> rows = removed(time, 0); rows != null; ) {
      levels.add(rows);
      rows = removed(time, levels.size());
    }
    if (levels.size() <= 1) {
      return levels.isEmpty() ? List.of() : levels.get(0);
    }
    List<RowData> all = new ArrayList<>();
    for (int level = levels.size() - 1; level >= 0; level--) {
      all.addAll(levels.get(level));
    }
    return all;
  }

  @Nullable
  private List<RowData> removed(long time, int level) throws Exception {
    List<RowData> rows = held.get(key(time, level));
    if (rows != null) {
      held.remove(key(time, level));
    }
    return rows;
  }
}

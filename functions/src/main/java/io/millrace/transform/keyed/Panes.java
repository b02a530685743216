package io.millrace.transform.keyed;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.TimerService;

/** The statistics of a key's columns, by pane of its scope. */
final class Panes {
  static final MapStateDescriptor<Long, byte[]> PANES =
      new MapStateDescriptor<>(
          "panes", Types.LONG, PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO);

  private final Scope scope;
  private final int columns;
  private final MapState<Long, byte[]> panes;

  Panes(RuntimeContext context, Scope scope, int columns) {
    this.scope = scope;
    this.columns = columns;
    this.panes = context.getMapState(PANES);
  }

  /**
   * Adds to the pane of an event time; not when no row to come needs it.
   *
   * @param now the event time up to which rows have been taken: that of the row unless it is late
   */
  void add(long time, long now, TimerService timers, Consumer<Statistics[]> change)
      throws Exception {
    long pane = scope.pane(time);
    long forgottenAt = scope.forgottenAt(pane);
    if (!scope.isAll() && forgottenAt <= now) {
      return;
    }
    byte[] bytes = panes.get(pane);
    Statistics[] statistics = bytes == null ? empty() : Statistics.of(bytes);
    change.accept(statistics);
    panes.put(pane, Statistics.toBytes(statistics));
    if (bytes == null && !scope.isAll()) {
      timers.registerEventTimeTimer(forgottenAt);
    }
  }

  /** What the scope has at an event time, per column. */
  Statistics[] at(long time) throws Exception {
    long last = scope.pane(time);
    Statistics[] all = empty();
    for (long pane = scope.isAll() ? last : last - Scope.PANES; pane <= last; pane++) {
      byte[] bytes = panes.get(pane);
      if (bytes != null) {
        merge(all, bytes);
      }
    }
    return all;
  }

  private static void merge(Statistics[] into, byte[] bytes) throws IOException {
    Statistics[] pane = Statistics.of(bytes);
    for (int i = 0; i < into.length; i++) {
      into[i].merge(pane[i]);
    }
  }

  private Statistics[] empty() {
    Statistics[] empty = new Statistics[columns];
    Arrays.setAll(empty, i -> new Statistics());
    return empty;
  }

  /** Drops what no row from that event time on needs. */
  void forget(long time) throws Exception {
    if (!scope.forgetsAt(time)) {
      return;
    }
    List<Long> old = new ArrayList<>();
    for (Long pane : panes.keys()) {
      if (scope.forgottenAt(pane) <= time) {
        old.add(pane);
      }
    }
    for (Long pane : old) {
      panes.remove(pane);
    }
  }
}

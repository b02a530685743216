package io.millrace.rollup;

import io.millrace.event.Cell;
import io.millrace.event.CellCounts;
import io.millrace.event.LiveRollup;
import io.millrace.event.ResultSerializers;
import io.millrace.event.Rollup;
import io.millrace.telemetry.Metrics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.annotation.Nullable;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.TimeDomain;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/**
 * Adds the parts of a cell up to its row.
 *
 * <pre>
 * part of a cell -> final row, once, at window end + gap + allowed lateness    main output
 *              |-> present row, every few seconds while it changes; the final one; in the end
 *              |   the retirement of the key                                  side output
 *              \-> row at window end + allowed lateness, where it is asked for side output
 * </pre>
 */
public final class RollUp extends KeyedProcessFunction<Cell, Rollup, Rollup>
    implements CheckpointedFunction {
  private static final long serialVersionUID = 1L;

  /** What the cells hold now. */
  public static final OutputTag<LiveRollup> LIVE =
      new OutputTag<>("live-rollups", TypeInformation.of(LiveRollup.class));

  /** Rows as they are when no event of their window can be missing; sessions may be. */
  public static final OutputTag<Rollup> EARLY =
      new OutputTag<>("early-rollups", TypeInformation.of(Rollup.class));

  private static final ValueStateDescriptor<CellCounts> COUNTS =
      new ValueStateDescriptor<>("counts", new ResultSerializers.OfCellCounts());
  private static final MapStateDescriptor<String, Long> FURTHER =
      new MapStateDescriptor<>("further-counts", Types.STRING, Types.LONG);
  private static final ListStateDescriptor<String> DIMENSIONS =
      new ListStateDescriptor<>("dimensions", Types.STRING);

  private final List<String> dimensions;
  private final List<String> counters;
  private final RollupTimes times;

  private transient ValueState<CellCounts> counts;
  private transient MapState<String, Long> further;
  private transient ListState<String> savedDimensions;
  private transient Counter finished;
  private transient Counter tooLate;

  public RollUp(RollupSpec spec, RollupTimes times) {
    this.dimensions = List.copyOf(spec.dimensions());
    this.counters = List.copyOf(spec.counters().keySet());
    this.times = times;
  }

  @Override
  public void initializeState(FunctionInitializationContext context) throws Exception {
    savedDimensions = context.getOperatorStateStore().getUnionListState(DIMENSIONS);
    List<String> before = new ArrayList<>();
    savedDimensions.get().forEach(before::add);
    // Every subtask has written the list.
    if (!before.isEmpty()
        && !before.subList(0, Math.min(before.size(), dimensions.size())).equals(dimensions)) {
      throw new IllegalStateException(
          "the rollups' dimensions were "
              + before
              + " when the state was written and are "
              + dimensions
              + ": open windows cannot be carried over; keep them, or drop the state of roll-up"
              + " and close-window");
    }
  }

  @Override
  public void snapshotState(FunctionSnapshotContext context) throws Exception {
    savedDimensions.update(dimensions);
  }

  @Override
  public void open(OpenContext context) {
    counts = getRuntimeContext().getState(COUNTS);
    further = getRuntimeContext().getMapState(FURTHER);
    MetricGroup metrics = getRuntimeContext().getMetricGroup().addGroup(Metrics.GROUP);
    finished = metrics.counter(Metrics.ROLLUP_ROWS);
    tooLate = metrics.counter(Metrics.ROLLUP_TOO_LATE);
  }

  @Override
  public void processElement(Rollup part, Context context, Collector<Rollup> out) throws Exception {
    long finalAt = part.cell().end() + times.finalMs();
    if (finalAt <= context.timerService().currentWatermark()) {
      // Never in a job that is wired right: parts are flushed before the watermark passes.
      tooLate.inc();
      return;
    }
    CellCounts before = counts.value();
    counts.update(sum(before, part.counts()));
    for (int i = CellCounts.FIXED; i < part.counts().events().length; i++) {
      long count = part.counts().events()[i];
      if (count != 0) {
        String name = counters.get(i - CellCounts.FIXED);
        Long soFar = further.get(name);
        further.put(name, (soFar == null ? 0 : soFar) + count);
      }
    }
    if (before == null) {
      context.timerService().registerEventTimeTimer(finalAt);
      if (times.early() != null) {
        context.timerService().registerEventTimeTimer(earlyAt(part.cell()));
      }
    }
    long liveInterval = times.liveInterval().toMillis();
    if (liveInterval > 0) {
      long now = context.timerService().currentProcessingTime();
      context.timerService().registerProcessingTimeTimer((now / liveInterval + 1) * liveInterval);
    }
  }

  @Override
  public void onTimer(long timestamp, OnTimerContext context, Collector<Rollup> out)
      throws Exception {
    Cell cell = context.getCurrentKey();
    CellCounts known = counts.value();
    if (context.timeDomain() == TimeDomain.PROCESSING_TIME) {
      if (known != null) {
        context.output(LIVE, new LiveRollup(row(cell, known), false, false));
      }
      return;
    }
    if (times.early() != null && timestamp == earlyAt(cell)) {
      if (known != null) {
        context.output(EARLY, row(cell, known));
      }
      if (!times.early().equals(times.finalDelay())) {
        return;
      }
    }
    if (known != null) {
      Rollup row = row(cell, known);
      out.collect(row);
      finished.inc();
      counts.clear();
      further.clear();
      if (times.isLive()) {
        context.output(LIVE, new LiveRollup(row, true, false));
        context.timerService().registerEventTimeTimer(timestamp + times.liveRetention().toMillis());
      }
    } else if (times.isLive() && context.timerService().currentWatermark() != Long.MAX_VALUE) {
      // The end of the input is no reason to forget what was told.
      context.output(LIVE, new LiveRollup(new Rollup(cell, none(), false), true, true));
    }
  }

  private long earlyAt(Cell cell) {
    return cell.end() + times.early().toMillis();
  }

  private CellCounts none() {
    return new CellCounts(new long[CellCounts.FIXED + counters.size()], 0, 0, 0, 0, null);
  }

  private Rollup row(Cell cell, CellCounts known) throws Exception {
    long[] events = Arrays.copyOf(known.events(), CellCounts.FIXED + counters.size());
    for (int i = 0; i < counters.size(); i++) {
      Long count = further.get(counters.get(i));
      events[CellCounts.FIXED + i] = count == null ? 0 : count;
    }
    return new Rollup(
        cell,
        new CellCounts(
            events,
            known.activeUsers(),
            known.sessionsEnded(),
            known.bouncedSessions(),
            known.sessionMs(),
            known.activeUsersHll()),
        false);
  }

  private static CellCounts sum(@Nullable CellCounts before, CellCounts part) {
    long[] events = Arrays.copyOf(part.events(), CellCounts.FIXED);
    if (before == null) {
      return new CellCounts(
          events,
          part.activeUsers(),
          part.sessionsEnded(),
          part.bouncedSessions(),
          part.sessionMs(),
          part.activeUsersHll());
    }
    for (int i = 0; i < events.length; i++) {
      events[i] += before.events()[i];
    }
    return new CellCounts(
        events,
        before.activeUsers() + part.activeUsers(),
        before.sessionsEnded() + part.sessionsEnded(),
        before.bouncedSessions() + part.bouncedSessions(),
        before.sessionMs() + part.sessionMs(),
        UserSketch.union(before.activeUsersHll(), part.activeUsersHll()));
  }
}

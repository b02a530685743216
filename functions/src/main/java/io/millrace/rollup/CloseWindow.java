package io.millrace.rollup;

import io.millrace.event.Cell;
import io.millrace.event.CellCounts;
import io.millrace.event.CrossCheck;
import io.millrace.event.LiveRollup;
import io.millrace.event.Rollup;
import io.millrace.telemetry.Metrics;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sees all final rows of a window together: caps their number, and checks that the finest cells and
 * the grand total tell the same.
 *
 * <pre>
 * final row -> final row, with rare values in OTHER beyond the cap   main output
 *         |-> comparisons of the window                              side output
 *         \-> live values: the final row of each key; retirements      side output
 * </pre>
 *
 * A cell that was folded is retired at once, one that has a final row after a while. The key is
 * {@link #windowOf}. The rows come while the watermark stands before their window's final time, and
 * leave when it has passed that.
 */
public final class CloseWindow extends KeyedProcessFunction<Long, Rollup, Rollup> {
  private static final long serialVersionUID = 1L;
  private static final Logger LOG = LoggerFactory.getLogger(CloseWindow.class);

  /** Comparisons within a window. */
  public static final OutputTag<CrossCheck> CHECKS =
      new OutputTag<>("window-checks", TypeInformation.of(CrossCheck.class));

  /** The last values of the window's cells, and later the retirement of their keys. */
  public static final OutputTag<LiveRollup> LIVE =
      new OutputTag<>("final-live-rollups", TypeInformation.of(LiveRollup.class));

  /** Cells that were told as final and are to be retired; without their counts. */
  private static final ListStateDescriptor<Rollup> TOLD =
      new ListStateDescriptor<>("folded-rows", TypeInformation.of(Rollup.class));

  private static final ListStateDescriptor<Rollup> ROWS =
      new ListStateDescriptor<>("rows", TypeInformation.of(Rollup.class));
  private static final List<String> FIXED =
      List.of("total_events", "total_installs", "total_sessions", "total_views", "total_opens");

  private final RollupSpec spec;
  private final int maxCells;
  private final RollupTimes times;
  private final String runId;
  private final String mode;

  private transient ListState<Rollup> rows;
  private transient ListState<Rollup> told;
  private transient CellCap cap;
  private transient Counter folded;
  private transient Counter violations;

  /**
   * @param maxCells most rows of a window
   * @param times as of {@link RollUp}
   */
  public CloseWindow(RollupSpec spec, int maxCells, RollupTimes times, String runId, String mode) {
    this.spec = spec;
    this.maxCells = maxCells;
    this.times = times;
    this.runId = runId;
    this.mode = mode;
  }

  /** A number for each window: its start, doubled, plus one for a day. */
  public static Long windowOf(Rollup row) {
    return 2 * row.cell().start() + (row.cell().daily() ? 1 : 0);
  }

  @Override
  public void open(OpenContext context) {
    rows = getRuntimeContext().getListState(ROWS);
    told = getRuntimeContext().getListState(TOLD);
    cap = new CellCap(spec, maxCells);
    MetricGroup metrics = getRuntimeContext().getMetricGroup().addGroup(Metrics.GROUP);
    folded = metrics.counter(Metrics.ROLLUP_CELLS_FOLDED);
    violations = metrics.counter(Metrics.CROSS_CHECK_VIOLATIONS);
  }

  @Override
  public void processElement(Rollup row, Context context, Collector<Rollup> out) throws Exception {
    rows.add(row);
    context.timerService().registerEventTimeTimer(row.cell().end() + times.finalMs());
  }

  @Override
  public void onTimer(long timestamp, OnTimerContext context, Collector<Rollup> out)
      throws Exception {
    List<Rollup> all = new ArrayList<>();
    rows.get().forEach(all::add);
    rows.clear();
    if (all.isEmpty()) {
      retire(context);
      return;
    }
    checkUsers(all, context);
    List<Rollup> capped = cap.apply(all);
    folded.inc((long) all.size() - capped.size());
    checkSums(capped, context);
    capped.forEach(out::collect);
    if (times.isLive()) {
      tell(all, capped, context);
      context.timerService().registerEventTimeTimer(timestamp + times.liveRetention().toMillis());
    }
  }

  /** The live values are those of the rows. */
  private void tell(List<Rollup> all, List<Rollup> capped, OnTimerContext context)
      throws Exception {
    Map<Cell, Rollup> gone = new LinkedHashMap<>();
    all.forEach(row -> gone.put(row.cell(), row));
    List<Rollup> toRetire = new ArrayList<>(capped.size());
    for (Rollup row : capped) {
      gone.remove(row.cell());
      context.output(LIVE, new LiveRollup(row, true, false));
      toRetire.add(empty(row.cell()));
    }
    gone.values().forEach(row -> context.output(LIVE, new LiveRollup(row, false, true)));
    told.addAll(toRetire);
  }

  /** The end of the input is no reason to forget what was told. */
  private void retire(OnTimerContext context) throws Exception {
    if (context.timerService().currentWatermark() != Long.MAX_VALUE) {
      for (Rollup row : told.get()) {
        context.output(LIVE, new LiveRollup(empty(row.cell()), true, true));
      }
    }
    told.clear();
  }

  private Rollup empty(Cell cell) {
    long[] events = new long[CellCounts.FIXED + spec.counters().size()];
    return new Rollup(cell, new CellCounts(events, 0, 0, 0, 0, null), false);
  }

  private void checkUsers(List<Rollup> all, OnTimerContext context) {
    long[] total = new long[1];
    long[] leaves = new long[1];
    for (Rollup row : all) {
      if (row.cell().kept() == 0) {
        total[0] += row.counts().activeUsers();
      }
      if (row.cell().kept() == spec.finest()) {
        leaves[0] += row.counts().activeUsers();
      }
    }
    emit(
        CrossCheck.USERS_AT_MOST_LEAVES,
        "active_users",
        total[0],
        leaves[0],
        total[0] <= leaves[0],
        all.get(0),
        context);
  }

  private void checkSums(List<Rollup> all, OnTimerContext context) {
    List<String> names = new ArrayList<>(FIXED);
    names.addAll(spec.counters().keySet());
    names.addAll(List.of("sessions_ended", "bounced_sessions", "session_ms"));
    long[] total = new long[names.size()];
    long[] leaves = new long[names.size()];
    for (Rollup row : all) {
      if (row.cell().kept() == 0) {
        add(row.counts(), total);
      }
      if (row.cell().kept() == spec.finest()) {
        add(row.counts(), leaves);
      }
    }
    for (int i = 0; i < total.length; i++) {
      emit(
          CrossCheck.LEAVES_EQUAL_ALL,
          names.get(i),
          leaves[i],
          total[i],
          leaves[i] == total[i],
          all.get(0),
          context);
    }
  }

  private static void add(CellCounts counts, long[] sums) {
    int i = 0;
    for (long count : counts.events()) {
      sums[i++] += count;
    }
    sums[i++] += counts.sessionsEnded();
    sums[i++] += counts.bouncedSessions();
    sums[i] += counts.sessionMs();
  }

  private void emit(
      String name,
      String counter,
      long found,
      long expected,
      boolean holds,
      Rollup row,
      OnTimerContext context) {
    String subject = (row.cell().daily() ? "daily." : "hourly.") + counter;
    CrossCheck check =
        new CrossCheck(
            runId,
            mode,
            context.timerService().currentProcessingTime(),
            0,
            name,
            subject,
            row.cell().start(),
            found,
            expected,
            holds);
    if (!holds) {
      violations.inc();
      LOG.error("A cross-check does not hold: {}", check);
    }
    context.output(CHECKS, check);
  }
}

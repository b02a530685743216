package io.millrace.rollup;

import io.millrace.event.Cell;
import io.millrace.event.CellCounts;
import io.millrace.event.LiveRollup;
import io.millrace.event.Rollup;
import io.millrace.telemetry.LatencyHistogram;
import io.millrace.telemetry.Metrics;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ScheduledFuture;
import javax.annotation.Nullable;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.runtime.state.VoidNamespace;
import org.apache.flink.runtime.state.VoidNamespaceSerializer;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.InternalTimer;
import org.apache.flink.streaming.api.operators.InternalTimerService;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.Triggerable;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.util.OutputTag;

/**
 * Adds the parts of a cell up to its row.
 *
 * <pre>
 * part of a cell -> final row, once, at window end + gap + allowed lateness    main output
 *              |-> present row, every few seconds while it changes             side output
 *              \-> row at window end + allowed lateness, where it is asked for  side output
 * </pre>
 *
 * <p>What the live values end with is told by {@link CloseWindow}, since the cap may fold the cell.
 *
 * <p>On RocksDB the open cells are kept on the heap, too, and those that have changed are written
 * before each barrier: the parts of a cell come in bursts. On the heap and in batch mode every part
 * goes to the state, as in the timeline.
 */
public final class RollUp extends AbstractStreamOperator<Rollup>
    implements OneInputStreamOperator<Rollup, Rollup>, Triggerable<Cell, VoidNamespace> {
  private static final long serialVersionUID = 1L;

  /** What the cells hold now; never final. */
  public static final OutputTag<LiveRollup> LIVE =
      new OutputTag<>("live-rollups", TypeInformation.of(LiveRollup.class));

  /** Rows as they are when no event of their window can be missing; sessions may be. */
  public static final OutputTag<Rollup> EARLY =
      new OutputTag<>("early-rollups", TypeInformation.of(Rollup.class));

  private static final ValueStateDescriptor<OpenCell> CELL =
      new ValueStateDescriptor<>("cell", new OpenCell.Serializer());
  private static final ListStateDescriptor<String> DIMENSIONS =
      new ListStateDescriptor<>("dimensions", Types.STRING);
  private static final String TIMERS = "cell-timers";

  /** Cells on the heap; beyond, they are written and forgotten. */
  private static final int MAX_CACHED = 50_000;

  private final List<String> dimensions;
  private final List<String> counters;
  private final RollupTimes times;

  private transient ValueState<OpenCell> cells;
  private transient ListState<String> savedDimensions;
  private transient InternalTimerService<VoidNamespace> timers;
  private transient boolean cached;
  private transient boolean restored;
  private transient Map<Cell, OpenCell> cache;
  private transient Set<Cell> unwritten;
  private transient Set<Cell> untold;
  @Nullable private transient ScheduledFuture<?> telling;
  private transient Set<Long> untoldTimes;
  private transient long lastTime;
  private transient LatencyHistogram liveAges;
  private transient long openCells;
  private transient Counter finished;
  private transient Counter tooLate;

  public RollUp(RollupSpec spec, RollupTimes times) {
    this.dimensions = List.copyOf(spec.dimensions());
    this.counters = List.copyOf(spec.counters().keySet());
    this.times = times;
  }

  /** The key is set only where state is asked for. */
  @Override
  public boolean hasKeyContext1() {
    return false;
  }

  @Override
  @SuppressWarnings("rawtypes")
  public void setKeyContextElement1(StreamRecord element) {
    // See hasKeyContext1.
  }

  @Override
  public void initializeState(StateInitializationContext context) throws Exception {
    super.initializeState(context);
    cells = context.getKeyedStateStore().getState(CELL);
    savedDimensions = context.getOperatorStateStore().getUnionListState(DIMENSIONS);
    List<String> before = new ArrayList<>();
    savedDimensions.get().forEach(before::add);
    // Every subtask has written the list.
    List<String> distinct = List.copyOf(new LinkedHashSet<>(before));
    if (!before.isEmpty() && !distinct.equals(dimensions)) {
      throw new IllegalStateException(
          "the rollups' dimensions were "
              + distinct
              + " when the state was written and are "
              + dimensions
              + ": open windows cannot be carried over; keep the dimensions, or start without the"
              + " state of the job");
    }
    restored = context.isRestored();
  }

  @Override
  public void open() throws Exception {
    super.open();
    timers = getInternalTimerService(TIMERS, VoidNamespaceSerializer.INSTANCE, this);
    if (restored) {
      timers.forEachEventTimeTimer(
          (namespace, time) -> {
            if (time == ((Cell) getCurrentKey()).end() + times.finalMs()) {
              openCells++;
            }
          });
    }
    cached = "rocksdb".equals(getKeyedStateBackend().getBackendTypeIdentifier());
    cache = new HashMap<>();
    unwritten = new HashSet<>();
    untold = new LinkedHashSet<>();
    MetricGroup metrics = getMetricGroup().addGroup(Metrics.GROUP);
    finished = metrics.counter(Metrics.ROLLUP_ROWS);
    tooLate = metrics.counter(Metrics.ROLLUP_TOO_LATE);
    metrics.gauge(Metrics.LIVE_CELLS, () -> openCells);
    untoldTimes = new HashSet<>();
    if (times.isLive()) {
      liveAges = new LatencyHistogram(metrics, Metrics.EVENT_TO_LIVE);
      long interval = times.liveInterval().toMillis();
      telling =
          getProcessingTimeService().scheduleWithFixedDelay(time -> tell(), interval, interval);
    }
  }

  @Override
  public void processElement(StreamRecord<Rollup> element) throws Exception {
    Rollup part = element.getValue();
    Cell cell = part.cell();
    long finalAt = cell.end() + times.finalMs();
    OpenCell open = find(cell);
    if (open == null && finalAt <= timers.currentWatermark()) {
      // Never in a job that is wired right: parts are flushed before the watermark passes.
      tooLate.inc();
      return;
    }
    if (open == null) {
      open = new OpenCell();
      openCells++;
      setCurrentKey(cell);
      timers.registerEventTimeTimer(VoidNamespace.INSTANCE, finalAt);
      // A session that ends late may be the first of its cell: by then that was told as empty.
      if (times.early() != null && earlyAt(cell) > timers.currentWatermark()) {
        timers.registerEventTimeTimer(VoidNamespace.INSTANCE, earlyAt(cell));
      }
    } else if (!cached) {
      // The backend may be writing the object that it gave.
      open = open.copy();
    }
    open.add(part.counts(), counters);
    if (cached) {
      cache.put(cell, open);
      unwritten.add(cell);
      if (cache.size() > MAX_CACHED) {
        write();
        cache.clear();
      }
    } else {
      cells.update(open);
    }
    if (times.isLive()) {
      untold.add(cell);
      note(cell, element.getTimestamp());
    }
  }

  /** The time of a part is that of an event which it comes with; else the end of its window. */
  private void note(Cell cell, long time) {
    if (time != lastTime && time >= cell.start() && time < cell.end()) {
      lastTime = time;
      untoldTimes.add(time);
    }
  }

  /** A cell's counts; sets the key, unless they are on the heap. */
  @Nullable
  private OpenCell find(Cell cell) throws Exception {
    OpenCell open = cache.get(cell);
    if (open != null) {
      return open;
    }
    setCurrentKey(cell);
    return cells.value();
  }

  private void write() throws Exception {
    for (Cell cell : unwritten) {
      setCurrentKey(cell);
      cells.update(cache.get(cell));
    }
    unwritten.clear();
  }

  private void tell() throws Exception {
    for (Cell cell : untold) {
      OpenCell open = find(cell);
      if (open != null) {
        output.collect(
            LIVE, new StreamRecord<>(new LiveRollup(row(cell, open), false, false), cell.end()));
      }
    }
    untold.clear();
    long now = System.currentTimeMillis();
    for (long time : untoldTimes) {
      liveAges.observe(now - time);
    }
    untoldTimes.clear();
  }

  @Override
  public void onEventTime(InternalTimer<Cell, VoidNamespace> timer) throws Exception {
    Cell cell = timer.getKey();
    long time = timer.getTimestamp();
    OpenCell open = find(cell);
    long finalAt = cell.end() + times.finalMs();
    if (open == null) {
      retire(cell, time);
      return;
    }
    if (times.early() != null && time == earlyAt(cell)) {
      output.collect(EARLY, new StreamRecord<>(row(cell, open), time));
    }
    if (time >= finalAt) {
      finish(cell, open, time);
    } else {
      // Of a run that had a longer way to the final row or a shorter one, or of the early row.
      setCurrentKey(cell);
      timers.registerEventTimeTimer(VoidNamespace.INSTANCE, finalAt);
    }
  }

  private void finish(Cell cell, OpenCell open, long time) throws Exception {
    output.collect(new StreamRecord<>(row(cell, open), time));
    finished.inc();
    openCells--;
    cache.remove(cell);
    unwritten.remove(cell);
    untold.remove(cell);
    setCurrentKey(cell);
    cells.clear();
  }

  /**
   * A timer of a cell that is gone, of a state in which this operator retired keys. The end of the
   * input is no reason to forget what was told.
   */
  private void retire(Cell cell, long time) {
    if (times.isLive() && timers.currentWatermark() != Long.MAX_VALUE) {
      CellCounts none = new OpenCell().counts(counters);
      output.collect(
          LIVE,
          new StreamRecord<>(new LiveRollup(new Rollup(cell, none, false), true, true), time));
    }
  }

  @Override
  public void onProcessingTime(InternalTimer<Cell, VoidNamespace> timer) {
    throw new IllegalStateException("no keyed processing-time timer is ever registered");
  }

  @Override
  public void prepareSnapshotPreBarrier(long checkpointId) throws Exception {
    // What was not told is no part of the checkpoint.
    tell();
    write();
  }

  @Override
  public void snapshotState(StateSnapshotContext context) throws Exception {
    super.snapshotState(context);
    savedDimensions.update(dimensions);
  }

  @Override
  public void finish() throws Exception {
    write();
    super.finish();
  }

  @Override
  public void close() throws Exception {
    if (telling != null) {
      telling.cancel(false);
    }
    super.close();
  }

  private long earlyAt(Cell cell) {
    return cell.end() + times.early().toMillis();
  }

  private Rollup row(Cell cell, OpenCell open) {
    return new Rollup(cell, open.counts(counters), false);
  }
}

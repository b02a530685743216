package io.millrace.anomaly;

import io.millrace.event.Anomaly;
import io.millrace.event.Anomaly.State;
import io.millrace.event.Observation;
import io.millrace.telemetry.Metrics;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.TreeMap;
import java.util.UUID;
import javax.annotation.Nullable;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/**
 * Judges each window of each series and keeps its alert: however many windows in a row are not as
 * expected, they are one alert, which opens, fires and is resolved. Key by {@link
 * Observation#series()}.
 *
 * <p>Observations come in any order and wait until the watermark has passed the end of their window
 * by the rules' delay; then a series' windows are judged in order, those without a row as empty.
 * After so many empty windows in a row the series is forgotten, its open alert resolved. At the end
 * of input all that waits is judged, with the empty windows between; it makes no window after the
 * last row empty: nobody knows whether it was. A series whose metric is not watched any more, in a
 * job that goes on from a savepoint, is forgotten at its next timer. A second observation of a
 * window, and one of a window that is not after the last judged one, is ignored and counted.
 */
public final class DetectAnomalies extends KeyedProcessFunction<String, Observation, Anomaly> {
  private static final long serialVersionUID = 1L;

  static final ValueStateDescriptor<SeriesState> SERIES =
      new ValueStateDescriptor<>("anomaly-series", TypeInformation.of(SeriesState.class));

  /** By start of the window, epoch ms. */
  static final MapStateDescriptor<Long, Observation> PENDING =
      new MapStateDescriptor<>(
          "pending-observations", Types.LONG, TypeInformation.of(Observation.class));

  private final AnomalyRules rules;

  private transient ValueState<SeriesState> state;
  private transient MapState<Long, Observation> pending;
  private transient DataOutputSerializer bytes;
  private transient Counter opened;
  private transient Counter firing;
  private transient Counter ignored;

  /** What is known of a series while it is worked on. */
  private static final class Series {
    final String metric;
    final List<String> labels;
    @Nullable final MetricRule rule;
    @Nullable final Detector detector;
    final long windowMs;
    long lastWindow;
    int emptyWindows;
    long openedAt;
    int windowsFiring;

    /** One that is not judged any more. */
    Series(SeriesState saved) {
      this(saved, null, null);
    }

    Series(SeriesState saved, @Nullable MetricRule rule, @Nullable Detector detector) {
      this.metric = saved.metric();
      this.labels = saved.labels();
      this.rule = rule;
      this.detector = detector;
      this.windowMs = saved.windowMs();
      this.lastWindow = saved.lastWindow();
      this.emptyWindows = saved.emptyWindows();
      this.openedAt = saved.openedAt();
      this.windowsFiring = saved.windowsFiring();
    }

    Series(Observation first, MetricRule rule) {
      this.metric = first.metric();
      this.labels = first.labels();
      this.rule = rule;
      this.detector = new Detector(rule.detector());
      this.windowMs = first.windowEnd() - first.windowStart();
      this.lastWindow = first.windowStart() - windowMs;
    }
  }

  public DetectAnomalies(AnomalyRules rules) {
    this.rules = rules;
  }

  @Override
  public void open(OpenContext context) {
    state = getRuntimeContext().getState(SERIES);
    pending = getRuntimeContext().getMapState(PENDING);
    bytes = new DataOutputSerializer(4096);
    MetricGroup metrics = getRuntimeContext().getMetricGroup().addGroup(Metrics.GROUP);
    opened = metrics.counter(Metrics.ALERTS_OPENED);
    firing = metrics.counter(Metrics.WINDOWS_FIRING);
    ignored = metrics.counter(Metrics.OBSERVATIONS_IGNORED);
  }

  @Override
  public void processElement(Observation next, Context context, Collector<Anomaly> out)
      throws Exception {
    rules.of(next.metric());
    SeriesState saved = state.value();
    if ((saved != null && next.windowStart() <= saved.lastWindow())
        || pending.contains(next.windowStart())
        || context.timerService().currentWatermark() == Long.MAX_VALUE) {
      ignored.inc();
      return;
    }
    pending.put(next.windowStart(), next);
    if (saved == null) {
      // Else the series' own timer comes first, window by window.
      context.timerService().registerEventTimeTimer(dueAt(next.windowEnd()));
    }
  }

  @Override
  public void onTimer(long timestamp, OnTimerContext context, Collector<Anomaly> out)
      throws Exception {
    SeriesState saved = state.value();
    if (saved != null && timestamp < saved.timer()) {
      return;
    }
    if (forgetUnwatched(saved, out)) {
      return;
    }
    long watermark = context.timerService().currentWatermark();
    Series series = saved == null ? null : load(saved);
    for (Observation next : takeDue(watermark)) {
      while (series != null && series.lastWindow + series.windowMs < next.windowStart()) {
        series = empty(series, out) ? series : null;
      }
      if (series == null) {
        series = new Series(next, rules.of(next.metric()));
      }
      series.lastWindow = next.windowStart();
      series.emptyWindows = 0;
      judge(series, next.value(), out);
    }
    if (watermark == Long.MAX_VALUE) {
      state.clear();
      return;
    }
    while (series != null && nextDueAt(series) <= watermark) {
      series = empty(series, out) ? series : null;
    }
    if (series != null) {
      save(series, context);
      return;
    }
    state.clear();
    long first = Long.MAX_VALUE;
    for (Observation waiting : pending.values()) {
      first = Math.min(first, dueAt(waiting.windowEnd()));
    }
    if (first < Long.MAX_VALUE) {
      context.timerService().registerEventTimeTimer(first);
    }
  }

  /** Of a metric that is not watched any more nothing is kept, and its alert is resolved. */
  private boolean forgetUnwatched(@Nullable SeriesState saved, Collector<Anomaly> out)
      throws Exception {
    Iterator<Observation> waiting = pending.values().iterator();
    String metric =
        saved != null ? saved.metric() : waiting.hasNext() ? waiting.next().metric() : null;
    if (metric == null || rules.watches(metric)) {
      return false;
    }
    if (saved != null && saved.windowsFiring() > 0) {
      Series series = new Series(saved);
      series.lastWindow += series.windowMs;
      emit(series, Double.NaN, Verdict.UNJUDGED, State.RESOLVED, out);
    }
    state.clear();
    pending.clear();
    return true;
  }

  /** Removes the pending observations whose windows are complete; in order. */
  private Collection<Observation> takeDue(long watermark) throws Exception {
    TreeMap<Long, Observation> due = new TreeMap<>();
    for (Observation waiting : pending.values()) {
      if (dueAt(waiting.windowEnd()) <= watermark) {
        due.put(waiting.windowStart(), waiting);
      }
    }
    for (Long start : due.keySet()) {
      pending.remove(start);
    }
    return due.values();
  }

  /** The watermark at which all rows of a window are there. */
  private long dueAt(long windowEnd) {
    return windowEnd + rules.delay().toMillis();
  }

  private long nextDueAt(Series series) {
    // The next window ends two lengths after the last one's start.
    return dueAt(series.lastWindow + 2 * series.windowMs);
  }

  /** The next window has no row; false when the series is to be forgotten. */
  private boolean empty(Series series, Collector<Anomaly> out) {
    series.lastWindow += series.windowMs;
    series.emptyWindows++;
    double value = series.rule.absent() == MetricRule.Absent.ZERO ? 0 : Double.NaN;
    judge(series, value, out);
    if (series.emptyWindows < rules.maxEmptyWindows()) {
      return true;
    }
    if (series.windowsFiring > 0) {
      emit(series, value, Verdict.UNJUDGED, State.RESOLVED, out);
    }
    return false;
  }

  private void judge(Series series, double value, Collector<Anomaly> out) {
    if (Double.isNaN(value)) {
      return;
    }
    Verdict verdict = series.detector.observe(series.lastWindow, value);
    if (verdict.anomalous()) {
      boolean first = series.windowsFiring == 0;
      if (first) {
        series.openedAt = series.lastWindow;
        opened.inc();
      }
      series.windowsFiring++;
      firing.inc();
      emit(series, value, verdict, first ? State.OPENED : State.FIRING, out);
    } else if (series.windowsFiring > 0) {
      emit(series, value, verdict, State.RESOLVED, out);
      series.windowsFiring = 0;
      series.openedAt = 0;
    }
  }

  private static void emit(
      Series series, double value, Verdict verdict, State state, Collector<Anomaly> out) {
    String identity = series.metric + "/" + String.join(",", series.labels) + "/" + series.openedAt;
    out.collect(
        new Anomaly(
            UUID.nameUUIDFromBytes(identity.getBytes(StandardCharsets.UTF_8)).toString(),
            series.metric,
            series.labels,
            series.lastWindow,
            series.lastWindow + series.windowMs,
            value,
            verdict.expected(),
            verdict.rarity(),
            verdict.severity(),
            verdict.direction(),
            state,
            series.openedAt,
            series.windowsFiring));
  }

  private Series load(SeriesState saved) throws IOException {
    MetricRule rule = rules.of(saved.metric());
    return new Series(
        saved, rule, Detector.read(rule.detector(), new DataInputDeserializer(saved.detector())));
  }

  private void save(Series series, Context context) throws IOException {
    bytes.clear();
    series.detector.write(bytes);
    long timer = nextDueAt(series);
    context.timerService().registerEventTimeTimer(timer);
    state.update(
        new SeriesState(
            series.metric,
            series.labels,
            bytes.getCopyOfBuffer(),
            series.windowMs,
            series.lastWindow,
            timer,
            series.emptyWindows,
            series.openedAt,
            series.windowsFiring));
  }
}

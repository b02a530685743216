package io.millrace.anomaly;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.event.Anomaly;
import io.millrace.event.Observation;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Metric;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.clusterframework.types.ResourceID;
import org.apache.flink.runtime.executiongraph.ExecutionGraphTestUtils;
import org.apache.flink.runtime.metrics.NoOpMetricRegistry;
import org.apache.flink.runtime.metrics.groups.AbstractMetricGroup;
import org.apache.flink.runtime.metrics.groups.TaskManagerMetricGroup;
import org.apache.flink.runtime.operators.testutils.MockEnvironment;
import org.apache.flink.runtime.operators.testutils.MockEnvironmentBuilder;
import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.streaming.api.operators.sorted.state.BatchExecutionInternalTimeServiceManager;
import org.apache.flink.streaming.api.operators.sorted.state.BatchExecutionStateBackend;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;

/** The operator of alerts in a harness, fed with windows of an hour by their number. */
final class Alerts implements AutoCloseable {
  static final long T0 = 1_767_225_600_000L; // 2026-01-01T00:00:00Z
  static final long HOUR = 3_600_000L;
  static final long DELAY = HOUR / 2;

  final Map<String, Counter> counters = new HashMap<>();
  final MockEnvironment environment;
  final KeyedOneInputStreamOperatorTestHarness<String, Observation, Anomaly> harness;

  Alerts(int maxEmptyWindows, OperatorSubtaskState restored) throws Exception {
    this(maxEmptyWindows, DELAY, restored, false);
  }

  private Alerts(int maxEmptyWindows, long delay, OperatorSubtaskState restored, boolean batch)
      throws Exception {
    this(
        new AnomalyRules(
            List.of(
                MetricRule.count("total_events"),
                MetricRule.ratio("error_rate"),
                MetricRule.amount("latency")),
            Duration.ofMillis(delay),
            maxEmptyWindows),
        restored,
        batch);
  }

  private Alerts(AnomalyRules rules, OperatorSubtaskState restored, boolean batch)
      throws Exception {
    NoOpMetricRegistry registry =
        new NoOpMetricRegistry() {
          @Override
          public void register(Metric metric, String name, AbstractMetricGroup<?> group) {
            if (metric instanceof Counter counter) {
              counters.put(name, counter);
            }
          }
        };
    environment =
        new MockEnvironmentBuilder()
            .setManagedMemorySize(3 << 20)
            .setMetricGroup(
                TaskManagerMetricGroup.createTaskManagerMetricGroup(
                        registry, "localhost", ResourceID.generate())
                    .addJob(new JobID(), "job")
                    .addTask(ExecutionGraphTestUtils.createExecutionAttemptId(), "alerts"))
            .build();
    harness =
        new KeyedOneInputStreamOperatorTestHarness<>(
            new KeyedProcessOperator<>(new DetectAnomalies(rules)),
            Observation::series,
            Types.STRING,
            environment);
    if (batch) {
      harness.setStateBackend(new BatchExecutionStateBackend());
      harness.setTimeServiceManagerProvider(BatchExecutionInternalTimeServiceManager::create);
    }
    harness.setup();
    if (restored != null) {
      harness.initializeState(restored);
    }
    harness.open();
  }

  static Alerts fresh() throws Exception {
    return restored(null);
  }

  static Alerts restored(OperatorSubtaskState state) throws Exception {
    return new Alerts(AnomalyRules.DEFAULT_MAX_EMPTY_WINDOWS, state);
  }

  static Alerts restored(OperatorSubtaskState state, long delay) throws Exception {
    return new Alerts(AnomalyRules.DEFAULT_MAX_EMPTY_WINDOWS, delay, state, false);
  }

  /** A job that watches one metric only. */
  static Alerts watching(MetricRule metric, OperatorSubtaskState restored) throws Exception {
    return new Alerts(
        new AnomalyRules(
            List.of(metric), Duration.ofMillis(DELAY), AnomalyRules.DEFAULT_MAX_EMPTY_WINDOWS),
        restored,
        false);
  }

  /** State and timers of batch mode: of one key at a time, the watermark never between. */
  static Alerts batch() throws Exception {
    return new Alerts(AnomalyRules.DEFAULT_MAX_EMPTY_WINDOWS, DELAY, null, true);
  }

  void send(String metric, int window, double value) throws Exception {
    long start = T0 + window * HOUR;
    harness.processElement(
        new Observation(metric, List.of("country=DE"), start, start + HOUR, value),
        start + HOUR - 1);
  }

  void judge(String metric, int window, double value) throws Exception {
    send(metric, window, value);
    over(window);
  }

  /** Some windows of a steady, noisy metric. */
  void steady(String metric, int windows, double level, double noise) throws Exception {
    Random random = new Random(7);
    for (int i = 0; i < windows; i++) {
      judge(metric, i, level + noise * random.nextGaussian());
    }
  }

  long ignored() {
    return counters.get("observations_ignored").getCount();
  }

  void assertNothingIsKept() {
    assertThat(harness.numKeyedStateEntries()).isZero();
    assertThat(harness.numEventTimeTimers()).isZero();
  }

  /** Every window up to this one is over, and its rows are there. */
  void over(int window) throws Exception {
    harness.processWatermark(T0 + (window + 1) * HOUR + DELAY);
  }

  List<Anomaly> rows() {
    List<Anomaly> rows =
        harness.getOutput().stream()
            .filter(StreamRecord.class::isInstance)
            .map(r -> (Anomaly) ((StreamRecord<?>) r).getValue())
            .toList();
    harness.getOutput().clear();
    return rows;
  }

  List<String> states() {
    return rows().stream()
        .map(r -> (r.windowStart() - T0) / HOUR + " " + r.state().code())
        .toList();
  }

  @Override
  public void close() throws Exception {
    harness.close();
    environment.close();
  }
}

package io.millrace.anomaly;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.event.Anomaly;
import io.millrace.event.Anomaly.Direction;
import io.millrace.event.Anomaly.Severity;
import io.millrace.event.Anomaly.State;
import io.millrace.event.Observation;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
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
import org.apache.flink.streaming.util.OperatorSnapshotUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DetectAnomaliesTest {
  private static final long T0 = 1_767_225_600_000L; // 2026-01-01T00:00:00Z
  private static final long HOUR = 3_600_000L;
  private static final long DELAY = HOUR / 2;
  private static final Path FIXTURE =
      Path.of("src/test/resources/state/detect-anomalies-v1.snapshot");
  private static final Path PENDING_FIXTURE =
      Path.of("src/test/resources/state/detect-anomalies-pending-v1.snapshot");

  /** The operator under test. */
  private static final class Alerts implements AutoCloseable {
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

  /** Some windows of a steady, noisy metric. */
  private static void steady(Alerts alerts, String metric, int windows, double level, double noise)
      throws Exception {
    Random random = new Random(7);
    for (int i = 0; i < windows; i++) {
      alerts.judge(metric, i, level + noise * random.nextGaussian());
    }
  }

  @Test
  void tenFiringWindowsAreOneAlert() throws Exception {
    try (Alerts alerts = Alerts.fresh()) {
      steady(alerts, "error_rate", 24, 0.01, 0.003);
      assertThat(alerts.rows()).isEmpty();
      for (int i = 24; i < 34; i++) {
        alerts.judge("error_rate", i, 0.8);
      }
      for (int i = 34; i < 40; i++) {
        alerts.judge("error_rate", i, 0.01);
      }
      List<Anomaly> rows = alerts.rows();
      assertThat(rows).hasSize(11);
      assertThat(rows).extracting(Anomaly::alertId).containsOnly(rows.get(0).alertId());
      assertThat(rows.get(0).state()).isEqualTo(State.OPENED);
      assertThat(rows.subList(1, 10)).extracting(Anomaly::state).containsOnly(State.FIRING);
      assertThat(rows.get(10).state()).isEqualTo(State.RESOLVED);
      assertThat(rows)
          .extracting(Anomaly::windowsFiring)
          .containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10);
      Anomaly opened = rows.get(0);
      assertThat(opened.metric()).isEqualTo("error_rate");
      assertThat(opened.labels()).containsExactly("country=DE");
      assertThat(opened.windowStart()).isEqualTo(T0 + 24 * HOUR);
      assertThat(opened.windowEnd()).isEqualTo(T0 + 25 * HOUR);
      assertThat(opened.openedAt()).isEqualTo(T0 + 24 * HOUR);
      assertThat(opened.observed()).isEqualTo(0.8);
      assertThat(opened.expected()).isBetween(0.0, 0.02);
      assertThat(opened.score()).isBetween(0.5, 1.0);
      assertThat(opened.severity()).isEqualTo(Severity.CRITICAL);
      assertThat(opened.direction()).isEqualTo(Direction.SPIKE);
      assertThat(rows.get(10).severity()).isEqualTo(Severity.NONE);
      assertThat(rows.get(10).direction()).isEqualTo(Direction.NONE);
    }
  }

  @Test
  void anotherAlertHasAnotherIdAndARepeatedRunTheSame() throws Exception {
    List<List<String>> runs = new ArrayList<>();
    for (int run = 0; run < 2; run++) {
      try (Alerts alerts = Alerts.fresh()) {
        steady(alerts, "latency", 48, 100, 5);
        alerts.judge("latency", 48, 1200);
        alerts.judge("latency", 49, 100);
        alerts.judge("latency", 60, 1200);
        runs.add(alerts.rows().stream().map(Anomaly::alertId).toList());
      }
    }
    assertThat(runs.get(0)).hasSize(3);
    assertThat(runs.get(0).get(0)).isEqualTo(runs.get(0).get(1)).isNotEqualTo(runs.get(0).get(2));
    assertThat(runs.get(1)).isEqualTo(runs.get(0));
  }

  @Test
  void trafficThatStopsIsAnAlertWithoutAnyRow() throws Exception {
    try (Alerts alerts = Alerts.fresh()) {
      steady(alerts, "total_events", 30, 500, 20);
      alerts.over(33);
      List<Anomaly> rows = alerts.rows();
      assertThat(rows)
          .extracting(Anomaly::state)
          .containsExactly(State.OPENED, State.FIRING, State.FIRING, State.FIRING);
      assertThat(rows).extracting(Anomaly::observed).containsOnly(0.0);
      assertThat(rows.get(0).direction()).isEqualTo(Direction.DROP);
      assertThat(rows.get(0).windowStart()).isEqualTo(T0 + 30 * HOUR);
      alerts.judge("total_events", 34, 510);
      assertThat(alerts.states()).containsExactly("34 resolved");
    }
  }

  @Test
  void windowsBetweenTwoRowsAreEmptyToo() throws Exception {
    try (Alerts alerts = Alerts.fresh()) {
      Random random = new Random(7);
      for (int i = 0; i < 30; i++) {
        alerts.send("total_events", i, 500 + 20 * random.nextGaussian());
      }
      alerts.judge("total_events", 33, 505);
      assertThat(alerts.states())
          .containsExactly("30 opened", "31 firing", "32 firing", "33 resolved");
    }
  }

  @Test
  void aWindowIsEmptyOnlyOnceItsRowsWouldBeThere() throws Exception {
    try (Alerts alerts = Alerts.fresh()) {
      steady(alerts, "total_events", 30, 500, 20);
      alerts.harness.processWatermark(T0 + 31 * HOUR + DELAY - 1);
      assertThat(alerts.rows()).isEmpty();
      alerts.harness.processWatermark(T0 + 31 * HOUR + DELAY);
      assertThat(alerts.states()).containsExactly("30 opened");
    }
  }

  @Test
  void aRatioWithoutARowHasNoValue() throws Exception {
    try (Alerts alerts = Alerts.fresh()) {
      steady(alerts, "error_rate", 30, 0.5, 0.02);
      alerts.over(40);
      alerts.judge("error_rate", 41, Double.NaN);
      alerts.judge("error_rate", 42, 0.5);
      assertThat(alerts.rows()).isEmpty();
    }
  }

  @Test
  void theSameWindowAgainAndAnOlderOneAreIgnored() throws Exception {
    try (Alerts alerts = Alerts.fresh()) {
      steady(alerts, "latency", 30, 100, 5);
      alerts.send("latency", 29, 5000);
      alerts.send("latency", 3, 5000);
      assertThat(alerts.ignored()).isEqualTo(2);
      alerts.send("latency", 30, 5000);
      alerts.send("latency", 30, 100);
      assertThat(alerts.ignored()).isEqualTo(3);
      assertThat(alerts.rows()).isEmpty();
      alerts.over(30);
      assertThat(alerts.states()).containsExactly("30 opened");
    }
  }

  @Test
  void aSeriesThatStaysSilentIsForgotten() throws Exception {
    try (Alerts alerts = new Alerts(5, null)) {
      steady(alerts, "total_events", 30, 500, 20);
      alerts.over(200);
      assertThat(alerts.states())
          .containsExactly(
              "30 opened", "31 firing", "32 firing", "33 firing", "34 firing", "34 resolved");
      alerts.assertNothingIsKept();
    }
  }

  @Test
  void aMetricThatIsNoLongerWatchedIsForgottenAtItsNextTimer() throws Exception {
    OperatorSubtaskState state;
    try (Alerts alerts = Alerts.fresh()) {
      steady(alerts, "total_events", 30, 500, 20);
      steady(alerts, "latency", 30, 100, 5);
      alerts.send("total_events", 30, 505);
      alerts.judge("latency", 30, 5_000);
      alerts.send("error_rate", 31, 0.5);
      assertThat(alerts.states()).containsExactly("30 opened");
      state = alerts.harness.snapshot(1, 1);
    }
    try (Alerts alerts = Alerts.watching(MetricRule.count("total_events"), state)) {
      alerts.send("total_events", 31, 505);
      alerts.over(31);
      List<Anomaly> rows = alerts.rows();
      assertThat(rows)
          .extracting(
              r -> r.metric() + " " + (r.windowStart() - T0) / HOUR + " " + r.state().code())
          .containsExactlyInAnyOrder("latency 31 resolved");
      assertThat(rows)
          .singleElement()
          .satisfies(
              resolved -> {
                assertThat(resolved.observed()).isNaN();
                assertThat(resolved.openedAt()).isEqualTo(T0 + 30 * HOUR);
                assertThat(resolved.windowsFiring()).isEqualTo(1);
              });
      // What is left is the series that is watched, and its timer.
      assertThat(alerts.harness.numKeyedStateEntries()).isEqualTo(1);
      assertThat(alerts.harness.numEventTimeTimers()).isEqualTo(1);
    }
  }

  @Test
  void theEndOfInputMakesNoWindowEmpty() throws Exception {
    try (Alerts alerts = Alerts.fresh()) {
      steady(alerts, "total_events", 30, 500, 20);
      assertThat(alerts.harness.numEventTimeTimers()).isEqualTo(1);
      alerts.harness.processWatermark(Long.MAX_VALUE);
      assertThat(alerts.rows()).isEmpty();
      alerts.assertNothingIsKept();
    }
  }

  /** Sends windows 0 to 35 in an order; 30 to 32 are a drop, 33 has no row. */
  private static void sendDrop(Alerts alerts, Comparator<Integer> order) throws Exception {
    List<Integer> windows = new ArrayList<>(IntStream.range(0, 36).boxed().toList());
    windows.sort(order);
    for (int i : windows) {
      if (i != 33) {
        alerts.send("total_events", i, i >= 30 && i <= 32 ? 3 : 500 + i % 7);
      }
    }
  }

  @Test
  void windowsThatComeOutOfOrderAreJudgedInOrder() throws Exception {
    try (Alerts alerts = Alerts.fresh()) {
      steady(alerts, "total_events", 30, 500, 20);
      alerts.send("total_events", 31, 505);
      assertThat(alerts.rows()).isEmpty();
      alerts.send("total_events", 30, 495);
      alerts.over(30);
      alerts.over(31);
      assertThat(alerts.rows()).isEmpty();
      assertThat(alerts.ignored()).isZero();
      alerts.send("total_events", 33, 500);
      alerts.send("total_events", 32, 9000);
      alerts.over(32);
      assertThat(alerts.states()).containsExactly("32 opened");
      alerts.over(33);
      assertThat(alerts.states()).containsExactly("33 resolved");
    }
  }

  @Test
  void everyOrderAndEveryWatermarkGivesTheSameAlerts() throws Exception {
    String[] expected = {"30 opened", "31 firing", "32 firing", "33 firing", "34 resolved"};
    List<Integer> shuffled = new ArrayList<>(IntStream.range(0, 36).boxed().toList());
    Collections.shuffle(shuffled, new Random(11));
    for (Comparator<Integer> order :
        List.<Comparator<Integer>>of(
            Comparator.naturalOrder(),
            Comparator.reverseOrder(),
            Comparator.comparing(shuffled::indexOf))) {
      try (Alerts alerts = Alerts.fresh()) {
        sendDrop(alerts, order);
        alerts.harness.processWatermark(Long.MAX_VALUE);
        assertThat(alerts.states()).containsExactly(expected);
        alerts.assertNothingIsKept();
      }
      try (Alerts alerts = Alerts.fresh()) {
        sendDrop(alerts, order);
        alerts.over(35);
        assertThat(alerts.states()).containsExactly(expected);
        assertThat(alerts.harness.numEventTimeTimers()).isGreaterThan(0);
        alerts.harness.processWatermark(Long.MAX_VALUE);
        assertThat(alerts.rows()).isEmpty();
        alerts.assertNothingIsKept();
      }
      try (Alerts alerts = Alerts.fresh()) {
        sendDrop(alerts, order);
        for (int i = 0; i < 36; i++) {
          alerts.over(i);
        }
        assertThat(alerts.states()).containsExactly(expected);
      }
      try (Alerts alerts = Alerts.batch()) {
        sendDrop(alerts, order);
        assertThat(alerts.rows()).isEmpty();
        alerts.send("latency", 0, 100);
        assertThat(alerts.states()).containsExactly(expected);
        assertThat(alerts.ignored()).isZero();
      }
    }
  }

  @Test
  void aSeriesThatIsForgottenStartsAnewWithWhatWaits() throws Exception {
    try (Alerts alerts = new Alerts(5, null)) {
      steady(alerts, "total_events", 30, 500, 20);
      alerts.send("total_events", 60, 3);
      alerts.over(34);
      assertThat(alerts.states()).endsWith("34 firing", "34 resolved");
      assertThat(alerts.harness.numKeyedStateEntries()).isEqualTo(1);
      assertThat(alerts.harness.numEventTimeTimers()).isEqualTo(1);
      alerts.over(60);
      // Nothing is judged before 10 values.
      assertThat(alerts.rows()).isEmpty();
      assertThat(alerts.harness.numKeyedStateEntries()).isEqualTo(1);
      alerts.over(65);
      alerts.assertNothingIsKept();
    }
  }

  @Test
  void aLongerDelayAfterARestartHoldsForWhatWaits() throws Exception {
    OperatorSubtaskState saved;
    try (Alerts alerts = Alerts.fresh()) {
      steady(alerts, "total_events", 30, 500, 20);
      alerts.send("total_events", 31, 505);
      saved = alerts.harness.snapshot(1, 1);
    }
    try (Alerts alerts = Alerts.restored(saved, DELAY + HOUR)) {
      alerts.over(30);
      alerts.send("total_events", 30, 9000);
      assertThat(alerts.rows()).isEmpty();
      alerts.over(31);
      assertThat(alerts.states()).containsExactly("30 opened");
      alerts.over(32);
      assertThat(alerts.states()).containsExactly("31 resolved");
    }
  }

  @Test
  void aMetricWithoutARuleIsRefused() throws Exception {
    try (Alerts alerts = Alerts.fresh()) {
      assertThatThrownBy(() -> alerts.send("total_likes", 0, 1))
          .hasMessage(
              "metric 'total_likes' is not watched, only [total_events, error_rate, latency]");
    }
  }

  @Test
  void anOpenAlertSurvivesARestart() throws Exception {
    OperatorSubtaskState saved;
    try (Alerts alerts = Alerts.fresh()) {
      openAlert(alerts);
      saved = alerts.harness.snapshot(1, 1);
    }
    assertTheAlertGoesOn(saved);
  }

  /** State of the first release: the bytes are never replaced. */
  @Test
  void theSnapshotOfTheFirstReleaseRestores() throws Exception {
    assertTheAlertGoesOn(OperatorSnapshotUtil.readStateHandle(FIXTURE.toString()));
  }

  /** As a release finds it whose own class, component, type or name of a state is another one. */
  @ParameterizedTest
  @CsvSource({
    "io.millrace.anomaly.SeriesState, io.millrace.anomaly.RenamedOnes, ClassNotFoundException",
    "windowsFiring, renamedFiring, but some elements were not found",
    "LongSerializer$LongSerializerSnapshot, ByteSerializer$ByteSerializerSnapshot,"
        + " Could not instantiate record",
    "anomaly-series, renamed-series, but could not find the following elements"
  })
  void aSnapshotOfOtherNamesOrTypesDoesNotPass(
      String name, String other, String failure, @TempDir Path folder) throws Exception {
    String bytes = Files.readString(FIXTURE, StandardCharsets.ISO_8859_1);
    assertThat(bytes).contains(name);
    Path renamed =
        Files.writeString(
            folder.resolve("renamed.snapshot"),
            bytes.replace(name, other),
            StandardCharsets.ISO_8859_1);
    OperatorSubtaskState saved = OperatorSnapshotUtil.readStateHandle(renamed.toString());
    assertThatThrownBy(() -> assertTheAlertGoesOn(saved)).hasStackTraceContaining(failure);
  }

  @Test
  void observationsThatWaitSurviveARestart() throws Exception {
    OperatorSubtaskState saved;
    try (Alerts alerts = Alerts.fresh()) {
      leaveWaiting(alerts);
      saved = alerts.harness.snapshot(1, 1);
    }
    assertWhatWaitsIsJudged(saved);
  }

  /** State of the first release: the bytes are never replaced. */
  @Test
  void theSnapshotWithWaitingObservationsRestores() throws Exception {
    assertWhatWaitsIsJudged(OperatorSnapshotUtil.readStateHandle(PENDING_FIXTURE.toString()));
  }

  @Test
  @EnabledIfSystemProperty(named = "millrace.fixtures.write", matches = "true")
  void writeTheSnapshot() throws Exception {
    try (Alerts alerts = Alerts.fresh()) {
      leaveWaiting(alerts);
      OperatorSnapshotUtil.writeStateHandle(
          alerts.harness.snapshot(1, 1), PENDING_FIXTURE.toString());
    }
  }

  /** An open alert, and the next two windows but one; another series has not begun. */
  private static void leaveWaiting(Alerts alerts) throws Exception {
    openAlert(alerts);
    alerts.send("latency", 34, 100);
    alerts.send("latency", 33, 1200);
    alerts.send("error_rate", 33, Double.NaN);
    assertThat(alerts.rows()).isEmpty();
  }

  private static void assertWhatWaitsIsJudged(OperatorSubtaskState saved) throws Exception {
    try (Alerts alerts = Alerts.restored(saved)) {
      alerts.send("latency", 33, 100);
      assertThat(alerts.ignored()).isEqualTo(1);
      alerts.send("latency", 32, 1300);
      alerts.over(34);
      List<Anomaly> rows = alerts.rows();
      assertThat(rows)
          .extracting(Anomaly::state)
          .containsExactly(State.FIRING, State.FIRING, State.RESOLVED);
      assertThat(rows).extracting(Anomaly::observed).containsExactly(1300.0, 1200.0, 100.0);
      assertThat(rows).extracting(Anomaly::openedAt).containsOnly(T0 + 30 * HOUR);
      alerts.harness.processWatermark(Long.MAX_VALUE);
      alerts.assertNothingIsKept();
    }
  }

  private static void openAlert(Alerts alerts) throws Exception {
    steady(alerts, "latency", 30, 100, 5);
    alerts.judge("latency", 30, 1200);
    alerts.judge("latency", 31, 1250);
    assertThat(alerts.states()).containsExactly("30 opened", "31 firing");
  }

  private static void assertTheAlertGoesOn(OperatorSubtaskState saved) throws Exception {
    try (Alerts alerts = Alerts.restored(saved)) {
      alerts.send("latency", 31, 100);
      assertThat(alerts.rows()).isEmpty();
      alerts.judge("latency", 32, 1200);
      alerts.judge("latency", 33, 100);
      List<Anomaly> rows = alerts.rows();
      assertThat(rows).extracting(Anomaly::state).containsExactly(State.FIRING, State.RESOLVED);
      assertThat(rows).extracting(Anomaly::windowsFiring).containsExactly(3, 3);
      assertThat(rows).extracting(Anomaly::openedAt).containsOnly(T0 + 30 * HOUR);
      assertThat(rows.get(0).expected()).isBetween(85.0, 125.0);
    }
  }
}

package io.millrace.anomaly;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.event.Anomaly;
import io.millrace.event.Anomaly.Direction;
import io.millrace.event.Anomaly.Severity;
import io.millrace.event.Anomaly.State;
import io.millrace.event.Observation;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.streaming.util.OperatorSnapshotUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

class DetectAnomaliesTest {
  private static final long T0 = 1_767_225_600_000L; // 2026-01-01T00:00:00Z
  private static final long HOUR = 3_600_000L;
  private static final long DELAY = HOUR / 2;
  private static final Path FIXTURE =
      Path.of("src/test/resources/state/detect-anomalies-v1.snapshot");

  /** The operator under test. */
  private static final class Alerts implements AutoCloseable {
    final KeyedOneInputStreamOperatorTestHarness<String, Observation, Anomaly> harness;

    Alerts(int maxEmptyWindows, OperatorSubtaskState restored) throws Exception {
      AnomalyRules rules =
          new AnomalyRules(
              List.of(
                  MetricRule.count("total_events"),
                  MetricRule.ratio("error_rate"),
                  MetricRule.amount("latency")),
              Duration.ofMillis(DELAY),
              maxEmptyWindows);
      harness =
          new KeyedOneInputStreamOperatorTestHarness<>(
              new KeyedProcessOperator<>(new DetectAnomalies(rules)),
              Observation::series,
              Types.STRING);
      harness.setup();
      if (restored != null) {
        harness.initializeState(restored);
      }
      harness.open();
    }

    static Alerts fresh() throws Exception {
      return new Alerts(AnomalyRules.DEFAULT_MAX_EMPTY_WINDOWS, null);
    }

    void send(String metric, int window, double value) throws Exception {
      long start = T0 + window * HOUR;
      harness.processElement(
          new Observation(metric, List.of("country=DE"), start, start + HOUR, value),
          start + HOUR - 1);
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
    }
  }

  /** Some windows of a steady, noisy metric. */
  private static void steady(Alerts alerts, String metric, int windows, double level, double noise)
      throws Exception {
    Random random = new Random(7);
    for (int i = 0; i < windows; i++) {
      alerts.send(metric, i, level + noise * random.nextGaussian());
      alerts.over(i);
    }
  }

  @Test
  void tenFiringWindowsAreOneAlert() throws Exception {
    try (Alerts alerts = Alerts.fresh()) {
      steady(alerts, "error_rate", 24, 0.01, 0.003);
      assertThat(alerts.rows()).isEmpty();
      for (int i = 24; i < 34; i++) {
        alerts.send("error_rate", i, 0.8);
      }
      for (int i = 34; i < 40; i++) {
        alerts.send("error_rate", i, 0.01);
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
    List<List<String>> runs = new java.util.ArrayList<>();
    for (int run = 0; run < 2; run++) {
      try (Alerts alerts = Alerts.fresh()) {
        steady(alerts, "latency", 48, 100, 5);
        alerts.send("latency", 48, 1200);
        alerts.send("latency", 49, 100);
        alerts.send("latency", 60, 1200);
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
      alerts.send("total_events", 34, 510);
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
      alerts.send("total_events", 33, 505);
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
      alerts.send("error_rate", 41, Double.NaN);
      alerts.send("error_rate", 42, 0.5);
      assertThat(alerts.rows()).isEmpty();
    }
  }

  @Test
  void theSameWindowAgainAndAnOlderOneAreIgnored() throws Exception {
    try (Alerts alerts = Alerts.fresh()) {
      steady(alerts, "latency", 30, 100, 5);
      alerts.send("latency", 29, 5000);
      alerts.send("latency", 3, 5000);
      assertThat(alerts.rows()).isEmpty();
      alerts.send("latency", 30, 5000);
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
      assertThat(alerts.harness.numKeyedStateEntries()).isZero();
      assertThat(alerts.harness.numEventTimeTimers()).isZero();
    }
  }

  @Test
  void theEndOfInputMakesNoWindowEmpty() throws Exception {
    try (Alerts alerts = Alerts.fresh()) {
      steady(alerts, "total_events", 30, 500, 20);
      assertThat(alerts.harness.numEventTimeTimers()).isEqualTo(1);
      alerts.harness.processWatermark(Long.MAX_VALUE);
      assertThat(alerts.rows()).isEmpty();
      assertThat(alerts.harness.numEventTimeTimers()).isZero();
      assertThat(alerts.harness.numKeyedStateEntries()).isZero();
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

  @Test
  @EnabledIfSystemProperty(named = "millrace.fixtures.write", matches = "true")
  void writeTheSnapshot() throws Exception {
    try (Alerts alerts = Alerts.fresh()) {
      openAlert(alerts);
      OperatorSnapshotUtil.writeStateHandle(alerts.harness.snapshot(1, 1), FIXTURE.toString());
    }
  }

  private static void openAlert(Alerts alerts) throws Exception {
    steady(alerts, "latency", 30, 100, 5);
    alerts.send("latency", 30, 1200);
    alerts.send("latency", 31, 1250);
    alerts.over(31);
    assertThat(alerts.states()).containsExactly("30 opened", "31 firing");
  }

  private static void assertTheAlertGoesOn(OperatorSubtaskState saved) throws Exception {
    try (Alerts alerts = new Alerts(AnomalyRules.DEFAULT_MAX_EMPTY_WINDOWS, saved)) {
      alerts.send("latency", 31, 100);
      assertThat(alerts.rows()).isEmpty();
      alerts.send("latency", 32, 1200);
      alerts.send("latency", 33, 100);
      List<Anomaly> rows = alerts.rows();
      assertThat(rows).extracting(Anomaly::state).containsExactly(State.FIRING, State.RESOLVED);
      assertThat(rows).extracting(Anomaly::windowsFiring).containsExactly(3, 3);
      assertThat(rows).extracting(Anomaly::openedAt).containsOnly(T0 + 30 * HOUR);
      assertThat(rows.get(0).expected()).isBetween(85.0, 125.0);
    }
  }
}

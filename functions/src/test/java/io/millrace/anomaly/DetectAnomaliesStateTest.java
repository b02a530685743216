package io.millrace.anomaly;

import static io.millrace.anomaly.Alerts.DELAY;
import static io.millrace.anomaly.Alerts.HOUR;
import static io.millrace.anomaly.Alerts.T0;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.event.Anomaly;
import io.millrace.event.Anomaly.State;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.util.OperatorSnapshotUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What restarts and new releases find of the alerts: each goes on where it was. */
class DetectAnomaliesStateTest {
  private static final Path FIXTURE =
      Path.of("src/test/resources/state/detect-anomalies-v1.snapshot");
  private static final Path PENDING_FIXTURE =
      Path.of("src/test/resources/state/detect-anomalies-pending-v1.snapshot");

  @Test
  void aMetricThatIsNoLongerWatchedIsForgottenAtItsNextTimer() throws Exception {
    OperatorSubtaskState state;
    try (Alerts alerts = Alerts.fresh()) {
      alerts.steady("total_events", 30, 500, 20);
      alerts.steady("latency", 30, 100, 5);
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
  void aLongerDelayAfterARestartHoldsForWhatWaits() throws Exception {
    OperatorSubtaskState saved;
    try (Alerts alerts = Alerts.fresh()) {
      alerts.steady("total_events", 30, 500, 20);
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
    alerts.steady("latency", 30, 100, 5);
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

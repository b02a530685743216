package io.millrace.anomaly;

import static io.millrace.anomaly.Alerts.DELAY;
import static io.millrace.anomaly.Alerts.HOUR;
import static io.millrace.anomaly.Alerts.T0;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.event.Anomaly;
import io.millrace.event.Anomaly.Direction;
import io.millrace.event.Anomaly.Severity;
import io.millrace.event.Anomaly.State;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DetectAnomaliesTest {
  @Test
  void tenFiringWindowsAreOneAlert() throws Exception {
    try (Alerts alerts = Alerts.fresh()) {
      alerts.steady("error_rate", 24, 0.01, 0.003);
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
        alerts.steady("latency", 48, 100, 5);
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
      alerts.steady("total_events", 30, 500, 20);
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
      alerts.steady("total_events", 30, 500, 20);
      alerts.harness.processWatermark(T0 + 31 * HOUR + DELAY - 1);
      assertThat(alerts.rows()).isEmpty();
      alerts.harness.processWatermark(T0 + 31 * HOUR + DELAY);
      assertThat(alerts.states()).containsExactly("30 opened");
    }
  }

  @Test
  void aRatioWithoutARowHasNoValue() throws Exception {
    try (Alerts alerts = Alerts.fresh()) {
      alerts.steady("error_rate", 30, 0.5, 0.02);
      alerts.over(40);
      alerts.judge("error_rate", 41, Double.NaN);
      alerts.judge("error_rate", 42, 0.5);
      assertThat(alerts.rows()).isEmpty();
    }
  }

  @Test
  void theSameWindowAgainAndAnOlderOneAreIgnored() throws Exception {
    try (Alerts alerts = Alerts.fresh()) {
      alerts.steady("latency", 30, 100, 5);
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
      alerts.steady("total_events", 30, 500, 20);
      alerts.over(200);
      assertThat(alerts.states())
          .containsExactly(
              "30 opened", "31 firing", "32 firing", "33 firing", "34 firing", "34 resolved");
      alerts.assertNothingIsKept();
    }
  }

  @Test
  void theEndOfInputMakesNoWindowEmpty() throws Exception {
    try (Alerts alerts = Alerts.fresh()) {
      alerts.steady("total_events", 30, 500, 20);
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
      alerts.steady("total_events", 30, 500, 20);
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
      alerts.steady("total_events", 30, 500, 20);
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
  void aMetricWithoutARuleIsRefused() throws Exception {
    try (Alerts alerts = Alerts.fresh()) {
      assertThatThrownBy(() -> alerts.send("total_likes", 0, 1))
          .hasMessage(
              "metric 'total_likes' is not watched, only [total_events, error_rate, latency]");
    }
  }
}

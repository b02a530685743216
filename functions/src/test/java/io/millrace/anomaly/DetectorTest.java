package io.millrace.anomaly;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.event.Anomaly.Direction;
import io.millrace.event.Anomaly.Severity;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Labelled series of every kind: what is found, where, and how often nothing is found in noise. */
class DetectorTest {
  private static final long T0 = 1_767_225_600_000L; // 2026-01-01T00:00:00Z, a Thursday
  private static final long HOUR = 3_600_000L;
  private static final int WEEK = 7 * 24;

  /** The value of a series at a row. */
  private interface Series {
    double at(int row, Random random);
  }

  private static List<Verdict> hours(Detector detector, int rows, Series series) {
    return rows(detector, HOUR, rows, series);
  }

  private static List<Verdict> rows(Detector detector, long interval, int rows, Series series) {
    Random random = new Random(42);
    List<Verdict> verdicts = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      verdicts.add(detector.observe(T0 + i * interval, series.at(i, random)));
    }
    return verdicts;
  }

  private static Detector any() {
    return new Detector(DetectorOptions.with(Floor.NEGLIGIBLE));
  }

  private static Detector counts() {
    return new Detector(MetricRule.count("c").detector());
  }

  private static Detector ratios() {
    return new Detector(MetricRule.ratio("r").detector());
  }

  private static List<Integer> anomalous(List<Verdict> verdicts) {
    List<Integer> rows = new ArrayList<>();
    for (int i = 0; i < verdicts.size(); i++) {
      if (verdicts.get(i).anomalous()) {
        rows.add(i);
      }
    }
    return rows;
  }

  /** Traffic with a day and a weekend. */
  private static double traffic(int hour, Random random) {
    double ofDay = 1 + 0.7 * Math.sin(2 * Math.PI * (hour % 24 - 9) / 24.0);
    double ofWeek = hour / 24 % 7 == 2 || hour / 24 % 7 == 3 ? 0.6 : 1;
    return 1000 * ofDay * ofWeek * (1 + 0.04 * random.nextGaussian());
  }

  @Test
  void errorsThatJumpFromNoneToMostAlert() {
    List<Verdict> verdicts = hours(ratios(), 40, (i, r) -> i < 30 ? 0 : 0.8);
    assertThat(anomalous(verdicts)).containsExactly(30, 31, 32, 33, 34, 35, 36, 37, 38, 39);
    assertThat(verdicts.get(30).severity()).isEqualTo(Severity.CRITICAL);
    assertThat(verdicts.get(30).direction()).isEqualTo(Direction.SPIKE);
    assertThat(verdicts.get(30).expected()).isZero();
  }

  @Test
  void aFewErrorsWhereThereWereNoneDoNot() {
    assertThat(anomalous(hours(ratios(), 200, (i, r) -> i % 17 == 0 ? 0.01 : 0))).isEmpty();
  }

  @Test
  void trafficThatStopsAlertsAtNoonAndAtNight() {
    for (int at : new int[] {4 * WEEK + 12, 4 * WEEK + 24}) {
      List<Verdict> verdicts = hours(counts(), at + 6, (i, r) -> i < at ? traffic(i, r) : 0);
      assertThat(anomalous(verdicts)).contains(at, at + 1, at + 5);
      assertThat(verdicts.get(at).direction()).isEqualTo(Direction.DROP);
      assertThat(verdicts.get(at).severity())
          .isEqualTo(at % 24 == 12 ? Severity.CRITICAL : Severity.WARNING);
    }
  }

  @Test
  void latencyTimesTwelveAlerts() {
    Detector detector = new Detector(MetricRule.amount("latency").detector());
    List<Verdict> verdicts =
        rows(
            detector,
            60_000,
            200,
            (i, r) -> Math.exp(5 + 0.2 * r.nextGaussian()) * (i >= 150 && i < 170 ? 12 : 1));
    assertThat(anomalous(verdicts))
        .containsAll(java.util.stream.IntStream.range(150, 170).boxed().toList());
    assertThat(anomalous(verdicts)).allSatisfy(i -> assertThat(i).isBetween(150, 169));
  }

  @Test
  void aQuietHourOfTheDayIsNoAnomalyTheSameValueAtNoonIs() {
    int at = 4 * WEEK + 4 * 24 + 15;
    double night = 300;
    List<Verdict> verdicts = hours(any(), at + 1, (i, r) -> i == at ? night : traffic(i, r));
    assertThat(verdicts.get(at).anomalous()).isTrue();
    assertThat(verdicts.get(at).expected()).isBetween(1300.0, 1900.0);
    // The season is learned by the third week: no later day alerts as such.
    assertThat(anomalous(verdicts).stream().filter(i -> i > 2 * WEEK && i < at).count())
        .isLessThanOrEqualTo(3);
  }

  @ParameterizedTest
  @ValueSource(doubles = {4, -4, 12})
  void aSpikeOrDropOfManyDeviationsAlertsOnce(double size) {
    List<Verdict> verdicts =
        hours(any(), 400, (i, r) -> 50 + r.nextGaussian() + (i == 300 ? 3 * size : 0));
    assertThat(anomalous(verdicts)).containsExactly(300);
    assertThat(verdicts.get(300).direction())
        .isEqualTo(size > 0 ? Direction.SPIKE : Direction.DROP);
    assertThat(verdicts.get(300).score()).isGreaterThan(0.45);
  }

  @Test
  void anAnomalyDoesNotPoisonItsBaseline() {
    List<Verdict> verdicts =
        hours(any(), 320, (i, r) -> 50 + r.nextGaussian() + (i >= 300 && i < 310 ? 40 : 0));
    assertThat(anomalous(verdicts))
        .containsExactly(300, 301, 302, 303, 304, 305, 306, 307, 308, 309);
    assertThat(verdicts.get(309).expected()).isBetween(45.0, 56.0);
    assertThat(verdicts.get(310).expected()).isBetween(45.0, 56.0);
  }

  @Test
  void aLevelThatStaysBecomesTheBaseline() {
    List<Verdict> verdicts =
        hours(any(), 600, (i, r) -> 50 + r.nextGaussian() + (i >= 300 ? 40 : 0));
    List<Integer> rows = anomalous(verdicts);
    assertThat(rows).startsWith(300, 301, 302);
    assertThat(rows).allSatisfy(i -> assertThat(i).isBetween(300, 360));
    assertThat(verdicts.get(500).expected()).isBetween(86.0, 94.0);
  }

  @Test
  void aTrendIsNoAnomaly() {
    List<Verdict> verdicts = hours(any(), 1000, (i, r) -> 100 + 0.5 * i + 2 * r.nextGaussian());
    assertThat(anomalous(verdicts)).hasSizeLessThanOrEqualTo(2);
    assertThat(verdicts.get(999).expected()).isBetween(585.0, 612.0);
  }

  @Test
  void noiseIsSilent() {
    int alarms = 0;
    for (int seed = 0; seed < 20; seed++) {
      Random random = new Random(seed);
      Detector detector = any();
      for (int i = 0; i < 2000; i++) {
        alarms += detector.observe(T0 + i * HOUR, 5 + random.nextGaussian()).anomalous() ? 1 : 0;
      }
    }
    // A warning is as rare as 1 in 3,000 rows; a normal distribution's tail is shorter than that.
    assertThat(alarms).isLessThanOrEqualTo(13);
  }

  @Test
  void flatSeriesAreSilentAndJudgedByTheFloor() {
    assertThat(anomalous(hours(any(), 500, (i, r) -> 7))).isEmpty();
    assertThat(anomalous(hours(counts(), 500, (i, r) -> i % 50 == 0 ? 2 : 0))).isEmpty();
    assertThat(anomalous(hours(counts(), 300, (i, r) -> i == 200 ? 400 : 100)))
        .containsExactly(200);
  }

  @Test
  void spikesThatRecurStopAlerting() {
    List<Verdict> verdicts =
        rows(
            any(),
            300_000,
            4000,
            (i, r) -> r.nextDouble() + (i % 50 == 0 ? 30 + r.nextDouble() : 0));
    List<Integer> late = anomalous(verdicts).stream().filter(i -> i > 1500).toList();
    assertThat(late).isEmpty();
  }

  @Test
  void anIncidentScoresHighOnceAndStaysSevere() {
    List<Verdict> verdicts =
        rows(any(), 300_000, 1050, (i, r) -> 50 + r.nextGaussian() + (i >= 1000 ? 60 : 0));
    assertThat(verdicts.get(1000).score()).isGreaterThan(0.5);
    assertThat(verdicts.subList(1001, 1040)).allSatisfy(v -> assertThat(v.anomalous()).isTrue());
    assertThat(verdicts.subList(1001, 1040).stream().filter(v -> v.score() > 0.4).count())
        .isLessThanOrEqualTo(3);
  }

  @Test
  void nothingIsSaidBeforeThereAreEnoughSamples() {
    Detector detector = new Detector(DetectorOptions.with(Floor.NEGLIGIBLE).with(20, 48));
    List<Verdict> verdicts = hours(detector, 21, (i, r) -> i % 2 == 0 ? 1 : 1000 * i);
    assertThat(anomalous(verdicts)).isEmpty();
    assertThat(verdicts.get(0).expected()).isNaN();
    assertThat(verdicts.get(19).score()).isZero();
  }

  @Test
  void valuesThatAreNoNumbersArePassedOver() {
    Detector with = any();
    Detector without = any();
    Random random = new Random(1);
    for (int i = 0; i < 200; i++) {
      double value = random.nextGaussian();
      assertThat(with.observe(T0 + i * HOUR, value))
          .isEqualTo(without.observe(T0 + i * HOUR, value));
      assertThat(with.observe(T0 + i * HOUR, i % 2 == 0 ? Double.NaN : Double.NEGATIVE_INFINITY))
          .isEqualTo(Verdict.UNJUDGED);
    }
  }

  @Test
  void whatIsWrittenGoesOnAsIfNothingHappened() throws IOException {
    Detector straight = any();
    Detector stopped = any();
    Random random = new Random(3);
    int largest = 0;
    for (int i = 0; i < 3 * WEEK; i++) {
      double value = traffic(i, random) * (i % 211 == 0 ? 3 : 1);
      Verdict expected = straight.observe(T0 + i * HOUR, value);
      assertThat(stopped.observe(T0 + i * HOUR, value)).isEqualTo(expected);
      DataOutputSerializer out = new DataOutputSerializer(64);
      stopped.write(out);
      largest = Math.max(largest, out.length());
      stopped =
          Detector.read(
              DetectorOptions.with(Floor.NEGLIGIBLE),
              new DataInputDeserializer(out.getCopyOfBuffer()));
    }
    assertThat(largest).isLessThan(6_000);
  }

  @Test
  void theStateDoesNotGrow() throws IOException {
    Detector detector = any();
    Random random = new Random(3);
    for (int i = 0; i < 200_000; i++) {
      detector.observe(T0 + i * 60_000L, Math.exp(3 * random.nextGaussian()));
    }
    DataOutputSerializer out = new DataOutputSerializer(64);
    detector.write(out);
    assertThat(out.length()).isLessThan(6_000);
  }

  @Test
  void anotherFormatIsRefused() {
    assertThatThrownBy(
            () ->
                Detector.read(
                    DetectorOptions.with(Floor.RATIO), new DataInputDeserializer(new byte[] {9})))
        .isInstanceOf(IOException.class)
        .hasMessage("detector of format 9, this version reads 1");
  }

  @Test
  void wrongOptionsAreNamed() {
    DetectorOptions options = DetectorOptions.with(Floor.COUNTS);
    assertThatThrownBy(() -> options.with(1, 48))
        .hasMessage("minSamples must be at least 2, was 1");
    assertThatThrownBy(() -> options.with(10, 0)).hasMessage("patience must be at least 1, was 0");
    assertThatThrownBy(() -> new DetectorOptions(10, 48, 5, 4, Floor.COUNTS))
        .hasMessage("0 < warning <= critical must hold, were 5.0 and 4.0");
    assertThatThrownBy(() -> new Floor(0, 0, false))
        .hasMessage("a floor must be above 0, was 0.0 and 0.0 of the value");
  }
}

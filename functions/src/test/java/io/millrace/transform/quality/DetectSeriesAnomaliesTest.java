package io.millrace.transform.quality;

import static java.util.Arrays.asList;
import static org.apache.flink.table.api.DataTypes.BIGINT;
import static org.apache.flink.table.api.DataTypes.DOUBLE;
import static org.apache.flink.table.api.DataTypes.STRING;
import static org.apache.flink.table.api.DataTypes.TIMESTAMP_LTZ;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.anomaly.Detector;
import io.millrace.anomaly.DetectorOptions;
import io.millrace.anomaly.Floor;
import io.millrace.anomaly.Verdict;
import io.millrace.transform.LocalTables;
import io.millrace.transform.Problem;
import io.millrace.transform.Rows;
import io.millrace.transform.UnboundedTables;
import io.millrace.transform.column.EventTime;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DetectSeriesAnomaliesTest {
  private static final Instant START = Instant.parse("2026-03-01T00:00:00Z");
  private static final int HOURS = 60;

  @TempDir Path temp;

  /** A sawtooth whose 50th value is far off. */
  private static double value(String key, int hour) {
    return hour == 50 ? 500 : 100 + (hour % 4) + (key.equals("b") ? 10 : 0);
  }

  /** What the detector itself says, in the order of time. */
  private static List<List<Object>> expected(String key) {
    Detector detector = new Detector(DetectorOptions.with(Floor.NEGLIGIBLE).with(12, 5));
    List<List<Object>> rows = new ArrayList<>();
    for (int hour = 0; hour < HOURS; hour++) {
      Instant time = START.plusSeconds(3600L * hour);
      double value = value(key, hour);
      Verdict verdict = detector.observe(time.toEpochMilli(), value);
      Double expected = Double.isNaN(verdict.expected()) ? null : verdict.expected();
      rows.add(asList(key, time, value, expected, verdict.score(), verdict.severity().code()));
    }
    assertThat(rows.get(50).get(5)).isEqualTo("critical");
    return rows;
  }

  private static final Map<String, Object> ARGUMENTS =
      Map.of("time", "at", "value", "v(1)", "key", "k", "min_samples", 12, "patience", 5);

  @Test
  void judgesEachSeriesInTheOrderOfTimeAndKeepsTheOrderOfRows() {
    LocalTables local = new LocalTables(temp);
    List<Object[]> input = new ArrayList<>();
    for (int hour = 0; hour < HOURS; hour++) {
      for (String key : List.of("a", "b")) {
        input.add(new Object[] {key, START.plusSeconds(3600L * hour).toString(), value(key, hour)});
      }
    }
    input.add(new Object[] {"a", "never", 1.0});
    input.add(new Object[] {"a", START.toString(), null});
    Collections.shuffle(input, new Random(7));
    Rows in =
        local.rows(
            List.of("k", "at", "v(1)"),
            List.of(STRING(), STRING(), DOUBLE()),
            input.toArray(Object[][]::new));
    Rows out = local.lower(new DetectSeriesAnomalies(), ARGUMENTS, in);
    assertThat(local.problems).isEmpty();
    assertThat(out.columns()).containsExactly("k", "at", "v(1)", "expected", "score", "severity");
    List<List<Object>> rows = LocalTables.collect(out);
    for (int i = 0; i < input.size(); i++) {
      assertThat(rows.get(i).subList(0, 3)).containsExactly(input.get(i));
      String key = (String) input.get(i)[0];
      if (input.get(i)[1].equals("never") || input.get(i)[2] == null) {
        assertThat(rows.get(i).subList(3, 6)).containsExactly(null, null, null);
        continue;
      }
      Instant at = Instant.parse((String) input.get(i)[1]);
      int hour = (int) ((at.getEpochSecond() - START.getEpochSecond()) / 3600);
      assertThat(rows.get(i).subList(3, 6)).isEqualTo(expected(key).get(hour).subList(3, 6));
    }
  }

  @Test
  void judgesAnUnboundedInputByKeyInTheSameWay() {
    UnboundedTables unbounded = new UnboundedTables(temp);
    List<Object[]> input = new ArrayList<>();
    for (int hour = 0; hour < HOURS; hour++) {
      for (String key : List.of("a", "b")) {
        input.add(new Object[] {key, START.plusSeconds(3600L * hour), value(key, hour)});
      }
    }
    Rows in =
        unbounded.rows(
            List.of("k", "at", "v(1)"),
            List.of(STRING(), TIMESTAMP_LTZ(3), DOUBLE()),
            "at",
            input.toArray(Object[][]::new));
    Rows out = unbounded.lower(new DetectSeriesAnomalies(), ARGUMENTS, in);
    assertThat(unbounded.problems).isEmpty();
    assertThat(EventTime.column(out)).contains("at");
    List<List<Object>> rows = unbounded.collect(out);
    for (String key : List.of("a", "b")) {
      assertThat(rows.stream().filter(row -> row.get(0).equals(key)).toList())
          .isEqualTo(expected(key));
    }
  }

  @Test
  void explainsWhatItCannotJudge() {
    LocalTables local = new LocalTables(temp);
    Rows in =
        local.rows(
            List.of("at", "v", "score"),
            List.of(BIGINT(), STRING(), DOUBLE()),
            new Object[][] {new Object[] {1L, "x", 1.0}});
    assertThat(local.lower(new DetectSeriesAnomalies(), Map.of("time", "at", "value", "v"), in))
        .isNull();
    UnboundedTables unbounded = new UnboundedTables(temp);
    Rows stream =
        unbounded.rows(
            List.of("k", "ts", "n", "v"),
            List.of(STRING(), TIMESTAMP_LTZ(3), BIGINT(), DOUBLE()),
            "ts",
            new Object[][] {new Object[] {"a", START, 1L, 1.0}});
    DetectSeriesAnomalies detect = new DetectSeriesAnomalies();
    assertThat(unbounded.lower(detect, Map.of("time", "ts", "value", "v"), stream)).isNull();
    assertThat(unbounded.lower(detect, Map.of("time", "n", "value", "v", "key", "k"), stream))
        .isNull();
    assertThat(local.problems)
        .extracting(Problem::message)
        .containsExactly(
            "the input has a column 'score' already; rename it before",
            "value is 'v', which is STRING, but must be a number; cast it before");
    assertThat(unbounded.problems)
        .extracting(Problem::message)
        .containsExactly(
            "key is missing: with unbounded input, name the columns of the series",
            "time is 'n', but with unbounded input must be the event time, 'ts'");
  }
}

package io.millrace.transform.clean;

import static java.util.Arrays.asList;
import static org.apache.flink.table.api.DataTypes.BIGINT;
import static org.apache.flink.table.api.DataTypes.BOOLEAN;
import static org.apache.flink.table.api.DataTypes.DECIMAL;
import static org.apache.flink.table.api.DataTypes.DOUBLE;
import static org.apache.flink.table.api.DataTypes.STRING;
import static org.apache.flink.table.api.DataTypes.TIMESTAMP_LTZ;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.transform.LocalTables;
import io.millrace.transform.Problem;
import io.millrace.transform.Rows;
import io.millrace.transform.UnboundedTables;
import io.millrace.transform.column.ColumnKind;
import io.millrace.transform.column.EventTime;
import io.millrace.transform.quality.AssessQuality;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Statistics of unbounded rows: by key, over a range of event time. */
class KeyedStatisticsTest {
  @RegisterExtension
  static final MiniClusterExtension CLUSTER = new MiniClusterExtension(LocalTables.cluster());

  private static final List<String> COLUMNS = List.of("at", "k", "n", "x", "d", "flag", "name");

  @TempDir Path temp;
  private UnboundedTables tables;

  @BeforeEach
  void open() {
    tables = new UnboundedTables(temp);
  }

  private static Instant at(int minute) {
    return Instant.parse("2026-03-01T10:00:00Z").plusSeconds(60L * minute);
  }

  private static Object[] row(Object... values) {
    return values;
  }

  private static BigDecimal decimal(String text) {
    return new BigDecimal(text);
  }

  private Rows rows() {
    return tables.rows(
        COLUMNS,
        List.of(TIMESTAMP_LTZ(3), STRING(), BIGINT(), DOUBLE(), DECIMAL(6, 2), BOOLEAN(), STRING()),
        "at",
        row(at(0), "a", 1L, 1.0, decimal("1.00"), true, "u"),
        row(at(1), "a", 2L, Double.NaN, decimal("2.01"), true, "t"),
        row(at(2), "b", null, null, null, null, null),
        row(at(3), "a", null, null, null, null, null),
        row(at(90), "a", null, null, null, null, null));
  }

  private Rows clean(Map<String, ?> arguments) {
    Rows out = tables.lower(new CleanNan(), arguments, rows());
    assertThat(tables.problems).isEmpty();
    assertThat(EventTime.column(out)).contains("at");
    assertThat(out.columns()).isEqualTo(COLUMNS);
    return out;
  }

  private static Map<String, String> scope(String strategy, String over) {
    return Map.of("strategy", strategy, "key", "k", "over", over);
  }

  @Test
  void meansFillNumbersOfEachKey() {
    Rows out = clean(scope("fill_mean", "all"));
    assertThat(out.columns().stream().map(c -> ColumnKind.name(type(out, c))))
        .containsExactly(
            "TIMESTAMP_LTZ(3)", "STRING", "DOUBLE", "DOUBLE", "DECIMAL(6, 2)", "BOOLEAN", "STRING");
    assertThat(tables.collect(out))
        .containsExactly(
            asList(at(0), "a", 1.0, 1.0, decimal("1.00"), true, "u"),
            asList(at(1), "a", 2.0, 1.0, decimal("2.01"), true, "t"),
            asList(at(2), "b", null, null, null, null, null),
            asList(at(3), "a", 1.5, 1.0, decimal("1.51"), null, null),
            asList(at(90), "a", 1.5, 1.0, decimal("1.51"), null, null));
  }

  private static LogicalType type(Rows rows, String column) {
    return EventTime.plain(rows.type(column).getLogicalType());
  }

  @Test
  void modesFillAllThatCanBeCounted() {
    assertThat(tables.collect(clean(scope("fill_mode", "1 h"))))
        .containsExactly(
            asList(at(0), "a", 1L, 1.0, decimal("1.00"), true, "u"),
            asList(at(1), "a", 2L, 1.0, decimal("2.01"), true, "t"),
            asList(at(2), "b", null, null, null, null, null),
            asList(at(3), "a", 1L, 1.0, decimal("1.00"), true, "t"),
            asList(at(90), "a", null, null, null, null, null));
  }

  @Test
  void theLastValueFillsForTheRange() {
    assertThat(tables.collect(clean(scope("ffill", "1 h"))))
        .containsExactly(
            asList(at(0), "a", 1L, 1.0, decimal("1.00"), true, "u"),
            asList(at(1), "a", 2L, 1.0, decimal("2.01"), true, "t"),
            asList(at(2), "b", null, null, null, null, null),
            asList(at(3), "a", 2L, 1.0, decimal("2.01"), true, "t"),
            asList(at(90), "a", null, null, null, null, null));
  }

  @Test
  void mediansFillNamedColumns() {
    Rows out =
        clean(
            Map.of("strategy", "fill_median", "columns", List.of("n"), "key", "k", "over", "2 h"));
    assertThat(tables.collect(out).get(4))
        .isEqualTo(asList(at(90), "a", 1.5, null, null, null, null));
  }

  @Test
  void outliersAreThoseOfTheirKey() {
    Object[][] values = new Object[13][];
    for (int i = 0; i < 12; i++) {
      values[i] =
          row(at(i), i == 11 ? "b" : "a", i == 10 || i == 11 ? "500" : i % 2 == 0 ? "10" : "11");
    }
    values[12] = row(at(12), "a", "none");
    Rows in =
        tables.rows(
            List.of("at", "k", "x"), List.of(TIMESTAMP_LTZ(3), STRING(), STRING()), "at", values);
    Rows out =
        tables.lower(
            new RemoveOutliers(),
            Map.of("column", "x", "z_threshold", 2.5, "key", "k", "over", "1 h"),
            in);
    assertThat(tables.problems).isEmpty();
    List<List<Object>> kept = tables.collect(out);
    assertThat(kept).hasSize(12);
    assertThat(kept.subList(10, 12))
        .containsExactly(asList(at(11), "b", "500"), asList(at(12), "a", "none"));
    assertThat(EventTime.column(out)).contains("at");
  }

  @Test
  void qualityIsThatOfTheKey() {
    Rows out =
        tables.lower(
            new AssessQuality(),
            Map.of(
                "rules",
                Map.of(
                    "not_null",
                    List.of("k"),
                    "mean",
                    Map.of("n", Map.of("max", 1)),
                    "check_null_ratio",
                    true,
                    "threshold_null_ratio",
                    0.4),
                "on_fail",
                "drop",
                "key",
                "k",
                "over",
                "all"),
            rows());
    assertThat(tables.problems).isEmpty();
    // The second has a mean of 1.5, b and the fourth too many nulls, and so has the last.
    assertThat(tables.collect(out))
        .containsExactly(asList(at(0), "a", 1L, 1.0, decimal("1.00"), true, "u"));
    assertThat(EventTime.column(out)).contains("at");
  }

  @Test
  void whatAScopeLacksIsSaid() {
    Rows timeless =
        tables.rows(List.of("k", "x"), List.of(STRING(), DOUBLE()), null, row("a", 1.0));
    tables.lower(new CleanNan(), Map.of("strategy", "ffill", "over", "all"), rows());
    tables.lower(new CleanNan(), Map.of("strategy", "ffill", "key", "k"), rows());
    tables.lower(new CleanNan(), scope("ffill", "0 s"), rows());
    tables.lower(new CleanNan(), scope("bfill", "1 h"), rows());
    tables.lower(new CleanNan(), Map.of("strategy", "ffill", "key", "kk", "over", "all"), rows());
    tables.lower(new RemoveOutliers(), Map.of("column", "x", "key", "k", "over", "all"), timeless);
    assertThat(tables.problems)
        .extracting(Problem::message)
        .containsExactly(
            "key is missing: the input never ends, so statistics need a key",
            "over is missing: the input never ends, so statistics cover an event time such as 1 h,"
                + " or all",
            "over is '0 s', but must be at least 1 ms, or all",
            "strategy is 'bfill', but the input never ends: what comes behind a row is not known;"
                + " use ffill",
            "key names 'kk', but there is no such column here; did you mean 'k'?",
            "the input has no event time, by which statistics of unbounded input are made; name one"
                + " by time in extract_kafka");
  }

  @Test
  void boundedInputHasNoUseForAScope() {
    LocalTables local = new LocalTables(temp);
    Rows in = local.rows(List.of("k", "x"), List.of(STRING(), DOUBLE()), row("a", 1.0));
    Map<String, String> scope = Map.of("key", "k", "over", "all");
    local.lower(new CleanNan(), scope, in);
    local.lower(new RemoveOutliers(), Map.of("column", "x", "key", "k"), in);
    local.lower(new AssessQuality(), Map.of("rules", Map.of("min_rows", 1), "over", "1 h"), in);
    assertThat(local.problems)
        .extracting(Problem::toString)
        .containsExactly(
            "step 'step': key is not used: statistics of bounded input are over all of it",
            "step 'step': over is not used: statistics of bounded input are over all of it",
            "step 'step': key is not used: statistics of bounded input are over all of it",
            "step 'step': over is not used: statistics of bounded input are over all of it");
    assertThat(local.problems).noneMatch(Problem::isError);
  }
}

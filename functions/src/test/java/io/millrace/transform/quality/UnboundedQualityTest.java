package io.millrace.transform.quality;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.transform.LocalTables;
import io.millrace.transform.Problem;
import io.millrace.transform.QualityGateException;
import io.millrace.transform.Rows;
import io.millrace.transform.UnboundedTables;
import io.millrace.transform.clean.CleanNan;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** What can be done to single rows needs no end of the input; the rest says that it does. */
class UnboundedQualityTest {
  @RegisterExtension
  static final MiniClusterExtension CLUSTER = new MiniClusterExtension(LocalTables.cluster());

  @TempDir Path temp;
  private UnboundedTables tables;

  @BeforeEach
  void open() {
    tables = new UnboundedTables(temp);
  }

  private Rows rows() {
    return tables.rows(
        List.of("id", "mail"),
        List.of(DataTypes.BIGINT(), DataTypes.STRING()),
        null,
        new Object[] {1L, "a@x"},
        new Object[] {null, "b@x"},
        new Object[] {3L, "nobody"},
        new Object[] {4L, null});
  }

  @Test
  void rowsAreCheckedAndCleanedOneByOne() {
    Rows checked =
        tables.lower(
            new AssessQuality(),
            Map.of(
                "rules",
                Map.of("not_null", List.of("id"), "regex", Map.of("mail", "@")),
                "on_fail",
                "drop"),
            rows());
    assertThat(tables.problems).isEmpty();
    Rows filled =
        tables.lower(
            new CleanNan(),
            Map.of("strategy", "fill_value", "fill_value", "none", "columns", "mail"),
            checked);
    assertThat(tables.collect(filled)).containsExactly(List.of(1L, "a@x"), List.of(4L, "none"));
  }

  @Test
  void whatNeedsTheWholeInputSaysSo() {
    tables.lower(new CleanNan(), Map.of("strategy", "bfill"), rows());
    tables.lower(
        new AssessQuality(),
        Map.of(
            "rules",
            Map.of("min_rows", 1, "check_unique_columns", List.of("id")),
            "fail_on_errors",
            true),
        rows());
    tables.lower(
        new AssessQuality(),
        Map.of("rules", Map.of("not_null", List.of("id")), "on_fail", "quarantine"),
        rows());
    tables.lower(
        new AssessQuality(),
        Map.of(
            "rules",
            Map.of("mean", Map.of("mail", Map.of("min", 1)), "z_score", Map.of("idd", 3)),
            "key",
            "id",
            "over",
            "all"),
        rows());
    tables.lower(
        new AssessQuality(),
        Map.of("rules", Map.of("mean", Map.of("id", Map.of("min", 1)))),
        rows());
    assertThat(tables.problems)
        .extracting(Problem::message)
        .containsExactly(
            "strategy is 'bfill', but the input never ends: what comes behind a row is not known;"
                + " use ffill",
            "rules has min_rows, check_unique_columns, but the input never ends, so that is never"
                + " known",
            "fail_on_errors is true, but the input never ends; on_fail: fail ends the run with the"
                + " first row that violates a rule",
            "on_fail is 'quarantine', but must be fail, drop or warn: the input never ends, so a"
                + " quarantine file is never whole",
            "rules.mean has 'mail', which is STRING, but must be a number",
            "rules.z_score has 'idd', but there is no such column here; did you mean 'id'?",
            "key is missing: the input never ends, so statistics need a key");
  }

  @Test
  void aRowThatViolatesARuleMayPassOrEndTheRun() {
    Map<String, Object> rules =
        Map.of("not_null", List.of("id"), "check_value_range", Map.of("id", Map.of("max", 3)));
    Rows warned = tables.lower(new AssessQuality(), Map.of("rules", rules), rows());
    Rows dropped =
        tables.lower(new AssessQuality(), Map.of("rules", rules, "on_fail", "drop"), rows());
    Rows failed =
        tables.lower(new AssessQuality(), Map.of("rules", rules, "on_fail", "fail"), rows());
    assertThat(tables.problems).isEmpty();
    assertThat(tables.collect(warned)).hasSize(4);
    assertThat(tables.collect(dropped)).containsExactly(List.of(1L, "a@x"), List.of(3L, "nobody"));
    assertThatThrownBy(() -> tables.collect(failed))
        .rootCause()
        .isInstanceOf(QualityGateException.class)
        .hasMessage("quality checks of step 'step' failed: not_null of id");
  }

  @Test
  void whatIsNotANumberIsMissing() {
    Rows measured =
        tables.rows(
            List.of("x"),
            List.of(DataTypes.DOUBLE()),
            null,
            new Object[] {Double.NaN},
            new Object[] {-1.0},
            new Object[] {2.0},
            new Object[] {null});
    Map<String, Object> rules = Map.of("check_value_range", Map.of("x", Map.of("min", 0)));
    Rows dropped =
        tables.lower(new AssessQuality(), Map.of("rules", rules, "on_fail", "drop"), measured);
    assertThat(tables.problems).isEmpty();
    assertThat(tables.collect(dropped))
        .extracting(row -> row.get(0))
        .containsExactly(Double.NaN, 2.0, null);
  }
}

package io.millrace.transform;

import static org.assertj.core.api.Assertions.assertThat;

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
    tables.lower(new AssessQuality(), Map.of("rules", Map.of("min_rows", 1)), rows());
    tables.lower(
        new AssessQuality(),
        Map.of("rules", Map.of("not_null", List.of("id")), "on_fail", "quarantine"),
        rows());
    assertThat(tables.problems)
        .extracting(Problem::message)
        .containsExactly(
            "strategy is 'bfill', but the input never ends: what comes behind a row is not known;"
                + " use ffill",
            "the input never ends, so rules of the whole input and fail_on_errors are not possible:"
                + " rules may be not_null, regex and allowed_values",
            "on_fail is 'quarantine', but must be drop: the input never ends, so there is no report"
                + " and no quarantine file");
  }
}

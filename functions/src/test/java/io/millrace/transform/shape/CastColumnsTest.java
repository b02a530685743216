package io.millrace.transform.shape;

import static java.util.Arrays.asList;
import static org.apache.flink.table.api.DataTypes.BIGINT;
import static org.apache.flink.table.api.DataTypes.BOOLEAN;
import static org.apache.flink.table.api.DataTypes.STRING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.transform.LocalTables;
import io.millrace.transform.Problem;
import io.millrace.transform.Rows;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CastColumnsTest {
  @TempDir Path temp;

  private static Rows rows(LocalTables local) {
    return local.rows(
        List.of("when", "price", "n"),
        List.of(STRING(), STRING(), BIGINT()),
        new Object[] {"2026-03-01", "1.255", 7L},
        new Object[] {"never", null, null});
  }

  @Test
  void givesNullToWhatDoesNotFitIfToldTo() {
    LocalTables local = new LocalTables(temp);
    Rows out =
        local.lower(
            new CastColumns(),
            Map.of(
                "columns",
                Map.of("when", "DATE", "price", "DECIMAL(10, 2)", "n", "string"),
                "on_error",
                "null"),
            rows(local));
    assertThat(local.problems).isEmpty();
    assertThat(out.columns()).containsExactly("when", "price", "n");
    assertThat(LocalTables.collect(out))
        .containsExactly(
            asList(LocalDate.of(2026, 3, 1), new BigDecimal("1.26"), "7"),
            asList(null, null, null));
  }

  @Test
  void failsTheRunOtherwise() {
    LocalTables local = new LocalTables(temp);
    Rows out =
        local.lower(new CastColumns(), Map.of("columns", Map.of("when", "DATE")), rows(local));
    assertThatThrownBy(() -> LocalTables.collect(out)).hasStackTraceContaining("never");
  }

  @Test
  void explainsTypesThatAreNoneAndCastsThatCannotBe() {
    LocalTables local = new LocalTables(temp);
    Rows in = local.rows(List.of("ok"), List.of(BOOLEAN()), new Object[][] {new Object[] {true}});
    assertThat(local.lower(new CastColumns(), Map.of("columns", Map.of("ok", "NUMBR")), in))
        .isNull();
    assertThat(local.lower(new CastColumns(), Map.of("columns", Map.of("ok", "DATE")), in))
        .isNull();
    assertThat(local.lower(new CastColumns(), Map.of("columns", Map.of("okk", "DATE")), in))
        .isNull();
    assertThat(local.problems)
        .extracting(Problem::message)
        .containsExactly(
            "columns.ok is 'NUMBR', but must be an SQL type, such as STRING, INT, BIGINT, DOUBLE,"
                + " BOOLEAN, DATE, TIMESTAMP(3) or DECIMAL(10, 2)",
            "columns.ok is 'DATE', but no BOOLEAN can become one",
            "columns names 'okk', but there is no such column here; did you mean 'ok'?");
  }
}

package io.millrace.transform.shape;

import static java.util.Arrays.asList;
import static org.apache.flink.table.api.DataTypes.BIGINT;
import static org.apache.flink.table.api.DataTypes.DOUBLE;
import static org.apache.flink.table.api.DataTypes.STRING;
import static org.apache.flink.table.api.DataTypes.TIMESTAMP_LTZ;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.transform.LocalTables;
import io.millrace.transform.Problem;
import io.millrace.transform.Rows;
import io.millrace.transform.UnboundedTables;
import io.millrace.transform.column.EventTime;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UnionDatasetsTest {
  @TempDir Path temp;

  private static Object[] row(Object... values) {
    return values;
  }

  @Test
  void matchesColumnsByNameAndKeepsTheOrderOfInputs() {
    LocalTables local = new LocalTables(temp);
    Rows one =
        local.rows(List.of("a", "b"), List.of(BIGINT(), STRING()), row(2L, "x"), row(1L, "y"));
    Rows two =
        local.rows(List.of("c", "a"), List.of(STRING(), DOUBLE()), row("z", 0.5), row("w", null));
    Rows three = local.lower(new JoinDatasets(), Map.of("join_key", "a"), one, one);
    Rows out = local.lower(new UnionDatasets(), Map.of(), two, one, three);
    assertThat(local.problems).isEmpty();
    assertThat(out.columns()).containsExactly("c", "a", "b", "b_x", "b_y");
    assertThat(out.order()).hasSize(3);
    assertThat(LocalTables.collect(out))
        .containsExactly(
            asList("z", 0.5, null, null, null),
            asList("w", null, null, null, null),
            asList(null, 2.0, "x", null, null),
            asList(null, 1.0, "y", null, null),
            asList(null, 2.0, null, "x", "x"),
            asList(null, 1.0, null, "y", "y"));
  }

  @Test
  void refusesColumnsWithoutACommonType() {
    LocalTables local = new LocalTables(temp);
    Rows one = local.rows(List.of("a"), List.of(BIGINT()), row(2L));
    Rows two = local.rows(List.of("a"), List.of(STRING()), row("x"));
    assertThat(local.lower(new UnionDatasets(), Map.of(), one, two)).isNull();
    assertThat(local.problems)
        .extracting(Problem::message)
        .containsExactly(
            "column 'a' is BIGINT and STRING in the inputs, which have no common type; cast it"
                + " before");
  }

  @Test
  void anEventTimeOfAllInputsStaysOne() {
    UnboundedTables unbounded = new UnboundedTables(temp);
    Instant at = Instant.parse("2026-03-01T10:00:00Z");
    Rows one =
        unbounded.rows(List.of("ts", "a"), List.of(TIMESTAMP_LTZ(3), STRING()), "ts", row(at, "x"));
    Rows two = unbounded.rows(List.of("ts"), List.of(TIMESTAMP_LTZ(3)), "ts", row(at));
    Rows timeless = unbounded.rows(List.of("ts"), List.of(TIMESTAMP_LTZ(3)), null, row(at));
    Rows out = unbounded.lower(new UnionDatasets(), Map.of(), one, two);
    assertThat(EventTime.column(out)).contains("ts");
    assertThat(out.order()).isEmpty();
    assertThat(unbounded.collect(out)).containsExactlyInAnyOrder(asList(at, "x"), asList(at, null));
    Rows plain = unbounded.lower(new UnionDatasets(), Map.of(), one, timeless);
    assertThat(EventTime.column(plain)).isEmpty();
    assertThat(unbounded.collect(plain)).hasSize(2);
  }
}

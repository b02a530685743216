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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JoinDatasetsTest {
  @TempDir Path temp;

  private static Object[] row(Object... values) {
    return values;
  }

  /** Ids 1, 2, 3 beside 2, 3, 4. */
  @ParameterizedTest
  @CsvSource({"inner,2", "left,3", "right,3", "outer,4"})
  void theFourTypesOfJoin(String type, int rows) {
    LocalTables local = new LocalTables(temp);
    Rows left =
        local.rows(
            List.of("id", "name"),
            List.of(BIGINT(), STRING()),
            row(1L, "A"),
            row(2L, "B"),
            row(3L, "C"));
    Rows right =
        local.rows(
            List.of("id", "score"),
            List.of(BIGINT(), BIGINT()),
            row(2L, 80L),
            row(3L, 90L),
            row(4L, 70L));
    Rows joined = local.lower(new JoinDatasets(), Map.of("join_type", type), left, right);
    assertThat(local.problems).isEmpty();
    assertThat(joined.columns()).containsExactly("id", "name", "score");
    List<List<Object>> all = LocalTables.collect(joined);
    assertThat(all).hasSize(rows).contains(List.of(2L, "B", 80L), List.of(3L, "C", 90L));
    assertThat(all.contains(asList(1L, "A", null)))
        .isEqualTo(type.equals("left") || type.equals("outer"));
    assertThat(all.contains(asList(4L, null, 70L)))
        .isEqualTo(type.equals("right") || type.equals("outer"));
  }

  private Rows people(LocalTables local) {
    return local.rows(
        List.of("k", "v", "only_left"),
        List.of(STRING(), BIGINT(), STRING()),
        row("b", 1L, "l1"),
        row("a", 2L, "l2"),
        row(null, 3L, "l3"),
        row("b", 4L, "l4"),
        row("z", 5L, "l5"));
  }

  private Rows others(LocalTables local) {
    return local.rows(
        List.of("v", "k"),
        List.of(BIGINT(), STRING()),
        row(10L, "c"),
        row(20L, "b"),
        row(30L, "a"),
        row(40L, "b"),
        row(50L, null));
  }

  private List<List<Object>> join(String type, String nullKeys) {
    LocalTables local = new LocalTables(temp);
    Rows joined =
        local.lower(
            new JoinDatasets(),
            Map.of("join_key", "k", "join_type", type, "null_keys", nullKeys),
            people(local),
            others(local));
    assertThat(local.problems).isEmpty();
    assertThat(joined.columns()).containsExactly("k", "v_x", "only_left", "v_y");
    return LocalTables.collect(joined);
  }

  // The rows below are those of pandas.merge, in its order; with null_keys drop, but for the nulls.
  @Test
  void innerKeepsTheOrderOfTheLeft() {
    assertThat(join("inner", "drop"))
        .containsExactly(
            List.of("b", 1L, "l1", 20L),
            List.of("b", 1L, "l1", 40L),
            List.of("a", 2L, "l2", 30L),
            List.of("b", 4L, "l4", 20L),
            List.of("b", 4L, "l4", 40L));
    assertThat(join("inner", "match"))
        .hasSize(6)
        .endsWith(List.of("b", 4L, "l4", 20L), List.of("b", 4L, "l4", 40L))
        .contains(asList(null, 3L, "l3", 50L), org.assertj.core.api.Assertions.atIndex(3));
  }

  @Test
  void leftKeepsEveryRowOfTheLeft() {
    assertThat(join("left", "drop"))
        .containsExactly(
            List.of("b", 1L, "l1", 20L),
            List.of("b", 1L, "l1", 40L),
            List.of("a", 2L, "l2", 30L),
            asList(null, 3L, "l3", null),
            List.of("b", 4L, "l4", 20L),
            List.of("b", 4L, "l4", 40L),
            asList("z", 5L, "l5", null));
  }

  @Test
  void rightKeepsTheOrderOfTheRight() {
    assertThat(join("right", "drop"))
        .containsExactly(
            asList("c", null, null, 10L),
            List.of("b", 1L, "l1", 20L),
            List.of("b", 4L, "l4", 20L),
            List.of("a", 2L, "l2", 30L),
            List.of("b", 1L, "l1", 40L),
            List.of("b", 4L, "l4", 40L),
            asList(null, null, null, 50L));
  }

  @Test
  void outerIsInTheOrderOfTheKeys() {
    assertThat(join("outer", "drop"))
        .containsExactly(
            List.of("a", 2L, "l2", 30L),
            List.of("b", 1L, "l1", 20L),
            List.of("b", 1L, "l1", 40L),
            List.of("b", 4L, "l4", 20L),
            List.of("b", 4L, "l4", 40L),
            asList("c", null, null, 10L),
            asList("z", 5L, "l5", null),
            asList(null, 3L, "l3", null),
            asList(null, null, null, 50L));
    assertThat(join("outer", "match")).hasSize(8).endsWith(asList(null, 3L, "l3", 50L));
  }

  @Test
  void numbersOfDifferentTypesAreComparedAsNumbers() {
    LocalTables local = new LocalTables(temp);
    Rows left = local.rows(List.of("id"), List.of(BIGINT()), row(1L), row(2L), row(3L));
    Rows right = local.rows(List.of("id"), List.of(DOUBLE()), row(2.0), row(2.5));
    Rows inner = local.lower(new JoinDatasets(), Map.of(), left, right);
    assertThat(LocalTables.collect(inner)).containsExactly(List.of(2L));
    Rows outer = local.lower(new JoinDatasets(), Map.of("join_type", "outer"), left, right);
    assertThat(LocalTables.collect(outer))
        .containsExactly(List.of(1.0), List.of(2.0), List.of(2.5), List.of(3.0));
  }

  @Test
  void joinsByTwoKeysAndKeepsTheOrderThroughTwoJoins() {
    LocalTables local = new LocalTables(temp);
    Rows left =
        local.rows(
            List.of("a", "b"), List.of(BIGINT(), BIGINT()), row(2L, 1L), row(1L, 1L), row(1L, 2L));
    Rows right =
        local.rows(
            List.of("b", "a", "x"),
            List.of(BIGINT(), BIGINT(), STRING()),
            row(1L, 1L, "11"),
            row(1L, 2L, "21"));
    Rows once = local.lower(new JoinDatasets(), Map.of("join_key", List.of("a", "b")), left, right);
    assertThat(LocalTables.collect(once))
        .containsExactly(List.of(2L, 1L, "21"), List.of(1L, 1L, "11"));
    Rows twice = local.lower(new JoinDatasets(), Map.of("join_key", "a, b"), once, right);
    assertThat(twice.columns()).containsExactly("a", "b", "x_x", "x_y");
    assertThat(twice.order()).hasSize(3);
    assertThat(LocalTables.collect(twice))
        .containsExactly(List.of(2L, 1L, "21", "21"), List.of(1L, 1L, "11", "11"));
  }

  @Test
  void explainsKeysThatAreMissingOrDoNotFit() {
    LocalTables local = new LocalTables(temp);
    Rows left =
        local.rows(
            List.of("id", "x", "x_x"), List.of(BIGINT(), BIGINT(), BIGINT()), row(1L, 1L, 1L));
    Rows text = local.rows(List.of("id"), List.of(STRING()), row("1"));
    Rows other = local.rows(List.of("ix", "x"), List.of(BIGINT(), BIGINT()), row(1L, 1L));
    assertThat(local.lower(new JoinDatasets(), Map.of(), left, text)).isNull();
    assertThat(local.lower(new JoinDatasets(), Map.of(), left, other)).isNull();
    assertThat(local.lower(new JoinDatasets(), Map.of("join_key", "ix"), left, other)).isNull();
    assertThat(local.lower(new JoinDatasets(), Map.of("join_key", ""), left, other)).isNull();
    Rows clash = local.rows(List.of("id", "x"), List.of(BIGINT(), BIGINT()), row(1L, 1L));
    assertThat(local.lower(new JoinDatasets(), Map.of(), left, clash)).isNull();
    assertThat(local.problems)
        .extracting(Problem::message)
        .containsExactly(
            "join_key 'id' is BIGINT in the first input and STRING in the second, which are never"
                + " equal; cast one of them before",
            "join_key 'id' not found in the second input: there is no such column here; did you"
                + " mean 'ix'?",
            "join_key 'ix' not found in the first input: there is no such column here; did you"
                + " mean 'id'?",
            "join_key is empty, but must name a column that both inputs have",
            "the join would have two columns 'x_x'; rename one before");
  }

  private static Instant at(int minute) {
    return Instant.parse("2026-03-01T10:00:00Z").plusSeconds(60L * minute);
  }

  private static Rows orders(UnboundedTables unbounded) {
    return unbounded.rows(
        List.of("k", "v", "ts"),
        List.of(STRING(), BIGINT(), TIMESTAMP_LTZ(3)),
        "ts",
        row("a", 1L, at(0)),
        row("a", 2L, at(10)),
        row("b", 3L, at(20)),
        row(null, 4L, at(30)));
  }

  private static Rows payments(UnboundedTables unbounded) {
    return unbounded.rows(
        List.of("k", "ts", "p"),
        List.of(STRING(), TIMESTAMP_LTZ(3), STRING()),
        "ts",
        row("a", at(4), "x"),
        row("a", at(9), "y"),
        row("c", at(25), "z"));
  }

  @Test
  void unboundedInputsAreJoinedWithinARangeOfEventTime() {
    UnboundedTables unbounded = new UnboundedTables(temp);
    Rows inner =
        unbounded.lower(
            new JoinDatasets(),
            Map.of("join_key", "k", "within", "5 min"),
            orders(unbounded),
            payments(unbounded));
    assertThat(unbounded.problems).isEmpty();
    assertThat(inner.columns()).containsExactly("k", "v", "ts_x", "ts_y", "p");
    assertThat(EventTime.column(inner)).contains("ts_x");
    assertThat(unbounded.collect(inner))
        .containsExactlyInAnyOrder(
            List.of("a", 1L, at(0), at(4), "x"), List.of("a", 2L, at(10), at(9), "y"));
  }

  @ParameterizedTest
  @CsvSource({"left,4,ts_x", "right,3,ts_y", "outer,5,"})
  void unboundedInputsKeepRowsWithoutPartner(String type, int rows, String time) {
    UnboundedTables unbounded = new UnboundedTables(temp);
    Rows joined =
        unbounded.lower(
            new JoinDatasets(),
            Map.of("join_key", "k", "within", "5 min", "join_type", type),
            orders(unbounded),
            payments(unbounded));
    assertThat(unbounded.problems).isEmpty();
    assertThat(EventTime.column(joined)).isEqualTo(java.util.Optional.ofNullable(time));
    List<List<Object>> all = unbounded.collect(joined);
    assertThat(all).hasSize(rows).contains(List.of("a", 1L, at(0), at(4), "x"));
    assertThat(all.contains(asList("c", null, null, at(25), "z"))).isEqualTo(!type.equals("left"));
    assertThat(all.contains(asList(null, 4L, at(30), null, null))).isEqualTo(!type.equals("right"));
  }

  @Test
  void aRowMeetsTheLatestPartnerUpToItsOwnTime() {
    UnboundedTables unbounded = new UnboundedTables(temp);
    Rows joined =
        unbounded.lower(
            new JoinDatasets(),
            Map.of("join_key", "k", "partner", "latest", "join_type", "left"),
            orders(unbounded),
            payments(unbounded));
    assertThat(unbounded.problems).isEmpty();
    assertThat(unbounded.collect(joined))
        .containsExactlyInAnyOrder(
            asList("a", 1L, at(0), null, null),
            asList("a", 2L, at(10), at(9), "y"),
            asList("b", 3L, at(20), null, null),
            asList(null, 4L, at(30), null, null));
  }

  @Test
  void unboundedInputsNeedABound() {
    UnboundedTables unbounded = new UnboundedTables(temp);
    Rows timeless = unbounded.rows(List.of("k"), List.of(STRING()), null, row("a"));
    Rows orders = orders(unbounded);
    Rows payments = payments(unbounded);
    JoinDatasets join = new JoinDatasets();
    assertThat(unbounded.lower(join, Map.of("join_key", "k"), orders, payments)).isNull();
    assertThat(unbounded.lower(join, Map.of("join_key", "k"), orders, timeless)).isNull();
    assertThat(
            unbounded.lower(
                join,
                Map.of("join_key", "k", "partner", "latest", "join_type", "outer"),
                orders,
                payments))
        .isNull();
    assertThat(unbounded.problems)
        .extracting(Problem::message)
        .containsExactly(
            "within is missing: with unbounded inputs rows are joined whose event times lie that"
                + " far apart at most, such as 1 h; or say partner: latest",
            "the second input has no event time, by which unbounded inputs are joined",
            "join_type is 'outer', but with partner: latest must be one of inner, left");
  }
}

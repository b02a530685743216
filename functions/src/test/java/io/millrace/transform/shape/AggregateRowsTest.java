package io.millrace.transform.shape;

import static java.util.Arrays.asList;
import static org.apache.flink.table.api.DataTypes.ARRAY;
import static org.apache.flink.table.api.DataTypes.BIGINT;
import static org.apache.flink.table.api.DataTypes.BOOLEAN;
import static org.apache.flink.table.api.DataTypes.DATE;
import static org.apache.flink.table.api.DataTypes.DECIMAL;
import static org.apache.flink.table.api.DataTypes.DOUBLE;
import static org.apache.flink.table.api.DataTypes.INT;
import static org.apache.flink.table.api.DataTypes.STRING;
import static org.apache.flink.table.api.DataTypes.TIMESTAMP_LTZ;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.transform.LocalTables;
import io.millrace.transform.Problem;
import io.millrace.transform.Rows;
import io.millrace.transform.UnboundedTables;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AggregateRowsTest {
  @TempDir Path temp;

  private static Object[] row(Object... values) {
    return values;
  }

  /** What is asked, in this order. */
  private static Map<String, Object> asked(Object... pairs) {
    Map<String, Object> asked = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      asked.put((String) pairs[i], pairs[i + 1]);
    }
    return asked;
  }

  private static Rows sales(LocalTables local) {
    return local.rows(
        List.of("a country", "n", "x", "money", "day", "open"),
        List.of(STRING(), INT(), DOUBLE(), DECIMAL(6, 2), DATE(), BOOLEAN()),
        row("IT", 2_000_000_000, 1.0, new BigDecimal("0.10"), LocalDate.of(2026, 1, 3), true),
        row("FR", 3, 5.0, new BigDecimal("0.20"), LocalDate.of(2026, 1, 1), true),
        row("IT", 2_000_000_000, Double.NaN, null, LocalDate.of(2026, 1, 2), false),
        row(null, null, null, null, null, null),
        row("IT", 1, 4.0, new BigDecimal("0.30"), null, null));
  }

  @Test
  void makesARowOfEachGroupInTheOrderOfItsKeys() {
    LocalTables local = new LocalTables(temp);
    Rows out =
        local.lower(
            new AggregateRows(),
            Map.of(
                "by",
                "a country",
                "aggregates",
                asked(
                    "rows",
                    "count",
                    "values",
                    Map.of("count", "x"),
                    "kinds",
                    Map.of("count_distinct", "n"),
                    "all n",
                    Map.of("sum", "n"),
                    "money",
                    Map.of("sum", "money"),
                    "mean",
                    Map.of("mean", "n"),
                    "spread",
                    Map.of("stddev", "x"),
                    "first",
                    Map.of("min", "day"),
                    "last",
                    Map.of("max", "a country"))),
            sales(local));
    assertThat(local.problems).isEmpty();
    assertThat(out.columns())
        .containsExactly(
            "a country",
            "rows",
            "values",
            "kinds",
            "all n",
            "money",
            "mean",
            "spread",
            "first",
            "last");
    assertThat(LocalTables.collect(out))
        .containsExactly(
            asList(
                "FR",
                1L,
                1L,
                1L,
                3L,
                new BigDecimal("0.20"),
                3.0,
                null,
                LocalDate.of(2026, 1, 1),
                "FR"),
            asList(
                "IT",
                3L,
                2L,
                2L,
                4_000_000_001L,
                new BigDecimal("0.40"),
                4_000_000_001.0 / 3,
                Math.sqrt(4.5),
                LocalDate.of(2026, 1, 2),
                "IT"),
            asList(null, 1L, 0L, 0L, null, null, null, null, null, null));
  }

  @Test
  void allRowsAreOneGroupWhereNoneIsNamed() {
    LocalTables local = new LocalTables(temp);
    Rows out =
        local.lower(
            new AggregateRows(),
            Map.of(
                "aggregates",
                asked("rows", "count", "countries", Map.of("count_distinct", "a country"))),
            sales(local));
    assertThat(LocalTables.collect(out)).containsExactly(asList(5L, 2L));
  }

  private String problem(Map<String, Object> arguments) {
    LocalTables local = new LocalTables(temp);
    Rows in =
        local.rows(
            List.of("name", "x", "open", "list"),
            List.of(STRING(), BIGINT(), BOOLEAN(), ARRAY(INT())),
            row("a", 1L, true, new Integer[] {1}));
    assertThat(local.lower(new AggregateRows(), arguments, in)).isNull();
    return String.join("; ", local.problems.stream().map(Problem::message).toList());
  }

  @Test
  void saysWhatCannotBeAsked() {
    assertThat(problem(Map.of("aggregates", Map.of())))
        .isEqualTo(
            "aggregates must be a map of columns, such as {rows: count, total: {sum: price}}");
    assertThat(problem(Map.of("aggregates", Map.of("n", "counts"))))
        .isEqualTo(
            "aggregates.n is 'counts', but must be count, or one of count, count_distinct, sum,"
                + " mean, stddev, min, max with its column, such as {sum: price}");
    assertThat(problem(Map.of("aggregates", Map.of("n", Map.of("total", "x")))))
        .isEqualTo(
            "aggregates.n has 'total', but must have one of count, count_distinct, sum, mean,"
                + " stddev, min, max");
    assertThat(problem(Map.of("aggregates", Map.of("n", Map.of("sum", "xx")))))
        .isEqualTo("aggregates names 'xx', but there is no such column here; did you mean 'x'?");
    assertThat(problem(Map.of("aggregates", Map.of("n", Map.of("sum", "name")))))
        .isEqualTo("aggregates.n is the sum of 'name', which is STRING, but must be numbers");
    assertThat(problem(Map.of("aggregates", Map.of("n", Map.of("max", "list")))))
        .isEqualTo(
            "aggregates.n is the max of 'list', which is ARRAY<INT>, whose values cannot be"
                + " compared");
    assertThat(problem(Map.of("by", "name", "aggregates", Map.of("name", "count"))))
        .isEqualTo("aggregates has 'name', which is a column of by, too");
    assertThat(problem(Map.of("by", "list", "aggregates", Map.of("n", "count"))))
        .isEqualTo("by has 'list', which is ARRAY<INT>, whose values cannot be compared");
    assertThat(problem(Map.of("aggregates", Map.of("__order_0", "count"))))
        .isEqualTo("aggregates makes a column '__order_0', but such names are reserved");
  }

  @Test
  void unboundedInputIsRefused() {
    UnboundedTables unbounded = new UnboundedTables(temp);
    Rows in =
        unbounded.rows(
            List.of("k", "ts"), List.of(STRING(), TIMESTAMP_LTZ(3)), "ts", row("a", Instant.EPOCH));
    assertThat(
            unbounded.lower(new AggregateRows(), Map.of("aggregates", Map.of("rows", "count")), in))
        .isNull();
    assertThat(unbounded.problems)
        .extracting(Problem::message)
        .containsExactly("the input never ends, so that no group is ever complete");
  }
}

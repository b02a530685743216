package io.millrace.transform.clean;

import static java.util.Arrays.asList;
import static org.apache.flink.table.api.DataTypes.BIGINT;
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

class DeduplicateRowsTest {
  @TempDir Path temp;

  private static Object[] row(Object... values) {
    return values;
  }

  private List<List<Object>> run(Map<String, ?> arguments) {
    LocalTables local = new LocalTables(temp);
    Rows in =
        local.rows(
            List.of("a key", "n"),
            List.of(STRING(), BIGINT()),
            row("x", 1L),
            row(null, 2L),
            row("x", 3L),
            row("x", 1L),
            row(null, 2L),
            row("y", null));
    Rows out = local.lower(new DeduplicateRows(), arguments, in);
    assertThat(local.problems).isEmpty();
    assertThat(out.columns()).containsExactly("a key", "n");
    return LocalTables.collect(out);
  }

  @Test
  void keepsTheFirstOrTheLastOfEachKeyInItsPlace() {
    assertThat(run(Map.of("key", "a key")))
        .containsExactly(asList("x", 1L), asList(null, 2L), asList("y", null));
    assertThat(run(Map.of("key", List.of("a key"), "keep", "last")))
        .containsExactly(asList("x", 1L), asList(null, 2L), asList("y", null));
    assertThat(run(Map.of("key", "n", "keep", "last")))
        .containsExactly(asList("x", 3L), asList("x", 1L), asList(null, 2L), asList("y", null));
  }

  @Test
  void comparesWholeRowsWhereNoKeyIsNamed() {
    assertThat(run(Map.of()))
        .containsExactly(asList("x", 1L), asList(null, 2L), asList("x", 3L), asList("y", null));
  }

  private static Instant at(int minute) {
    return Instant.parse("2026-03-01T10:00:00Z").plusSeconds(60L * minute);
  }

  @Test
  void remembersAKeyForARangeOfEventTime() {
    UnboundedTables unbounded = new UnboundedTables(temp);
    Rows in =
        unbounded.rows(
            List.of("k", "ts"),
            List.of(STRING(), TIMESTAMP_LTZ(3)),
            "ts",
            row("a", at(0)),
            row("a", at(9)),
            row(null, at(9)),
            row("a", at(10)),
            row(null, at(12)),
            row("a", at(11)),
            row("a", at(45)));
    Rows out = unbounded.lower(new DeduplicateRows(), Map.of("key", "k", "over", "10 min"), in);
    assertThat(unbounded.problems).isEmpty();
    assertThat(EventTime.column(out)).contains("ts");
    assertThat(unbounded.collect(out))
        .containsExactly(
            asList("a", at(0)), asList(null, at(9)), asList("a", at(10)), asList("a", at(45)));
  }

  @Test
  void unboundedInputNeedsARange() {
    UnboundedTables unbounded = new UnboundedTables(temp);
    Rows in =
        unbounded.rows(
            List.of("k", "ts"), List.of(STRING(), TIMESTAMP_LTZ(3)), "ts", row("a", at(0)));
    Rows timeless = unbounded.rows(List.of("k"), List.of(STRING()), null, row("a"));
    DeduplicateRows deduplicate = new DeduplicateRows();
    assertThat(unbounded.lower(deduplicate, Map.of("key", "k"), in)).isNull();
    assertThat(unbounded.lower(deduplicate, Map.of("over", "0 s"), in)).isNull();
    assertThat(unbounded.lower(deduplicate, Map.of("over", "1 h", "keep", "last"), in)).isNull();
    assertThat(unbounded.lower(deduplicate, Map.of("over", "1 h"), timeless)).isNull();
    assertThat(unbounded.problems)
        .extracting(Problem::message)
        .containsExactly(
            "over is missing: with unbounded input, say how much later in event time a row still is"
                + " a duplicate, such as 1 h",
            "over is '0 s', but must be more than 0 s",
            "keep is 'last', but of unbounded input only the first is ever known",
            "the input has no event time, by which duplicates are forgotten");
  }
}

package io.millrace.transform.clean;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.transform.LocalTables;
import io.millrace.transform.Problem;
import io.millrace.transform.Rows;
import io.millrace.transform.StepRun;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.types.DataType;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

class CleanNanTest {
  private static final CleanNan CLEAN = new CleanNan();

  @RegisterExtension
  static final MiniClusterExtension CLUSTER = new MiniClusterExtension(LocalTables.cluster());

  @TempDir Path temp;
  private LocalTables tables;

  @BeforeEach
  void open() {
    tables = new LocalTables(temp);
  }

  /** Whole numbers, floats, decimals, text, booleans and dates, with two nulls each. */
  private Rows people() {
    return tables.rows(
        List.of("age", "CO(GT)", "pay", "name", "ok", "day"),
        List.of(
            DataTypes.BIGINT(),
            DataTypes.DOUBLE(),
            DataTypes.DECIMAL(8, 2),
            DataTypes.STRING(),
            DataTypes.BOOLEAN(),
            DataTypes.DATE()),
        row(null, 1.5, "10.00", "b", true, "2024-01-02"),
        row(30L, null, "10.04", "a", null, "2024-01-01"),
        row(20L, 2.5, null, "b", false, null),
        row(20L, 4.0, "20.00", null, false, "2024-01-02"),
        row(null, null, null, "a", true, "2024-01-01"),
        row(31L, 2.5, "20.00", null, null, null));
  }

  private static Object[] row(
      Long age, Double co, String pay, String name, Boolean ok, String day) {
    return new Object[] {
      age,
      co,
      pay == null ? null : new BigDecimal(pay),
      name,
      ok,
      day == null ? null : LocalDate.parse(day)
    };
  }

  private StepRun run(Map<String, ?> arguments, Rows rows) {
    return StepRun.of(tables, CLEAN, arguments, rows);
  }

  private static List<Object> list(Object... values) {
    return Arrays.asList(values);
  }

  private static DataType type(Rows rows, String column) {
    return rows.type(column);
  }

  @Test
  void dropLeavesOutRowsWithANullAndCountsNulls() {
    StepRun all = run(Map.of(), people());
    assertThat(all.rows()).isEmpty();
    assertThat(all.figures())
        .containsExactly(
            Map.entry("strategy", "drop"),
            Map.entry("cells", 36L),
            Map.entry("nulls_total", 12L),
            Map.entry("nulls_handled", 12L));

    StepRun some = run(Map.of("columns", List.of("age", "CO(GT)")), people());
    assertThat(some.column("age")).containsExactly(20L, 20L, 31L);
    assertThat(some.figures()).containsEntry("nulls_handled", 6L);
  }

  @Test
  void anEmptyListOfColumnsIsAll() {
    assertThat(run(Map.of("columns", List.of()), people()).rows()).isEmpty();
  }

  @Test
  void columnsThatAreNotThereAreLeftOutWhereThatIsAllowed() {
    Rows people = people();
    StepRun none = run(Map.of("columns", "x, y", "missing_columns", "ignore"), people);
    assertThat(none.rows()).hasSize(6);
    StepRun one = run(Map.of("columns", "x, age", "missing_columns", "ignore"), people);
    assertThat(one.column("age")).containsExactly(30L, 20L, 20L, 31L);
  }

  @Test
  void meanFillsNumbersAndLeavesTheRest() {
    StepRun run = run(Map.of("strategy", "fill_mean"), people());
    assertThat(run.column("age")).containsExactly(25.25, 30.0, 20.0, 20.0, 25.25, 31.0);
    assertThat(run.column("CO(GT)")).containsExactly(1.5, 2.625, 2.5, 4.0, 2.625, 2.5);
    // Decimals stay decimals.
    assertThat(run.column("pay"))
        .containsExactly(decimals("10.00", "10.04", "15.01", "20.00", "15.01", "20.00"));
    assertThat(run.column("name")).isEqualTo(list("b", "a", "b", null, "a", null));
    assertThat(run.column("ok")).isEqualTo(list(true, null, false, false, true, null));
    assertThat(run.figures()).containsEntry("nulls_handled", 6L).containsEntry("nulls_total", 12L);
  }

  @Test
  void medianOfAnEvenNumberIsTheMiddle() {
    StepRun run = run(Map.of("strategy", "fill_median"), people());
    assertThat(run.column("age")).containsExactly(25.0, 30.0, 20.0, 20.0, 25.0, 31.0);
    assertThat(run.column("CO(GT)")).containsExactly(1.5, 2.5, 2.5, 4.0, 2.5, 2.5);
    // The middle of 10.04 and 20.00.
    assertThat(run.column("pay"))
        .containsExactly(decimals("10.00", "10.04", "15.02", "20.00", "15.02", "20.00"));
    assertThat(run.column("name")).isEqualTo(list("b", "a", "b", null, "a", null));
  }

  @Test
  void modeFillsEveryTypeAndTakesTheSmallestOfTheMostFrequent() {
    StepRun run = run(Map.of("strategy", "fill_mode"), people());
    assertThat(run.column("age")).containsExactly(20L, 30L, 20L, 20L, 20L, 31L);
    assertThat(run.column("CO(GT)")).containsExactly(1.5, 2.5, 2.5, 4.0, 2.5, 2.5);
    assertThat(run.column("pay"))
        .containsExactly(decimals("10.00", "10.04", "20.00", "20.00", "20.00", "20.00"));
    assertThat(run.column("name")).containsExactly("b", "a", "b", "a", "a", "a");
    assertThat(run.column("ok")).containsExactly(true, false, false, false, true, false);
    LocalDate first = LocalDate.of(2024, 1, 1);
    LocalDate second = LocalDate.of(2024, 1, 2);
    assertThat(run.column("day")).containsExactly(second, first, first, second, first, first);
    assertThat(run.figures()).containsEntry("nulls_handled", 12L);
  }

  @Test
  void neighboursFillInTheOrderOfRows() {
    StepRun forward = run(Map.of("strategy", "ffill"), people());
    assertThat(forward.column("age")).isEqualTo(list(null, 30L, 20L, 20L, 20L, 31L));
    assertThat(forward.column("name")).containsExactly("b", "a", "b", "b", "a", "a");
    assertThat(forward.column("CO(GT)")).containsExactly(1.5, 1.5, 2.5, 4.0, 4.0, 2.5);
    StepRun backward = run(Map.of("strategy", "bfill"), people());
    assertThat(backward.column("age")).containsExactly(30L, 30L, 20L, 20L, 31L, 31L);
    assertThat(backward.column("name")).isEqualTo(list("b", "a", "b", "a", "a", null));
    assertThat(backward.figures()).containsEntry("nulls_handled", 9L);
  }

  @Test
  void aValueFillsColumnsOfItsType() {
    Rows people = people();
    StepRun whole =
        run(Map.of("strategy", "fill_value", "fill_value", 7, "columns", "age"), people);
    assertThat(whole.column("age")).containsExactly(7L, 30L, 20L, 20L, 7L, 31L);
    StepRun fraction =
        run(Map.of("strategy", "fill_value", "fill_value", 7.5, "columns", "age, CO(GT)"), people);
    assertThat(fraction.column("age")).containsExactly(7.5, 30.0, 20.0, 20.0, 7.5, 31.0);
    assertThat(fraction.column("CO(GT)")).containsExactly(1.5, 7.5, 2.5, 4.0, 7.5, 2.5);
    StepRun text =
        run(Map.of("strategy", "fill_value", "fill_value", "it's", "columns", "name"), people);
    assertThat(text.column("name")).containsExactly("b", "a", "b", "it's", "a", "it's");
    StepRun day =
        run(Map.of("strategy", "fill_value", "fill_value", "2020-02-29", "columns", "day"), people);
    assertThat(day.column("day").get(2)).isEqualTo(LocalDate.of(2020, 2, 29));
    StepRun yes =
        run(Map.of("strategy", "fill_value", "fill_value", true, "columns", "ok"), people);
    assertThat(yes.column("ok")).containsExactly(true, true, false, false, true, true);
    StepRun money =
        run(Map.of("strategy", "fill_value", "fill_value", 1.25, "columns", "pay"), people);
    assertThat(money.column("pay").get(2)).isEqualTo(new BigDecimal("1.25"));
  }

  @Test
  void aValueThatIsMissingOrOfAnotherTypeIsAnError() {
    assertThat(tables.lower(CLEAN, Map.of("strategy", "fill_value"), people())).isNull();
    assertThat(tables.problems.get(0).message())
        .isEqualTo("fill_value is required when strategy is 'fill_value'");
    tables.problems.clear();

    assertThat(
            tables.lower(
                CLEAN,
                Map.of("strategy", "fill_value", "fill_value", "x", "columns", "age, pay, name"),
                people()))
        .isNull();
    assertThat(tables.problems)
        .extracting(Problem::message)
        .containsExactly(
            "fill_value is 'x', which does not fit column 'age' of type BIGINT",
            "fill_value is 'x', which does not fit column 'pay' of type DECIMAL(8, 2)");
    tables.problems.clear();

    assertThat(
            tables.lower(
                CLEAN,
                Map.of("strategy", "fill_value", "fill_value", 1.234, "columns", "pay"),
                people()))
        .isNull();
    assertThat(tables.problems.get(0).message()).contains("'1.234', which does not fit column");
  }

  @Test
  void amongAllColumnsAValueOfAnotherTypeFailsOnANull() {
    Rows people = people();
    assertThatThrownBy(() -> run(Map.of("strategy", "fill_value", "fill_value", 0), people))
        .rootCause()
        .hasMessageContaining("step 'step': fill_value is '0', which does not fit column '");

    Rows noNull =
        tables.rows(
            List.of("n", "name"),
            List.of(DataTypes.BIGINT(), DataTypes.STRING()),
            new Object[] {null, "a"});
    assertThat(run(Map.of("strategy", "fill_value", "fill_value", 0), noNull).rows())
        .containsExactly(List.of(0L, "a"));
  }

  @Test
  void nanIsMissing() {
    Rows rows =
        tables.rows(
            List.of("x", "y"),
            List.of(DataTypes.DOUBLE(), DataTypes.FLOAT()),
            new Object[] {Double.NaN, 1f},
            new Object[] {1.0, Float.NaN},
            new Object[] {-3.0, null});
    assertThat(run(Map.of(), rows).rows()).isEmpty();
    StepRun mean = run(Map.of("strategy", "fill_mean"), rows);
    assertThat(mean.column("x")).containsExactly(-1.0, 1.0, -3.0);
    assertThat(mean.column("y")).containsExactly(1f, 1f, 1f);
    assertThat(run(Map.of("strategy", "ffill"), rows).column("x")).isEqualTo(list(null, 1.0, -3.0));
  }

  @Test
  void whereNothingIsKnownNothingIsFilled() {
    Rows rows =
        tables.rows(
            List.of("x", "s"),
            List.of(DataTypes.DOUBLE(), DataTypes.STRING()),
            new Object[] {null, null},
            new Object[] {null, null});
    for (String strategy : List.of("fill_mean", "fill_median", "fill_mode", "ffill", "bfill")) {
      StepRun run = run(Map.of("strategy", strategy), rows);
      assertThat(run.column("x")).as(strategy).isEqualTo(list(null, null));
      assertThat(run.column("s")).as(strategy).isEqualTo(list(null, null));
    }
  }

  @Test
  void columnsThatCannotBeNullKeepTheirType() {
    Rows rows =
        tables.rows(
            List.of("n", "x"),
            List.of(DataTypes.BIGINT().notNull(), DataTypes.DOUBLE()),
            new Object[] {1L, null},
            new Object[] {2L, 3.0});
    Rows filled = tables.lower(CLEAN, Map.of("strategy", "fill_median"), rows);
    assertThat(type(filled, "n")).isEqualTo(DataTypes.BIGINT().notNull());
    assertThat(LocalTables.collect(filled)).containsExactly(List.of(1L, 3.0), List.of(2L, 3.0));
  }

  @Test
  void integersBeyondWhatADoubleHoldsKeepTheirDigits() {
    long big = 9_007_199_254_740_993L;
    Rows rows =
        tables.rows(
            List.of("n"),
            List.of(DataTypes.BIGINT()),
            new Object[] {big},
            new Object[] {big},
            new Object[] {null});
    assertThat(run(Map.of("strategy", "fill_mode"), rows).column("n"))
        .containsExactly(big, big, big);
  }

  private static Object[] decimals(String... texts) {
    return Arrays.stream(texts).map(BigDecimal::new).toArray();
  }
}

package io.millrace.transform.clean;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.millrace.transform.LocalTables;
import io.millrace.transform.Problem;
import io.millrace.transform.Rows;
import io.millrace.transform.StepRun;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.types.DataType;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

class RemoveOutliersTest {
  private static final RemoveOutliers OUTLIERS = new RemoveOutliers();

  @RegisterExtension
  static final MiniClusterExtension CLUSTER = new MiniClusterExtension(LocalTables.cluster());

  @TempDir Path temp;
  private LocalTables tables;

  @BeforeEach
  void open() {
    tables = new LocalTables(temp);
  }

  private Rows column(DataType type, Object... values) {
    Object[][] rows = Arrays.stream(values).map(v -> new Object[] {v}).toArray(Object[][]::new);
    return tables.rows(List.of("x y"), List.of(type), rows);
  }

  private StepRun run(Rows rows, Map<String, ?> more) {
    Map<String, Object> arguments = new HashMap<>(more);
    arguments.put("column", "x y");
    return StepRun.of(tables, OUTLIERS, arguments, rows);
  }

  @Test
  void rowsBeyondTheThresholdGoAndRowsWithoutANumberStay() {
    // Mean 20, sample deviation sqrt(2000 / 4) = 22.36: the greatest is 1.7889 away from it.
    StepRun all =
        run(column(DataTypes.BIGINT(), 10L, null, 10L, 60L, 10L, 10L), Map.of("z_threshold", 1.79));
    assertThat(all.rows()).hasSize(6);
    StepRun less =
        run(column(DataTypes.BIGINT(), 10L, null, 10L, 60L, 10L, 10L), Map.of("z_threshold", 1.78));
    assertThat(less.column("x y")).isEqualTo(Arrays.asList(10L, null, 10L, 10L, 10L));
    Map<String, Object> figures = less.figures();
    assertThat(figures)
        .containsEntry("column", "x y")
        .containsEntry("z_threshold", 1.78)
        .containsEntry("removed_outliers", 1L);
    assertThat(Double.parseDouble(figures.get("mean").toString())).isEqualTo(20.0);
    assertThat(Double.parseDouble(figures.get("stddev").toString()))
        .isCloseTo(Math.sqrt(500), within(1e-12));
  }

  @Test
  void onlyMoreThanTheThresholdIsFar() {
    // Mean 0, deviation 1: the values are 1 away, exactly.
    Rows rows = column(DataTypes.DOUBLE(), -1.0, 0.0, 1.0);
    assertThat(run(rows, Map.of("z_threshold", 1.0)).rows()).hasSize(3);
    assertThat(run(rows, Map.of("z_threshold", 0.999)).column("x y")).containsExactly(0.0);
  }

  @Test
  void textsThatAreNumbersCount() {
    StepRun run =
        run(
            column(
                DataTypes.STRING(), "10", " 10 ", "1e1", "n/a", "0x10", "60", null, "10.", "1,0"),
            Map.of("z_threshold", 1.78));
    assertThat(run.column("x y"))
        .isEqualTo(Arrays.asList("10", " 10 ", "1e1", "n/a", "0x10", null, "10.", "1,0"));
  }

  @Test
  void aConstantAndASingleValueHaveNoOutliers() {
    assertThat(run(column(DataTypes.DOUBLE(), 0.1, 0.1, 0.1, null), Map.of()).rows()).hasSize(4);
    StepRun one = run(column(DataTypes.INT(), 5, null), Map.of("z_threshold", 0.001));
    assertThat(one.rows()).hasSize(2);
    assertThat(one.figures().get("stddev")).hasToString("null");
  }

  @Test
  void closeValuesFarFromZeroKeepTheirDeviation() {
    // A sum of squares has no digit left for these.
    List<Object> values = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      values.add(1e15 + i % 2);
    }
    values.add(1e15 + 6);
    StepRun run = run(column(DataTypes.DOUBLE(), values.toArray()), Map.of());
    assertThat(run.rows()).hasSize(100);
    assertThat(run.column("x y")).doesNotContain(1e15 + 6);
  }

  @Test
  void withoutAnyNumberTheJobFails() {
    assertThatThrownBy(() -> run(column(DataTypes.STRING(), "a", null), Map.of()))
        .rootCause()
        .hasMessage("step 'step': column 'x y' has no numeric value");
  }

  @Test
  void aColumnThatIsNotThereLetsAllPassWhereThatIsAllowed() {
    Rows rows = column(DataTypes.INT(), 1, 2, 300);
    StepRun run =
        StepRun.of(tables, OUTLIERS, Map.of("column", "z", "missing_columns", "ignore"), rows);
    assertThat(run.rows()).hasSize(3);
    assertThat(tables.problems)
        .containsExactly(
            Problem.warning("step", "column", "column 'z' is not there: all rows stay"));
    assertThat(run.figures()).containsEntry("removed_outliers", 0L);
  }

  @Test
  void thresholdsAndTypesThatMakeNoSenseAreErrors() {
    Rows rows = column(DataTypes.DATE(), LocalDate.EPOCH);
    for (double threshold : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThat(tables.lower(OUTLIERS, Map.of("column", "x y", "z_threshold", threshold), rows))
          .isNull();
    }
    assertThat(tables.problems)
        .extracting(Problem::message)
        .contains("z_threshold is '-1.0', but must be a positive finite number")
        .hasSize(4);
    assertThat(tables.lower(OUTLIERS, Map.of("column", "x y"), rows)).isNull();
    assertThat(tables.problems.get(4).message())
        .isEqualTo("column is 'x y' of type DATE, but must be numbers, booleans or text");
  }
}

package io.millrace.transform.quality;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.transform.LocalTables;
import io.millrace.transform.Rows;
import io.millrace.transform.StepRun;
import io.millrace.transform.clean.CleanNan;
import io.millrace.transform.clean.RemoveOutliers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Known figures of real files, which a checkout need not have beside it. */
class QualityGoldenTest {
  private static final Path DATA = Path.of("../../shared/data");
  private static final ObjectMapper JSON = new ObjectMapper();

  @RegisterExtension
  static final MiniClusterExtension CLUSTER = new MiniClusterExtension(LocalTables.cluster());

  @TempDir Path temp;
  private LocalTables tables;

  @BeforeEach
  void open() {
    tables = new LocalTables(temp);
  }

  private Rows read(String file) {
    Path path = DATA.resolve(file).toAbsolutePath().normalize();
    assumeTrue(Files.exists(path), () -> "skipped: " + path + " is not there");
    return CsvRows.read(tables.step(new CleanNan(), Map.of()).tables(), path);
  }

  private StepRun outliers(Rows rows, String column) {
    return StepRun.of(tables, new RemoveOutliers(), Map.of("column", column), rows);
  }

  private static List<Object> missing(StepRun run, Rows input, String column) {
    List<Object> all =
        LocalTables.collect(input).stream()
            .map(row -> row.get(input.columns().indexOf(column)))
            .toList();
    List<Object> kept = run.column(column);
    return all.stream().filter(value -> !kept.contains(value)).sorted().toList();
  }

  @Test
  void employees() throws Exception {
    Rows rows = read("arrowflow/hr_sample.csv");
    StepRun usual = outliers(rows, "MonthlyIncome");
    assertThat(usual.rows()).hasSize(498);
    assertThat(missing(usual, rows, "MonthlyIncome")).isEqualTo(List.of(69513L, 80944L));
    Map<String, Object> figures = usual.figures();
    assertThat(number(figures, "mean")).isCloseTo(6357.676, within(1e-9));
    assertThat(number(figures, "stddev")).isCloseTo(5833.3648, within(5e-5));
    assertThat(number(figures, "removed_outliers")).isEqualTo(2);

    Rows kept = tables.lower(new RemoveOutliers(), Map.of("column", "MonthlyIncome"), rows);
    StepRun clean = StepRun.of(tables, new CleanNan(), Map.of(), kept);
    assertThat(clean.rows()).hasSize(452);
    assertThat(clean.column("Attrition").stream().filter("Yes"::equals)).hasSize(76);

    StepRun checked =
        quality(
            rows,
            """
            {"min_rows": 500, "check_null_ratio": true, "check_duplicates": true,
             "check_unique_columns": ["EmployeeNumber"], "check_column_types": {"Over18": "string"},
             "check_value_range": {"EmployeeCount": {"min": 1, "max": 1},
               "StandardHours": {"min": 80, "max": 80}}}
            """);
    JsonNode checks = JSON.valueToTree(checked.figures()).get("checks");
    assertThat(checks.at("/null_ratio/value").asDouble()).isEqualTo(50 / 17_500.0);
    assertThat(checks.at("/duplicates/duplicate_rows").asLong()).isZero();
    assertThat(checks.findValuesAsText("pass")).containsOnly("true");
  }

  @Test
  void orders() throws Exception {
    Rows rows = read("arrowflow/ecommerce_orders.csv");
    StepRun usual = outliers(rows, "TotalAmount");
    assertThat(usual.rows()).hasSize(497);
    assertThat(missing(usual, rows, "TotalAmount")).isEqualTo(List.of(51048.0, 61334.0, 95734.0));
    assertThat(number(usual.figures(), "mean")).isCloseTo(1932.3824, within(5e-5));
    assertThat(number(usual.figures(), "stddev")).isCloseTo(5807.0802, within(5e-5));

    Rows kept = tables.lower(new RemoveOutliers(), Map.of("column", "TotalAmount"), rows);
    StepRun filled =
        StepRun.of(
            tables,
            new CleanNan(),
            Map.of(
                "strategy",
                "fill_median",
                "columns",
                List.of("Quantity", "UnitPrice", "Discount", "TotalAmount")),
            kept);
    assertThat(filled.rows()).hasSize(497);
    assertThat(filled.columns()).hasSize(11);
    assertThat(filled.figures())
        .containsEntry("nulls_total", 15L)
        .containsEntry("nulls_handled", 5L);
    List<Object> before = usual.column("Discount");
    List<Object> after = filled.column("Discount");
    for (int i = 0; i < before.size(); i++) {
      assertThat(after.get(i)).isEqualTo(before.get(i) == null ? 0.05 : before.get(i));
    }
    assertThat(filled.rows().stream().flatMap(List::stream).filter(Objects::isNull)).hasSize(10);
    assertThat(filled.column("TotalAmount").stream().mapToDouble(v -> (Double) v).sum())
        .isCloseTo(758_075.21, within(0.005));
  }

  @Test
  void deviationsOfEmployees() {
    Rows rows = read("hr_attrition/emp_attrition.csv");
    Map<String, Integer> known =
        Map.of(
            "TotalWorkingYears", 16,
            "YearsAtCompany", 25,
            "YearsInCurrentRole", 13,
            "YearsSinceLastPromotion", 42,
            "YearsWithCurrManager", 14);
    known.forEach(
        (column, far) -> assertThat(outliers(rows, column).rows()).as(column).hasSize(1470 - far));
  }

  private StepRun quality(Rows rows, String rules) throws Exception {
    return StepRun.of(tables, new AssessQuality(), Map.of("rules", JSON.readTree(rules)), rows);
  }

  private static double number(Map<String, Object> figures, String name) {
    return Double.parseDouble(figures.get(name).toString());
  }
}

package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.pipeline.StandardCatalog;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The pipelines of jobs/pipelines on the data that they were made for: the figures that pandas has
 * for them, in the report and in the files, which DuckDB reads.
 */
class ShippedPipelinesITCase {
  private static final Path PIPELINES = BuildFiles.module().resolveSibling("jobs/pipelines");
  private static final Path DATA =
      BuildFiles.module().getParent().resolveSibling("shared").resolve("data/arrowflow");

  @TempDir Path dir;

  private record End(int code, String output, String errors) {}

  private End command(String... args) {
    StringWriter errors = new StringWriter();
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    int code =
        PipelineCommand.run(
            new PrintStream(output, true, StandardCharsets.UTF_8),
            new PrintWriter(errors, true),
            StandardCatalog.standard(),
            dir,
            args);
    return new End(code, output.toString(StandardCharsets.UTF_8), errors.toString());
  }

  /** Runs a pipeline on a copy of a file; its report. */
  private JsonNode run(String pipeline, String file) throws IOException {
    boolean there = Files.exists(DATA.resolve(file));
    if (!there) {
      System.out.println("Test is skipped: there is no " + DATA.resolve(file));
    }
    assumeTrue(there);
    Files.copy(DATA.resolve(file), dir.resolve(file));
    Path report = dir.resolve("report.json");
    End end =
        command(
            "run",
            PIPELINES.resolve(pipeline).toString(),
            "--data-root",
            dir.toString(),
            "--report",
            report.toString());
    assertThat(end.errors()).isEmpty();
    assertThat(end.code()).as(end.output()).isZero();
    return new ObjectMapper().readTree(Files.readString(report));
  }

  private static JsonNode step(JsonNode report, String id) {
    for (JsonNode step : report.get("steps")) {
      if (step.get("step_id").asText().equals(id)) {
        return step;
      }
    }
    throw new AssertionError("no step " + id + " in " + report);
  }

  /** Rows of a query, each value as text; {@code out} and {@code in} stand for the files. */
  private List<String> query(String sql, Path out, String in) throws SQLException {
    List<String> rows = new ArrayList<>();
    try (Connection duckdb = DriverManager.getConnection("jdbc:duckdb:");
        ResultSet result =
            duckdb
                .createStatement()
                .executeQuery(
                    sql.replace("{out}", "'" + out + "'")
                        .replace("{in}", "'" + dir.resolve(in) + "'"))) {
      while (result.next()) {
        List<String> row = new ArrayList<>();
        for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
          row.add(result.getString(i));
        }
        rows.add(String.join(" ", row));
      }
    }
    return rows;
  }

  @ParameterizedTest
  @ValueSource(strings = {"hr.yaml", "ecommerce.yaml", "weather.yaml"})
  void isValid(String pipeline) throws IOException {
    for (String file : List.of("hr_sample.csv", "ecommerce_orders.csv")) {
      assumeTrue(Files.exists(DATA.resolve(file)), "there is no " + DATA.resolve(file));
      Files.copy(DATA.resolve(file), dir.resolve(file));
    }
    End end =
        command("validate", PIPELINES.resolve(pipeline).toString(), "--data-root", dir.toString());
    assertThat(end.output()).endsWith(" steps\n").doesNotContain("warning");
    assertThat(end.code()).isZero();
  }

  @Test
  void staff() throws Exception {
    JsonNode report = run("hr.yaml", "hr_sample.csv");
    Path out = dir.resolve("hr/processed/save.csv");
    String in = "hr_sample.csv";
    assertThat(step(report, "extract").get("rows_out").asInt()).isEqualTo(500);
    assertThat(step(report, "usual").get("removed_outliers").asInt()).isEqualTo(2);
    assertThat(step(report, "usual").get("rows_out").asInt()).isEqualTo(498);
    assertThat(step(report, "complete").get("rows_out").asInt()).isEqualTo(452);
    assertThat(step(report, "save").get("rows_out").asInt()).isEqualTo(452);
    assertThat(Path.of(step(report, "save").get("output_file").asText())).isEqualTo(out);

    assertThat(query("SELECT count(*) FROM (DESCRIBE FROM {out})", out, in)).containsExactly("32");
    assertThat(
            query(
                "SELECT count(*), count(*) FILTER (Attrition = 'Yes') FROM read_csv({out})",
                out,
                in))
        .containsExactly("452 76");
    assertThat(
            query(
                "SELECT MonthlyIncome FROM read_csv({in}) WHERE MonthlyIncome > 23857.77 ORDER BY 1",
                out,
                in))
        .containsExactly("69513", "80944");
    assertThat(
            query("SELECT count(*) FROM read_csv({out}) WHERE MonthlyIncome > 23857.77", out, in))
        .containsExactly("0");
    // Every row that is left is the original's, in its order.
    assertThat(
            query(
                """
                SELECT count(*) FROM (
                  SELECT * EXCLUDE (EmployeeCount, Over18, StandardHours) FROM read_csv({in})
                  WHERE COLUMNS(*) IS NOT NULL AND MonthlyIncome < 23857.77
                  EXCEPT ALL SELECT * FROM read_csv({out}))
                """,
                out,
                in))
        .containsExactly("0");
    List<String> numbers = query("SELECT EmployeeNumber FROM read_csv({out})", out, in);
    assertThat(numbers.stream().map(Integer::valueOf).toList()).isSorted().hasSize(452);
  }

  @Test
  void orders() throws Exception {
    JsonNode report = run("ecommerce.yaml", "ecommerce_orders.csv");
    Path out = dir.resolve("ecommerce/processed/save.parquet");
    String in = "ecommerce_orders.csv";
    assertThat(step(report, "usual").get("removed_outliers").asInt()).isEqualTo(3);
    assertThat(step(report, "filled").get("nulls_handled").asInt()).isEqualTo(5);
    assertThat(step(report, "save").get("rows_out").asInt()).isEqualTo(497);
    assertThat(Path.of(step(report, "save").get("output_file").asText())).isEqualTo(out);

    assertThat(query("SELECT count(*) FROM (DESCRIBE FROM {out})", out, in)).containsExactly("11");
    assertThat(
            query(
                """
                SELECT count(*), round(sum(TotalAmount), 2),
                  count(*) FILTER (Region IS NULL) + count(*) FILTER (CustomerID IS NULL),
                  count(*) FILTER (Discount IS NULL)
                FROM {out}
                """,
                out,
                in))
        .containsExactly("497 758075.21 10 0");
    assertThat(
            query(
                """
                SELECT o.Discount, count(*) FROM {out} o JOIN read_csv({in}) i USING (OrderID)
                WHERE i.Discount IS NULL GROUP BY 1
                """,
                out,
                in))
        .containsExactly("0.05 5");
    assertThat(
            query(
                """
                SELECT CAST(round(TotalAmount) AS INT) FROM read_csv({in})
                WHERE OrderID NOT IN (SELECT OrderID FROM {out}) ORDER BY 1
                """,
                out,
                in))
        .containsExactly("51048", "61334", "95734");
  }
}

package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.pipeline.StandardCatalog;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The shipped pipeline of retail over half a million lines of invoices: each figure of its report
 * and each row of its files is what DuckDB makes of the same file by SQL of its own.
 */
class RetailITCase {
  private static final Path DATA =
      BuildFiles.module().getParent().resolveSibling("shared").resolve("data/retail");
  private static final String FILE = "online_retail.csv.gz";
  private static final long ROWS = 541_909;

  @TempDir private static Path dir;
  private static Connection duckdb;
  private static JsonNode report;

  @BeforeAll
  static void run() throws Exception {
    boolean there = Files.exists(DATA.resolve(FILE));
    if (!there) {
      System.out.println("Test is skipped: there is no " + DATA.resolve(FILE));
    }
    assumeTrue(there);
    Files.copy(DATA.resolve(FILE), dir.resolve(FILE));
    ManagementFactory.getMemoryPoolMXBeans().forEach(MemoryPoolMXBean::resetPeakUsage);
    Path file = dir.resolve("report.json");
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    StringWriter errors = new StringWriter();
    int code =
        PipelineCommand.run(
            new PrintStream(output, true, StandardCharsets.UTF_8),
            new PrintWriter(errors, true),
            StandardCatalog.standard(),
            dir,
            "run",
            BuildFiles.module().resolveSibling("jobs/pipelines/retail.yaml").toString(),
            "--data-root",
            dir.toString(),
            "--report",
            file.toString());
    assertThat(errors.toString()).isEmpty();
    assertThat(code).as(output.toString(StandardCharsets.UTF_8)).isZero();
    report = new ObjectMapper().readTree(Files.readString(file));
    long heap =
        ManagementFactory.getMemoryPoolMXBeans().stream()
            .filter(pool -> pool.getType() == MemoryType.HEAP)
            .mapToLong(pool -> pool.getPeakUsage().getUsed())
            .sum();
    System.out.printf(
        Locale.ROOT,
        "retail: %,d rows in %.1f s, the pools of the heap held %,d MB at most%n",
        ROWS,
        report.get("total_duration_sec").asDouble(),
        heap / 1_000_000);

    duckdb = DriverManager.getConnection("jdbc:duckdb:");
    try (Statement statement = duckdb.createStatement()) {
      statement.execute(
          """
          CREATE TABLE lines AS FROM read_csv('%s', nullstr = '', columns = {
            'InvoiceNo': 'VARCHAR', 'StockCode': 'VARCHAR', 'Description': 'VARCHAR',
            'Quantity': 'INTEGER', 'InvoiceDate': 'TIMESTAMP', 'UnitPrice': 'DECIMAL(10, 3)',
            'CustomerID': 'DOUBLE', 'Country': 'VARCHAR'})
          """
              .formatted(dir.resolve(FILE)));
      statement.execute(
          """
          CREATE TABLE sold AS SELECT DISTINCT * FROM lines
          WHERE CustomerID IS NOT NULL AND Quantity > 0 AND UnitPrice > 0
          """);
      statement.execute(
          """
          CREATE TABLE sales AS SELECT * REPLACE (CustomerID::BIGINT AS CustomerID),
            Quantity * UnitPrice AS Amount FROM sold
          WHERE abs(Quantity - (SELECT avg(Quantity) FROM sold))
            <= 3 * (SELECT stddev_samp(Quantity) FROM sold)
          """);
    }
  }

  @AfterAll
  static void close() throws SQLException {
    if (duckdb != null) {
      duckdb.close();
    }
  }

  private static JsonNode step(String id) {
    for (JsonNode step : report.get("steps")) {
      if (step.get("step_id").asText().equals(id)) {
        return step;
      }
    }
    throw new AssertionError("no step " + id + " in " + report);
  }

  /** Rows of a query, each value as text; {@code {x}} stands for the file of load x. */
  private static List<String> query(String sql) throws SQLException {
    List<String> rows = new ArrayList<>();
    String of = "'" + dir.resolve("retail/processed") + "/$1.parquet'";
    try (Statement statement = duckdb.createStatement();
        ResultSet result = statement.executeQuery(sql.replaceAll("\\{(\\w+)}", of))) {
      while (result.next()) {
        List<String> row = new ArrayList<>();
        for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
          row.add(result.getString(i));
        }
        rows.add(String.join("|", row));
      }
    }
    return rows;
  }

  private static double number(String sql) throws SQLException {
    return Double.parseDouble(query(sql).get(0));
  }

  private static Offset<Double> lastDigits(double of) {
    return within(Math.abs(of) * 1e-12);
  }

  @Test
  void theQualityReportIsTrue() throws SQLException {
    JsonNode quality = step("quality");
    assertThat(quality.get("rows_out").asLong()).isEqualTo(ROWS);
    JsonNode checks = quality.get("checks");
    assertThat(checks.at("/duplicates/duplicate_rows").asLong())
        .isEqualTo(
            (long)
                number(
                    "SELECT count(*) - (SELECT count(*) FROM (SELECT DISTINCT * FROM lines)) FROM"
                        + " lines"))
        .isEqualTo(5_268);
    String nulls = "count(*) FILTER (CustomerID IS NULL) + count(*) FILTER (Description IS NULL)";
    double ratio = number("SELECT (" + nulls + ") / (8 * count(*)) FROM lines");
    assertThat(checks.at("/null_ratio/value").asDouble()).isCloseTo(ratio, lastDigits(ratio));
    assertThat(checks.at("/completeness/CustomerID/non_null").asLong())
        .isEqualTo((long) number("SELECT count(CustomerID) FROM lines"))
        .isEqualTo(ROWS - 135_080);
    assertThat(checks.at("/completeness/Description/non_null").asLong())
        .isEqualTo((long) number("SELECT count(Description) FROM lines"));
    assertThat(
            checks.at("/value_range/Quantity/actual_min").asText()
                + "|"
                + checks.at("/value_range/Quantity/actual_max").asText())
        .isEqualTo(query("SELECT min(Quantity), max(Quantity) FROM lines").get(0))
        .isEqualTo("-80995|80995");
    assertThat(checks.at("/value_range/UnitPrice/pass").asBoolean()).isFalse();
    assertThat(checks.at("/value_range/UnitPrice/actual_min").asDouble())
        .isEqualTo(number("SELECT min(UnitPrice) FROM lines"));
    assertThat(checks.at("/median/Quantity/value").asDouble())
        .isEqualTo(number("SELECT median(Quantity) FROM lines"));
    assertThat(checks.at("/quantiles/Quantity/0.99/value").asDouble())
        .isEqualTo(number("SELECT quantile_cont(Quantity, 0.99) FROM lines"));
  }

  @Test
  void theRowsThatAreLeftAreRight() throws SQLException {
    assertThat(step("known").get("rows_out").asLong())
        .isEqualTo((long) number("SELECT count(CustomerID) FROM lines"));
    assertThat(step("distinct").get("rows_out").asLong())
        .isEqualTo(
            (long)
                number(
                    "SELECT count(*) FROM (SELECT DISTINCT * FROM lines WHERE CustomerID IS NOT"
                        + " NULL)"));
    JsonNode usual = step("usual");
    double mean = number("SELECT avg(Quantity) FROM sold");
    double deviation = number("SELECT stddev_samp(Quantity) FROM sold");
    assertThat(usual.get("rows_in").asLong()).isEqualTo((long) number("SELECT count(*) FROM sold"));
    assertThat(usual.get("mean").asDouble()).isCloseTo(mean, lastDigits(mean));
    assertThat(usual.get("stddev").asDouble()).isCloseTo(deviation, lastDigits(deviation));
    assertThat(usual.get("removed_outliers").asLong())
        .isEqualTo(
            (long) number("SELECT (SELECT count(*) FROM sold) - (SELECT count(*) FROM sales)"))
        .isPositive();
    assertThat(query("SELECT count(*), sum(Amount) FROM {sales}"))
        .isEqualTo(query("SELECT count(*), sum(Amount) FROM sales"));
    assertThat(
            query(
                """
                SELECT (SELECT count(*) FROM (FROM {sales} EXCEPT ALL FROM sales)),
                  (SELECT count(*) FROM (FROM sales EXCEPT ALL FROM {sales}))
                """))
        .containsExactly("0|0");
  }

  @Test
  void theCountriesAreSummedUp() throws SQLException {
    List<String> countries =
        query(
            """
            SELECT Country, lines, invoices, customers, pieces, revenue, round(mean_price, 9),
              round(spread, 9), first_sale, last_sale
            FROM {countries}
            """);
    assertThat(countries)
        .hasSize(37)
        .containsExactlyElementsOf(
            query(
                """
                SELECT Country, count(*), count(DISTINCT InvoiceNo), count(DISTINCT CustomerID),
                  sum(Quantity), sum(Amount), round(avg(UnitPrice::DOUBLE), 9),
                  round(stddev_samp(Quantity), 9), min(InvoiceDate), max(InvoiceDate)
                FROM sales GROUP BY Country ORDER BY Country
                """));
    assertThat(step("totals").get("groups").asInt()).isEqualTo(37);
  }
}

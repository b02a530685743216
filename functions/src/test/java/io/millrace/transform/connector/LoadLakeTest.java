package io.millrace.transform.connector;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.transform.LocalTables;
import io.millrace.transform.Problem;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.time.Instant;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.types.DataType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoadLakeTest {
  private static final List<String> COLUMNS =
      List.of("t", "i", "l", "f", "d", "ok", "at", "instant", "bytes");
  private static final List<DataType> TYPES =
      List.of(
          DataTypes.STRING(),
          DataTypes.SMALLINT(),
          DataTypes.BIGINT(),
          DataTypes.FLOAT(),
          DataTypes.DOUBLE(),
          DataTypes.BOOLEAN(),
          DataTypes.TIMESTAMP(3),
          DataTypes.TIMESTAMP_LTZ(3),
          DataTypes.BYTES());

  @TempDir Path root;
  private LocalTables local;

  @BeforeEach
  void tables() {
    local = new LocalTables(root);
  }

  private static Object[] row(Object... values) {
    return values;
  }

  private Rows rows() {
    return local.rows(
        COLUMNS,
        TYPES,
        row(
            "größe",
            (short) -1,
            Long.MAX_VALUE,
            0.5f,
            1e16,
            true,
            LocalDateTime.of(2026, 3, 1, 9, 59, 59, 999_000_000),
            Instant.parse("2026-03-01T10:00:00.250Z"),
            new byte[] {1, (byte) 0xFF}),
        row(null, null, null, null, null, null, null, Instant.parse("2026-03-01T09:00:00Z"), null),
        row(
            "",
            (short) 2,
            0L,
            -2.5f,
            1e-5,
            false,
            null,
            Instant.parse("2026-03-02T09:00:00Z"),
            null));
  }

  private Step load(Map<String, ?> arguments, Rows rows) throws Exception {
    Step step = local.step(new LoadLake(), arguments);
    new LoadLake().lower(step, List.of(rows));
    assertThat(local.problems).isEmpty();
    step.site().environment().execute();
    return step;
  }

  private List<String> query(String sql) throws Exception {
    List<String> rows = new ArrayList<>();
    try (Connection duckdb = DriverManager.getConnection("jdbc:duckdb:");
        ResultSet result =
            duckdb
                .createStatement()
                .executeQuery(
                    sql.replace(
                        "{lake}",
                        "read_parquet('"
                            + root.resolve("lake/processed/readings")
                            + "/**/*.parquet', hive_partitioning = true,"
                            + " hive_types_autocast = false)"))) {
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

  @Test
  void rowsAreInThePartitionsOfTheirTime() throws Exception {
    Step step = load(Map.of("root", "lake", "table", "readings", "time", "instant"), rows());
    assertThat(
            query(
                """
                SELECT year, month, day, hour, t, i, l, f, d, ok, "at"::TIMESTAMP,
                  epoch_ms(instant), hex(bytes)
                FROM {lake} ORDER BY instant
                """))
        .containsExactly(
            "2026|03|01|09|null|null|null|null|null|null|null|1772355600000|null",
            "2026|03|01|10|größe|-1|9223372036854775807|0.5|1.0E16|true|2026-03-01 09:59:59.999"
                + "|1772359200250|01FF",
            "2026|03|02|09||2|0|-2.5|1.0E-5|false|null|1772442000000|null");
    assertThat(step.facts())
        .containsEntry("table", "readings")
        .containsEntry("location", "file:" + root.toRealPath().resolve("lake/processed/readings"));
    // The input has ended, and so has every partition.
    try (Stream<Path> files = Files.walk(root.resolve("lake"))) {
      assertThat(files.filter(file -> file.endsWith("_SUCCESS"))).hasSize(3);
    }
  }

  @Test
  void partitionsMayBeDays() throws Exception {
    load(
        Map.of("root", "lake", "table", "readings", "time", "instant", "partition", "day"), rows());
    assertThat(query("SELECT day, count(*) FROM {lake} GROUP BY 1 ORDER BY 1"))
        .containsExactly("01|2", "02|1");
    assertThat(root.resolve("lake/processed/readings/year=2026/month=03/day=01/_SUCCESS")).exists();
  }

  private List<String> problems(Map<String, String> arguments, Rows rows) {
    local.problems.clear();
    new LoadLake().lower(local.step(new LoadLake(), arguments), List.of(rows));
    return local.problems.stream().map(Problem::message).toList();
  }

  @Test
  void whatIsWrongIsSaidInOneLine() throws Exception {
    String time = "instant";
    assertThat(problems(Map.of("root", "lake", "table", "readings"), rows()))
        .containsExactly("time is missing, and the input has no event time to take instead");
    assertThat(problems(Map.of("root", "lake", "table", "readings", "time", "t"), rows()))
        .containsExactly(
            "time is 't' of type STRING, but must be TIMESTAMP(3) or TIMESTAMP_LTZ(3)");
    assertThat(problems(Map.of("root", "lake", "table", "Readings", "time", time), rows()))
        .containsExactly(
            "table is 'Readings', but names in a lake are lower-case letters, digits and"
                + " underscores, a letter first");
    assertThat(problems(Map.of("root", "../lake", "table", "readings", "time", time), rows()))
        .containsExactly("root is '../lake' lies outside the data root " + root.toRealPath());
    assertThat(problems(Map.of("root", "file:/lake", "table", "readings", "time", time), rows()))
        .containsExactly(
            "root is 'file:/lake', but a local folder is given relative to the data root");
    assertThat(
            problems(
                Map.of(
                    "root", "lake", "table", "readings", "time", time, "catalog_uri", "hive:9083"),
                rows()))
        .containsExactly("catalog_uri is 'hive:9083', but must be thrift://HOST:PORT");
    assertThat(
            problems(
                Map.of(
                    "root",
                    "lake",
                    "table",
                    "readings",
                    "time",
                    time,
                    "catalog_uri",
                    "thrift://localhost:9083",
                    "database",
                    "My-Lake"),
                rows()))
        .containsExactly(
            "database is 'My-Lake', but names in a lake are lower-case letters, digits and"
                + " underscores, a letter first");
    Rows odd =
        local.rows(
            List.of("CO(GT)", "day", "amount", "at"),
            List.of(
                DataTypes.DOUBLE(),
                DataTypes.STRING(),
                DataTypes.DECIMAL(10, 2),
                DataTypes.TIMESTAMP_LTZ(6)),
            row(1.0, "x", new BigDecimal("1.00"), Instant.EPOCH));
    assertThat(problems(Map.of("root", "lake", "table", "readings", "time", "at"), odd))
        .containsExactly(
            "the input has a column 'CO(GT)', but names in a lake are lower-case letters, digits"
                + " and underscores, a letter first",
            "the input has a column 'day', as a partition column is called; rename it",
            "the input has a column 'amount' of type DECIMAL(10, 2), but a lake's are STRING, INT,"
                + " BIGINT, DOUBLE, BOOLEAN, BYTES, TIMESTAMP(3) and TIMESTAMP_LTZ(3); cast it"
                + " before",
            "the input has a column 'at' of type TIMESTAMP_LTZ(6), but a lake's are STRING, INT,"
                + " BIGINT, DOUBLE, BOOLEAN, BYTES, TIMESTAMP(3) and TIMESTAMP_LTZ(3); cast it"
                + " before");
  }
}

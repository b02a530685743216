package io.millrace.transform.connector;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.transform.LocalTables;
import io.millrace.transform.Rows;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.Expressions;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LoadDataTest {
  private static final Object[][] VALUES = {
    {
      true,
      -1,
      Long.MAX_VALUE,
      0.1f,
      1e16,
      new BigDecimal("12.50"),
      "größe, \"x\"\n",
      LocalDate.of(2024, 2, 29),
      LocalTime.of(10, 0, 0, 500_000_000),
      LocalDateTime.of(2024, 2, 11, 10, 0, 0, 123_456_000),
      Instant.parse("2024-02-11T10:00:00.250Z"),
      new byte[] {1, 2, (byte) 0xFF},
      "a"
    },
    new Object[13],
    {
      false,
      2,
      0L,
      -2.5f,
      1e-5,
      new BigDecimal("-0.01"),
      "",
      LocalDate.of(1969, 12, 31),
      LocalTime.MIDNIGHT,
      LocalDateTime.of(1969, 12, 31, 23, 59, 59),
      Instant.EPOCH,
      new byte[0],
      " "
    },
  };

  @TempDir Path root;
  private LocalTables local;

  @BeforeEach
  void tables() {
    local = new LocalTables(root);
  }

  @Test
  void writesCsvAsPandasDoes() throws Exception {
    Path file = load(Map.of("format", "csv"), local.rows(LoadRun.COLUMNS, LoadRun.TYPES, VALUES));

    assertThat(root.toRealPath().relativize(file)).hasToString("test/processed/step.csv");
    assertThat(Files.readString(file))
        .isEqualTo(
            """
            b,i,l,f,d,dec,t,day,time,at,instant,bytes,CO(GT)
            True,-1,9223372036854775807,0.1,1e+16,12.50,"größe, ""x""
            ",2024-02-29,10:00:00.5,2024-02-11 10:00:00.123456,2024-02-11 10:00:00.25+00:00,AQL/,a
            ,,,,,,,,,,,,
            False,2,0,-2.5,1e-05,-0.01,,1969-12-31,00:00:00,1969-12-31 23:59:59,1970-01-01 00:00:00+00:00,,\s
            """);
  }

  @Test
  void aRowOfOneNullIsNoEmptyLine() throws Exception {
    Path file =
        load(
            Map.of("format", "CSV", "path", "out/one.csv"),
            local.rows(
                List.of("#a"),
                List.of(DataTypes.STRING()),
                new Object[] {"#x"},
                new Object[] {null},
                new Object[] {""}));

    assertThat(Files.readString(file)).isEqualTo("#a\n#x\n\"\"\n\"\"\n");
  }

  @Test
  void writesJsonAsRecords() throws Exception {
    Path file = load(Map.of("format", "json"), local.rows(LoadRun.COLUMNS, LoadRun.TYPES, VALUES));

    assertThat(Files.readString(file))
        .isEqualTo(
            "[{'b':true,'i':-1,'l':9223372036854775807,'f':0.1,'d':1.0E16,'dec':12.50,"
                    .replace('\'', '"')
                + "\"t\":\"größe, \\\"x\\\"\\n\","
                + ("'day':1709164800000,'time':'10:00:00.5','at':1707645600123,"
                        + "'instant':1707645600250,'bytes':'AQL/','CO(GT)':'a'},{")
                    .replace('\'', '"')
                + String.join(",", LoadRun.COLUMNS.stream().map(c -> "\"" + c + "\":null").toList())
                + ("},{'b':false,'i':2,'l':0,'f':-2.5,'d':1.0E-5,'dec':-0.01,'t':'',"
                        + "'day':-86400000,'time':'00:00:00','at':-1000,'instant':0,'bytes':'',"
                        + "'CO(GT)':' '}]")
                    .replace('\'', '"'));
  }

  @Test
  void writesJsonLinesAndNestedValues() throws Exception {
    Rows rows =
        local.rows(
            List.of("a", "r", "m"),
            List.of(
                DataTypes.ARRAY(DataTypes.INT()),
                DataTypes.ROW(DataTypes.FIELD("x", DataTypes.STRING())),
                DataTypes.MAP(DataTypes.STRING(), DataTypes.DOUBLE())),
            new Object[] {new Integer[] {1, null}, Row.of("y"), Map.of("k", 0.5)},
            new Object[] {null, null, null});

    Path file = load(Map.of("format", "json", "lines", true), rows);

    assertThat(Files.readString(file))
        .isEqualTo(
            """
            {"a":[1,null],"r":{"x":"y"},"m":{"k":0.5}}
            {"a":null,"r":null,"m":null}
            """);
  }

  @ParameterizedTest
  @ValueSource(strings = {"snappy", "zstd", "gzip", "none"})
  void parquetHoldsEveryType(String compression) throws Exception {
    Path file =
        load(
            Map.of("format", "parquet", "compression", compression),
            local.rows(LoadRun.COLUMNS, LoadRun.TYPES, VALUES));

    assertThat(
            duckdb(
                "SELECT column_name || ' ' || column_type FROM (DESCRIBE SELECT * FROM '"
                    + file
                    + "')"))
        .containsExactly(
            "b BOOLEAN",
            "i INTEGER",
            "l BIGINT",
            "f FLOAT",
            "d DOUBLE",
            "dec DECIMAL(10,2)",
            "t VARCHAR",
            "day DATE",
            "time TIME",
            "at TIMESTAMP",
            "instant TIMESTAMP WITH TIME ZONE",
            "bytes BLOB",
            "CO(GT) VARCHAR");
    assertThat(
            duckdb(
                "SELECT concat_ws('|', b, i, l, f, d, dec, t, day, \"time\", \"at\","
                    + " epoch_ms(instant), hex(bytes), \"CO(GT)\") FROM '"
                    + file
                    + "'"))
        .containsExactly(
            "true|-1|9223372036854775807|0.1|1e+16|12.50|größe, \"x\"\n|2024-02-29|10:00:00.5"
                + "|2024-02-11 10:00:00.123456|1707645600250|0102FF|a",
            "",
            "false|2|0|-2.5|1e-05|-0.01||1969-12-31|00:00:00|1969-12-31 23:59:59|0|| ");
    assertThat(duckdb("SELECT DISTINCT compression FROM parquet_metadata('" + file + "')"))
        .containsExactly(
            compression.equals("none") ? "UNCOMPRESSED" : compression.toUpperCase(Locale.ROOT));
  }

  /** What is read from a CSV file and written to one is the same, down to each byte. */
  @Test
  void csvThatWasReadIsWrittenTheSame() throws Exception {
    String text =
        "id,price,flag,name\n1,1.0,True,ann\n,2.5,,\"b,\"\"c\"\"\"\n3,-inf,False,\n-4,1e-05,,ä\n";
    Files.writeString(root.resolve("in.csv"), text);

    Path file =
        load(Map.of("format", "csv"), local.lower(new ExtractCsv(), Map.of("file_path", "in.csv")));

    assertThat(file).hasContent(text);
    tables();
    Path json =
        load(
            Map.of("format", "json", "lines", true),
            local.lower(new ExtractCsv(), Map.of("file_path", "in.csv")));
    assertThat(Files.readAllLines(json).get(2))
        .isEqualTo("{\"id\":3,\"price\":null,\"flag\":false,\"name\":null}");
  }

  @ParameterizedTest
  @CsvSource({"csv", "json", "parquet"})
  void oneFileKeepsTheOrderAndSeveralHoldAll(String format) throws Exception {
    StringBuilder text = new StringBuilder("n\n");
    for (int i = 0; i < 5000; i++) {
      text.append(i * 7919L % 5000).append('\n');
    }
    for (int file = 0; file < 3; file++) {
      Files.createDirectories(root.resolve("in"));
      Files.writeString(root.resolve("in/" + file + ".csv"), text);
    }
    String all = "SELECT n FROM read_csv('" + root + "/in/*.csv')";

    Path one =
        load(
            Map.of("format", format, "path", "one." + format),
            local.lower(new ExtractCsv(), Map.of("file_path", "in")));

    assertThat(duckdb("SELECT n FROM '" + one + "'")).isEqualTo(duckdb(all));

    tables();
    Path several =
        load(
            Map.of("format", format, "path", "several", "files", 3),
            local.lower(new ExtractCsv(), Map.of("file_path", "in")));

    try (Stream<Path> parts = Files.list(several)) {
      assertThat(parts.map(p -> p.getFileName().toString()).sorted())
          .containsExactly("part-00000." + format, "part-00001." + format, "part-00002." + format);
    }
    assertThat(duckdb("SELECT n FROM '" + several + "/*." + format + "' ORDER BY n"))
        .isEqualTo(duckdb(all + " ORDER BY n"));
  }

  @ParameterizedTest
  @CsvSource({"csv, 'a,b\n'", "json, []"})
  void noRowsAreAFileToo(String format, String content) throws Exception {
    Rows rows =
        local.rows(
            List.of("a", "b"),
            List.of(DataTypes.STRING(), DataTypes.BIGINT()),
            new Object[] {"x", 1L});

    Path file =
        load(
            Map.of("format", format),
            rows.with(rows.table().filter(Expressions.$("a").isEqual("none"))));

    assertThat(Files.readString(file)).isEqualTo(content);
  }

  @Test
  void refusesWhatCannotBeWritten() throws Exception {
    Files.createDirectories(root.resolve("folder"));
    Files.writeString(root.resolve("file"), "x");
    Rows rows = local.rows(List.of("a"), List.of(DataTypes.BIGINT()), new Object[] {1L});
    Rows nested =
        local.rows(
            List.of("a"),
            List.of(DataTypes.ARRAY(DataTypes.INT())),
            new Object[] {new Integer[] {1}});

    assertRefused(
        Map.of("format", "xml"),
        rows,
        "format is 'xml', but must be one of csv, json, parquet, xlsx, arrow");
    assertRefused(
        Map.of("format", "csv"), nested, "the column 'a' is ARRAY<INT>, which csv cannot hold");
    assertRefused(
        Map.of("format", "csv", "path", "../x.csv"),
        rows,
        "'../x.csv' lies outside the data root " + root.toRealPath());
    assertRefused(
        Map.of("format", "csv", "path", "."), rows, "path is '.', which is the data root itself");
    assertRefused(
        Map.of("format", "csv", "path", "folder"),
        rows,
        "path is 'folder', which is a folder; one file is to be written");
    assertRefused(
        Map.of("format", "csv", "path", "file", "files", 2),
        rows,
        "path is 'file', which is a file; a folder is to be written");
    Files.writeString(root.resolve("folder/sales.csv"), "x");
    assertRefused(
        Map.of("format", "csv", "path", "folder", "files", 2),
        rows,
        "path is 'folder', which would be replaced, but has 'sales.csv', which load_data has not"
            + " written");
  }

  private void assertRefused(Map<String, ?> arguments, Rows rows, String message) {
    local.problems.clear();

    assertThat(local.lower(new LoadData(), arguments, rows)).isNull();
    assertThat(local.problems).singleElement().hasToString("step 'step': " + message);
  }

  /** Runs the load alone, and moves what it wrote as a runner does. */
  private Path load(Map<String, ?> arguments, Rows rows) throws Exception {
    return LoadRun.of(local, arguments, rows);
  }

  private static List<String> duckdb(String query) throws Exception {
    List<String> rows = new ArrayList<>();
    try (Connection connection = DriverManager.getConnection("jdbc:duckdb:");
        Statement statement = connection.createStatement();
        ResultSet results = statement.executeQuery(query)) {
      while (results.next()) {
        rows.add(results.getString(1));
      }
    }
    return rows;
  }
}

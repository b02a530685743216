package io.millrace.transform.connector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.transform.LocalTables;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of other writers: pyarrow's, committed, and DuckDB's, written on the spot. */
class ExtractParquetTest {
  private static final Path FIXTURES = Path.of("src/test/resources/parquet");

  @RegisterExtension
  static final MiniClusterExtension CLUSTER = new MiniClusterExtension(LocalTables.cluster());

  @TempDir Path root;
  private LocalTables local;

  @BeforeEach
  void tables() {
    local = new LocalTables(root);
  }

  @Test
  void readsEveryTypeThatPyarrowWrites() throws Exception {
    Files.copy(FIXTURES.resolve("pyarrow.parquet"), root.resolve("a.parquet"));

    Rows rows = extract("a.parquet");

    assertThat(types(rows))
        .containsExactly(
            "b BOOLEAN",
            "i8 TINYINT",
            "i16 SMALLINT",
            "i32 INT",
            "i64 BIGINT",
            "u8 SMALLINT",
            "u16 INT",
            "u32 BIGINT",
            "u64 DECIMAL(20, 0)",
            "f16 FLOAT",
            "f32 FLOAT",
            "f64 DOUBLE",
            "dec9 DECIMAL(9, 2)",
            "dec38 DECIMAL(38, 10)",
            "t STRING",
            "raw BYTES",
            "fixed BYTES",
            "cat STRING",
            "day DATE",
            "tms TIME(3)",
            "tus TIME(3)",
            "at_ms TIMESTAMP(3)",
            "at_us TIMESTAMP(6)",
            "at_ns TIMESTAMP(9)",
            "instant TIMESTAMP_LTZ(6)",
            "list ARRAY<INT>",
            "lists ARRAY<ARRAY<STRING>>",
            "struct ROW<`x` BIGINT, `y` ROW<`z` STRING>>",
            "structs ARRAY<ROW<`x` INT, `y` ARRAY<DOUBLE>>>",
            "map MAP<STRING NOT NULL, INT>",
            "CO(GT) DOUBLE");
    List<List<Object>> values = LocalTables.collect(rows);
    assertThat(values).hasSize(3);
    assertThat(plain(values.get(0)))
        .containsExactly(
            true,
            (byte) -128,
            (short) -32768,
            Integer.MIN_VALUE,
            Long.MIN_VALUE,
            (short) 255,
            65535,
            4294967295L,
            new BigDecimal("18446744073709551615"),
            -1.5f,
            0.5f,
            0.1,
            new BigDecimal("-12.50"),
            new BigDecimal("1234567890123456789012345678.0123456789"),
            "größe",
            List.of((byte) 0, (byte) -1),
            List.of((byte) 'a', (byte) 'b'),
            "x",
            LocalDate.of(2024, 2, 29),
            LocalTime.of(10, 0, 0, 500_000_000),
            LocalTime.of(23, 59, 59, 999_000_000),
            LocalDateTime.of(2024, 2, 11, 10, 0, 0, 123_000_000),
            LocalDateTime.of(2024, 2, 11, 10, 0, 0, 123_456_000),
            LocalDateTime.of(2024, 2, 11, 10, 0, 0, 123_456_789),
            Instant.parse("2024-02-11T09:00:00Z"),
            Arrays.asList(1, null, 3),
            Arrays.asList(List.of("a"), null, List.of()),
            Row.of(1L, Row.of("q")),
            Arrays.asList("+I[1, [0.5, null]]", null),
            "{k=1, l=null}",
            1.5);
    assertThat(plain(values.get(1)).subList(18, 25))
        .containsExactly(
            LocalDate.of(1969, 12, 31),
            LocalTime.MIDNIGHT,
            LocalTime.MIDNIGHT,
            LocalDateTime.of(1969, 12, 31, 23, 59, 59, 999_000_000),
            LocalDateTime.of(1969, 12, 31, 23, 59, 59, 999_999_000),
            LocalDateTime.of(1969, 12, 31, 23, 59, 59, 999_999_999),
            Instant.parse("1969-12-31T23:59:59Z"));
    assertThat(plain(values.get(1)).get(9)).isEqualTo(1023 * 0x1.0p-24f);
    assertThat(plain(values.get(1)).get(13)).isEqualTo(new BigDecimal("-0.0000000001"));
    assertThat(values.get(2)).containsOnlyNulls();
  }

  @Test
  void readsTimestampsOfOld() throws Exception {
    Files.copy(FIXTURES.resolve("int96.parquet"), root.resolve("a.parquet"));

    Rows rows = extract("a.parquet");

    assertThat(types(rows)).containsExactly("at TIMESTAMP(9)");
    assertThat(LocalTables.collect(rows))
        .containsExactly(
            List.of(LocalDateTime.of(2024, 2, 11, 10, 0, 0, 123_456_789)),
            List.of(LocalDateTime.of(1969, 12, 31, 23, 59, 59, 999_999_999)),
            Arrays.asList((Object) null));
  }

  @ParameterizedTest
  @ValueSource(strings = {"snappy", "zstd", "gzip", "uncompressed", "lz4_raw"})
  void keepsTheOrderOfAFileWithManyGroups(String codec) throws Exception {
    duckdb(
        "COPY (SELECT (i * 7919) % 100000 AS n, 't' || (i % 50) AS t, i::DECIMAL(12, 3) / 8 AS d"
            + " FROM range(100000) r(i)) TO '"
            + root.resolve("a.parquet")
            + "' (FORMAT parquet, ROW_GROUP_SIZE 20000, CODEC '"
            + codec
            + "')");

    Rows rows = extract("a.parquet");

    assertThat(types(rows)).startsWith("n BIGINT", "t STRING");
    assertThat(LocalTables.collect(rows).stream().map(row -> row.get(0) + "," + row.get(1)))
        .containsExactlyElementsOf(
            IntStream.range(0, 100_000)
                .mapToObj(i -> i * 7919L % 100_000 + ",t" + i % 50)
                .toList());
  }

  @Test
  void readsTheFilesOfAFolderByTheNamesOfColumns() throws Exception {
    Files.createDirectories(root.resolve("in/day=2026-01-02"));
    copy("SELECT 1 AS a, 'x' AS b", "in/1.parquet");
    copy("SELECT 'y' AS b, 2 AS a", "in/day=2026-01-02/2.parquet");
    copy("SELECT 'z' AS c", "in/_skipped.parquet");

    assertThat(LocalTables.collect(extract("in")))
        .containsExactly(List.of(1, "x"), List.of(2, "y"));
    assertThat(LocalTables.collect(extract("in/*.parquet"))).containsExactly(List.of(1, "x"));
  }

  @Test
  void whatIsLoadedIsReadBackTheSame() throws Exception {
    Files.copy(FIXTURES.resolve("pyarrow.parquet"), root.resolve("a.parquet"));
    Rows rows = extract("a.parquet");
    List<List<Object>> before = LocalTables.collect(rows).stream().map(this::plain).toList();

    tables();
    LoadData load = new LoadData();
    Step step = local.step(load, Map.of("format", "parquet", "path", "b.parquet"));
    load.lower(step, List.of(extract("a.parquet")));
    assertThat(local.problems).isEmpty();
    step.site().environment().execute();
    Files.move(step.publications().get(0).temporary(), root.resolve("b.parquet"));

    tables();
    List<List<Object>> after =
        LocalTables.collect(extract("b.parquet")).stream().map(this::plain).toList();
    for (int row = 0; row < before.size(); row++) {
      List<Object> expected = new ArrayList<>(before.get(row));
      // Timestamps are written as microseconds.
      if (expected.get(23) instanceof LocalDateTime time) {
        expected.set(23, time.truncatedTo(ChronoUnit.MICROS));
      }
      assertThat(after.get(row)).isEqualTo(expected);
    }
  }

  @Test
  void aFileWithoutRowsIsAWarning() throws Exception {
    copy("SELECT 1 AS a WHERE false", "a.parquet");

    assertThat(LocalTables.collect(extract("a.parquet"))).isEmpty();
    assertThat(local.problems)
        .singleElement()
        .hasToString("step 'step': a.parquet has columns and no rows");
  }

  @Test
  void aProblemIsOneLine() throws Exception {
    Files.createDirectories(root.resolve("in"));
    copy("SELECT 1 AS a", "in/1.parquet");
    copy("SELECT 'x' AS a", "in/2.parquet");
    Files.createDirectories(root.resolve("other"));
    copy("SELECT 1 AS a", "other/1.parquet");
    copy("SELECT 1 AS b", "other/2.parquet");
    copy("SELECT INTERVAL 1 DAY AS span", "span.parquet");
    Files.writeString(root.resolve("text.parquet"), "a,b\n1,2\n and some more text");
    copy("SELECT i AS a FROM range(1000) r(i)", "whole.parquet");
    byte[] whole = Files.readAllBytes(root.resolve("whole.parquet"));
    Files.write(root.resolve("cut.parquet"), Arrays.copyOf(whole, whole.length / 2));

    assertThat(refusal("none.parquet")).isEqualTo("there is no file 'none.parquet'");
    assertThat(refusal("../x.parquet"))
        .isEqualTo("'../x.parquet' lies outside the data root " + root.toRealPath());
    assertThat(refusal("in"))
        .isEqualTo("2.parquet has the column 'a' as STRING, but in the first file it is INT");
    assertThat(refusal("other"))
        .isEqualTo("2.parquet has a column 'b', but the first file has only a");
    assertThat(refusal("span.parquet"))
        .isEqualTo("span.parquet has the column 'span' as INTERVAL, which is not read");
    assertThat(refusal("text.parquet"))
        .startsWith("text.parquet is not a Parquet file that can be read: ")
        .doesNotContain("\n");
    assertThat(refusal("cut.parquet"))
        .startsWith("cut.parquet is not a Parquet file that can be read: ")
        .doesNotContain("\n");
  }

  /**
   * Bytes that are wrong in the middle, where only reading finds them, fail the job in one line.
   */
  @Test
  void aPageThatIsBrokenFailsTheJob() throws Exception {
    copy("SELECT 't' || i AS a FROM range(50000) r(i)", "a.parquet");
    byte[] bytes = Files.readAllBytes(root.resolve("a.parquet"));
    Arrays.fill(bytes, 100, 5000, (byte) 0x5A);
    Files.write(root.resolve("a.parquet"), bytes);

    Rows rows = extract("a.parquet");

    assertThatThrownBy(() -> LocalTables.collect(rows))
        .hasStackTraceContaining(
            "MalformedFileException: a.parquet is not a Parquet file that can be read: ");
  }

  /** Values of which equality says something. */
  private List<Object> plain(List<Object> row) {
    return row.stream().map(this::plain).toList();
  }

  private Object plain(Object value) {
    if (value instanceof byte[] bytes) {
      List<Object> list = new ArrayList<>();
      for (byte b : bytes) {
        list.add(b);
      }
      return list;
    } else if (value instanceof Object[] array) {
      List<Object> list = new ArrayList<>();
      for (Object element : array) {
        list.add(element instanceof Row nested ? nested.toString() : plain(element));
      }
      return list;
    } else if (value instanceof Map<?, ?> map) {
      return new TreeMap<>(map).toString();
    }
    return value;
  }

  private String refusal(String path) {
    local.problems.clear();
    assertThat(extract(path)).isNull();
    assertThat(local.problems).hasSize(1);
    return local.problems.get(0).message();
  }

  private Rows extract(String path) {
    return local.lower(new ExtractParquet(), Map.of("file_path", path));
  }

  private static List<String> types(Rows rows) {
    return rows.columns().stream()
        .map(c -> c + " " + rows.type(c).getLogicalType().copy(true).asSummaryString())
        .toList();
  }

  private void copy(String query, String path) throws Exception {
    duckdb("COPY (" + query + ") TO '" + root.resolve(path) + "' (FORMAT parquet)");
  }

  private static void duckdb(String statement) throws Exception {
    try (Connection connection = DriverManager.getConnection("jdbc:duckdb:");
        Statement duckdb = connection.createStatement()) {
      duckdb.execute(statement);
    }
  }
}

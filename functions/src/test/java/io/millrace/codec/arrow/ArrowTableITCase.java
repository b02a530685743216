package io.millrace.codec.arrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The format {@code arrow} in SQL over files. */
class ArrowTableITCase {
  private static final String COLUMNS =
      "id BIGINT, name STRING, price DECIMAL(10, 2), seen TIMESTAMP_LTZ(3), born DATE,"
          + " tags ARRAY<STRING>, place ROW<city STRING, zip INT>, scores MAP<STRING, DOUBLE>";
  private static final String ROWS =
      "(1, 'Anna', 12.50, TO_TIMESTAMP_LTZ(1767225600123, 3), DATE '2026-01-01',"
          + " ARRAY['a', 'b'], ROW('Köln', 50667), MAP['x', 0.5e0]),"
          + " (2, CAST(NULL AS STRING), CAST(NULL AS DECIMAL(10, 2)),"
          + " CAST(NULL AS TIMESTAMP_LTZ(3)), CAST(NULL AS DATE),"
          + " CAST(NULL AS ARRAY<STRING>), CAST(NULL AS ROW<city STRING, zip INT>),"
          + " CAST(NULL AS MAP<STRING, DOUBLE>)),"
          + " (3, 'Zoë', -0.01, TO_TIMESTAMP_LTZ(-1, 3), DATE '1969-12-31',"
          + " ARRAY[CAST(NULL AS STRING)], ROW(CAST(NULL AS STRING), 1), MAP['y', 1e0])";

  @TempDir private Path folder;

  private final TableEnvironment tables =
      TableEnvironment.create(EnvironmentSettings.inBatchMode());

  private void create(String name, String columns, Path path, String... options) {
    tables.executeSql(
        "CREATE TABLE "
            + name
            + " ("
            + columns
            + ") WITH ('connector' = 'filesystem', 'path' = '"
            + path.toUri()
            + "', 'format' = 'arrow'"
            + Stream.of(options).map(o -> ", " + o).reduce("", String::concat)
            + ")");
  }

  private List<Row> query(String sql) throws Exception {
    List<Row> rows = new ArrayList<>();
    try (CloseableIterator<Row> found = tables.executeSql(sql).collect()) {
      found.forEachRemaining(rows::add);
    }
    return rows;
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> found = Files.walk(folder)) {
      return found.filter(Files::isRegularFile).toList();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "lz4", "zstd"})
  void writesAndReadsFiles(String compression) throws Exception {
    tables.getConfig().set("table.local-time-zone", "UTC");
    create(
        "people",
        COLUMNS,
        folder.resolve("people"),
        "'arrow.compression' = '" + compression + "'",
        "'arrow.batch-size' = '2'");
    tables.executeSql("INSERT INTO people VALUES " + ROWS).await();

    List<Row> written = query("SELECT * FROM (VALUES " + ROWS + ") AS v ORDER BY 1");
    assertThat(written).hasSize(3);
    // As text: arrays within rows are not compared by what they hold.
    assertThat(query("SELECT * FROM people ORDER BY id")).hasToString(written.toString());
    assertThat(query("SELECT COUNT(*) FROM people")).containsExactly(Row.of(3L));
    assertThat(query("SELECT place.city, tags[2], id FROM people WHERE id < 3 ORDER BY id"))
        .containsExactly(Row.of("Köln", "b", 1L), Row.of(null, null, 2L));
    // The files are streams that other readers know, with as many rows as were written.
    List<List<Object>> rows = new ArrayList<>();
    for (Path file : files(folder.resolve("people"))) {
      rows.addAll(
          Fixtures.decode(
              Files.readAllBytes(file),
              Fixtures.rowType(DataTypes.ROW(DataTypes.FIELD("name", DataTypes.STRING())))));
    }
    assertThat(rows)
        .containsExactlyInAnyOrder(List.of("Anna"), Arrays.asList((Object) null), List.of("Zoë"));
  }

  @Test
  void partitionsAreNotInTheFiles() throws Exception {
    tables.executeSql(
        "CREATE TABLE parts (id INT, name STRING, region STRING) PARTITIONED BY (region) WITH ("
            + "'connector' = 'filesystem', 'format' = 'arrow', 'path' = '"
            + folder.resolve("parts").toUri()
            + "')");
    tables
        .executeSql("INSERT INTO parts VALUES (1, 'a', 'eu'), (2, 'b', 'us'), (3, 'c', 'eu')")
        .await();
    assertThat(query("SELECT region, id, name FROM parts WHERE region = 'eu' ORDER BY id"))
        .containsExactly(Row.of("eu", 1, "a"), Row.of("eu", 3, "c"));
    assertThat(files(folder.resolve("parts")))
        .allSatisfy(f -> assertThat(f.getParent().getFileName().toString()).startsWith("region="));
  }

  @Test
  void readsFilesOfAnotherImplementation() throws Exception {
    Path input = Files.createDirectories(folder.resolve("in"));
    for (String name : List.of("events_lz4.arrows", "events_zstd.arrows")) {
      Files.write(input.resolve(name), Fixtures.bytes(name));
    }
    create(
        "events",
        "event_id STRING, screen STRING, amount DOUBLE, `timestamp` TIMESTAMP_LTZ(3)",
        input);
    assertThat(
            query(
                "SELECT screen, COUNT(*), COUNT(amount), SUM(amount) FROM events"
                    + " GROUP BY screen ORDER BY screen"))
        .containsExactlyInAnyOrder(
            // By hand: i of 0..1599 is 0, 1 or 2 modulo 3, and has an amount of i / 4 unless 5 | i.
            Row.of("home", 2 * count(0), 2 * amounts(0), 2 * sum(0)),
            Row.of("cart", 2 * count(1), 2 * amounts(1), 2 * sum(1)),
            Row.of(null, 2 * count(2), 2 * amounts(2), 2 * sum(2)));
  }

  private static long count(int residue) {
    return (1599L - residue) / 3 + 1;
  }

  private static long amounts(int residue) {
    long found = 0;
    for (int i = residue; i < 1600; i += 3) {
      found += i % 5 == 0 ? 0 : 1;
    }
    return found;
  }

  private static double sum(int residue) {
    double sum = 0;
    for (int i = residue; i < 1600; i += 3) {
      sum += i % 5 == 0 ? 0 : i / 4.0;
    }
    return sum;
  }

  @Test
  void wrongDataAndOptionsFailWithOneLine() throws Exception {
    Path input = Files.createDirectories(folder.resolve("cut"));
    byte[] whole = Fixtures.bytes("events_lz4.arrows");
    Files.write(input.resolve("cut.arrows"), Arrays.copyOf(whole, whole.length - 9));
    create("cut", "event_id STRING", input);
    assertThatThrownBy(() -> query("SELECT * FROM cut"))
        .rootCause()
        .hasMessageContaining("malformed_arrow: truncated: a body needs");

    create("wrong", "event_id STRING", input, "'arrow.on-error' = 'skip'");
    assertThatThrownBy(() -> query("SELECT * FROM wrong"))
        .rootCause()
        .hasMessage(
            "'arrow.on-error' is 'skip', which is for records; a file that cannot be read fails"
                + " the job");
    create("small", "event_id STRING", input, "'arrow.max-rows' = '0'");
    assertThatThrownBy(() -> query("SELECT * FROM small"))
        .rootCause()
        .hasMessage("'arrow.max-rows' is 0, but must be at least 1");
    create("bag", "m MULTISET<INT>", input);
    assertThatThrownBy(() -> query("SELECT * FROM bag"))
        .hasMessage("column 'm' is MULTISET<INT>, which the format arrow has not");
  }
}

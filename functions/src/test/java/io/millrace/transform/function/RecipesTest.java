package io.millrace.transform.function;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;
import org.apache.flink.types.Row;
import org.apache.flink.types.RowKind;
import org.apache.flink.util.CloseableIterator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Runs every recipe of {@code sql/recipes}, and compares with the rows that its comment shows. */
class RecipesTest {
  private static final Path FOLDER = Path.of("..", "sql", "recipes");

  static List<Path> recipes() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files.filter(file -> file.toString().endsWith(".sql")).sorted().toList();
    }
  }

  @Test
  void thereAreRecipesAndEachHasItsNumber() throws Exception {
    List<Path> recipes = recipes();
    assertThat(recipes).hasSizeGreaterThanOrEqualTo(18);
    for (int i = 0; i < recipes.size(); i++) {
      assertThat(recipes.get(i).getFileName().toString())
          .startsWith(String.format(java.util.Locale.ROOT, "%02d-", i + 1));
    }
  }

  @ParameterizedTest
  @MethodSource("recipes")
  void givesTheRowsThatItShows(Path recipe) throws Exception {
    String text = Files.readString(recipe);
    List<List<String>> shown =
        text.lines().filter(line -> line.startsWith("-- |")).map(RecipesTest::cells).toList();
    assertThat(shown).as("a header and rows").hasSizeGreaterThanOrEqualTo(2);
    boolean streaming = text.contains("\n-- mode: streaming\n");
    assertThat(streaming || text.contains("\n-- mode: batch\n")).isTrue();
    TableEnvironment tables =
        TableEnvironment.create(
            streaming ? EnvironmentSettings.inStreamingMode() : EnvironmentSettings.inBatchMode());
    tables.getConfig().set("table.local-time-zone", "UTC");
    tables.getConfig().set("parallelism.default", "1");
    TableResult result = null;
    for (String statement : statements(text)) {
      result = tables.executeSql(statement);
    }
    assertThat(result.getResolvedSchema().getColumnNames()).isEqualTo(shown.get(0));
    assertThat(rows(result)).containsExactlyInAnyOrderElementsOf(shown.subList(1, shown.size()));
  }

  private static List<String> statements(String text) {
    String code =
        text.lines().filter(line -> !line.startsWith("--")).collect(Collectors.joining("\n"));
    return Arrays.stream(code.split(";\\s*(\n|$)", -1)).filter(part -> !part.isBlank()).toList();
  }

  private static List<String> cells(String line) {
    String inner = line.substring(line.indexOf('|') + 1, line.lastIndexOf('|'));
    return Arrays.stream(inner.split("\\|", -1)).map(String::strip).toList();
  }

  /** What is left when all changes are made; no recipe takes a row back without having given it. */
  private static List<List<String>> rows(TableResult result) throws Exception {
    List<List<String>> rows = new ArrayList<>();
    try (CloseableIterator<Row> iterator = result.collect()) {
      while (iterator.hasNext()) {
        Row row = iterator.next();
        List<String> values =
            IntStream.range(0, row.getArity())
                .mapToObj(
                    i -> {
                      Object value = row.getField(i);
                      return value == null ? "NULL" : value.toString();
                    })
                .toList();
        if (row.getKind() == RowKind.INSERT || row.getKind() == RowKind.UPDATE_AFTER) {
          rows.add(values);
        } else {
          assertThat(rows.remove(values)).isTrue();
        }
      }
    }
    return rows;
  }
}

package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Scripts for Flink's SQL client, over a lake on this machine. */
class SqlITCase {
  @TempDir private static Path folder;
  private static Path lake;

  @BeforeAll
  static void makeALake() throws IOException {
    Path input = Files.createDirectories(folder.resolve("in/session"));
    Files.writeString(
        input.resolve("a.jsonl"),
        """
        {"event_id":"a","user_id":"ann","event_type":"purchase","timestamp":"2026-03-01T10:00:00.123Z","properties":{"item":"Käse"}}
        {"event_id":"a","user_id":"ann","event_type":"purchase","timestamp":"2026-03-01T10:00:00.123Z","properties":{"item":"Käse"}}
        {"event_id":"b","user_id":"bob","event_type":"share","timestamp":"2026-03-01T11:30:00Z"}
        """);
    lake = folder.resolve("lake");
    PrintStream silent =
        new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
    int exit =
        Commands.run(
            new Backfill(silent, Map.of()),
            new String[] {"--input", folder.resolve("in").toString(), "--out", lake.toString()});
    assertThat(exit).isZero();
  }

  /** What a script came to. */
  private record Outcome(int exit, List<String> printed, String error) {}

  private static Outcome run(String script) throws IOException {
    Path file = Files.writeString(folder.resolve("script.sql"), script);
    Path printed = folder.resolve("printed");
    StringWriter errors = new StringWriter();
    String[] arguments = {"--lake", lake.toString(), "-f", file.toString()};
    int exit =
        Commands.run(
            new Sql(folder, null, ProcessBuilder.Redirect.to(printed.toFile())),
            arguments,
            new PrintWriter(errors, true));
    return new Outcome(exit, Files.readAllLines(printed), errors.toString().strip());
  }

  @Test
  void aScriptPrintsTheRowsOfItsQueries() throws IOException {
    Outcome outcome =
        run(
            """
            SELECT event_id, user_id, `timestamp`, properties['item'] AS item, `hour`
            FROM app_events ORDER BY event_id;
            SELECT sum(received) AS received, sum(duplicates) AS duplicates FROM ledger;
            """);
    assertThat(outcome.error()).isEmpty();
    assertThat(outcome.exit()).isZero();
    assertThat(
            outcome.printed().stream()
                .map(line -> line.replaceAll(" \\(.* seconds?\\)$", ""))
                .map(line -> line.replaceAll(" +", " ").strip()))
        .contains(
            "| a | ann | 2026-03-01 10:00:00.123 | Käse | 10 |",
            "| b | bob | 2026-03-01 11:30:00.000 | <NULL> | 11 |",
            "2 rows in set",
            "| 3 | 1 |");
  }

  @Test
  void aRecipeHasTheFunctionsOfTheModuleAndTablesOfArrowFiles() throws IOException {
    Outcome outcome =
        run(
            Files.readString(BuildFiles.sql("recipes/14-percentiles.sql"))
                + """
                CREATE TABLE readings (sensor STRING, `value` DECIMAL(6, 2)) WITH (
                  'connector' = 'filesystem', 'path' = '%s', 'format' = 'arrow',
                  'arrow.compression' = 'lz4');
                SET 'table.dml-sync' = 'true';
                INSERT INTO readings VALUES ('a', 1.25), ('b', CAST(NULL AS DECIMAL(6, 2)));
                SELECT sensor, `value` FROM readings ORDER BY sensor;
                """
                    .formatted(folder.resolve("readings").toUri()));
    assertThat(outcome.error()).isEmpty();
    assertThat(outcome.exit()).isZero();
    assertThat(outcome.printed().stream().map(line -> line.replaceAll(" +", " ").strip()))
        .contains("| 3.0 | 3.0 | 3.0 | 2 |", "| a | 1.25 |", "| b | <NULL> |");
  }

  @Test
  void aStatementThatFailsIsToldByTheExitCodeAndEndsTheScript() throws IOException {
    Outcome outcome =
        run(
            """
            SELECT 'before' AS a;
            SELECT nothing FROM nowhere;
            SELECT 'after' AS a;
            """);
    assertThat(outcome.exit()).isEqualTo(1);
    assertThat(outcome.error()).isEqualTo("scripts/sql failed: Object 'nowhere' not found");
    assertThat(String.join("\n", outcome.printed()))
        .contains("| before |")
        .doesNotContain("| after ");
  }
}

package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChaosResultTest {
  private static final ChaosResult RIGHT =
      new ChaosResult(
          "kafka-stop",
          "2026-03-01",
          "2 cores, JDK 17",
          104_000,
          100_000,
          0,
          0,
          2_000,
          3,
          List.of(9.0, 1.5, 4.0),
          61.4,
          "5 stops.",
          "",
          false);
  private static final ChaosResult WRONG =
      new ChaosResult(
          "taskmanager-kill",
          "2026-03-01",
          "2 cores, JDK 17",
          104_000,
          100_000,
          7,
          1,
          2_000,
          20,
          List.of(),
          61.6,
          "20 kills.",
          "7 lost",
          false);

  @TempDir private Path folder;

  @Test
  void aPageGetsTheFiguresOfAllRowsInTheOrderOfTheSuite() throws IOException {
    RIGHT.write(folder);
    WRONG.write(folder);
    Path page =
        Files.writeString(
            folder.resolve("page.md"),
            """
            before
            <!-- figures: written by scripts/chaos --docs -->
            old
            <!-- end of figures -->
            after
            """);
    List<ChaosResult> read = ChaosResult.readAll(folder);
    assertThat(read).containsExactly(WRONG, RIGHT);
    ChaosResult.writeDocs(page, read);
    assertThat(Files.readString(page))
        .isEqualTo(
            """
            before
            <!-- figures: written by scripts/chaos --docs -->

            | row | events | lost | doubled | dead letters | restarts | recovery s | wall s | day |
            |---|---:|---:|---:|---:|---:|---:|---:|---|
            | [taskmanager-kill](#taskmanager-kill) **wrong** | 100000 | 7 | 1 | 2000 | 20 |  | 62 | 2026-03-01 |
            | [kafka-stop](#kafka-stop) | 100000 | 0 | 0 | 2000 | 3 | 4.0 to 9.0 | 61 | 2026-03-01 |

            #### taskmanager-kill

            A TaskManager is killed 20 times (SIGKILL), at random moments. 20 kills.

            Wrong: 7 lost

            #### kafka-stop

            The only Kafka broker is killed 5 times, and then is away for 60 s. 5 stops.

            Machine: 2 cores, JDK 17.

            <!-- end of figures -->
            after
            """);
  }

  @Test
  void aPageWithoutMarksIsLeftAlone() throws IOException {
    Path page = Files.writeString(folder.resolve("page.md"), "no marks");
    assertThatThrownBy(() -> ChaosResult.writeDocs(page, List.of(RIGHT)))
        .isInstanceOf(CommandFailure.class)
        .hasMessageContaining("page.md has no lines '<!-- figures: written by");
    assertThat(Files.readString(page)).isEqualTo("no marks");
  }

  @Test
  void theCommandTellsItsRowsAndRefusesOthers() {
    assertThat(command("--list", "--short"))
        .startsWith("0 taskmanager-kill   100,000  A TaskManager is killed 20 times")
        .contains("\ncommit-kill")
        .doesNotContain("huge-record");
    assertThat(command("--row", "taskmanager"))
        .startsWith(
            "2 scripts/chaos: --row is 'taskmanager', but must be one of: taskmanager-kill,");
    assertThat(command("--events", "-1"))
        .startsWith("2 scripts/chaos: --events is -1, but must be at least 1");
  }

  private String command(String... arguments) {
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    StringWriter errors = new StringWriter();
    int exit =
        Commands.run(
            new Chaos(new PrintStream(said, true, StandardCharsets.UTF_8), folder),
            arguments,
            new PrintWriter(errors, true));
    return exit + " " + said.toString(StandardCharsets.UTF_8) + errors;
  }
}

package io.millrace.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Every command in the {@code sh} blocks of the pages is run: by {@code .ci/runbook} as it stands,
 * or as {@code .ci/commands} says.
 */
class CommandsTest {
  private static final Path HOME = Path.of("..");
  private static final String HERE = "run here";

  /** What a command that is run as it stands may begin with: nothing that a machine may lack. */
  private static final Set<String> PLAIN =
      Set.of("awk", "cat", "echo", "kill", "mkdir", "printf", "scripts");

  /** First lines; a line that ends with a backslash goes on, a here document ends with END. */
  private static List<String> commands(String page) {
    List<String> commands = new ArrayList<>();
    boolean inside = false;
    boolean more = false;
    boolean document = false;
    for (String line : page.lines().toList()) {
      if (line.startsWith("```")) {
        inside = line.equals("```sh");
      } else if (inside && (more || !line.isBlank())) {
        if (!more) {
          commands.add(line);
        }
        document = (document || line.contains("<<'END'")) && !line.equals("END");
        more = document || line.endsWith("\\");
      }
    }
    return commands;
  }

  private static Map<String, String> reasons() throws IOException {
    Map<String, String> reasons = new HashMap<>();
    for (String line : Files.readAllLines(HOME.resolve(".ci/commands"))) {
      if (!line.startsWith("#")) {
        String[] parts = line.split(" \\| ", 2);
        assertThat(parts).as(line).hasSize(2);
        assertThat(reasons.put(parts[0], parts[1])).as(line).isNull();
      }
    }
    return reasons;
  }

  private static Optional<String> beginning(String command, Set<String> beginnings) {
    return beginnings.stream()
        .filter(command::startsWith)
        .max(Comparator.comparingInt(String::length));
  }

  private static String withoutRemark(String command) {
    return command.replaceFirst(" {2,}#.*", "");
  }

  @Test
  void everyCommandIsRunOrListed() throws Exception {
    Map<String, String> reasons = reasons();
    Set<String> used = new HashSet<>();
    Set<String> toRun = new HashSet<>();
    int all = 0;
    for (Path page : ReadmeTest.pages().toList()) {
      for (String command : commands(Files.readString(page))) {
        all++;
        Optional<String> beginning = beginning(command, reasons.keySet());
        beginning.ifPresent(used::add);
        if (beginning.isEmpty() || reasons.get(beginning.get()).equals(HERE)) {
          assertThat(command.split("[ /]", 2)[0])
              .as("%s has '%s', which .ci/runbook cannot run: list it", page, command)
              .isIn(PLAIN);
          toRun.add(withoutRemark(command));
        }
      }
    }
    assertThat(all).isGreaterThan(60);
    assertThat(used).as("beginnings in .ci/commands").isEqualTo(reasons.keySet());

    Process runbook =
        new ProcessBuilder("bash", ".ci/runbook", "--list")
            .directory(HOME.toFile())
            .redirectErrorStream(true)
            .start();
    String said = new String(runbook.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(runbook.waitFor()).as(said).isZero();
    assertThat(said.lines().map(CommandsTest::withoutRemark).collect(Collectors.toSet()))
        .isEqualTo(toRun);
  }

  @Test
  void aReasonIsAStepATestOrANeed() throws IOException {
    String steps = Files.readString(HOME.resolve(".ci/run"));
    Set<String> tests = new HashSet<>();
    for (String module : List.of("functions", "jobs", "local")) {
      try (Stream<Path> sources = Files.walk(HOME.resolve(module).resolve("src/test/java"))) {
        sources.forEach(file -> tests.add(file.getFileName().toString()));
      }
    }
    reasons()
        .forEach(
            (beginning, reason) -> {
              String[] words = reason.split(" |: ", 3);
              switch (words[0]) {
                case "step" -> assertThat(steps).contains("\nstep \"" + words[1] + "\" ");
                case "test" -> assertThat(tests).contains(words[1] + ".java");
                default -> assertThat(reason).matches("needs .+|" + HERE);
              }
            });
  }

  @Test
  void commandsSpanLines() {
    assertThat(
            commands(
                """
                ```sh
                one
                two \\
                  --more

                cat > file <<'END'
                not one

                END
                three
                ```
                four
                ```yaml
                five: 5
                ```
                """))
        .containsExactly("one", "two \\", "cat > file <<'END'", "three");
  }
}

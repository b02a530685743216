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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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

  /** What no test has. */
  private static final Set<String> NEEDS =
      Set.of(
          "a container engine",
          "a Flink cluster",
          "a Kubernetes cluster",
          "a release",
          "hours",
          "the machine alone");

  private static final Pattern OPTION = Pattern.compile("--[a-z][a-z0-9-]*");
  private static final Pattern WORD = Pattern.compile("[a-z][a-z-]*");
  private static final Pattern VARIABLE = Pattern.compile("([A-Z][A-Z_]*)=.*");
  private static final Pattern RUNS_JAVA = Pattern.compile("run_java .*\\.([A-Z]\\w+) \"\\$@\"");
  private static final Pattern READS_BLOCK = Pattern.compile("block\\(\\s*\"sh\",\\s*\"([^\"]+)\"");

  /**
   * A command of a page.
   *
   * @param block the block of commands that it stands in
   * @param text all of its lines
   */
  private record Command(String page, String block, String text) {
    String first() {
      return text.lines().findFirst().orElseThrow();
    }

    /** Its words, of which one in quotes is none. */
    List<String> words() {
      return Stream.of(
              text.lines()
                  .map(CommandsTest::withoutRemark)
                  .collect(Collectors.joining(" "))
                  .replaceAll("'[^']*'|\"[^\"]*\"|\\\\", " ")
                  .split(" +"))
          .toList();
    }
  }

  /** A line that ends with a backslash goes on, a here document ends with END. */
  private static List<Command> commands(String name, String page) {
    List<Command> commands = new ArrayList<>();
    StringBuilder command = new StringBuilder();
    int blockBegin = 0;
    boolean inside = false;
    boolean document = false;
    int at = 0;
    for (String line : page.lines().toList()) {
      at += line.length() + 1;
      if (line.startsWith("```")) {
        inside = line.equals("```sh");
        blockBegin = at;
      } else if (inside && (!command.isEmpty() || !line.isBlank())) {
        command.append(line).append('\n');
        document = (document || line.contains("<<'END'")) && !line.equals("END");
        if (!document && !line.endsWith("\\")) {
          String block = page.substring(blockBegin, page.indexOf("\n```", at - 1) + 1);
          commands.add(new Command(name, block, command.toString()));
          command.setLength(0);
        }
      }
    }
    return commands;
  }

  private static List<Command> commands() throws IOException {
    List<Command> commands = new ArrayList<>();
    for (Path page : ReadmeTest.pages().toList()) {
      commands.addAll(commands(HOME.relativize(page).toString(), Files.readString(page)));
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

  private static Optional<String> beginning(Command command, Set<String> beginnings) {
    return beginnings.stream()
        .filter(command.first()::startsWith)
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
    List<Command> all = commands();
    for (Command command : all) {
      Optional<String> beginning = beginning(command, reasons.keySet());
      beginning.ifPresent(used::add);
      if (beginning.isEmpty() || reasons.get(beginning.get()).equals(HERE)) {
        assertThat(command.first().split("[ /]", 2)[0])
            .as(
                "%s has '%s', which .ci/runbook cannot run: list it",
                command.page(), command.first())
            .isIn(PLAIN);
        toRun.add(withoutRemark(command.first()));
      }
    }
    assertThat(all).hasSizeGreaterThan(60);
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
    for (String reason : reasons().values()) {
      if (!reason.equals(HERE)) {
        assertThat(reason).matches("(step|test|needs) [^:]+(: .+)?");
      }
      if (reason.startsWith("needs ")) {
        assertThat(NEEDS).contains(reason.substring("needs ".length()).split(": ", 2)[0]);
      }
    }
  }

  @Test
  void aStepOrTestThatIsNamedRunsTheCommand() throws IOException {
    Map<String, String> reasons = reasons();
    Map<String, Path> tests = new HashMap<>();
    for (String module : List.of("functions", "jobs", "local")) {
      try (Stream<Path> sources = Files.walk(HOME.resolve(module).resolve("src/test/java"))) {
        sources
            .filter(file -> file.toString().matches(".*(Test|ITCase)\\.java"))
            .forEach(file -> tests.put(file.getFileName().toString(), file));
      }
    }
    for (Command command : commands()) {
      String reason = reasons.get(beginning(command, reasons.keySet()).orElse(""));
      if (reason != null && !reason.equals(HERE)) {
        String[] words = reason.split(" |: ", 3);
        if (words[0].equals("test")) {
          assertThat(tests).containsKey(words[1] + ".java");
          assertThat(lacking(Files.readString(tests.get(words[1] + ".java")), command))
              .as("%s runs '%s' of %s, but lacks", words[1], command.first(), command.page())
              .isEmpty();
        } else if (words[0].equals("step")) {
          assertThat(step(words[1]))
              .as("step %s, which runs '%s'", words[1], command.first())
              .contains(command.words().get(0) + " ");
        }
      }
    }
  }

  /** What a step of .ci/run runs: its line, and the script that is named there. */
  private static String step(String name) throws IOException {
    String beginning = "step \"" + name + "\" ";
    String line =
        Files.readAllLines(HOME.resolve(".ci/run")).stream()
            .filter(l -> l.startsWith(beginning))
            .map(l -> l.substring(beginning.length()) + " ")
            .collect(Collectors.joining());
    Path script = HOME.resolve(line.split(" ", 2)[0]);
    return Files.isRegularFile(script) ? line + Files.readString(script) : line;
  }

  /**
   * What a test that runs a command would have in its source, and does not: the command's class, or
   * the program by its name; its verb, its options, and the variables that are set for it. A test
   * that takes the commands from the page lacks nothing.
   */
  private static List<String> lacking(String source, Command command) throws IOException {
    if (source.contains('"' + command.page() + '"')
        && READS_BLOCK
            .matcher(source)
            .results()
            .anyMatch(read -> command.block().contains(read.group(1)))) {
      return List.of();
    }
    List<String> lacking = new ArrayList<>();
    boolean program = false;
    boolean verb = false;
    for (String word : command.words()) {
      Matcher variable = VARIABLE.matcher(word);
      if (!program && variable.matches()) {
        add(lacking, variable.group(1), source.contains('"' + variable.group(1) + '"'));
      } else if (!program) {
        program = true;
        verb = word.startsWith("scripts/");
        add(lacking, word, verb ? runsScript(source, word) : source.contains('"' + word + '"'));
      } else if (verb && WORD.matcher(word).matches()) {
        add(lacking, word, source.contains('"' + word + '"'));
        verb = false;
      } else if (OPTION.matcher(word).matches()) {
        add(lacking, word, source.contains('"' + word + '"'));
      }
    }
    return lacking;
  }

  private static void add(List<String> lacking, String what, boolean isThere) {
    if (!isThere) {
      lacking.add(what);
    }
  }

  /**
   * Whether a source makes the class that a script runs, starts it, or runs it as its test does.
   */
  private static boolean runsScript(String source, String script) throws IOException {
    Matcher main = RUNS_JAVA.matcher(Files.readString(HOME.resolve(script)));
    assertThat(main.find()).as(script).isTrue();
    String name = main.group(1);
    return Pattern.compile("new %1$s\\(|\\b%1$s(Test)?\\.run\\(|\\.%1$s\"".formatted(name))
        .matcher(source)
        .find();
  }

  @Test
  void aTestThatDoesNotRunACommandIsFound() throws IOException {
    Command list =
        commands(
                "docs/a.md",
                """
                ```sh
                AWS_ACCESS_KEY_ID=... scripts/partitions list \\
                  --lake s3://lake --database "a --b"  # --remark
                ```
                """)
            .get(0);
    assertThat(lacking("new Repair()", list))
        .containsExactly("AWS_ACCESS_KEY_ID", "scripts/partitions", "list", "--lake", "--database");
    assertThat(
            lacking(
                "new Partitions(\"AWS_ACCESS_KEY_ID\").run(\"list\", \"--lake\", \"--database\")",
                list))
        .isEmpty();
    assertThat(lacking("Page.of(\"docs/a.md\").block(\"sh\", \"s3://lake\")", list)).isEmpty();
    assertThat(lacking("Page.of(\"docs/b.md\").block(\"sh\", \"s3://lake\")", list)).isNotEmpty();
    assertThat(lacking("Page.of(\"docs/a.md\").block(\"sh\", \"other\")", list)).isNotEmpty();
    assertThat(step("no such step")).isEmpty();
  }

  @Test
  void commandsSpanLines() {
    assertThat(
            commands(
                "docs/a.md",
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
        .extracting(Command::text)
        .containsExactly(
            "one\n", "two \\\n  --more\n", "cat > file <<'END'\nnot one\n\nEND\n", "three\n");
  }
}

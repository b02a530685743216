package io.millrace.job.engagement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.millrace.config.ConfigException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A configuration that is meant to harm is refused in bounded time and memory, in clear lines. */
@Timeout(20)
class HostileConfigTest {
  private static final String LEAST =
      "kafka.bootstrap-servers: localhost:9092\nlake.root: s3://lake\n";

  @TempDir private Path folder;

  private static List<String> problems(String... arguments) {
    return catchThrowableOfType(ConfigException.class, () -> EngagementConfig.parse(arguments))
        .problems();
  }

  private List<String> problemsOf(String yaml) throws IOException {
    Path file = Files.writeString(folder.resolve("job.yaml"), yaml);
    return problems("--config", file.toString());
  }

  @Test
  void aBombOfAliasesIsNeverExpanded() throws Exception {
    StringBuilder yaml = new StringBuilder(LEAST + "a0: &a0 [x, x]\n");
    for (int i = 1; i < 30; i++) {
      String before = "*a" + (i - 1);
      yaml.append("a%d: &a%d [%s, %s, %s, %s]\n".formatted(i, i, before, before, before, before));
    }
    assertThat(problemsOf(yaml.toString()))
        .contains("job.yaml:4: 'a1' is a list, and its elements may only be plain values")
        .hasSizeLessThan(200);
    assertThat(problemsOf(LEAST + "job: &j {name: a}\nkafka: *j\n"))
        .contains("job.yaml:4: 'kafka' is an alias; write its value out");
    assertThat(problemsOf(LEAST + "job: &j {name: a}\nlake: {<<: *j}\n"))
        .contains("job.yaml:4: 'lake.<<' is an alias; write its value out");
  }

  @Test
  void aTagMakesNoObject() throws Exception {
    assertThat(
            problemsOf(
                LEAST
                    + "job.name: !!javax.script.ScriptEngineManager [!!java.net.URLClassLoader"
                    + " [[!!java.net.URL [\"http://127.0.0.1/\"]]]]\n"))
        .contains("job.yaml:3: 'job.name' is a list, and its elements may only be plain values");
  }

  @Test
  void depthIsBounded() throws Exception {
    assertThat(problemsOf(LEAST + "a: " + "[".repeat(100_000) + "]".repeat(100_000)))
        .contains("job.yaml:3: this is not valid YAML, or it is nested too deep");
    assertThat(problemsOf(LEAST + "a: " + "{a: ".repeat(100_000) + "}".repeat(100_000)))
        .contains("job.yaml:3: this is not valid YAML, or it is nested too deep");
  }

  @Test
  void sizeIsBounded() throws Exception {
    Path file = folder.resolve("job.yaml");
    assertThat(problemsOf(LEAST + "a: " + "x".repeat(2_000_000)))
        .containsExactly("'" + file + "' has more than 1048576 bytes, more than any job needs");
    if (Files.exists(Path.of("/dev/zero"))) {
      assertThat(problems("--config", "/dev/zero"))
          .containsExactly("'/dev/zero' has more than 1048576 bytes, more than any job needs");
    }
  }

  @Test
  void aLongKeyIsComparedWithNothing() throws Exception {
    assertThat(problemsOf(LEAST + "k".repeat(1_000) + "\u00e9".repeat(400_000) + ": 1\n"))
        .hasSize(1);
  }

  @Test
  void aFloodOfMistakesIsNotToldToItsEnd() throws Exception {
    String keys =
        IntStream.range(0, 50_000).mapToObj(i -> "k" + i + ": 1\n").collect(Collectors.joining());
    Path file = Files.writeString(folder.resolve("job.yaml"), LEAST + keys);
    ConfigException refused =
        catchThrowableOfType(
            ConfigException.class, () -> EngagementConfig.parse("--config", file.toString()));
    assertThat(refused.getMessage().lines()).hasSize(102);
    assertThat(refused).hasMessageEndingWith("\n  and 49900 more");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", ".", "/nowhere/job.yaml", "/etc/passwd/job.yaml", "a\0b", ""})
  void whatIsNoFileIsToldSo(String path) {
    assertThat(problems("--config", path))
        .hasSize(1)
        .allMatch(
            p ->
                p.startsWith("there is no file '")
                    || p.startsWith("cannot read '")
                    || p.equals("argument '--config' is no path of a file"));
  }

  @Test
  void bytesThatAreNoTextAreRefused() throws Exception {
    Random random = new Random(7);
    for (int i = 0; i < 200; i++) {
      byte[] bytes = new byte[1 + random.nextInt(400)];
      random.nextBytes(bytes);
      Path file = Files.write(folder.resolve("job.yaml"), bytes);
      assertThat(problems("--config", file.toString())).isNotEmpty();
    }
  }

  /** Parts of what a configuration looks like, in an order that makes no sense. */
  @Test
  void scrambledYamlIsReadOrRefusedAndNothingElse() throws Exception {
    String[] parts = {
      "kafka",
      ":",
      " ",
      "\n",
      "  ",
      "- ",
      "{",
      "}",
      "[",
      "]",
      "&a",
      "*a",
      "!!set",
      "|",
      ">",
      "'",
      "\"",
      "#",
      "%",
      "---\n",
      "...\n",
      "? ",
      "lake.root",
      "s3://lake",
      "~",
      "\t",
      "${env:X}",
      ",",
      "topics",
      "<<: ",
      "\\",
      "\0",
      "é"
    };
    Random random = new Random(11);
    for (int i = 0; i < 500; i++) {
      String yaml =
          Stream.generate(() -> parts[random.nextInt(parts.length)])
              .limit(1 + random.nextInt(40))
              .collect(Collectors.joining());
      assertThat(problemsOf(yaml)).as(yaml).isNotEmpty();
    }
  }

  /** What would end up in statements, names of files or programs. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "rollups.jdbc.table-prefix|x\"; DROP TABLE users; --",
        "rollups.jdbc.url|jdbc:postgresql://h/d?password=hunter2",
        "rollups.jdbc.url|jdbc:postgresql://h/d?socketFactory=org.example.Load",
        "rollups.jdbc.url|jdbc:postgresql://h/d?a=b&LoggerFile=/etc/cron.d/x",
        "rollups.jdbc.url|jdbc:h2:mem:x;INIT=RUNSCRIPT FROM 'http://127.0.0.1/x'",
        "sessions.topic|../../etc",
        "rollups.live-topic|a b",
        "dead-letters.suffix|/../x",
        "catalog.database|x; DROP DATABASE y",
        "lake.root|no-scheme",
        "users.pseudonym-key|hunter2",
        "kafka.properties.sasl.jaas.config|password=\"${env:no name}\"",
      })
  void valuesThatWouldBreakOutAreRefused(String given) {
    List<String> words = Arrays.asList(given.split("\\|", 2));
    assertThat(
            problems(
                "--kafka.bootstrap-servers",
                "localhost:9092",
                "--lake.root",
                "s3://lake",
                "--" + words.get(0),
                words.get(1)))
        .hasSize(1)
        .allMatch(p -> p.contains(words.get(0)))
        .noneMatch(p -> p.contains("hunter2"));
  }
}

package io.millrace.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.pipeline.PipelineValidator.Validation;
import io.millrace.transform.Problem;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** YAML that is meant to harm is refused in bounded time and memory, and by one clear line. */
@Timeout(20)
class HostileYamlTest {
  private static final String HEAD = "pipeline:\n  name: a\n  steps:\n    - id: r\n";

  private static List<String> problems(String yaml) {
    Validation validation =
        PipelineValidator.validate(PipelineParser.parse(yaml), KnownServices.catalog());
    assertThat(validation.isValid()).isFalse();
    return validation.problems().stream().map(Problem::toString).toList();
  }

  private static String step(String params) {
    return HEAD + "      service: extract_csv\n      params:\n        file_path: " + params + "\n";
  }

  @Test
  void aBombOfAliasesIsNeverExpanded() {
    StringBuilder yaml = new StringBuilder("pipeline:\n  a0: &a0 [x, x]\n");
    for (int i = 1; i < 30; i++) {
      String before = "*a" + (i - 1);
      yaml.append("  a%d: &a%d [%s, %s, %s, %s]\n".formatted(i, i, before, before, before, before));
    }
    assertThat(problems(yaml.toString()))
        .contains("line 2: a0 has an anchor, which is not taken; remove it")
        .hasSizeLessThan(120);
  }

  @Test
  void anAliasIsRefusedWhereItStands() {
    assertThat(problems("pipeline:\n  name: &n [a]\n  steps: *n\n"))
        .containsExactly(
            "line 2: name has an anchor, which is not taken; remove it",
            "line 3: steps is an alias; write its value out");
    assertThat(problems(step("*x")))
        .containsExactly(
            "line 3: nothing is loaded; a pipeline ends with load_data",
            "line 7: step 'r': file_path is an alias; write its value out");
  }

  @Test
  void aTagMakesNoObject() {
    assertThat(
            problems(
                step(
                    "!!javax.script.ScriptEngineManager [!!java.net.URLClassLoader [[!!java.net.URL"
                        + " [\"http://127.0.0.1/\"]]]]")))
        .contains("line 7: step 'r': file_path has a tag, which is not taken; remove it");
    assertThat(problems(step("!include /etc/passwd")))
        .contains("line 7: step 'r': file_path has a tag, which is not taken; remove it");
    assertThat(problems(step("!!binary aGk=")))
        .contains("line 7: step 'r': file_path has a tag, which is not taken; remove it");
  }

  @Test
  void depthIsBounded() {
    assertThat(problems(step("[".repeat(100_000) + "]".repeat(100_000))))
        .containsExactly("line 7: step 'r': values are nested more than 20 deep");
    String blocks =
        IntStream.range(0, 500)
            .mapToObj(i -> " ".repeat(8 + i) + "k:\n")
            .collect(Collectors.joining());
    assertThat(problems(HEAD + "      params:\n" + blocks))
        .containsExactly("line 23: step 'r': values are nested more than 20 deep");
  }

  @Test
  void sizeIsBounded() {
    assertThat(problems(step("x".repeat(2_000_000))))
        .containsExactly("the file has more than 1048576 characters");
    assertThat(problems("pipeline:\n  name: " + "x".repeat(1_000_000) + "\n  steps: []\n"))
        .containsExactly(
            "line 2: name is '"
                + "x".repeat(60)
                + "...', but must be 1 to 128 letters, digits, hyphens and underscores (a-z, A-Z,"
                + " 0-9, - and _)",
            "line 3: steps is empty, but a pipeline has at least one step");
    String digits = "1" + "0".repeat(900_000);
    assertThat(
            problems(HEAD + "      service: filter\n      params: {condition: " + digits + "}\n"))
        .contains("line 4: step 'r': depends_on names no step, but filter takes 1 input");
  }

  @Test
  void theNumberOfStepsIsBounded() {
    String steps =
        IntStream.range(0, 501)
            .mapToObj(i -> "    - {id: s" + i + ", service: extract_csv}\n")
            .collect(Collectors.joining());
    assertThat(problems("pipeline:\n  name: a\n  steps:\n" + steps))
        .containsExactly("line 3: there are 501 steps, but at most 500 may be");
  }

  @Test
  void aFloodOfMistakesIsNotToldToItsEnd() {
    String keys =
        IntStream.range(0, 60_000).mapToObj(i -> "  k: 1\n").collect(Collectors.joining());
    assertThat(problems("pipeline:\n" + keys))
        .hasSizeLessThan(120)
        .contains("line 102: there are too many problems to read on");
    String wrong =
        IntStream.range(0, 80_000).mapToObj(i -> "q" + i).collect(Collectors.joining(","));
    assertThat(problems(HEAD + "      service: clean_nan\n      depends_on: [" + wrong + "]\n"))
        .hasSizeBetween(200, 210);
  }

  @Test
  void whatIsNoYamlIsToldWithoutRepeatingIt() {
    assertThat(problems("pipeline:\n\tname: secret-password\n"))
        .containsExactly(
            "line 2: this is not valid YAML: found character '\\t(TAB)' that cannot start any"
                + " token. (Do not use \\t(TAB) for indentation)");
    assertThat(problems("pipeline:\n  name: 'secret-password\n"))
        .containsExactly("line 3: this is not valid YAML: found unexpected end of stream");
    assertThat(problems("pipeline: [a, b\n"))
        .containsExactly(
            "line 1: pipeline is a list, but must be a map with a name and steps",
            "line 2: this is not valid YAML: expected ',' or ']', but got <stream end>");
    assertThat(problems("pipeline:\n  name: a\u0000\n"))
        .containsExactly("line 2: the character U+0000 is not allowed in YAML");
    assertThat(problems("PK\u0003\u0004"))
        .containsExactly("line 1: the character U+0003 is not allowed in YAML");
    assertThat(problems("pipeline: {{a: b}: c}\n"))
        .containsExactly("line 1: this is not valid YAML");
  }

  @Test
  void thereIsOneDocument() {
    assertThat(problems("pipeline:\n  name: a\n  steps: []\n---\npipeline:\n  name: b\n"))
        .containsExactly(
            "line 3: steps is empty, but a pipeline has at least one step",
            "line 5: a pipeline is one document, but here a second one begins");
  }

  @Test
  void namesThatLeadElsewhereAreRefused() {
    String rule =
        "', but must be 1 to 128 letters, digits, hyphens and underscores (a-z, A-Z, 0-9,"
            + " - and _)";
    for (String name : List.of("../up", "a/b", ".", "..", "a b", "ä", "a\u200Bb", "a.b")) {
      assertThat(problems("pipeline:\n  name: \"" + name + "\"\n  steps: []\n"))
          .contains("line 2: name is '" + name + rule);
      assertThat(
              problems(
                  "pipeline:\n  name: a\n  steps:\n    - id: \""
                      + name
                      + "\"\n      service: extract_csv\n"))
          .contains("line 4: step '" + name + "': id is '" + name + rule);
    }
  }

  @Test
  void aLongChainIsFollowedWithoutTheStack() {
    Pipeline pipeline = Pipeline.named("long").extractCsv("s", "a.csv");
    for (int i = 0; i < 20_000; i++) {
      pipeline.cleanNan("s" + i, "drop");
    }
    pipeline.loadData("save", "csv");
    long begin = System.nanoTime();
    assertThat(pipeline.validate(KnownServices.catalog()).problems()).isEmpty();
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(10));
  }
}

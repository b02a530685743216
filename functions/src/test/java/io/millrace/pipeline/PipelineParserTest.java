package io.millrace.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.millrace.pipeline.PipelineDef.StepDef;
import io.millrace.transform.Problem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** This file is this pipeline, and these mistakes in its shape are told so. */
class PipelineParserTest {
  private static final String FILE =
      """
      pipeline:
        name: hr
        description: People who stay
        steps:
          - id: read
            service: extract_csv
            params:
              file_path: hr.csv
          - id: 2
            service: clean_nan
            params:
              strategy: fill_value
              fill_value: 1.50
              columns: [Age, "CO(GT)"]
            depends_on: [read]
      """;

  private static List<String> problems(String yaml, String... settings) {
    return PipelineParser.parse(yaml, List.of(settings)).problems().stream()
        .map(Problem::toString)
        .toList();
  }

  @Test
  void aFileIsAPipelineWithItsLines() throws IOException {
    PipelineFile file = PipelineParser.parse(FILE);
    assertThat(file.problems()).isEmpty();
    assertThat(file.complete()).isTrue();
    JsonNode columns = new ObjectMapper().readTree("[\"Age\", \"CO(GT)\"]");
    assertThat(file.pipeline())
        .isEqualTo(
            new PipelineDef(
                "hr",
                "People who stay",
                List.of(
                    new StepDef(
                        "read",
                        "extract_csv",
                        Map.of("file_path", TextNode.valueOf("hr.csv")),
                        List.of(),
                        5),
                    new StepDef(
                        "2",
                        "clean_nan",
                        Map.of(
                            "strategy", TextNode.valueOf("fill_value"),
                            "fill_value", DoubleNode.valueOf(1.5),
                            "columns", columns),
                        List.of("read"),
                        9))));
    Problem found = Problem.error("2", "columns", "no such column");
    assertThat(file.locate(List.of(found, Problem.error(null, null, "x"))))
        .extracting(Problem::line)
        .containsExactly(14, 0);
  }

  @Test
  void valuesKeepTheirTypes() {
    PipelineFile file =
        PipelineParser.parse(
            """
            pipeline:
              name: types
              steps:
                - id: a
                  service: s
                  params:
                    whole: -12
                    long: 12345678901
                    real: 1e3
                    truth: true
                    text: 'true'
                    yes: yes
                    zip: 01234
                    nothing: ~
                    infinite: .inf
                    date: 2024-01-01
                    empty: ""
                    many: "9999999999999999999999999999999999999999999999999"
                    block: |
                      a
                      b
            """);
    assertThat(file.problems()).isEmpty();
    Map<String, JsonNode> params = file.pipeline().steps().get(0).params();
    assertThat(params)
        .containsEntry("whole", IntNode.valueOf(-12))
        .containsEntry("long", LongNode.valueOf(12345678901L))
        .containsEntry("real", DoubleNode.valueOf(1000))
        .containsEntry("truth", BooleanNode.TRUE)
        .containsEntry("text", TextNode.valueOf("true"))
        .containsEntry("yes", TextNode.valueOf("yes"))
        .containsEntry("zip", TextNode.valueOf("01234"))
        .containsEntry("nothing", NullNode.getInstance())
        .containsEntry("infinite", TextNode.valueOf(".inf"))
        .containsEntry("date", TextNode.valueOf("2024-01-01"))
        .containsEntry("empty", TextNode.valueOf(""))
        .containsEntry("block", TextNode.valueOf("a\nb\n"));
    assertThat(params.keySet()).startsWith("whole", "long", "real");
  }

  /** What is written, and all that is said about it. */
  private record Mistake(String yaml, String... said) {}

  static List<Mistake> mistakes() {
    return List.of(
        new Mistake("", "the file is empty, but must hold 'pipeline:' with a name and steps"),
        new Mistake("- a", "line 1: the file must be a map with the one key 'pipeline'"),
        new Mistake(
            "pipelin:\n  name: a",
            "line 1: there is no key 'pipelin' here; did you mean 'pipeline'?",
            "line 1: missing required key 'pipeline'"),
        new Mistake(
            "pipeline: x", "line 1: pipeline is 'x', but must be a map with a name and steps"),
        new Mistake(
            "pipeline:\n  name: [a]\n  describe: b\n  steps: c",
            "line 2: name is a list, but must be a text",
            "line 3: there is no key 'describe' here; there are name, description, steps",
            "line 4: steps is 'c', but must be a list of steps, each with an id and a service"),
        new Mistake(
            "pipeline:\n  name: a\n  description: 5\n  steps:\n    - read",
            "line 3: description is 5, but must be a text",
            "line 5: the step is 'read', but must be a map with an id and a service"),
        new Mistake(
            """
            pipeline:
              name: a
              steps:
                - id: read
                  service: true
                  param: {}
                - id: clean
                  service: clean_nan
                  params: [drop]
                  depends_on: read
                - id: save
                  service: load_data
                  depends_on: [clean, {a: b}]
            """,
            "line 5: step 'read': service is true, but must be a text",
            "line 6: step 'read': there is no key 'param' here; did you mean 'params'?",
            "line 9: step 'clean': params is a list, but must be a map of parameters and values",
            "line 10: step 'clean': depends_on is 'read', but must be a list of step ids, as [a,"
                + " b]",
            "line 13: step 'save': depends_on holds a map, but must be a list of step ids, as [a,"
                + " b]"),
        new Mistake(
            """
            pipeline:
              name: a
              name: b
              steps:
                - id: read
                  service: extract_csv
                  params:
                    file_path: a
                    file_path: b
            """,
            "line 3: duplicate key 'name', given in line 2",
            "line 9: step 'read': duplicate key 'file_path', given in line 8"));
  }

  @ParameterizedTest
  @MethodSource("mistakes")
  void mistakesInItsShapeAreTold(Mistake mistake) {
    assertThat(problems(mistake.yaml())).containsExactly(mistake.said());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "2.5 | DoubleNode | 2.5",
        "5 | IntNode | 5",
        "true | BooleanNode | true",
        "'5' | TextNode | 5",
        "a.csv | TextNode | a.csv",
        "a: b | TextNode | a: b",
        "Age > 5 | TextNode | Age > 5",
        "'Yes' = Attrition | TextNode | 'Yes' = Attrition",
        "*x | TextNode | *x",
        "{broken | TextNode | {broken"
      })
  void aSettingIsTypedAsItIsWritten(String written, String type, String value) {
    PipelineFile file = PipelineParser.parse(FILE, List.of("2.fill_value=" + written));
    assertThat(file.problems()).isEmpty();
    JsonNode set = file.pipeline().steps().get(1).params().get("fill_value");
    assertThat(set.getClass().getSimpleName()).isEqualTo(type);
    assertThat(set.asText()).isEqualTo(value);
  }

  @Test
  void aSettingMayBeAListAndWins() {
    PipelineFile file =
        PipelineParser.parse(FILE, List.of("2.columns=[a, b]", "read.file_path=b=c.csv"));
    assertThat(file.pipeline().steps().get(1).params().get("columns").toString())
        .isEqualTo("[\"a\",\"b\"]");
    assertThat(file.pipeline().steps().get(0).params().get("file_path").asText())
        .isEqualTo("b=c.csv");
  }

  @Test
  void wrongSettingsAreTold() {
    assertThat(problems(FILE, "reed.file_path=x", "file_path=x", "read.=x", "read.file_path"))
        .containsExactly(
            "--set names the step 'reed', but there is no such step; did you mean 'read'?",
            "--set is 'file_path', but must be step.param=value",
            "--set is 'read.', but must be step.param=value",
            "--set is 'read.file_path', but must be step.param=value");
  }

  @Test
  void filesThatCannotBeReadAreTold(@TempDir Path dir) throws IOException {
    Path gone = dir.resolve("gone.yaml");
    assertThatThrownBy(() -> PipelineParser.read(gone, List.of()))
        .isInstanceOf(IOException.class)
        .hasMessage("there is no file '" + gone + "'");
    assertThatThrownBy(() -> PipelineParser.read(dir, List.of()))
        .isInstanceOf(IOException.class)
        .hasMessage("'" + dir + "' is a folder, but must be a YAML file");
    Path binary = Files.write(dir.resolve("binary.yaml"), new byte[] {'a', (byte) 0xFF, 0});
    assertThatThrownBy(() -> PipelineParser.read(binary, List.of()))
        .isInstanceOf(IOException.class)
        .hasMessage("'" + binary + "' is not UTF-8 text");
    Path huge = Files.write(dir.resolve("huge.yaml"), new byte[5 << 20]);
    assertThatThrownBy(() -> PipelineParser.read(huge, List.of()))
        .isInstanceOf(IOException.class)
        .hasMessage("'" + huge + "' has 5242880 bytes, more than any pipeline needs");
    Path good = Files.writeString(dir.resolve("good.yaml"), "\uFEFF" + FILE);
    assertThat(PipelineParser.read(good, List.of()).pipeline())
        .isEqualTo(PipelineParser.parse(FILE).pipeline());
  }
}

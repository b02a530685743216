package io.millrace.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.millrace.pipeline.PipelineValidator.Validation;
import io.millrace.transform.Arguments;
import io.millrace.transform.Problem;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Everything that is wrong is told, each with its step, value and what is allowed. */
class PipelineValidatorTest {
  private static final String READ =
      "    - {id: read, service: extract_csv, params: {file_path: a.csv}}\n";
  private static final String SAVE = "    - {id: save, service: load_data, params: {format: csv}";

  private static Validation validate(String yaml) {
    return PipelineValidator.validate(PipelineParser.parse(yaml), KnownServices.catalog());
  }

  /** The lines that a pipeline of these steps, from line 4 on, gives. */
  private static List<String> told(String... steps) {
    return validate("pipeline:\n  name: p\n  steps:\n" + String.join("", steps)).problems().stream()
        .map(p -> p.isError() ? p.toString() : "warning: " + p)
        .toList();
  }

  private static String save(String after) {
    return SAVE + ", depends_on: [" + after + "]}\n";
  }

  /** What is said about a step with the id x that stands between reading and saving. */
  private static List<String> toldOf(String service, String params) {
    return told(
        READ,
        "    - {id: x, service: " + service + ", depends_on: [read], params: {" + params + "}}\n",
        save("x"));
  }

  @Test
  void aRightPipelineHasItsArgumentsCompleted() {
    Validation validation =
        validate(
            """
            pipeline:
              name: p
              steps:
                - id: read
                  service: extract_csv
                  params: {file_path: a.csv}
                - id: usual
                  service: outlier_detection
                  params: {column: Age}
                  depends_on: [read]
                - id: check
                  service: data_quality
                  params: {fail_on_errors: true}
                  depends_on: [usual]
                - id: save
                  service: load_data
                  params: {format: CSV, sheets: "a, b"}
                  depends_on: [check]
            """);
    assertThat(validation.problems()).isEmpty();
    assertThat(validation.isValid()).isTrue();
    assertThat(validation.bounded()).isTrue();
    Arguments usual = validation.arguments().get("usual");
    assertThat(usual.raw("column")).isEqualTo(TextNode.valueOf("Age"));
    assertThat(usual.raw("z_threshold")).isEqualTo(DoubleNode.valueOf(3));
    Arguments check = validation.arguments().get("check");
    assertThat(check.raw("fail_on_errors")).isEqualTo(BooleanNode.TRUE);
    assertThat(check.has("rules")).isFalse();
    Arguments save = validation.arguments().get("save");
    assertThat(save.text("format")).isEqualTo("csv");
    assertThat(save.texts("sheets")).containsExactly("a", "b");
  }

  @Test
  void missingPipelineNameAndSteps() {
    assertThat(validate("x: 1").problems())
        .extracting(Problem::toString)
        .containsExactly(
            "line 1: there is no key 'x' here; there is pipeline",
            "line 1: missing required key 'pipeline'");
    assertThat(validate("pipeline: {}").problems())
        .extracting(Problem::toString)
        .containsExactly("missing required key 'name'", "missing required key 'steps'");
    assertThat(validate("pipeline:\n  name: ''\n  steps: []").problems())
        .extracting(Problem::toString)
        .containsExactly(
            "line 2: missing required key 'name'",
            "line 3: steps is empty, but a pipeline has at least one step");
  }

  @Test
  void parametersThatAreNoMap() {
    assertThat(
            told(
                READ,
                "    - {id: x, service: clean_nan, params: 5, depends_on: [read]}\n",
                save("x")))
        .containsExactly(
            "line 5: step 'x': params is 5, but must be a map of parameters and values");
  }

  @Test
  void anIdThatIsUsedTwiceOrMissing() {
    assertThat(told(READ, READ, save("read")))
        .containsExactly(
            "line 5: step 'read': id is 'read', as that of the step in line 4 is, but must be"
                + " unique");
    assertThat(told("    - {service: extract_csv, params: {file_path: a}}\n", READ, save("read")))
        .containsExactly("line 4: step '1': missing required key 'id'");
  }

  @Test
  void aServiceThatIsMissingOrNotKnown() {
    assertThat(told("    - id: read\n", save("read")))
        .containsExactly("line 4: step 'read': missing required key 'service'");
    assertThat(told("    - {id: read, service: extract_cvs}\n", save("read")))
        .containsExactly(
            "line 4: step 'read': service is 'extract_cvs', but there is no such service; did you"
                + " mean 'extract_csv'?");
    assertThat(told("    - {id: read, service: magic}\n", save("read")))
        .containsExactly(
            "line 4: step 'read': service is 'magic', but there is no such service; there are"
                + " extract_csv, extract_excel, extract_sql, extract_api, extract_kafka, clean_nan,"
                + " delete_columns, data_quality, outlier_detection, join_datasets,"
                + " text_completion_llm, filter, union, load_data");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "outlier_detection | | missing required parameter 'column', which must be the name of a"
            + " column",
        "outlier_detection | column: null | missing required parameter 'column', which must be the"
            + " name of a column",
        "filter | | missing required parameter 'condition', which must be an SQL expression",
        "clean_nan | stratgy: drop | there is no parameter 'stratgy' of clean_nan; did you mean"
            + " 'strategy'?",
        "delete_columns | columns: a, names: b | there is no parameter 'names' of delete_columns;"
            + " there is columns",
        "clean_nan | strategy: mean | strategy is 'mean', but must be one of drop, fill_mean,"
            + " ffill",
        "clean_nan | strategy: 5 | strategy is 5, but must be one of drop, fill_mean, ffill",
        "clean_nan | fill_value: [1] | fill_value is a list, but must be a single text, number or"
            + " boolean",
        "clean_nan | columns: 5 | columns is 5, but must be a list of names of columns",
        "clean_nan | columns: [a, 5] | columns holds 5, but must be a list of names of columns;"
            + " write it in quotes",
        "clean_nan | columns: [a, ''] | columns holds '', but must be a list of names of columns",
        "clean_nan | over: 5 | over is 5, but must be a duration with a unit (ms, s, min, h, d), or"
            + " all",
        "clean_nan | over: 1 fortnight | over is '1 fortnight', but must be a duration with a unit"
            + " (ms, s, min, h, d), or all",
        "clean_nan | over: 5000 | over is 5000, but must be a duration with a unit (ms, s, min, h,"
            + " d), or all",
        "outlier_detection | column: 5 | column is 5, but must be the name of a column; write it in"
            + " quotes",
        "outlier_detection | column: ' ' | column is ' ', but must be the name of a column",
        "outlier_detection | column: a, z_threshold: 0 | z_threshold is 0, but must be a number"
            + " above 0",
        "outlier_detection | column: a, z_threshold: .inf | z_threshold is '.inf', but must be a"
            + " number above 0",
        "outlier_detection | column: a, z_threshold: '3' | z_threshold is '3', but must be a number"
            + " above 0",
        "text_completion_llm | text_column: a, max_tokens: 0 | max_tokens is 0, but must be a whole"
            + " number of at least 1",
        "text_completion_llm | text_column: a, max_tokens: 1.5 | max_tokens is 1.5, but must be a"
            + " whole number of at least 1",
        "data_quality | fail_on_errors: yes | fail_on_errors is 'yes', but must be true or false",
        "data_quality | rules: min_rows | rules is 'min_rows', but must be a map or a list",
        "filter | condition: true | condition is true, but must be an SQL expression; write it in"
            + " quotes"
      })
  void parameters(String service, String params, String said) {
    assertThat(toldOf(service, params == null ? "" : params))
        .containsExactly("line 5: step 'x': " + said);
  }

  @Test
  void aRangeOnBothSides() {
    String sql = "    - {id: read, service: extract_sql, params: {db_url: 'env:DB', query: q, ";
    assertThat(told(sql + "partitions: 65}}\n", save("read")))
        .containsExactly(
            "line 4: step 'read': partitions is 65, but must be a whole number between 1 and 64");
    assertThat(told(sql + "partitions: 99999999999999999999}}\n", save("read")))
        .containsExactly(
            "line 4: step 'read': partitions is 99999999999999999999, but must be a whole number"
                + " between 1 and 64");
    assertThat(told(sql + "partitions: 64}}\n", save("read"))).isEmpty();
  }

  @Test
  void aSecretIsGivenByReferenceAndNeverRepeated() {
    assertThat(
            told(
                "    - {id: read, service: extract_sql, params: {query: q, db_url:"
                    + " 'postgresql://me:hunter2@db/x'}}\n",
                save("read")))
        .containsExactly(
            "line 4: step 'read': db_url is a secret, so it must be given by reference, as env:NAME"
                + " or file:/path");
    assertThat(toldOf("clean_nan", "strategy: 'https://me:hunter2@host/?token=abc'"))
        .containsExactly(
            "line 5: step 'x': strategy is 'https://***@host/?token=***', but must be one of drop,"
                + " fill_mean, ffill");
  }

  @Test
  void dependenciesThatAreNotThere() {
    assertThat(told(READ, save("reed")))
        .contains(
            "line 5: step 'save': depends_on names 'reed', but there is no such step; did you mean"
                + " 'read'?");
    assertThat(told(READ, SAVE + ", depends_on: read}\n"))
        .contains(
            "line 5: step 'save': depends_on is 'read', but must be a list of step ids, as [a, b]");
    assertThat(told(READ, save("read"), "    - {id: x, service: clean_nan, depends_on: [save]}\n"))
        .contains("line 6: step 'x': depends_on names 'save', but load_data hands on no rows");
  }

  @Test
  void numbersOfInputs() {
    assertThat(
            told(
                READ,
                "    - {id: b, service: extract_csv, params: {file_path: b}, depends_on: [read]}\n",
                save("b")))
        .containsExactly(
            "line 5: step 'b': depends_on names 1 step, but extract_csv takes no input");
    assertThat(told(READ, "    - {id: x, service: clean_nan}\n", save("x")))
        .contains("line 5: step 'x': depends_on names no step, but clean_nan takes 1 input");
    assertThat(toldOf("join_datasets", ""))
        .containsExactly(
            "line 5: step 'x': depends_on names 1 step, but join_datasets takes 2 inputs");
    assertThat(toldOf("union", ""))
        .containsExactly(
            "line 5: step 'x': depends_on names 1 step, but union takes 2 or more inputs");
    String more = "    - {id: b, service: extract_csv, params: {file_path: b}}\n";
    assertThat(
            told(
                READ,
                more,
                "    - {id: x, service: clean_nan, depends_on: [read, b]}\n",
                save("x")))
        .containsExactly("line 6: step 'x': depends_on names 2 steps, but clean_nan takes 1 input");
    assertThat(
            told(
                READ,
                "    - {id: x, service: join_datasets, depends_on: [read, read]}\n",
                save("x")))
        .containsExactly("line 5: step 'x': depends_on names 'read' more than once");
  }

  @Test
  void cyclesAreNamed() {
    assertThat(
            told(
                READ,
                "    - {id: a, service: clean_nan, depends_on: [b]}\n",
                "    - {id: b, service: clean_nan, depends_on: [a]}\n",
                "    - {id: c, service: clean_nan, depends_on: [c]}\n",
                save("read")))
        .containsExactly(
            "line 5: step 'a': depends_on leads back to the step itself: a -> b -> a",
            "line 7: step 'c': depends_on leads back to the step itself: c -> c");
    assertThat(
            told(
                READ,
                "    - {id: x, service: union, depends_on: [read, z]}\n",
                "    - {id: y, service: clean_nan, depends_on: [x]}\n",
                "    - {id: z, service: clean_nan, depends_on: [y]}\n",
                save("z")))
        .containsExactly(
            "line 5: step 'x': depends_on leads back to the step itself: x -> z -> y -> x");
  }

  @Test
  void nothingGoesInOrNothingComesOut() {
    assertThat(told("    - {id: x, service: clean_nan, depends_on: [x]}\n", save("x")))
        .contains(
            "line 3: no step extracts data; a pipeline begins with extract_csv or extract_excel or"
                + " extract_sql or extract_api or extract_kafka");
    assertThat(told(READ))
        .containsExactly("warning: line 3: nothing is loaded; a pipeline ends with load_data");
    assertThat(told(READ, "    - {id: x, service: clean_nan, depends_on: [read]}\n", save("read")))
        .containsExactly(
            "warning: line 5: step 'x': no step depends on it, so its rows go nowhere");
  }

  @Test
  void statisticsOverWhatNeverEndsNeedAScope() {
    String topic = "    - {id: read, service: extract_kafka, params: {topic: t%s}}\n";
    String clean =
        "    - {id: x, service: clean_nan, depends_on: [read], params: {strategy: %s}}\n";
    String between =
        "    - {id: y, service: filter, depends_on: [x], params: {condition: a > 1}}\n";
    String late =
        "    - {id: z, service: clean_nan, depends_on: [y], params: {strategy: fill_mean, over: 1"
            + " h}}\n";
    assertThat(told(topic.formatted(""), clean.formatted("fill_mean"), between, late, save("z")))
        .containsExactly(
            "line 5: step 'x': missing parameter 'key': the input never ends, so statistics need a"
                + " scope, here the columns of whose values each has statistics of its own",
            "line 5: step 'x': missing parameter 'over': the input never ends, so statistics need a"
                + " scope, here the event time that they cover, such as 1 h, or all",
            "line 7: step 'z': missing parameter 'key': the input never ends, so statistics need a"
                + " scope, here the columns of whose values each has statistics of its own");
    assertThat(told(topic.formatted(""), clean.formatted("drop"), save("x"))).isEmpty();
    assertThat(
            told(topic.formatted(""), clean.formatted("fill_mean, key: k, over: all"), save("x")))
        .isEmpty();
    assertThat(told(topic.formatted(", to_end: true"), clean.formatted("fill_mean"), save("x")))
        .isEmpty();
    assertThat(
            validate("pipeline:\n  name: p\n  steps:\n" + topic.formatted("") + save("read"))
                .bounded())
        .isFalse();
  }

  @Test
  void everythingIsToldAtOnceAndByLine() {
    assertThat(
            told(
                "    - {id: read, service: extract_csv, params: {file: a}}\n",
                "    - {id: 'a b', service: clean_nam, depends_on: [reed]}\n",
                "    - {id: x, service: outlier_detection, params: {z_threshold: -1}}\n",
                save("x, y")))
        .containsExactly(
            "line 4: step 'read': there is no parameter 'file' of extract_csv; there is file_path",
            "line 4: step 'read': missing required parameter 'file_path', which must be a text",
            "line 5: step 'a b': id is 'a b', but must be 1 to 128 letters, digits, hyphens and"
                + " underscores (a-z, A-Z, 0-9, - and _)",
            "line 5: step 'a b': service is 'clean_nam', but there is no such service; did you mean"
                + " 'clean_nan'?",
            "line 5: step 'a b': depends_on names 'reed', but there is no such step; did you mean"
                + " 'read'?",
            "line 6: step 'x': missing required parameter 'column', which must be the name of a"
                + " column",
            "line 6: step 'x': z_threshold is -1, but must be a number above 0",
            "line 6: step 'x': depends_on names no step, but outlier_detection takes 1 input",
            "line 7: step 'save': depends_on names 'y', but there is no such step; did you mean"
                + " 'x'?",
            "line 7: step 'save': depends_on names 2 steps, but load_data takes 1 input");
  }
}

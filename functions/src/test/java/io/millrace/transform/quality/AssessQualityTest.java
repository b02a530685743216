package io.millrace.transform.quality;

import static org.apache.flink.table.api.Expressions.$;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.transform.LocalTables;
import io.millrace.transform.Problem;
import io.millrace.transform.QualityGateException;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.StepRun;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.util.ExceptionUtils;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

class AssessQualityTest {
  private static final AssessQuality QUALITY = new AssessQuality();
  private static final ObjectMapper JSON = new ObjectMapper();

  @RegisterExtension
  static final MiniClusterExtension CLUSTER = new MiniClusterExtension(LocalTables.cluster());

  @TempDir Path temp;
  private LocalTables tables;

  @BeforeEach
  void open() {
    tables = new LocalTables(temp);
  }

  private Rows people() {
    return tables.rows(
        List.of("id", "age", "e-mail", "ok", "day"),
        List.of(
            DataTypes.BIGINT(),
            DataTypes.DOUBLE(),
            DataTypes.STRING(),
            DataTypes.BOOLEAN(),
            DataTypes.DATE()),
        new Object[] {1L, 20.0, "a@x", true, LocalDate.EPOCH},
        new Object[] {2L, null, "b@x", null, null},
        new Object[] {3L, 40.0, "nobody", false, LocalDate.EPOCH},
        new Object[] {2L, null, "b@x", null, null},
        new Object[] {null, 70.0, null, true, LocalDate.EPOCH});
  }

  private Rows nobody() {
    Rows people = people();
    return people.with(people.table().where($("id").isEqual(99)));
  }

  private StepRun run(String rules, Map<String, ?> more, Rows rows) throws Exception {
    Map<String, Object> arguments = new HashMap<>(more);
    arguments.put("rules", JSON.readTree(rules));
    return StepRun.of(tables, QUALITY, arguments, rows);
  }

  private JsonNode checks(String rules, Rows rows) throws Exception {
    StepRun run = run(rules, Map.of(), rows);
    assertThat(run.rows()).isEqualTo(LocalTables.collect(run.input()));
    return JSON.valueToTree(run.figures()).get("checks");
  }

  private static JsonNode json(String text) throws JsonProcessingException {
    return JSON.readTree(text.replace('\'', '"'));
  }

  @Test
  void withoutRulesTheRowsAreCounted() throws Exception {
    StepRun run = run("{}", Map.of(), people());
    JsonNode figures = JSON.valueToTree(run.figures());
    assertThat(figures)
        .isEqualTo(json("{'rows': 5, 'cols': 5, 'checks': {'min_rows': true}, 'failed': []}"));
  }

  @Test
  void rulesOfTheWholeInputAreReported() throws Exception {
    JsonNode checks =
        checks(
            """
            {"min_rows": 6, "check_null_ratio": true, "threshold_null_ratio": 0.2,
             "check_duplicates": true, "check_completeness": true,
             "check_column_types": {"id": "numeric", "ok": "numeric", "e-mail": "string",
               "day": "datetime", "age": "float", "gone": "string"},
             "check_unique_columns": ["id", "e-mail", "day", "age", "gone"],
             "check_value_range": {"age": {"min": 20, "max": 69.5}, "id": {"min": 1, "max": 3},
               "ok": {"max": 1}, "e-mail": {"min": 0}, "gone": {"min": 0}, "day": [1, 2]}}
            """,
            people());
    assertThat(checks)
        .isEqualTo(
            json(
                """
                {'min_rows': false,
                 'null_ratio': {'value': 0.32, 'threshold': 0.2, 'pass': false},
                 'duplicates': {'duplicate_rows': 1, 'pass': false},
                 'column_types': {
                   'id': {'expected': 'numeric', 'actual': 'int64', 'pass': true},
                   'ok': {'expected': 'numeric', 'actual': 'bool', 'pass': true},
                   'e-mail': {'expected': 'string', 'actual': 'object', 'pass': true},
                   'day': {'expected': 'datetime', 'actual': 'date32[day]', 'pass': true},
                   'age': {'expected': 'float', 'actual': 'float64', 'pass': true},
                   'gone': {'expected': 'string', 'actual': 'missing', 'pass': false}},
                 'unique_columns': {
                   'id': {'unique_values': 3, 'non_null_rows': 4, 'pass': false},
                   'e-mail': {'unique_values': 3, 'non_null_rows': 4, 'pass': false},
                   'day': {'unique_values': 1, 'non_null_rows': 3, 'pass': false},
                   'age': {'unique_values': 3, 'non_null_rows': 3, 'pass': true},
                   'gone': {'reason': 'column not found', 'pass': false}},
                 'value_range': {
                   'age': {'actual_min': 20.0, 'actual_max': 70.0, 'expected_min': 20,
                     'expected_max': 69.5, 'pass': false},
                   'id': {'actual_min': 1, 'actual_max': 3, 'expected_min': 1,
                     'expected_max': 3, 'pass': true},
                   'ok': {'actual_min': 0, 'actual_max': 1, 'expected_min': null,
                     'expected_max': 1, 'pass': true},
                   'e-mail': {'reason': 'column is not numeric', 'pass': false},
                   'gone': {'reason': 'column not found', 'pass': false},
                   'day': {'reason': 'invalid bounds', 'pass': false}},
                 'completeness': {
                   'id': {'non_null': 4, 'total': 5, 'ratio': 0.8},
                   'age': {'non_null': 3, 'total': 5, 'ratio': 0.6},
                   'e-mail': {'non_null': 4, 'total': 5, 'ratio': 0.8},
                   'ok': {'non_null': 3, 'total': 5, 'ratio': 0.6},
                   'day': {'non_null': 3, 'total': 5, 'ratio': 0.6}}}
                """));
    assertThat(tables.problems)
        .containsExactly(
            Problem.warning("step", "rules", "rules name 'gone', which is no column of the input"));
  }

  @Test
  void statisticsHaveRanges() throws Exception {
    Rows rows =
        tables.rows(
            List.of("x", "s"),
            List.of(DataTypes.BIGINT(), DataTypes.STRING()),
            new Object[] {4L, "a"},
            new Object[] {1L, "b"},
            new Object[] {2L, "c"},
            new Object[] {null, "c"},
            new Object[] {3L, "c"});
    JsonNode checks =
        checks(
            """
            {"mean": {"x": {"min": 2.5, "max": 2.5}, "s": {"min": 0}},
             "median": {"x": {"min": 2.6}},
             "stdev": {"x": {"max": 1.3}},
             "quantiles": {"x": {"0.25": {"max": 1.75}, "1": {"min": 4}, "0.9": {"max": 3.6}}},
             "z_score": {"x": 1.2}}
            """,
            rows);
    double deviation = Math.sqrt(5 / 3.0);
    assertThat(checks.get("mean"))
        .isEqualTo(
            json(
                "{'x': {'value': 2.5, 'min': 2.5, 'max': 2.5, 'pass': true},"
                    + " 's': {'reason': 'column is not numeric', 'pass': false}}"));
    assertThat(checks.get("median"))
        .isEqualTo(json("{'x': {'value': 2.5, 'min': 2.6, 'max': null, 'pass': false}}"));
    assertThat(checks.at("/stdev/x/value").asDouble()).isCloseTo(deviation, within(1e-12));
    assertThat(checks.at("/stdev/x/pass").asBoolean()).isTrue();
    assertThat(checks.get("quantiles"))
        .isEqualTo(
            json(
                "{'x': {'0.25': {'value': 1.75, 'min': null, 'max': 1.75},"
                    + " '1.0': {'value': 4.0, 'min': 4, 'max': null},"
                    + " '0.9': {'value': 3.7, 'min': null, 'max': 3.6}, 'pass': false}}"));
    assertThat(checks.at("/z_score/x/max_abs_z").asDouble())
        .isCloseTo(1.5 / deviation, within(1e-12));
    assertThat(checks.at("/z_score/x/pass").asBoolean()).isTrue();
  }

  @Test
  void aColumnOfNullsIsInEveryRangeAndUnique() throws Exception {
    Rows rows =
        tables.rows(
            List.of("n"), List.of(DataTypes.BIGINT()), new Object[] {null}, new Object[] {null});
    assertThat(
            checks(
                """
                {"check_value_range": {"n": {"min": 5, "max": 6}}, "check_unique_columns": ["n"],
                 "check_duplicates": true, "check_null_ratio": true}
                """,
                rows))
        .isEqualTo(
            json(
                """
                {'min_rows': true,
                 'null_ratio': {'value': 1.0, 'threshold': 0.5, 'pass': false},
                 'duplicates': {'duplicate_rows': 1, 'pass': false},
                 'unique_columns': {'n': {'unique_values': 0, 'non_null_rows': 0, 'pass': true}},
                 'value_range': {'n': {'actual_min': null, 'actual_max': null, 'expected_min': 5,
                   'expected_max': 6, 'pass': true}}}
                """));
  }

  @Test
  void anEmptyInputHasAReportToo() throws Exception {
    Rows none = nobody();
    JsonNode checks =
        checks(
            """
            {"min_rows": 1, "check_null_ratio": true, "check_duplicates": true,
             "check_unique_columns": ["id"], "check_value_range": {"age": {"min": 0}},
             "mean": {"age": {"min": 5}}, "median": {"age": {"min": 5}},
             "quantiles": {"age": {"0.5": {"min": 5}}}, "z_score": {"age": 3},
             "not_null": ["id"]}
            """,
            none);
    assertThat(checks)
        .isEqualTo(
            json(
                """
                {'min_rows': false,
                 'null_ratio': {'value': 0.0, 'threshold': 0.5, 'pass': true},
                 'duplicates': {'duplicate_rows': 0, 'pass': true},
                 'unique_columns': {'id': {'unique_values': 0, 'non_null_rows': 0, 'pass': true}},
                 'value_range': {'age': {'actual_min': null, 'actual_max': null,
                   'expected_min': 0, 'expected_max': null, 'pass': true}},
                 'not_null': {'id': {'failed_rows': 0, 'on_fail': 'warn', 'pass': true}},
                 'z_score': {'age': {'max_abs_z': null, 'threshold': 3.0, 'pass': true}},
                 'mean': {'age': {'value': null, 'min': 5, 'max': null, 'pass': false}},
                 'median': {'age': {'value': null, 'min': 5, 'max': null, 'pass': false}},
                 'quantiles': {'age': {'0.5': {'value': null, 'min': 5, 'max': null},
                   'pass': false}}}
                """));
  }

  private static final String ROW_RULES =
      """
      {"not_null": ["id", "age"], "regex": {"e-mail": "^[^@]+@[^@]+$"},
       "allowed_values": {"id": [1, 2.0], "e-mail": ["a@x", "nobody"]}}
      """;

  @Test
  void rowsThatViolateARulePassWithAWarning() throws Exception {
    assertThat(checks(ROW_RULES, people()))
        .isEqualTo(
            json(
                """
                {'min_rows': true,
                 'not_null': {
                   'id': {'failed_rows': 1, 'on_fail': 'warn', 'pass': false},
                   'age': {'failed_rows': 2, 'on_fail': 'warn', 'pass': false}},
                 'regex': {'e-mail': {'failed_rows': 1, 'on_fail': 'warn', 'pass': false}},
                 'allowed_values': {
                   'id': {'failed_rows': 1, 'on_fail': 'warn', 'pass': false},
                   'e-mail': {'failed_rows': 2, 'on_fail': 'warn', 'pass': false}}}
                """));
  }

  @Test
  void rowsThatViolateARuleAreDropped() throws Exception {
    StepRun run = run(ROW_RULES, Map.of("on_fail", "drop", "fail_on_errors", true), people());
    assertThat(run.column("id")).containsExactly(1L);
    JsonNode figures = JSON.valueToTree(run.figures());
    assertThat(figures.at("/checks/not_null/age"))
        .isEqualTo(json("{'failed_rows': 2, 'on_fail': 'drop', 'pass': false}"));
    assertThat(figures.get("failed")).isEmpty();
  }

  @Test
  void rowsInQuarantineHaveTheirReasonsBeside() throws Exception {
    Map<String, Object> arguments =
        Map.of("rules", JSON.readTree(ROW_RULES), "on_fail", "quarantine");
    Step step = tables.step(QUALITY, arguments);
    Rows output = QUALITY.lower(step, List.of(people()));
    assertThat(step.publications()).hasSize(1);
    Step.Publication publication = step.publications().get(0);
    assertThat(publication.target())
        .isEqualTo(temp.toRealPath().resolve("test/quarantine/step.jsonl"));
    assertThat(step.facts()).containsEntry("quarantine_file", publication.target().toString());

    // One job for all that was lowered, as a pipeline has it.
    try (var rows = step.tables().toDataStream(output.table()).executeAndCollect()) {
      assertThat(rows.next().getField("id")).isEqualTo(1L);
      assertThat(rows.hasNext()).isFalse();
    }
    List<JsonNode> lines =
        Files.readAllLines(publication.temporary()).stream().map(AssessQualityTest::parse).toList();
    assertThat(lines)
        .containsExactly(
            json(
                "{'id': 2, 'age': null, 'e-mail': 'b@x', 'ok': null, 'day': null,"
                    + " '_reasons': ['age is null', 'e-mail is none of a@x, nobody']}"),
            json(
                "{'id': 3, 'age': 40.0, 'e-mail': 'nobody', 'ok': false, 'day': '1970-01-01',"
                    + " '_reasons': ['e-mail does not match ^[^@]+@[^@]+$', 'id is none of 1,"
                    + " 2']}"),
            json(
                "{'id': 2, 'age': null, 'e-mail': 'b@x', 'ok': null, 'day': null,"
                    + " '_reasons': ['age is null', 'e-mail is none of a@x, nobody']}"),
            json(
                "{'id': null, 'age': 70.0, 'e-mail': null, 'ok': true, 'day': '1970-01-01',"
                    + " '_reasons': ['id is null']}"));
  }

  private static JsonNode parse(String line) {
    try {
      return JSON.readTree(line);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void aGateThatIsOpenLetsRowsPassAsTheyAre() throws Exception {
    StepRun run = run("{\"min_rows\": 5}", Map.of("fail_on_errors", true), people());
    assertThat(run.rows()).isEqualTo(LocalTables.collect(run.input()));
  }

  @Test
  void aGateEndsTheJobAndNamesTheChecks() throws Exception {
    assertGateCloses(
        "{\"min_rows\": 9, \"check_duplicates\": true, \"check_value_range\": {\"age\": {\"max\":"
            + " 99}}}",
        Map.of("fail_on_errors", true),
        people(),
        "quality checks of step 'step' failed: min_rows, duplicates");
  }

  @Test
  void aGateClosesWhenThereAreNoRows() throws Exception {
    Rows none = nobody();
    assertGateCloses(
        "{\"min_rows\": 1}",
        Map.of("fail_on_errors", true),
        none,
        "quality checks of step 'step' failed: min_rows");
  }

  @Test
  void rulesOfRowsEndTheJobWhenTheyAreTold() throws Exception {
    assertGateCloses(
        "{\"not_null\": [\"id\"], \"check_duplicates\": true}",
        Map.of("on_fail", "fail"),
        people(),
        "quality checks of step 'step' failed: not_null");
  }

  private void assertGateCloses(String rules, Map<String, ?> more, Rows rows, String message)
      throws Exception {
    Map<String, Object> arguments = new HashMap<>(more);
    arguments.put("rules", JSON.readTree(rules));
    Step step = tables.step(QUALITY, arguments);
    Rows output = QUALITY.lower(step, List.of(rows));
    assertThatThrownBy(() -> LocalTables.collect(output))
        .satisfies(
            failure ->
                assertThat(ExceptionUtils.findThrowable(failure, QualityGateException.class))
                    .get()
                    .extracting(Throwable::getMessage)
                    .isEqualTo(message));
    // The report is there all the same.
    assertThat(StepRun.texts(step, step.collected().get("checks"))).hasSize(1);
  }

  @Test
  void rulesThatAreWrongAreAllReported() throws Exception {
    JsonNode rules =
        JSON.readTree(
            """
            {"min_row": 1, "min_rows": -1, "threshold_null_ratio": 2, "check_duplicates": "yes",
             "check_unique_columns": "id", "not_null": ["idd"], "regex": {"id": "a", "e-mail": "("},
             "allowed_values": {"id": []}, "z_score": {"age": 0}, "mean": {"age": {"min": 2, "max": 1}},
             "quantiles": {"age": {"1.5": {"min": 0}}}, "check_column_types": []}
            """);
    assertThat(tables.lower(QUALITY, Map.of("rules", rules), people())).isNull();
    assertThat(tables.problems)
        .extracting(Problem::message)
        .containsExactlyInAnyOrder(
            "rules.min_row is not known; did you mean min_rows?",
            "rules.min_rows is '-1', but must be a number of rows, 0 or more",
            "rules.threshold_null_ratio is '2', but must be a number from 0 to 1",
            "rules.check_column_types is '[]', but must be a map of columns and types",
            "rules.z_score.age is '0', but must be a number above 0",
            "rules.quantiles.age.1.5 is '{\"1.5\":{\"min\":0}}', but must be a map of shares from 0"
                + " to 1 and ranges",
            "rules.check_duplicates is 'yes', but must be true or false",
            "rules.check_unique_columns is 'id', but must be a list of columns",
            "rules.regex.e-mail is '(', but must be an expression of RE2: error parsing regexp:"
                + " missing closing ): `(`",
            "rules.allowed_values.id is '[]', but must be a list of values",
            "rules.mean.age is '{\"min\":2,\"max\":1}', but must be a range such as"
                + " {min: 0, max: 10}",
            "rules.not_null has 'idd', which is no column of the input; did you mean 'id'?",
            "rules.regex has 'id' of type BIGINT, but an expression is for text");
  }

  @Test
  void anExpressionTakesLinearTime() throws Exception {
    String text = "a".repeat(50_000);
    Rows rows = tables.rows(List.of("s"), List.of(DataTypes.STRING()), new Object[] {text});
    JsonNode checks = checks("{\"regex\": {\"s\": \"^(a+)+$b\"}}", rows);
    assertThat(checks.at("/regex/s/failed_rows").asLong()).isEqualTo(1);
  }
}

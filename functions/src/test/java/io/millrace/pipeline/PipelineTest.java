package io.millrace.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.config.ConfigException;
import io.millrace.pipeline.PipelineDef.StepDef;
import io.millrace.transform.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A pipeline made by code is the one that a file would be, and is held to the same rules. */
class PipelineTest {
  /** Without lines, which code has not. */
  private static PipelineDef parsed(String yaml) {
    PipelineFile file = PipelineParser.parse(yaml);
    assertThat(file.problems()).isEmpty();
    List<StepDef> steps = new ArrayList<>();
    for (StepDef step : file.pipeline().steps()) {
      steps.add(new StepDef(step.id(), step.service(), step.params(), step.dependsOn(), 0));
    }
    return new PipelineDef(file.pipeline().name(), file.pipeline().description(), steps);
  }

  private static Pipeline everyVerb() {
    return Pipeline.named("all")
        .describedAs("Every verb")
        .extractCsv("csv", "a.csv")
        .cleanNan("clean", "drop")
        .deleteColumns("slim", "Over18", "CO(GT)")
        .extractExcel("excel", "b.xlsx")
        .dataQuality("check", Map.of("min_rows", 5))
        .param("fail_on_errors", true)
        .extractSql("sql", "env:DB_URL", "SELECT 1")
        .outlierDetection("usual", "Income")
        .param("z_threshold", 2.5)
        .extractApi("api", "https://example.org/x")
        .textCompletionLlm("complete", "text")
        .param("max_tokens", 40)
        .joinDatasets("both", "slim", "check", "id")
        .step("rows", "union")
        .after("both", "usual", "complete")
        .step("some", "filter")
        .param("condition", "a > 1")
        .loadData("save", "parquet");
  }

  @Test
  void verbsAreStepsBehindOneAnother() {
    assertThat(everyVerb().build(KnownServices.catalog()))
        .isEqualTo(
            parsed(
                """
                pipeline:
                  name: all
                  description: Every verb
                  steps:
                    - {id: csv, service: extract_csv, params: {file_path: a.csv}}
                    - {id: clean, service: clean_nan, params: {strategy: drop}, depends_on: [csv]}
                    - id: slim
                      service: delete_columns
                      params: {columns: [Over18, CO(GT)]}
                      depends_on: [clean]
                    - {id: excel, service: extract_excel, params: {file_path: b.xlsx}}
                    - id: check
                      service: data_quality
                      params: {rules: {min_rows: 5}, fail_on_errors: true}
                      depends_on: [excel]
                    - id: sql
                      service: extract_sql
                      params: {db_url: 'env:DB_URL', query: SELECT 1}
                    - id: usual
                      service: outlier_detection
                      params: {column: Income, z_threshold: 2.5}
                      depends_on: [sql]
                    - {id: api, service: extract_api, params: {api_url: 'https://example.org/x'}}
                    - id: complete
                      service: text_completion_llm
                      params: {text_column: text, max_tokens: 40}
                      depends_on: [api]
                    - id: both
                      service: join_datasets
                      params: {join_key: id}
                      depends_on: [slim, check]
                    - {id: rows, service: union, depends_on: [both, usual, complete]}
                    - {id: some, service: filter, params: {condition: a > 1}, depends_on: [rows]}
                    - {id: save, service: load_data, params: {format: parquet}, depends_on: [some]}
                """));
  }

  @Test
  void itIsWrittenAsTheFileThatReadsAsTheSame() {
    assertThat(parsed(everyVerb().toYaml())).isEqualTo(everyVerb().define());
    Pipeline odd =
        Pipeline.named("odd")
            .extractCsv("a", "true")
            .step("b", "clean_nan")
            .param("fill_value", "010")
            .param("x", "yes")
            .param("y", "a: b # c\n* d\n\"e\"")
            .param("z", List.of("null", "~", "", " ", "5", "1.5", "- x", "&a", "!t", "2024-01-01"))
            .param("whole", 12345678901L)
            .param("real", 1e-7)
            .param("truth", false)
            .param("map", Map.of("CO(GT)", Map.of("min", -1)));
    assertThat(parsed(odd.toYaml())).isEqualTo(odd.define());
    assertThat(Pipeline.named("p").extractCsv("a", "a.csv").loadData("b", "csv").toYaml())
        .isEqualTo(
            """
            pipeline:
              name: p
              steps:
                - id: a
                  service: extract_csv
                  params:
                    file_path: a.csv
                - id: b
                  service: load_data
                  params:
                    format: csv
                  depends_on:
                    - a
            """);
  }

  @Test
  void theRulesAreTheSame() {
    Pipeline wrong =
        Pipeline.named("a b").extractCsv("a", "a.csv").cleanNan("a", "mean").step("c", "magic");
    assertThat(wrong.validate(KnownServices.catalog()).problems())
        .extracting(Problem::toString)
        .startsWith(
            "name is 'a b', but must be 1 to 128 letters, digits, hyphens and underscores (a-z,"
                + " A-Z, 0-9, - and _)",
            "step 'a': id is 'a', as that of step 1 of the list is, but must be unique",
            "step 'a': strategy is 'mean', but must be one of drop, fill_mean, ffill");
    assertThatThrownBy(() -> wrong.build(KnownServices.catalog()))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("strategy is 'mean'")
        .hasMessageContaining("service is 'magic'");
    assertThat(Pipeline.named("p").validate(KnownServices.catalog()).problems())
        .extracting(Problem::toString)
        .containsExactly("missing required key 'steps'");
    assertThatThrownBy(() -> Pipeline.named("p").param("a", 1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("there is no step yet");
  }
}

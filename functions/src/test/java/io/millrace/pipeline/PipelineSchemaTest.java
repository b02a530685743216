package io.millrace.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.millrace.transform.Catalog;
import io.millrace.transform.Problem;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the schema says of a file is what the validator says, as far as a schema can say it. */
class PipelineSchemaTest {
  private static final Catalog CATALOG = KnownServices.catalog();
  private static final SchemaRegistry REGISTRY =
      SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);
  private static final Schema SCHEMA = REGISTRY.getSchema(PipelineSchema.text(CATALOG));

  private static final String READ =
      "    - {id: read, service: extract_csv, params: {file_path: a.csv}}\n";

  private static List<Error> errors(String yaml) {
    return SCHEMA.validate(yaml, InputFormat.YAML);
  }

  private static List<Problem> problems(String yaml) {
    return PipelineValidator.validate(PipelineParser.parse(yaml), CATALOG).problems().stream()
        .filter(Problem::isError)
        .toList();
  }

  private static String pipeline(String step) {
    return "pipeline:\n  name: p\n  steps:\n" + READ + "    - " + step + "\n";
  }

  @Test
  void itIsASchema() {
    Schema meta =
        REGISTRY.getSchema(
            com.networknt.schema.SchemaLocation.of("https://json-schema.org/draft/2020-12/schema"));
    assertThat(meta.validate(PipelineSchema.text(CATALOG), InputFormat.JSON)).isEmpty();
    assertThat(meta.validate("{\"type\": \"thing\"}", InputFormat.JSON)).isNotEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{id: x, service: clean_nan, depends_on: [read]}",
        "{id: 5, service: clean_nan, depends_on: [read], params: null}",
        "{id: x, service: clean_nan, depends_on: [read], params: {strategy: ffill, columns: [a,"
            + " b]}}",
        "{id: x, service: clean_nan, depends_on: [read], params: {columns: 'a, b', fill_value: 5}}",
        "{id: x, service: clean_nan, depends_on: [read], params: {strategy: null, over: all}}",
        "{id: x, service: clean_nan, depends_on: [read], params: {over: 90 min}}",
        "{id: x, service: union, depends_on: [read, r2]}",
        "{id: x, service: join_datasets, depends_on: [read, r2], params: {join_type: outer}}",
        "{id: x, service: outlier_detection, depends_on: [read], params: {column: a, z_threshold:"
            + " 2}}",
        "{id: x, service: data_quality, depends_on: [read], params: {rules: {min_rows: 5},"
            + " fail_on_errors: true}}",
        "{id: x, service: extract_sql, params: {db_url: 'env:DB', query: SELECT 1, partitions:"
            + " 64}}",
        "{id: x, service: extract_sql, params: {db_url: 'file:/run/db', query: SELECT 1}}",
        "{id: x, service: extract_csv, params: {file_path: b.csv}, depends_on: []}"
      })
  void whatIsRightPassesBoth(String step) {
    String yaml =
        pipeline(step) + "    - {id: r2, service: extract_csv, params: {file_path: a.csv}}\n";
    assertThat(problems(yaml)).isEmpty();
    assertThat(errors(yaml)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{id: x, service: clean_nam, depends_on: [read]}",
        "{id: x, depends_on: [read]}",
        "{service: clean_nan, depends_on: [read]}",
        "{id: a b, service: clean_nan, depends_on: [read]}",
        "{id: x, service: clean_nan}",
        "{id: x, service: clean_nan, depends_on: [read, r2]}",
        "{id: x, service: clean_nan, depends_on: read}",
        "{id: x, service: clean_nan, depends_on: [read], param: {}}",
        "{id: x, service: clean_nan, depends_on: [read], params: [drop]}",
        "{id: x, service: clean_nan, depends_on: [read], params: {stratgy: drop}}",
        "{id: x, service: clean_nan, depends_on: [read], params: {strategy: mean}}",
        "{id: x, service: clean_nan, depends_on: [read], params: {columns: 5}}",
        "{id: x, service: clean_nan, depends_on: [read], params: {columns: [5]}}",
        "{id: x, service: clean_nan, depends_on: [read], params: {over: 5}}",
        "{id: x, service: clean_nan, depends_on: [read], params: {over: '5'}}",
        "{id: x, service: clean_nan, depends_on: [read], params: {fill_value: [1]}}",
        "{id: x, service: filter, depends_on: [read], params: {condition: true}}",
        "{id: x, service: filter, depends_on: [read], params: {condition: null}}",
        "{id: x, service: filter, depends_on: [read]}",
        "{id: x, service: union, depends_on: [read]}",
        "{id: x, service: join_datasets, depends_on: [read, read]}",
        "{id: x, service: outlier_detection, depends_on: [read], params: {column: a, z_threshold:"
            + " 0}}",
        "{id: x, service: outlier_detection, depends_on: [read], params: {column: a, z_threshold:"
            + " high}}",
        "{id: x, service: data_quality, depends_on: [read], params: {fail_on_errors: 'true'}}",
        "{id: x, service: extract_sql, params: {db_url: 'pg://u:p@h/d', query: SELECT 1}}",
        "{id: x, service: extract_sql, params: {db_url: 'env:DB', query: SELECT 1, partitions: 0}}",
        "{id: x, service: extract_csv, params: {file_path: b.csv}, depends_on: [read]}"
      })
  void whatIsWrongPassesNeither(String step) {
    String yaml =
        pipeline(step) + "    - {id: r2, service: extract_csv, params: {file_path: a.csv}}\n";
    assertThat(problems(yaml)).isNotEmpty();
    assertThat(errors(yaml)).isNotEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "x: 1\n",
        "pipeline: []\n",
        "pipeline: {name: p}\n",
        "pipeline: {name: p, steps: []}\n",
        "pipeline: {name: ../p, steps: [{id: a, service: extract_csv, params: {file_path: a}}]}\n",
        "pipeline: {steps: [{id: a, service: extract_csv, params: {file_path: a}}]}\n",
        "pipeline: {name: p, owner: me, steps: [{id: a, service: extract_csv, params: {file_path:"
            + " a}}]}\n"
      })
  void aWrongShapePassesNeither(String yaml) {
    assertThat(problems(yaml)).isNotEmpty();
    assertThat(errors(yaml)).isNotEmpty();
  }
}

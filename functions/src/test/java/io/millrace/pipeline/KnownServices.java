package io.millrace.pipeline;

import io.millrace.transform.Arguments;
import io.millrace.transform.Catalog;
import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Parameter;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.Transform;
import java.util.List;

/**
 * A catalog of declarations alone, so that what the front says does not change with the entries:
 * the eleven services as they have always been called, and a few of each other kind.
 */
final class KnownServices {
  private KnownServices() {}

  /** Declares and lowers nothing. */
  private static class Declared implements Transform {
    private final Declaration declaration;

    Declared(Declaration declaration) {
      this.declaration = declaration;
    }

    @Override
    public Declaration declaration() {
      return declaration;
    }

    @Override
    public Rows lower(Step step, List<Rows> inputs) {
      throw new UnsupportedOperationException(declaration.service());
    }
  }

  static Catalog catalog() {
    return new Catalog(
        List.of(
            extract("extract_csv", Parameter.text("file_path").require().doc("The file.")),
            extract("extract_excel", Parameter.text("file_path").require()),
            extract(
                "extract_sql",
                Parameter.text("db_url").require().asSecret(),
                Parameter.text("query").require(),
                Parameter.integer("partitions").between(1, 64)),
            extract(
                "extract_api",
                Parameter.text("api_url").require(),
                Parameter.object("api_params"),
                Parameter.text("auth_type").oneOf("api_key", "bearer"),
                Parameter.text("auth_value").asSecret(),
                Parameter.text("records")),
            kafka(),
            cleanNan(),
            transform("delete_columns", Inputs.ONE, Parameter.columns("columns").require()),
            transform(
                "data_quality",
                Inputs.ONE,
                Parameter.object("rules"),
                Parameter.bool("fail_on_errors").defaultTo(false)),
            transform(
                "outlier_detection",
                Inputs.ONE,
                Parameter.column("column").require(),
                Parameter.number("z_threshold").above(0).defaultTo(3.0)),
            transform(
                "join_datasets",
                Inputs.TWO,
                Parameter.text("join_key").defaultTo("id"),
                Parameter.text("join_type")
                    .oneOf("inner", "left", "right", "outer")
                    .defaultTo("inner"),
                Parameter.duration("within")),
            transform(
                "text_completion_llm",
                Inputs.ONE,
                Parameter.column("text_column").require(),
                Parameter.text("missing_placeholder").require().defaultTo("[MISSING]"),
                Parameter.integer("max_tokens").atLeast(1).defaultTo(20),
                Parameter.integer("max_rows")),
            transform("filter", Inputs.ONE, Parameter.expression("condition").require()),
            transform("union", Inputs.TWO_OR_MORE),
            new Declared(
                new Declaration(
                    "load_data",
                    Kind.LOAD,
                    Inputs.ONE,
                    "Writes a file.",
                    List.of(
                        Parameter.text("format").require().oneOf("csv", "xlsx", "json", "parquet"),
                        Parameter.texts("sheets")),
                    List.of()))));
  }

  private static Transform extract(String service, Parameter... parameters) {
    return new Declared(
        new Declaration(
            service, Kind.EXTRACT, Inputs.NONE, "Reads.", List.of(parameters), List.of()));
  }

  private static Transform transform(String service, Inputs inputs, Parameter... parameters) {
    return new Declared(
        new Declaration(
            service, Kind.TRANSFORM, inputs, "Changes rows.", List.of(parameters), List.of()));
  }

  private static Transform kafka() {
    return new Declared(
        new Declaration(
            "extract_kafka",
            Kind.EXTRACT,
            Inputs.NONE,
            "Reads a topic.",
            List.of(Parameter.text("topic").require(), Parameter.bool("to_end").defaultTo(false)),
            List.of())) {
      @Override
      public boolean isUnbounded(Arguments arguments) {
        return !arguments.bool("to_end");
      }
    };
  }

  private static Transform cleanNan() {
    return new Declared(
        new Declaration(
            "clean_nan",
            Kind.TRANSFORM,
            Inputs.ONE,
            "Drops or fills nulls.",
            List.of(
                Parameter.text("strategy").oneOf("drop", "fill_mean", "ffill").defaultTo("drop"),
                Parameter.scalar("fill_value"),
                Parameter.columns("columns"),
                Parameter.key(),
                Parameter.over()),
            List.of(
                """
                pipeline:
                  name: example
                  steps:
                    - id: read
                      service: extract_csv
                      params: {file_path: a.csv}
                    - id: clean
                      service: clean_nan
                      depends_on: [read]
                    - id: save
                      service: load_data
                      params: {format: csv}
                      depends_on: [clean]
                """))) {
      @Override
      public boolean needsScope(Arguments arguments) {
        return arguments.text("strategy").equals("fill_mean");
      }
    };
  }
}

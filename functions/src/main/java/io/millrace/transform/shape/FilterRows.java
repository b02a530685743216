package io.millrace.transform.shape;

import static org.apache.flink.table.api.Expressions.callSql;

import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Outcome;
import io.millrace.transform.Parameter;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.Transform;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;

/** {@code filter}: the rows for which a condition is true. */
public final class FilterRows implements Transform {
  @Override
  public Declaration declaration() {
    return new Declaration(
        "filter",
        Kind.TRANSFORM,
        Inputs.ONE,
        "Keeps the rows for which an SQL condition is true; where it is unknown, because of a null,"
            + " a row goes.",
        List.of(
            Parameter.expression("condition")
                .require()
                .doc(
                    "An SQL condition over the columns, such as `age >= 18 AND country = 'FR'`."
                        + " Names that are not plain words stand in backquotes.")),
        List.of(
            """
            pipeline:
              name: staff
              steps:
                - id: read
                  service: extract_csv
                  params: {file_path: staff.csv}
                - id: seniors
                  service: filter
                  depends_on: [read]
                  params:
                    condition: "age >= 50 AND office <> 'Lyon'"
                - id: save
                  service: load_data
                  depends_on: [seniors]
                  params: {format: csv}
            """));
  }

  @Override
  public Rows lower(Step step, List<Rows> inputs) {
    Rows in = inputs.get(0);
    String condition = step.arguments().text("condition");
    Optional<LogicalType> type = SqlExpression.check(step, "condition", "condition", condition, in);
    if (type.isEmpty()) {
      return null;
    }
    if (!type.get().is(LogicalTypeRoot.BOOLEAN)) {
      step.error(
          "condition",
          "condition is \""
              + condition
              + "\", which gives "
              + type.get().copy(true).asSummaryString()
              + ", but must give BOOLEAN");
      return null;
    }
    return in.with(in.table().filter(callSql(condition)));
  }

  @Override
  public Map<String, Object> figures(Outcome outcome) {
    return Map.of("rows_removed", outcome.in().get(0).rows() - outcome.out().rows());
  }
}

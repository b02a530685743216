package io.millrace.transform.shape;

import static org.apache.flink.table.api.Expressions.$;

import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Outcome;
import io.millrace.transform.Parameter;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.Transform;
import io.millrace.transform.column.ColumnTexts;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.table.expressions.Expression;

/** {@code delete_columns}: the rows without some columns. */
public final class DeleteColumns implements Transform {
  @Override
  public Declaration declaration() {
    return new Declaration(
        "delete_columns",
        Kind.TRANSFORM,
        Inputs.ONE,
        "Takes columns away; at least one has to remain.",
        List.of(
            Parameter.columns("columns").require().doc("The columns to take away."),
            Parameter.text("missing_columns")
                .oneOf("fail", "ignore")
                .defaultTo("fail")
                .doc("What a column means that is not there: an error, or nothing.")),
        List.of(
            """
            pipeline:
              name: staff
              steps:
                - id: read
                  service: extract_csv
                  params: {file_path: staff.csv}
                - id: slim
                  service: delete_columns
                  depends_on: [read]
                  params:
                    columns: [phone, office]
                - id: save
                  service: load_data
                  depends_on: [slim]
                  params: {format: csv}
            """));
  }

  @Override
  public Rows lower(Step step, List<Rows> inputs) {
    Rows in = inputs.get(0);
    Set<String> deleted = new LinkedHashSet<>(step.arguments().texts("columns"));
    if (deleted.isEmpty()) {
      step.error("columns", "columns is empty, but must name a column to delete");
      return null;
    }
    boolean lenient = step.arguments().text("missing_columns").equals("ignore");
    if (!lenient && !ColumnTexts.areThere(step, "columns", deleted, in)) {
      return null;
    }
    List<String> kept = new ArrayList<>(in.columns());
    kept.removeAll(deleted);
    if (kept.isEmpty()) {
      step.error("columns", "columns names all columns, but at least one must remain");
      return null;
    }
    kept.addAll(in.order());
    return in.with(
        in.table().select(kept.stream().map(c -> (Expression) $(c)).toArray(Expression[]::new)));
  }

  @Override
  public Map<String, Object> figures(Outcome outcome) {
    List<String> deleted = new ArrayList<>(outcome.in().get(0).columns());
    deleted.removeAll(outcome.out().columns());
    return Map.of("columns_deleted", deleted);
  }
}

package io.millrace.transform.shape;

import static org.apache.flink.table.api.Expressions.$;

import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Parameter;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.Transform;
import io.millrace.transform.column.ColumnTexts;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.flink.table.expressions.Expression;

/** {@code rename}: the same columns under other names. */
public final class RenameColumns implements Transform {
  private static final String EXAMPLE = "{old name: new_name}";

  @Override
  public Declaration declaration() {
    return new Declaration(
        "rename",
        Kind.TRANSFORM,
        Inputs.ONE,
        "Gives columns other names, all at once, so that two may swap theirs.",
        List.of(Parameter.object("columns").require().doc("New names by old ones.")),
        List.of(
            """
            pipeline:
              name: air
              steps:
                - id: read
                  service: extract_csv
                  params: {file_path: readings.csv}
                - id: plain
                  service: rename
                  depends_on: [read]
                  params:
                    columns:
                      "CO(GT)": co
                - id: save
                  service: load_data
                  depends_on: [plain]
                  params: {format: csv}
            """));
  }

  @Override
  public Rows lower(Step step, List<Rows> inputs) {
    Rows in = inputs.get(0);
    Optional<Map<String, String>> names = ColumnTexts.read(step, "columns", EXAMPLE);
    if (names.isEmpty() || !ColumnTexts.areThere(step, "columns", names.get().keySet(), in)) {
      return null;
    }
    List<Expression> all = new ArrayList<>();
    Set<String> taken = new HashSet<>();
    for (String column : in.columns()) {
      String name = names.get().getOrDefault(column, column);
      if (!ColumnTexts.isNameable(step, "columns", name)) {
        return null;
      }
      if (!taken.add(name)) {
        step.error("columns", "columns gives the name '" + name + "' to more than one column");
        return null;
      }
      all.add(column.equals(name) ? $(column) : $(column).as(name));
    }
    in.order().forEach(column -> all.add($(column)));
    return in.with(in.table().select(all.toArray(Expression[]::new)));
  }
}

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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.expressions.Expression;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.utils.LogicalTypeCasts;
import org.apache.flink.table.types.logical.utils.LogicalTypeParser;
import org.apache.flink.table.types.utils.TypeConversions;

/** {@code cast}: columns in other SQL types. */
public final class CastColumns implements Transform {
  private static final String EXAMPLE = "{ordered: TIMESTAMP(3), price: \"DECIMAL(10, 2)\"}";

  @Override
  public Declaration declaration() {
    return new Declaration(
        "cast",
        Kind.TRANSFORM,
        Inputs.ONE,
        "Turns columns into other SQL types.",
        List.of(
            Parameter.object("columns").require().doc("SQL types by column."),
            Parameter.text("on_error")
                .oneOf("fail", "null")
                .defaultTo("fail")
                .doc("What happens to a value that does not fit: the run fails, or it gets null.")),
        List.of(
            """
            pipeline:
              name: sales
              steps:
                - id: read
                  service: extract_csv
                  params: {file_path: purchases.csv}
                - id: typed
                  service: cast
                  depends_on: [read]
                  params:
                    columns:
                      bought: DATE
                      price: "DECIMAL(10, 2)"
                    on_error: "null"
                - id: save
                  service: load_data
                  depends_on: [typed]
                  params: {format: csv}
            """));
  }

  @Override
  public Rows lower(Step step, List<Rows> inputs) {
    Rows in = inputs.get(0);
    Optional<Map<String, String>> texts = ColumnTexts.read(step, "columns", EXAMPLE);
    if (texts.isEmpty() || !ColumnTexts.areThere(step, "columns", texts.get().keySet(), in)) {
      return null;
    }
    Map<String, LogicalType> types = new LinkedHashMap<>();
    for (Map.Entry<String, String> text : texts.get().entrySet()) {
      Optional<LogicalType> type = type(step, text.getKey(), text.getValue(), in);
      type.ifPresent(found -> types.put(text.getKey(), found));
    }
    if (types.size() < texts.get().size()) {
      return null;
    }
    boolean lenient = step.arguments().text("on_error").equals("null");
    List<Expression> all = new ArrayList<>();
    for (String column : in.columns()) {
      LogicalType type = types.get(column);
      if (type == null) {
        all.add($(column));
        continue;
      }
      DataType wanted = TypeConversions.fromLogicalToDataType(type);
      all.add((lenient ? $(column).tryCast(wanted) : $(column).cast(wanted)).as(column));
    }
    in.order().forEach(column -> all.add($(column)));
    return in.with(in.table().select(all.toArray(Expression[]::new)));
  }

  private static Optional<LogicalType> type(Step step, String column, String text, Rows in) {
    LogicalType type;
    try {
      type = LogicalTypeParser.parse(text, CastColumns.class.getClassLoader());
    } catch (ValidationException e) {
      type = null;
    }
    String given = "columns." + column + " is '" + text + "', ";
    if (type == null || type.is(LogicalTypeRoot.UNRESOLVED) || type.is(LogicalTypeRoot.RAW)) {
      step.error(
          "columns",
          given
              + "but must be an SQL type, such as STRING, INT, BIGINT, DOUBLE, BOOLEAN, DATE,"
              + " TIMESTAMP(3) or DECIMAL(10, 2)");
      return Optional.empty();
    }
    LogicalType from = in.type(column).getLogicalType();
    if (!LogicalTypeCasts.supportsExplicitCast(from, type)) {
      step.error(
          "columns", given + "but no " + from.copy(true).asSummaryString() + " can become one");
      return Optional.empty();
    }
    return Optional.of(type.copy(true));
  }
}

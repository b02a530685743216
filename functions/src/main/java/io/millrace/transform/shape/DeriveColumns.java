package io.millrace.transform.shape;

import static org.apache.flink.table.api.Expressions.$;
import static org.apache.flink.table.api.Expressions.callSql;

import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Parameter;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.Transform;
import io.millrace.transform.column.ColumnTexts;
import io.millrace.transform.column.EventTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.flink.table.api.ApiExpression;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.expressions.Expression;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeFamily;
import org.apache.flink.table.types.logical.utils.LogicalTypeChecks;
import org.apache.flink.table.types.utils.TypeConversions;

/** {@code derive}: new or changed columns, by SQL expressions. */
public final class DeriveColumns implements Transform {
  private static final String EXAMPLE = "{total: \"quantity * price\"}";

  @Override
  public Declaration declaration() {
    return new Declaration(
        "derive",
        Kind.TRANSFORM,
        Inputs.ONE,
        "Adds columns that SQL expressions give, or replaces columns of the same names.",
        List.of(
            Parameter.object("columns")
                .require()
                .doc(
                    "Columns with their SQL expressions. They are made one after the other: each"
                        + " sees those before it. A new column comes last.")),
        List.of(
            """
            pipeline:
              name: sales
              steps:
                - id: read
                  service: extract_csv
                  params: {file_path: purchases.csv}
                - id: totals
                  service: derive
                  depends_on: [read]
                  params:
                    columns:
                      total: quantity * price
                      size: "CASE WHEN total >= 100 THEN 'large' ELSE 'small' END"
                - id: save
                  service: load_data
                  depends_on: [totals]
                  params: {format: csv}
            """));
  }

  @Override
  public Rows lower(Step step, List<Rows> inputs) {
    Optional<Map<String, String>> columns = ColumnTexts.read(step, "columns", EXAMPLE);
    if (columns.isEmpty()) {
      return null;
    }
    Rows rows = inputs.get(0);
    boolean sound = true;
    for (Map.Entry<String, String> column : columns.get().entrySet()) {
      String name = column.getKey();
      Optional<LogicalType> type =
          ColumnTexts.isNameable(step, "columns", name)
              ? SqlExpression.check(step, "columns", "columns." + name, column.getValue(), rows)
              : Optional.empty();
      if (type.isEmpty()) {
        sound = false;
        continue;
      }
      rows = derive(rows, name, column.getValue(), type.get());
    }
    return sound ? rows : null;
  }

  private static Rows derive(Rows rows, String name, String sql, LogicalType type) {
    ApiExpression value = callSql(sql);
    if (type.is(LogicalTypeFamily.CHARACTER_STRING)) {
      // A literal is as long as it happens to be; what comes after must not care.
      value = value.cast(DataTypes.STRING());
    } else if (LogicalTypeChecks.isTimeAttribute(type)) {
      // There is one event time, and it is not this copy.
      value = value.cast(TypeConversions.fromLogicalToDataType(EventTime.plain(type)));
    }
    List<Expression> all = new ArrayList<>();
    for (String column : rows.columns()) {
      all.add(column.equals(name) ? value.as(name) : $(column));
    }
    if (!rows.columns().contains(name)) {
      all.add(value.as(name));
    }
    rows.order().forEach(column -> all.add($(column)));
    return rows.with(rows.table().select(all.toArray(Expression[]::new)));
  }
}

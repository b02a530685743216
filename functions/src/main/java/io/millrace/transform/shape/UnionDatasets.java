package io.millrace.transform.shape;

import static org.apache.flink.table.api.Expressions.$;
import static org.apache.flink.table.api.Expressions.lit;
import static org.apache.flink.table.api.Expressions.nullOf;

import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.Transform;
import io.millrace.transform.column.EventTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.expressions.Expression;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.utils.LogicalTypeChecks;
import org.apache.flink.table.types.logical.utils.LogicalTypeMerging;
import org.apache.flink.table.types.utils.TypeConversions;

/** {@code union}: the rows of several inputs, columns matched by name. */
public final class UnionDatasets implements Transform {
  @Override
  public Declaration declaration() {
    return new Declaration(
        "union",
        Kind.TRANSFORM,
        Inputs.TWO_OR_MORE,
        "The rows of all inputs, those of the first first. Columns are matched by name; where an"
            + " input has no such column, it is null.",
        List.of(),
        List.of(
            """
            pipeline:
              name: sales
              steps:
                - id: shops
                  service: extract_csv
                  params: {file_path: purchases.csv}
                - id: web
                  service: extract_csv
                  params: {file_path: purchases.csv}
                - id: both
                  service: union
                  depends_on: [shops, web]
                - id: save
                  service: load_data
                  depends_on: [both]
                  params: {format: csv}
            """));
  }

  @Override
  public Rows lower(Step step, List<Rows> inputs) {
    Map<String, DataType> columns = new LinkedHashMap<>();
    for (Rows in : inputs) {
      for (String column : in.columns()) {
        if (!columns.containsKey(column)) {
          Optional<DataType> type = type(step, column, inputs);
          if (type.isEmpty()) {
            return null;
          }
          columns.put(column, type.get());
        }
      }
    }
    int hidden =
        step.bounded() ? inputs.stream().mapToInt(in -> in.order().size()).max().orElse(0) : 0;
    Table all = null;
    for (int i = 0; i < inputs.size(); i++) {
      Table part = aligned(inputs.get(i), columns, i, hidden);
      all = all == null ? part : all.unionAll(part);
    }
    List<String> order = new ArrayList<>();
    for (int i = 0; hidden > 0 && i <= hidden; i++) {
      order.add(Rows.orderColumn(i));
    }
    return new Rows(all, order);
  }

  /** The type that holds the values of all inputs; it stays an event time if it is one in all. */
  private static Optional<DataType> type(Step step, String column, List<Rows> inputs) {
    List<LogicalType> types = new ArrayList<>();
    for (Rows in : inputs) {
      if (in.columns().contains(column)) {
        types.add(in.type(column).getLogicalType());
      }
    }
    boolean times = types.stream().allMatch(LogicalTypeChecks::isRowtimeAttribute);
    if (times && types.size() == inputs.size()) {
      return Optional.of(TypeConversions.fromLogicalToDataType(types.get(0)));
    }
    Optional<LogicalType> common =
        LogicalTypeMerging.findCommonType(
            types.stream().map(t -> EventTime.plain(t).copy(true)).toList());
    if (common.isEmpty()) {
      TreeSet<String> names = new TreeSet<>();
      types.forEach(type -> names.add(type.copy(true).asSummaryString()));
      step.error(
          "depends_on",
          "column '"
              + column
              + "' is "
              + String.join(" and ", names)
              + " in the inputs, which have no common type; cast it before");
      return Optional.empty();
    }
    return common.map(TypeConversions::fromLogicalToDataType);
  }

  private static Table aligned(Rows in, Map<String, DataType> columns, int number, int hidden) {
    List<Expression> all = new ArrayList<>();
    columns.forEach(
        (column, type) -> {
          if (!in.columns().contains(column)) {
            all.add(nullOf(type).as(column));
          } else if (LogicalTypeChecks.isRowtimeAttribute(type.getLogicalType())) {
            all.add($(column));
          } else {
            all.add($(column).cast(type).as(column));
          }
        });
    if (hidden > 0) {
      all.add(lit((long) number).as(Rows.orderColumn(0)));
    }
    for (int i = 0; i < hidden; i++) {
      String name = Rows.orderColumn(i + 1);
      all.add(
          i < in.order().size()
              ? $(in.order().get(i)).cast(DataTypes.BIGINT()).as(name)
              : nullOf(DataTypes.BIGINT()).as(name));
    }
    return in.table().select(all.toArray(Expression[]::new));
  }
}

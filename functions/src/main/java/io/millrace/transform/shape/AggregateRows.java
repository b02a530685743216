package io.millrace.transform.shape;

import static org.apache.flink.table.api.Expressions.$;
import static org.apache.flink.table.api.Expressions.call;
import static org.apache.flink.table.api.Expressions.lit;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Outcome;
import io.millrace.transform.Parameter;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.Transform;
import io.millrace.transform.column.ColumnKind;
import io.millrace.transform.column.ColumnTexts;
import io.millrace.transform.column.MissingValues;
import io.millrace.transform.function.SampleDeviation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import javax.annotation.Nullable;
import org.apache.flink.table.api.ApiExpression;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.expressions.Expression;
import org.apache.flink.table.types.DataType;

/** {@code aggregate}: one row per group, in the order of the groups' keys. */
public final class AggregateRows implements Transform {
  private static final String PARAMETER = "aggregates";

  /** What can be told of the values of a group. */
  private enum Function {
    COUNT,
    COUNT_DISTINCT,
    SUM,
    MEAN,
    STDDEV,
    MIN,
    MAX;

    private String label() {
      return name().toLowerCase(Locale.ROOT);
    }

    private static String labels() {
      return Arrays.stream(values()).map(Function::label).collect(Collectors.joining(", "));
    }

    @Nullable
    private static Function labelled(String label) {
      return Arrays.stream(values()).filter(f -> f.label().equals(label)).findFirst().orElse(null);
    }

    /** Whether it can be told of values of that kind. */
    private boolean takes(ColumnKind kind) {
      return switch (this) {
        case COUNT -> true;
        case COUNT_DISTINCT -> kind != ColumnKind.OTHER;
        case MIN, MAX -> kind != ColumnKind.OTHER && kind != ColumnKind.BOOLEAN;
        case SUM, MEAN, STDDEV -> kind.isNumeric();
      };
    }

    private ApiExpression of(String column, DataType type) {
      ApiExpression value = $(column);
      return switch (this) {
        case COUNT -> value.count();
        case COUNT_DISTINCT -> value.count().distinct();
        case SUM ->
            ColumnKind.of(type) == ColumnKind.INTEGER
                ? value.cast(DataTypes.BIGINT()).sum()
                : value.sum();
        case MEAN -> value.cast(DataTypes.DOUBLE()).avg();
        case STDDEV -> call(SampleDeviation.class, value.cast(DataTypes.DOUBLE()));
        case MIN -> value.min();
        case MAX -> value.max();
      };
    }
  }

  /** One column of the result; of no column where rows are counted. */
  private record Aggregate(Function function, @Nullable String column) {}

  @Override
  public Declaration declaration() {
    return new Declaration(
        "aggregate",
        Kind.TRANSFORM,
        Inputs.ONE,
        "Makes one row of each group of rows, in the order of the groups' keys, nulls last.",
        List.of(
            Parameter.columns("by")
                .doc(
                    "The columns whose values make a group; nulls are a group, too. Without it all"
                        + " rows are one group."),
            Parameter.object(PARAMETER)
                .require()
                .doc(
                    "Columns of the result: count for the rows of a group, or {function: column}"
                        + " with count (of values), count_distinct, sum, mean, stddev, min or max."
                        + " Nulls and NaN do not count; of no value all but the counts are null.")),
        List.of(
            """
            pipeline:
              name: sales
              steps:
                - id: read
                  service: extract_csv
                  params: {file_path: purchases.csv}
                - id: customers
                  service: aggregate
                  depends_on: [read]
                  params:
                    by: [customer]
                    aggregates:
                      purchases: count
                      pieces: {sum: quantity}
                      dearest: {max: price}
                - id: save
                  service: load_data
                  depends_on: [customers]
                  params: {format: csv}
            """));
  }

  @Override
  @Nullable
  public Rows lower(Step step, List<Rows> inputs) {
    Rows in = inputs.get(0);
    if (!step.bounded()) {
      step.error(null, "the input never ends, so that no group is ever complete");
      return null;
    }
    List<String> by = List.copyOf(new LinkedHashSet<>(step.arguments().texts("by")));
    Map<String, Aggregate> aggregates = read(step, in, by);
    if (aggregates == null || !keysAreComparable(step, in, by)) {
      return null;
    }
    Set<String> used = new LinkedHashSet<>(by);
    aggregates.values().stream()
        .filter(aggregate -> aggregate.column() != null)
        .forEach(aggregate -> used.add(aggregate.column()));
    Rows plain = MissingValues.asNulls(step, in, used);
    List<Expression> select = new ArrayList<>();
    by.forEach(column -> select.add($(column)));
    aggregates.forEach(
        (name, aggregate) ->
            select.add(
                (aggregate.column() == null
                        ? lit(1).count()
                        : aggregate
                            .function()
                            .of(aggregate.column(), plain.type(aggregate.column())))
                    .as(name)));
    Table groups =
        by.isEmpty()
            ? plain.table().select(select.toArray(Expression[]::new))
            : plain
                .table()
                .groupBy(by.stream().map(c -> (Expression) $(c)).toArray(Expression[]::new))
                .select(select.toArray(Expression[]::new));
    return ordered(step, groups, by);
  }

  /** The result's columns; null when a problem was reported. */
  @Nullable
  private static Map<String, Aggregate> read(Step step, Rows in, List<String> by) {
    JsonNode written = step.arguments().raw(PARAMETER);
    if (written == null || !written.isObject() || written.isEmpty()) {
      step.error(
          PARAMETER,
          "aggregates must be a map of columns, such as {rows: count, total: {sum: price}}");
      return null;
    }
    Map<String, Aggregate> aggregates = new LinkedHashMap<>();
    boolean sound = true;
    for (Map.Entry<String, JsonNode> entry : written.properties()) {
      String name = entry.getKey();
      if (by.contains(name)) {
        step.error(PARAMETER, "aggregates has '" + name + "', which is a column of by, too");
        sound = false;
        continue;
      }
      Aggregate aggregate =
          ColumnTexts.isNameable(step, PARAMETER, name)
              ? aggregate(step, PARAMETER + "." + name, entry.getValue(), in)
              : null;
      sound &= aggregate != null;
      aggregates.put(name, aggregate);
    }
    return sound ? aggregates : null;
  }

  @Nullable
  private static Aggregate aggregate(Step step, String key, JsonNode written, Rows in) {
    if (written.isTextual() && written.asText().equals(Function.COUNT.label())) {
      return new Aggregate(Function.COUNT, null);
    }
    if (!written.isObject() || written.size() != 1 || !written.iterator().next().isTextual()) {
      step.error(
          PARAMETER,
          key
              + " is '"
              + (written.isTextual() ? written.asText() : written.toString())
              + "', but must be count, or one of "
              + Function.labels()
              + " with its column, such as {sum: price}");
      return null;
    }
    Map.Entry<String, JsonNode> only = written.properties().iterator().next();
    Function function = Function.labelled(only.getKey());
    if (function == null) {
      step.error(
          PARAMETER,
          key + " has '" + only.getKey() + "', but must have one of " + Function.labels());
      return null;
    }
    String column = only.getValue().asText();
    if (!ColumnTexts.areThere(step, PARAMETER, Set.of(column), in)) {
      return null;
    }
    if (!function.takes(ColumnKind.of(in.type(column)))) {
      step.error(
          PARAMETER,
          key
              + " is the "
              + function.label()
              + " of '"
              + column
              + "', which is "
              + ColumnKind.name(in.type(column).getLogicalType())
              + (function == Function.SUM
                      || function == Function.MEAN
                      || function == Function.STDDEV
                  ? ", but must be numbers"
                  : ", whose values cannot be compared"));
      return null;
    }
    return new Aggregate(function, column);
  }

  private static boolean keysAreComparable(Step step, Rows in, List<String> by) {
    for (String column : by) {
      if (ColumnKind.of(in.type(column)) == ColumnKind.OTHER) {
        step.error(
            "by",
            "by has '"
                + column
                + "', which is "
                + ColumnKind.name(in.type(column).getLogicalType())
                + ", whose values cannot be compared");
        return false;
      }
    }
    return true;
  }

  private static Rows ordered(Step step, Table groups, List<String> by) {
    String place =
        by.isEmpty()
            ? "CAST(0 AS BIGINT)"
            : "ROW_NUMBER() OVER (ORDER BY "
                + by.stream()
                    .map(column -> Rows.quote(column) + " ASC NULLS LAST")
                    .collect(Collectors.joining(", "))
                + ")";
    String order = Rows.orderColumn(0);
    return new Rows(
        step.tables()
            .sqlQuery("SELECT *, " + place + " AS " + Rows.quote(order) + " FROM " + groups),
        List.of(order));
  }

  @Override
  public Map<String, Object> figures(Outcome outcome) {
    return Map.of("groups", outcome.out().rows());
  }
}

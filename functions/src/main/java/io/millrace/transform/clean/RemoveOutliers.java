package io.millrace.transform.clean;

import static org.apache.flink.table.api.Expressions.$;
import static org.apache.flink.table.api.Expressions.call;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.transform.Arguments;
import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Outcome;
import io.millrace.transform.Parameter;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.Transform;
import io.millrace.transform.column.ColumnKind;
import io.millrace.transform.function.Moments;
import io.millrace.transform.function.ToNumber;
import io.millrace.transform.keyed.DropOutliers;
import io.millrace.transform.keyed.KeyedRows;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.table.api.ApiExpression;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.types.Row;

/**
 * {@code outlier_detection}: leaves out rows whose value is more than so many sample deviations
 * from the mean of its column. Rows without a number there stay.
 */
public final class RemoveOutliers implements Transform {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String STATISTICS = "statistics";

  private static final Declaration DECLARATION =
      new Declaration(
          "outlier_detection",
          Kind.TRANSFORM,
          Inputs.ONE,
          "Removes rows whose value is far from the mean of its column.",
          List.of(
              Parameter.column("column")
                  .require()
                  .doc(
                      "The column of numbers, or of texts, of which those that are numbers count."),
              Parameter.number("z_threshold")
                  .above(0)
                  .defaultTo(3.0)
                  .doc(
                      "How many sample deviations a value may be from the mean. Rows with no number"
                          + " stay, and so do all rows when the values are one or the same."),
              Parameter.text("missing_columns")
                  .oneOf("fail", "ignore")
                  .defaultTo("fail")
                  .doc("Whether a column that is not there is an error; else all rows stay."),
              Parameter.key(),
              Parameter.over()),
          List.of(
              """
              pipeline:
                name: outliers
                steps:
                  - id: read
                    service: extract_csv
                    params: {file_path: orders.csv}
                  - id: usual
                    service: outlier_detection
                    params: {column: amount, z_threshold: 2.5}
                    depends_on: [read]
                  - id: save
                    service: load_data
                    params: {format: csv}
                    depends_on: [usual]
              """));

  @Override
  public Declaration declaration() {
    return DECLARATION;
  }

  @Override
  public boolean needsScope(Arguments arguments) {
    return true;
  }

  @Override
  @Nullable
  public Rows lower(Step step, List<Rows> inputs) {
    Rows rows = inputs.get(0);
    String column = step.arguments().text("column");
    double threshold = step.arguments().number("z_threshold");
    if (!Double.isFinite(threshold) || threshold <= 0) {
      step.error(
          "z_threshold",
          "z_threshold is '" + threshold + "', but must be a positive finite number");
      return null;
    }
    if (!rows.columns().contains(column)) {
      step.warn("column", "column '" + column + "' is not there: all rows stay");
      return rows;
    }
    ApiExpression number = number(step, rows, column);
    if (number == null) {
      return null;
    }
    if (!step.bounded()) {
      return byKey(step, rows, threshold, number);
    }
    KeyedRows.warnOfScope(step);
    DataStream<Row> statistics = statistics(step, rows, column, number);
    // One row in, one row out: the aggregation tells the planner so, which then broadcasts it.
    Table once =
        step.tables()
            .sqlQuery(
                "SELECT MAX(mean) AS `__mean`, MAX(stddev) AS `__stddev` FROM "
                    + step.tables().fromDataStream(statistics));
    Table numbered = rows.table().addColumns(number.as("__number"));
    String columns = String.join(", ", rows.all().stream().map(Rows::quote).toList());
    return rows.with(
        step.tables()
            .sqlQuery(
                "SELECT "
                    + columns
                    + " FROM "
                    + numbered
                    + " CROSS JOIN "
                    + once
                    + " WHERE (`__stddev` > 0 AND ABS(`__number` - `__mean`) / `__stddev` > CAST('"
                    + threshold
                    + "' AS DOUBLE)) IS NOT TRUE"));
  }

  /** Of unbounded rows, by the values of each key up to the row. */
  @Nullable
  private static Rows byKey(Step step, Rows rows, double threshold, ApiExpression number) {
    Rows numbered = rows.with(rows.table().addColumns(number.as("__number")));
    KeyedRows keyed = KeyedRows.of(step, numbered);
    if (keyed == null) {
      return null;
    }
    RowType type = keyed.type();
    RowType output = new RowType(false, type.getFields().subList(0, type.getFieldCount() - 1));
    return rows.with(
        keyed.through(step, "usual", new DropOutliers(keyed.scope(), threshold, type), output));
  }

  @Nullable
  private static ApiExpression number(Step step, Rows rows, String column) {
    return switch (ColumnKind.of(rows.type(column))) {
      case INTEGER, FLOATING, DECIMAL -> $(column).cast(DataTypes.DOUBLE());
      case BOOLEAN -> $(column).cast(DataTypes.INT()).cast(DataTypes.DOUBLE());
      case TEXT -> call(ToNumber.class, $(column).cast(DataTypes.STRING()));
      case TEMPORAL, OTHER -> {
        step.error(
            "column",
            "column is '"
                + column
                + "' of type "
                + ColumnKind.name(rows.type(column).getLogicalType())
                + ", but must be numbers, booleans or text");
        yield null;
      }
    };
  }

  private static DataStream<Row> statistics(
      Step step, Rows rows, String column, ApiExpression number) {
    Table table =
        rows.table()
            .select(call(Moments.class, number).as("m"))
            .select(
                $("m").get("n").as("n"),
                $("m").get("mean").as("mean"),
                $("m").get("stddev").as("stddev"));
    DataStream<Row> moments = step.tables().toDataStream(table);
    DataStream<Row> checked =
        moments
            .map(new RequireNumbers(step.id(), column))
            .returns(moments.getType())
            .uid(step.id() + ":statistics")
            .name(step.id() + ":statistics")
            .setParallelism(1);
    step.collect(
        STATISTICS,
        checked
            .map(new TellStatistics())
            .returns(Types.STRING)
            .uid(step.id() + ":tell-statistics")
            .name(step.id() + ":tell-statistics")
            .setParallelism(1));
    return checked;
  }

  /** Ends the job when there is nothing to take a mean of. */
  public static final class RequireNumbers implements MapFunction<Row, Row> {
    private static final long serialVersionUID = 1L;
    private final String step;
    private final String column;

    public RequireNumbers(String step, String column) {
      this.step = step;
      this.column = column;
    }

    @Override
    public Row map(Row row) {
      if ((Long) row.getField("n") == 0) {
        throw new IllegalArgumentException(
            "step '" + step + "': column '" + column + "' has no numeric value");
      }
      return row;
    }
  }

  /** The statistics as JSON. */
  public static final class TellStatistics implements MapFunction<Row, String> {
    private static final long serialVersionUID = 1L;

    @Override
    public String map(Row row) throws JsonProcessingException {
      Map<String, Object> told = new LinkedHashMap<>();
      for (String name : List.of("mean", "stddev")) {
        Double value = (Double) row.getField(name);
        told.put(name, value == null || !Double.isFinite(value) ? null : value);
      }
      return JSON.writeValueAsString(told);
    }
  }

  @Override
  public Map<String, Object> figures(Outcome outcome) {
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("column", outcome.arguments().text("column"));
    figures.put("z_threshold", outcome.arguments().number("z_threshold"));
    for (String text : outcome.collected().getOrDefault(STATISTICS, List.of())) {
      try {
        JSON.readTree(text).properties().forEach(e -> figures.put(e.getKey(), e.getValue()));
      } catch (JsonProcessingException e) {
        throw new IllegalStateException("statistics of outliers are no JSON: " + text, e);
      }
    }
    figures.put("removed_outliers", outcome.in().get(0).rows() - outcome.out().rows());
    return figures;
  }
}

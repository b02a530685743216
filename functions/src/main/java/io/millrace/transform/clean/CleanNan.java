package io.millrace.transform.clean;

import static org.apache.flink.table.api.Expressions.$;
import static org.apache.flink.table.api.Expressions.call;

import com.fasterxml.jackson.databind.JsonNode;
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
import io.millrace.transform.column.MissingValues;
import io.millrace.transform.column.ValueFrequencies;
import io.millrace.transform.function.Moments;
import io.millrace.transform.keyed.KeyedRows;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.annotation.Nullable;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.expressions.Expression;
import org.apache.flink.table.types.logical.LogicalType;

/**
 * {@code clean_nan}: drops rows with missing values, or fills them. Missing is a null, and NaN in
 * columns of FLOAT and DOUBLE.
 */
public final class CleanNan implements Transform {
  private static final Declaration DECLARATION =
      new Declaration(
          "clean_nan",
          Kind.TRANSFORM,
          Inputs.ONE,
          "Drops rows with missing values, or fills them.",
          List.of(
              Parameter.text("strategy")
                  .oneOf(
                      "drop",
                      "fill_mean",
                      "fill_median",
                      "fill_mode",
                      "fill_value",
                      "ffill",
                      "bfill")
                  .defaultTo("drop")
                  .doc(
                      "drop leaves out rows with a missing value. fill_mean and fill_median fill"
                          + " numeric columns only: whole numbers become DOUBLE unless they are NOT"
                          + " NULL, decimals are rounded to their scale. fill_mode takes the most"
                          + " frequent value, of several the smallest. ffill and bfill take the"
                          + " nearest value before or behind in the order of rows. On unbounded"
                          + " input, the statistics are those of the key up to the row, by event"
                          + " time, and there is no bfill."),
              Parameter.scalar("fill_value")
                  .doc(
                      "What fill_value fills with. It has to fit the columns; a fraction makes"
                          + " whole numbers DOUBLE."),
              Parameter.columns("columns").doc("The columns to look at; all when it is left out."),
              Parameter.text("missing_columns")
                  .oneOf("fail", "ignore")
                  .defaultTo("fail")
                  .doc("Whether columns that are not there are an error."),
              Parameter.key(),
              Parameter.over()),
          List.of(
              """
              pipeline:
                name: clean
                steps:
                  - id: read
                    service: extract_csv
                    params: {file_path: hr.csv}
                  - id: fill
                    service: clean_nan
                    params: {strategy: fill_median}
                    depends_on: [read]
                  - id: save
                    service: load_data
                    params: {format: csv}
                    depends_on: [fill]
              """));

  /** They look at one row alone. */
  private static final Set<String> NEED_NO_SCOPE = Set.of("drop", "fill_value");

  @Override
  public Declaration declaration() {
    return DECLARATION;
  }

  @Override
  public boolean needsScope(Arguments arguments) {
    String strategy = arguments.text("strategy");
    // It is refused, whatever its scope.
    return !NEED_NO_SCOPE.contains(strategy) && !strategy.equals("bfill");
  }

  @Override
  @Nullable
  public Rows lower(Step step, List<Rows> inputs) {
    String strategy = step.arguments().text("strategy");
    boolean all = step.arguments().texts("columns").isEmpty();
    List<String> columns =
        all
            ? inputs.get(0).columns()
            : ColumnKind.present(inputs.get(0), step.arguments().texts("columns"));
    JsonNode value = step.arguments().raw("fill_value");
    if (strategy.equals("fill_value") && (value == null || value.isNull())) {
      step.error("fill_value", "fill_value is required when strategy is 'fill_value'");
      return null;
    }
    if (columns.isEmpty()) {
      return inputs.get(0);
    }
    Rows rows = MissingValues.asNulls(step, inputs.get(0), new LinkedHashSet<>(columns));
    if (!step.bounded() && !NEED_NO_SCOPE.contains(strategy)) {
      return CleanNanByKey.lower(step, rows, columns, all);
    }
    if (step.bounded()) {
      KeyedRows.warnOfScope(step);
    }
    return switch (strategy) {
      case "drop" -> drop(rows, columns);
      case "fill_mean" -> fillMean(step, rows, numeric(rows, columns));
      case "fill_median" -> fillMedian(step, rows, numeric(rows, columns));
      case "fill_mode" -> fillMode(step, rows, columns, all);
      case "fill_value" -> FillValue.lower(step, rows, columns, all, value);
      case "ffill" -> fillFromNeighbour(step, rows, columns, true);
      case "bfill" -> fillFromNeighbour(step, rows, columns, false);
      default -> throw new IllegalArgumentException("strategy " + strategy);
    };
  }

  private static Rows drop(Rows rows, List<String> columns) {
    Table table = rows.table();
    for (String column : columns) {
      table = table.where($(column).isNotNull());
    }
    return rows.with(table);
  }

  static List<String> numeric(Rows rows, List<String> columns) {
    return columns.stream()
        .filter(c -> ColumnKind.of(rows.type(c)).isNumeric())
        .filter(c -> rows.type(c).getLogicalType().isNullable())
        .toList();
  }

  private static Rows fillMean(Step step, Rows rows, List<String> columns) {
    if (columns.isEmpty()) {
      return rows;
    }
    List<Expression> moments = new ArrayList<>();
    List<Expression> means = new ArrayList<>();
    for (int i = 0; i < columns.size(); i++) {
      moments.add(call(Moments.class, $(columns.get(i)).cast(DataTypes.DOUBLE())).as("m" + i));
      means.add($("m" + i).get("mean").as("f" + i));
    }
    Table table =
        rows.table()
            .select(moments.toArray(Expression[]::new))
            .select(means.toArray(Expression[]::new));
    return fill(step, rows, table, columns, numberFills(rows, columns));
  }

  private static Rows fillMedian(Step step, Rows rows, List<String> columns) {
    if (columns.isEmpty()) {
      return rows;
    }
    Table places =
        ValueFrequencies.places(step.tables(), ValueFrequencies.of(step.tables(), rows, columns));
    List<String> medians = new ArrayList<>();
    for (int i = 0; i < columns.size(); i++) {
      String low = ValueFrequencies.at(i, "(n - 1) / 2");
      String high = ValueFrequencies.at(i, "n / 2");
      medians.add("(" + low + " + " + high + ") / 2 AS f" + i);
    }
    Table table =
        step.tables().sqlQuery("SELECT " + String.join(", ", medians) + " FROM " + places);
    return fill(step, rows, table, columns, numberFills(rows, columns));
  }

  /** SQL of what fills each column, from the number f0, f1, ... */
  private static Map<String, Fill> numberFills(Rows rows, List<String> columns) {
    Map<String, Fill> fills = new LinkedHashMap<>();
    for (int i = 0; i < columns.size(); i++) {
      LogicalType type = rows.type(columns.get(i)).getLogicalType();
      String sql = ColumnKind.of(type) == ColumnKind.INTEGER ? "DOUBLE" : ColumnKind.sql(type);
      fills.put(columns.get(i), new Fill(sql, "CAST(f" + i + " AS " + sql + ")"));
    }
    return fills;
  }

  /** The columns that have a mode and may be null; null when a problem was reported. */
  @Nullable
  static List<String> countable(Step step, Rows rows, List<String> columns, boolean all) {
    List<String> wanted = new ArrayList<>();
    for (String column : columns) {
      LogicalType type = rows.type(column).getLogicalType();
      if (ColumnKind.of(type) != ColumnKind.OTHER) {
        wanted.add(column);
      } else if (!all) {
        step.error(
            "columns",
            "columns has '"
                + column
                + "', which is "
                + ColumnKind.name(type)
                + ": it has no mode; numbers, text, booleans and times do");
        return null;
      }
    }
    wanted.removeIf(column -> !rows.type(column).getLogicalType().isNullable());
    return wanted;
  }

  @Nullable
  private static Rows fillMode(Step step, Rows rows, List<String> columns, boolean all) {
    List<String> wanted = countable(step, rows, columns, all);
    if (wanted == null || wanted.isEmpty()) {
      return wanted == null ? null : rows;
    }
    Table frequencies = ValueFrequencies.of(step.tables(), rows, wanted);
    List<String> held = new ArrayList<>();
    Map<String, Fill> fills = new LinkedHashMap<>();
    for (int i = 0; i < wanted.size(); i++) {
      for (String part : List.of("l", "d", "s")) {
        held.add("MAX(CASE WHEN col = " + i + " THEN " + part + " END) AS " + part + i);
      }
      LogicalType type = rows.type(wanted.get(i)).getLogicalType();
      fills.put(
          wanted.get(i),
          new Fill(
              ColumnKind.sql(type), ValueFrequencies.restore("l" + i, "d" + i, "s" + i, type)));
    }
    Table table =
        step.tables()
            .sqlQuery(
                "SELECT "
                    + String.join(", ", held)
                    + " FROM (SELECT col, l, d, s, ROW_NUMBER() OVER (PARTITION BY col"
                    + " ORDER BY cnt DESC, l, d, s) AS place FROM "
                    + frequencies
                    + ") WHERE place = 1");
    return fill(step, rows, table, wanted, fills);
  }

  /**
   * What fills a column.
   *
   * @param type the SQL type that the column then has
   * @param sql an expression over the table of statistics
   */
  private record Fill(String type, String sql) {}

  /** Joins the one row of statistics to every row, and fills from it. */
  private static Rows fill(
      Step step, Rows rows, Table statistics, List<String> columns, Map<String, Fill> fills) {
    List<String> values = new ArrayList<>();
    for (int i = 0; i < columns.size(); i++) {
      values.add(fills.get(columns.get(i)).sql() + " AS `__fill_" + i + "`");
    }
    List<String> select = new ArrayList<>();
    for (String column : rows.all()) {
      String c = Rows.quote(column);
      int i = columns.indexOf(column);
      if (i < 0) {
        select.add("t." + c);
      } else {
        String type = fills.get(column).type();
        select.add("COALESCE(CAST(t." + c + " AS " + type + "), f.`__fill_" + i + "`) AS " + c);
      }
    }
    return rows.with(
        step.tables()
            .sqlQuery(
                "SELECT "
                    + String.join(", ", select)
                    + " FROM "
                    + rows.table()
                    + " AS t CROSS JOIN (SELECT "
                    + String.join(", ", values)
                    + " FROM "
                    + statistics
                    + ") AS f"));
  }

  private static Rows fillFromNeighbour(
      Step step, Rows rows, List<String> columns, boolean forward) {
    String window =
        " OVER (ORDER BY "
            + rows.orderBy(forward)
            + " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS ";
    List<String> select = new ArrayList<>();
    for (String column : rows.all()) {
      String c = Rows.quote(column);
      select.add(columns.contains(column) ? "LAST_VALUE(" + c + ")" + window + c : c);
    }
    return rows.with(
        step.tables().sqlQuery("SELECT " + String.join(", ", select) + " FROM " + rows.table()));
  }

  @Override
  public Map<String, Object> figures(Outcome outcome) {
    Outcome.Counts in = outcome.in().get(0);
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("strategy", outcome.arguments().text("strategy"));
    figures.put("cells", in.rows() * in.columns().size());
    figures.put("nulls_total", in.allNulls());
    figures.put("nulls_handled", in.allNulls() - outcome.out().allNulls());
    return figures;
  }
}

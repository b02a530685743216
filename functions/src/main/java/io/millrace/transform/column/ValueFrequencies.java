package io.millrace.transform.column;

import io.millrace.transform.Rows;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.types.logical.LogicalType;

/**
 * How often each value of some columns occurs, in one aggregation for all of them: what medians,
 * modes and counts of distinct values come from, in memory that does not grow with the rows.
 *
 * <p>A value is held by {@code l}, {@code d} or {@code s}, so that sorting by the three sorts it as
 * its type does; {@code col} is the position of its column in the list given. Nulls are left out.
 */
public final class ValueFrequencies {
  private ValueFrequencies() {}

  /** A table of (col, l, d, s, cnt). Columns of binary and nested values cannot be had. */
  public static Table of(StreamTableEnvironment tables, Rows rows, List<String> columns) {
    List<String> cells = new ArrayList<>();
    for (int i = 0; i < columns.size(); i++) {
      cells.add(cell(i, columns.get(i), rows.type(columns.get(i)).getLogicalType()));
    }
    return tables.sqlQuery(
        "SELECT col, l, d, s, COUNT(*) AS cnt FROM (SELECT u.col, u.l, u.d, u.s FROM "
            + rows.table()
            + " CROSS JOIN UNNEST(ARRAY["
            + String.join(", ", cells)
            + "]) AS u (col, l, d, s)) WHERE l IS NOT NULL OR d IS NOT NULL OR s IS NOT NULL"
            + " GROUP BY col, l, d, s");
  }

  private static String cell(int position, String column, LogicalType type) {
    String c = Rows.quote(column);
    String l = "CAST(NULL AS BIGINT)";
    String d = "CAST(NULL AS DOUBLE)";
    String s = "CAST(NULL AS STRING)";
    switch (ColumnKind.of(type)) {
      case INTEGER -> l = "CAST(" + c + " AS BIGINT)";
      case BOOLEAN ->
          l =
              "CASE WHEN "
                  + c
                  + " THEN CAST(1 AS BIGINT) WHEN NOT "
                  + c
                  + " THEN CAST(0 AS BIGINT) END";
      case FLOATING -> d = "CAST(" + c + " AS DOUBLE)";
      case DECIMAL -> {
        d = "CAST(" + c + " AS DOUBLE)";
        s = "CAST(" + c + " AS STRING)";
      }
      case TEXT, TEMPORAL -> s = "CAST(" + c + " AS STRING)";
      case OTHER -> throw new IllegalArgumentException(column + " is " + ColumnKind.name(type));
    }
    return "ROW(" + position + ", " + l + ", " + d + ", " + s + ")";
  }

  /** SQL that gives a value of that type back from what holds it. */
  public static String restore(String l, String d, String s, LogicalType type) {
    return switch (ColumnKind.of(type)) {
      case INTEGER -> "CAST(" + l + " AS " + ColumnKind.sql(type) + ")";
      case BOOLEAN -> "(" + l + " = 1)";
      case FLOATING -> "CAST(" + d + " AS " + ColumnKind.sql(type) + ")";
      default -> "CAST(" + s + " AS " + ColumnKind.sql(type) + ")";
    };
  }

  /**
   * The values, as numbers, in order: (col, v, before, upto, n), where the value holds the places
   * from {@code before} (0 the first) to below {@code upto} among the {@code n} of its column.
   */
  public static Table places(StreamTableEnvironment tables, Table frequencies) {
    return tables.sqlQuery(
        "SELECT col, v, upto - cnt AS `before`, upto, n FROM (SELECT col, v, cnt,"
            + " SUM(cnt) OVER (PARTITION BY col ORDER BY v"
            + " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS upto,"
            + " SUM(cnt) OVER (PARTITION BY col) AS n"
            + " FROM (SELECT col, COALESCE(d, CAST(l AS DOUBLE)) AS v, cnt FROM "
            + frequencies
            + "))");
  }

  /** SQL for the value at a place, aggregated from {@link #places}; the place may use {@code n}. */
  public static String at(int column, String place) {
    return "MAX(CASE WHEN col = "
        + column
        + " AND `before` <= "
        + place
        + " AND "
        + place
        + " < upto THEN v END)";
  }
}

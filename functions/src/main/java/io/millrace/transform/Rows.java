package io.millrace.transform;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.types.DataType;

/**
 * The rows that one step hands to the next: a table, whose order of rows is kept in hidden columns,
 * because a parallel plan keeps none.
 *
 * @param table the visible columns, then the hidden ones
 * @param order names of the hidden BIGINT columns that, sorted by in this sequence with nulls last,
 *     give the rows their order; none for an unbounded input
 */
public record Rows(Table table, List<String> order) {
  private static final String HIDDEN = "__order_";

  public Rows {
    order = List.copyOf(order);
  }

  /** The name of the i-th hidden column. */
  public static String orderColumn(int i) {
    return HIDDEN + i;
  }

  /** Whether a column of that name would be taken for a hidden one. */
  public static boolean isHidden(String column) {
    return column.startsWith(HIDDEN);
  }

  /** The visible columns, in order. */
  public List<String> columns() {
    return table.getResolvedSchema().getColumnNames().stream().filter(c -> !isHidden(c)).toList();
  }

  /** The type of a visible column, which is there. */
  public DataType type(String column) {
    List<String> names = table.getResolvedSchema().getColumnNames();
    return table.getResolvedSchema().getColumnDataTypes().get(names.indexOf(column));
  }

  /** All columns, hidden ones last, as {@code SELECT} has to list them. */
  public List<String> all() {
    List<String> all = new ArrayList<>(columns());
    all.addAll(order);
    return all;
  }

  /** Other columns in the same order of rows; the table has the same hidden columns. */
  public Rows with(Table other) {
    return new Rows(other, order);
  }

  /** {@code `name`}, as SQL has to quote a column that may be called anything. */
  public static String quote(String column) {
    return "`" + column.replace("`", "``") + "`";
  }

  /** {@code ORDER BY} terms, without the keyword; fails for rows that have no order. */
  public String orderBy(boolean ascending) {
    if (order.isEmpty()) {
      throw new IllegalStateException("these rows have no order");
    }
    String direction = ascending ? " ASC NULLS LAST" : " DESC NULLS FIRST";
    return String.join(", ", order.stream().map(c -> quote(c) + direction).toList());
  }
}

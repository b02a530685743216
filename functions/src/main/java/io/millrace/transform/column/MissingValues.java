package io.millrace.transform.column;

import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** Makes every NaN a null, since both say that a value is missing. */
public final class MissingValues {
  private MissingValues() {}

  /**
   * The same rows with nulls for the NaN of the named columns, and zeros without a sign.
   *
   * @param others columns to keep beside the visible ones, where they are there
   */
  public static Rows asNulls(Step step, Rows rows, Set<String> columns, String... others) {
    List<String> select = new ArrayList<>();
    boolean any = false;
    List<String> known = rows.table().getResolvedSchema().getColumnNames();
    List<String> kept = new ArrayList<>(rows.all());
    Stream.of(others).filter(known::contains).forEach(kept::add);
    for (String column : kept) {
      String c = Rows.quote(column);
      if (columns.contains(column) && ColumnKind.of(rows.type(column)) == ColumnKind.FLOATING) {
        // Only NaN is neither: the planner takes c = c for true of every value.
        select.add(
            "CASE WHEN "
                + c
                + " = 0 THEN CAST(0 AS "
                + ColumnKind.sql(rows.type(column).getLogicalType())
                + ") WHEN ABS("
                + c
                + ") > 0 THEN "
                + c
                + " END AS "
                + c);
        any = true;
      } else {
        select.add(c);
      }
    }
    if (!any) {
      return rows;
    }
    return rows.with(
        step.tables().sqlQuery("SELECT " + String.join(", ", select) + " FROM " + rows.table()));
  }
}

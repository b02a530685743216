package io.millrace.lake.parquet;

import io.millrace.lake.catalog.Column;
import io.millrace.lake.catalog.HourPartition;
import io.millrace.lake.catalog.TableSchema;
import java.util.List;

/** Renders tables as the Markdown of docs/tables.md. */
public final class TableDocs {
  private TableDocs() {}

  /** One section per table, in the given order. */
  public static String markdown(List<TableSchema> tables) {
    StringBuilder out = new StringBuilder();
    for (TableSchema table : tables) {
      out.append("## ").append(table.path()).append("\n\n").append(table.doc()).append("\n\n");
      out.append("| column | type | null | meaning |\n|---|---|---|---|\n");
      for (Column column : table.columns()) {
        row(out, column.name(), column.type().hive(), !column.required(), column.doc());
      }
      for (String column : HourPartition.COLUMNS) {
        row(out, column, "string", false, "partition, zero-padded, UTC");
      }
      out.append('\n');
    }
    return out.toString();
  }

  private static void row(
      StringBuilder out, String name, String type, boolean nullable, String doc) {
    out.append("| `").append(name).append("` | `").append(type).append("` | ");
    out.append(nullable ? "yes" : "never").append(" | ");
    out.append(doc.replace("|", "\\|")).append(" |\n");
  }
}

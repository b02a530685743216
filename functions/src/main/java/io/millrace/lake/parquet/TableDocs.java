package io.millrace.lake.parquet;

import io.millrace.event.RejectReason;
import io.millrace.lake.catalog.Column;
import io.millrace.lake.catalog.TableSchema;
import java.util.List;
import java.util.Locale;

/** Renders what docs/tables.md tells of tables and reject reasons. */
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
      for (String column : table.granularity().columns()) {
        row(out, column, "string", false, "partition, zero-padded, UTC");
      }
      out.append('\n');
    }
    return out.toString();
  }

  /** The reasons for which a record is rejected, by code. */
  public static String rejectReasons() {
    StringBuilder out = new StringBuilder("| code | owner | meaning |\n|---|---|---|\n");
    for (RejectReason reason : RejectReason.values()) {
      out.append("| `").append(reason.code()).append("` | ");
      out.append(reason.owner().name().toLowerCase(Locale.ROOT)).append(" | ");
      out.append(reason.meaning().replace("|", "\\|")).append(" |\n");
    }
    return out.append('\n').toString();
  }

  private static void row(
      StringBuilder out, String name, String type, boolean nullable, String doc) {
    out.append("| `").append(name).append("` | `").append(type).append("` | ");
    out.append(nullable ? "yes" : "never").append(" | ");
    out.append(doc.replace("|", "\\|")).append(" |\n");
  }
}

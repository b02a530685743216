package io.millrace.lake.catalog;

import java.util.List;
import java.util.stream.Collectors;

/** Renders tables as the statements of sql/ddl/hive.sql, for those who register them by hand. */
public final class HiveDdl {
  /** Stands for the lake's root in the statements. */
  public static final String ROOT = "${lake}";

  private HiveDdl() {}

  /** A CREATE EXTERNAL TABLE statement per table, in the given order. */
  public static String createTables(List<TableSchema> tables) {
    return tables.stream().map(HiveDdl::createTable).collect(Collectors.joining("\n"));
  }

  private static String createTable(TableSchema table) {
    return "CREATE EXTERNAL TABLE IF NOT EXISTS `"
        + table.name()
        + "` (\n"
        + table.columns().stream()
            .map(c -> column(c.name(), c.type(), c.doc()))
            .collect(Collectors.joining(",\n"))
        + "\n)\nCOMMENT "
        + text(table.doc())
        + "\nPARTITIONED BY (\n"
        + table.granularity().columns().stream()
            .map(c -> column(c, LakeType.STRING, "UTC, zero-padded"))
            .collect(Collectors.joining(",\n"))
        + "\n)\nSTORED AS PARQUET\nLOCATION '"
        + ROOT
        + "/"
        + table.path()
        + "';\n";
  }

  private static String column(String name, LakeType type, String doc) {
    return "  `" + name + "` " + type.hive() + " COMMENT " + text(doc);
  }

  private static String text(String value) {
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'";
  }
}

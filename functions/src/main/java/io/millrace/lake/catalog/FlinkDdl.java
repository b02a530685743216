package io.millrace.lake.catalog;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Renders tables as the statements of sql/catalogs/lake.sql, for Flink's SQL client. */
public final class FlinkDdl {
  /** Stands for the lake's root in the statements. */
  public static final String ROOT = "${lake}";

  private FlinkDdl() {}

  /** A CREATE TABLE statement per table, in the given order. */
  public static String createTables(List<TableSchema> tables) {
    return tables.stream().map(FlinkDdl::createTable).collect(Collectors.joining("\n"));
  }

  private static String createTable(TableSchema table) {
    List<String> partitions = table.granularity().columns();
    return "CREATE TABLE `"
        + table.name()
        + "` (\n"
        + Stream.concat(
                table.columns().stream().map(c -> column(c.name(), c.type(), c.doc())),
                partitions.stream().map(c -> column(c, LakeType.STRING, "UTC, zero-padded")))
            .collect(Collectors.joining(",\n"))
        + "\n)\nCOMMENT "
        + text(table.doc())
        + "\nPARTITIONED BY ("
        + partitions.stream().map(c -> "`" + c + "`").collect(Collectors.joining(", "))
        + ")\nWITH (\n  'connector' = 'filesystem',\n  'path' = '"
        + ROOT
        + "/"
        + table.path()
        + "',\n  'format' = 'parquet',\n  'parquet.utc-timezone' = 'true'\n);\n";
  }

  private static String column(String name, LakeType type, String doc) {
    return "  `" + name + "` " + sql(type) + " COMMENT " + text(doc);
  }

  private static String sql(LakeType type) {
    List<Column> children = type.children();
    return switch (type.kind()) {
      case STRING -> "STRING";
      case LONG -> "BIGINT";
      case INT -> "INT";
      case DOUBLE -> "DOUBLE";
      case BOOLEAN -> "BOOLEAN";
      case TIMESTAMP -> "TIMESTAMP(3)";
      case BINARY -> "BYTES";
      case MAP -> "MAP<" + sql(children.get(0).type()) + ", " + sql(children.get(1).type()) + ">";
      case ARRAY -> "ARRAY<" + sql(children.get(0).type()) + ">";
      case STRUCT ->
          children.stream()
              .map(c -> "`" + c.name() + "` " + sql(c.type()))
              .collect(Collectors.joining(", ", "ROW<", ">"));
    };
  }

  private static String text(String value) {
    return "'" + value.replace("'", "''") + "'";
  }
}

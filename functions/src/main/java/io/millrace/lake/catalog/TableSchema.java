package io.millrace.lake.catalog;

import java.io.Serializable;
import java.util.List;
import java.util.Objects;

/**
 * A lake table as the code declares it; catalog tables and Parquet files are made from it.
 *
 * @param name the table's name in the catalog's database, as {@code app_events}
 * @param path its folder below the lake's root, as {@code processed/app_events}
 * @param columns in order; the partition columns are not among them
 * @param doc what a row is, in one line
 * @param granularity what a partition spans
 */
public record TableSchema(
    String name, String path, List<Column> columns, String doc, Granularity granularity)
    implements Serializable {
  public TableSchema {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(doc, "doc");
    Objects.requireNonNull(granularity, "granularity");
    columns = List.copyOf(columns);
    for (Column column : columns) {
      if (granularity.columns().contains(column.name())) {
        throw new IllegalArgumentException(
            "table " + name + ": '" + column.name() + "' is the name of a partition column");
      }
    }
  }

  /** A table that is partitioned by hour. */
  public TableSchema(String name, String path, List<Column> columns, String doc) {
    this(name, path, columns, doc, Granularity.HOUR);
  }
}

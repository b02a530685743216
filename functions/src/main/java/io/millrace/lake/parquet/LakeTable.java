package io.millrace.lake.parquet;

import io.millrace.event.Origin;
import io.millrace.lake.catalog.TableSchema;
import java.io.IOException;
import java.io.Serializable;
import java.util.Set;
import javax.annotation.Nullable;

/**
 * Binds a table's schema to the record that its rows are made from. Implementations hold no state,
 * so that a job can carry them.
 */
public interface LakeTable<T> extends Serializable {

  /** The columns, in the order in which {@link #write} hands them over. */
  TableSchema schema();

  /** Written to every file; goes up by one when a release adds columns. */
  int schemaVersion();

  /** The time whose hour or day is the row's partition, epoch ms. */
  long partitionTime(T row);

  /** Where the row came from, for the lineage of its file; null when it has no single origin. */
  @Nullable
  Origin origin(T row);

  /** String columns whose values hardly repeat: a dictionary of them would cost and not pay. */
  default Set<String> uniqueColumns() {
    return Set.of();
  }

  /** Hands over every column of one row, in the schema's order. */
  void write(T row, RowColumns columns) throws IOException;
}

package io.millrace.lake.parquet;

import static io.millrace.lake.catalog.Column.optional;
import static io.millrace.lake.catalog.Column.required;
import static io.millrace.lake.catalog.LakeType.LONG;
import static io.millrace.lake.catalog.LakeType.STRING;
import static io.millrace.lake.catalog.LakeType.TIMESTAMP;

import io.millrace.event.CrossCheck;
import io.millrace.event.Origin;
import io.millrace.lake.catalog.LakeType;
import io.millrace.lake.catalog.TableSchema;
import java.io.IOException;
import java.util.List;
import javax.annotation.Nullable;

/** {@code quality/cross_checks}: figures that must agree, and whether they do. */
public final class CrossCheckTable implements LakeTable<CrossCheck> {
  private static final long serialVersionUID = 1L;

  /** The table's columns. */
  public static final TableSchema SCHEMA =
      new TableSchema(
          "cross_checks",
          "quality/cross_checks",
          List.of(
              required("run_id", STRING, "the run that checked, as in the ledger"),
              required("mode", STRING, "streaming or bounded"),
              required("checked_at", TIMESTAMP, "when it was checked, by the clock"),
              required("checkpoint", LONG, "the figures' checkpoint; -1 for the end of input"),
              required(
                  "name",
                  STRING,
                  "what is checked: leaves_equal_all, users_at_most_leaves or session_events"),
              required("subject", STRING, "the table or counter that it is about"),
              optional("window_start", TIMESTAMP, "start of the window; null for a whole run"),
              required("found", LONG, "the figure that is checked"),
              required("expected", LONG, "what it is compared with"),
              required("holds", LakeType.BOOLEAN, "the verdict")),
          "One row per comparison of two figures that must agree, in the hour when it was made.");

  @Override
  public TableSchema schema() {
    return SCHEMA;
  }

  @Override
  public int schemaVersion() {
    return 1;
  }

  @Override
  public long partitionTime(CrossCheck row) {
    return row.checkedAt();
  }

  @Nullable
  @Override
  public Origin origin(CrossCheck row) {
    return null;
  }

  @Override
  public void write(CrossCheck row, RowColumns columns) throws IOException {
    columns.string(row.runId());
    columns.string(row.mode());
    columns.time(row.checkedAt());
    columns.integer(row.checkpoint());
    columns.string(row.name());
    columns.string(row.subject());
    columns.time(row.windowStart());
    columns.integer(row.found());
    columns.integer(row.expected());
    columns.bool(row.holds());
  }
}

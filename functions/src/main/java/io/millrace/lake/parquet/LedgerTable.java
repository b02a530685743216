package io.millrace.lake.parquet;

import static io.millrace.lake.catalog.Column.required;
import static io.millrace.lake.catalog.LakeType.LONG;
import static io.millrace.lake.catalog.LakeType.STRING;

import io.millrace.event.LedgerEntry;
import io.millrace.event.Origin;
import io.millrace.lake.catalog.LakeType;
import io.millrace.lake.catalog.TableSchema;
import java.io.IOException;
import java.util.List;
import javax.annotation.Nullable;

/** {@code quality/ledger}: what each checkpoint added to the counts of a topic and hour. */
public final class LedgerTable implements LakeTable<LedgerEntry> {
  private static final long serialVersionUID = 1L;

  /** The table's columns. */
  public static final TableSchema SCHEMA =
      new TableSchema(
          "ledger",
          "quality/ledger",
          List.of(
              required("run_id", STRING, "the run that counted; a backfill is a run of its own"),
              required("mode", STRING, "streaming or bounded"),
              required("checkpoint", LONG, "the counts' checkpoint; -1 for the end of input"),
              required("topic", STRING, "the Kafka topic; from files the topic they belong to"),
              required(
                  "hour_start", LakeType.TIMESTAMP, "start of the hour of the Kafka timestamp"),
              required("received", LONG, "records read"),
              required("accepted", LONG, "events kept, late ones among them"),
              required("rejected", LONG, "records in quarantine"),
              required("duplicates", LONG, "events dropped as resends"),
              required("late", LONG, "the accepted events that came too late for final rows")),
          "One row per run, checkpoint, topic and hour: add them up, per run received = accepted +"
              + " rejected + duplicates.");

  @Override
  public TableSchema schema() {
    return SCHEMA;
  }

  @Override
  public int schemaVersion() {
    return 1;
  }

  @Override
  public long partitionTime(LedgerEntry row) {
    return row.hour();
  }

  @Nullable
  @Override
  public Origin origin(LedgerEntry row) {
    return null;
  }

  @Override
  public void write(LedgerEntry row, RowColumns columns) throws IOException {
    columns.string(row.runId());
    columns.string(row.mode());
    columns.integer(row.checkpoint());
    columns.string(row.topic());
    columns.time(row.hour());
    columns.integer(row.received());
    columns.integer(row.accepted());
    columns.integer(row.rejected());
    columns.integer(row.duplicates());
    columns.integer(row.late());
  }
}

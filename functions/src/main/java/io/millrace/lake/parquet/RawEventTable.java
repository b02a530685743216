package io.millrace.lake.parquet;

import io.millrace.event.Origin;
import io.millrace.event.Received;
import io.millrace.lake.catalog.Column;
import io.millrace.lake.catalog.LakeType;
import io.millrace.lake.catalog.TableSchema;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** {@code raw/app_events}: every record byte for byte as it was received, rejected ones too. */
public final class RawEventTable implements LakeTable<Received> {
  private static final long serialVersionUID = 1L;

  /** The table's columns. */
  public static final TableSchema SCHEMA =
      new TableSchema(
          "raw_app_events",
          "raw/app_events",
          columns(),
          "One row per record as it was received, in the hour of its Kafka timestamp; a record"
              + " without any time is in 1970-01-01T00.");

  private static List<Column> columns() {
    List<Column> columns = new ArrayList<>(RecordColumns.ORIGIN);
    columns.add(RecordColumns.KEY);
    columns.add(RecordColumns.HEADERS);
    columns.add(Column.optional("value", LakeType.BINARY, "the Kafka value; null for a tombstone"));
    columns.add(
        Column.required("accepted", LakeType.BOOLEAN, "whether validation found an event in it"));
    return columns;
  }

  @Override
  public TableSchema schema() {
    return SCHEMA;
  }

  @Override
  public int schemaVersion() {
    return 1;
  }

  @Override
  public long partitionTime(Received row) {
    return row.ledgerTime();
  }

  @Override
  public Origin origin(Received row) {
    return row.origin();
  }

  @Override
  public void write(Received row, RowColumns columns) throws IOException {
    RecordColumns.writeOrigin(row.origin(), columns);
    columns.bytes(row.key());
    RecordColumns.writeHeaders(row.headers(), columns);
    columns.bytes(row.value());
    columns.bool(row.accepted());
  }
}

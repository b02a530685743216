package io.millrace.lake.parquet;

import io.millrace.event.Header;
import io.millrace.event.Origin;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import javax.annotation.Nullable;
import org.apache.flink.core.fs.Path;
import org.apache.parquet.example.data.Group;

/** Reads a file of {@link RawEventTable}: the records as they were received. */
public final class RawEventReader implements Closeable {
  private final ParquetRows rows;

  /** A record, byte for byte. */
  public record RawRecord(
      Origin origin, @Nullable byte[] key, List<Header> headers, @Nullable byte[] value) {}

  public RawEventReader(Path file) throws IOException {
    this.rows = new ParquetRows(file, ParquetSchema.of(RawEventTable.SCHEMA));
  }

  /** The next record, null after the last one. */
  @Nullable
  public RawRecord next() throws IOException {
    Group row = rows.next();
    if (row == null) {
      return null;
    }
    Origin origin =
        new Origin(
            row.getString("topic", 0),
            row.getInteger("kafka_partition", 0),
            row.getLong("kafka_offset", 0),
            time(row, "kafka_timestamp"),
            time(row, "ingested_at"));
    return new RawRecord(origin, bytes(row, "key"), headers(row), bytes(row, "value"));
  }

  private static long time(Group row, String column) {
    return row.getFieldRepetitionCount(column) == 0 ? Origin.NO_TIME : row.getLong(column, 0);
  }

  @Nullable
  private static byte[] bytes(Group row, String column) {
    return row.getFieldRepetitionCount(column) == 0 ? null : row.getBinary(column, 0).getBytes();
  }

  private static List<Header> headers(Group row) {
    if (row.getFieldRepetitionCount("headers") == 0) {
      return List.of();
    }
    Group list = row.getGroup("headers", 0);
    List<Header> headers = new ArrayList<>();
    for (int i = 0; i < list.getFieldRepetitionCount(0); i++) {
      Group header = list.getGroup(0, i).getGroup(0, 0);
      headers.add(new Header(header.getString("key", 0), bytes(header, "value")));
    }
    return headers;
  }

  @Override
  public void close() throws IOException {
    rows.close();
  }
}

package io.millrace.lake.parquet;

import io.millrace.event.Header;
import io.millrace.event.Origin;
import java.io.Closeable;
import java.io.IOException;
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
    return new RawRecord(
        RecordColumns.readOrigin(row),
        RecordColumns.readBytes(row, "key"),
        RecordColumns.readHeaders(row),
        RecordColumns.readBytes(row, "value"));
  }

  @Override
  public void close() throws IOException {
    rows.close();
  }
}

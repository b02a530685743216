package io.millrace.lake.parquet;

import io.millrace.event.Header;
import io.millrace.event.Origin;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.annotation.Nullable;
import org.apache.flink.core.fs.Path;
import org.apache.parquet.example.data.Group;

/** Reads a file of {@link DeadLetterTable}: the rejected records, byte for byte. */
public final class DeadLetterReader implements Closeable {
  private final ParquetRows rows;

  /**
   * A rejected record.
   *
   * @param reasons codes, in the order in which the rules were broken; a version of Millrace may
   *     have written one that this one does not know
   * @param attempt 1 for the first delivery, one more for each replay
   */
  public record StoredLetter(
      Origin origin,
      List<String> reasons,
      @Nullable byte[] key,
      List<Header> headers,
      @Nullable byte[] value,
      int attempt) {}

  public DeadLetterReader(Path file) throws IOException {
    this.rows = new ParquetRows(file, ParquetSchema.of(DeadLetterTable.SCHEMA));
  }

  /** The next record, null after the last one. */
  @Nullable
  public StoredLetter next() throws IOException {
    Group row = rows.next();
    if (row == null) {
      return null;
    }
    return new StoredLetter(
        RecordColumns.readOrigin(row),
        reasons(row),
        RecordColumns.readBytes(row, "key"),
        RecordColumns.readHeaders(row),
        value(row),
        row.getInteger("attempt", 0));
  }

  /** The Kafka value of a row of the table. */
  @Nullable
  static byte[] value(Group row) {
    byte[] raw = RecordColumns.readBytes(row, "raw");
    if (raw == null || row.getString("raw_encoding", 0).equals("utf8")) {
      return raw;
    }
    return Base64.getDecoder().decode(raw);
  }

  private static List<String> reasons(Group row) {
    List<String> codes = new ArrayList<>();
    if (row.getFieldRepetitionCount("reasons") > 0) {
      Group list = row.getGroup("reasons", 0);
      for (int i = 0; i < list.getFieldRepetitionCount(0); i++) {
        codes.add(list.getGroup(0, i).getGroup(0, 0).getString("code", 0));
      }
    }
    return codes;
  }

  @Override
  public void close() throws IOException {
    rows.close();
  }
}

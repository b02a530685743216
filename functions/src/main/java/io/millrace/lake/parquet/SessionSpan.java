package io.millrace.lake.parquet;

import java.io.IOException;
import java.util.function.Consumer;
import org.apache.flink.core.fs.Path;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.schema.MessageType;

/**
 * Which events a session has, as its row tells: two rows with the same values are of the same
 * events, where one of the two has all events of the other.
 *
 * @param start timestamp of the first event, epoch ms
 * @param end timestamp of the last event, epoch ms
 */
public record SessionSpan(String id, String user, long start, long end, long events) {
  private static final MessageType COLUMNS = columns();

  private static MessageType columns() {
    MessageType all = ParquetSchema.of(SessionTable.SCHEMA);
    return new MessageType(
        all.getName(),
        all.getType("session_id"),
        all.getType("user_id"),
        all.getType("session_start"),
        all.getType("session_end"),
        all.getType("event_count"));
  }

  /** Hands over what each row of a file of {@link SessionTable} tells. */
  public static void read(Path file, Consumer<SessionSpan> row) throws IOException {
    try (ParquetRows rows = new ParquetRows(file, COLUMNS)) {
      for (Group next = rows.next(); next != null; next = rows.next()) {
        row.accept(
            new SessionSpan(
                next.getString("session_id", 0),
                next.getString("user_id", 0),
                next.getLong("session_start", 0),
                next.getLong("session_end", 0),
                next.getLong("event_count", 0)));
      }
    }
  }
}

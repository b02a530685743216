package io.millrace.lake.parquet;

import java.io.IOException;
import java.util.function.ObjLongConsumer;
import org.apache.flink.core.fs.Path;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.schema.MessageType;

/** Reads of a file of {@link AppEventTable} who did something when, and nothing else. */
public final class UserTimes {
  private static final MessageType COLUMNS = columns();

  private UserTimes() {}

  private static MessageType columns() {
    MessageType all = ParquetSchema.of(AppEventTable.SCHEMA);
    return new MessageType(all.getName(), all.getType("user_id"), all.getType("timestamp"));
  }

  /** Hands over the user and the timestamp, epoch ms, of each row. */
  public static void read(Path file, ObjLongConsumer<String> row) throws IOException {
    try (ParquetRows rows = new ParquetRows(file, COLUMNS)) {
      for (Group next = rows.next(); next != null; next = rows.next()) {
        row.accept(next.getString("user_id", 0), next.getLong("timestamp", 0));
      }
    }
  }
}

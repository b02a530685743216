package io.millrace.lake.parquet;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** The memory that the open files of one subtask share; used by one thread. */
final class WriteBudget {
  private final long limit;
  private final List<ParquetRowWriter<?>> open = new ArrayList<>();
  private long held;

  WriteBudget(long limit) {
    this.limit = limit;
  }

  void opened(ParquetRowWriter<?> writer) {
    open.add(writer);
  }

  void closed(ParquetRowWriter<?> writer) {
    open.remove(writer);
  }

  long held() {
    return held;
  }

  /**
   * Accounts for what a writer holds more or less, and makes the largest flush while it is too
   * much.
   */
  void changed(long delta) throws IOException {
    held += delta;
    while (delta > 0 && held > limit) {
      ParquetRowWriter<?> largest = null;
      for (ParquetRowWriter<?> writer : open) {
        if (writer.bufferedRows() > 0 && (largest == null || writer.held() > largest.held())) {
          largest = writer;
        }
      }
      if (largest == null) {
        return;
      }
      largest.flushRowGroup();
    }
  }
}

package io.millrace.lake.parquet;

/** Counts the bytes that one row group holds in memory. */
final class MemoryUse {
  private long bytes;

  void add(long delta) {
    bytes += delta;
  }

  long bytes() {
    return bytes;
  }
}

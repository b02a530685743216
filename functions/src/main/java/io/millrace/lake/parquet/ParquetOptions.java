package io.millrace.lake.parquet;

import java.io.Serializable;

/**
 * How Parquet files are laid out, and how much memory their writers may take.
 *
 * @param zstdLevel compression level, 1 to 22
 * @param rowGroupBytes a row group is flushed when it holds this much, compressed
 * @param pageBytes a page is ended when it holds this much, uncompressed
 * @param pageRows a page is ended after this many rows, so that page indexes can skip
 * @param dictionaryBytes a column's dictionary stops growing at this size
 * @param memoryBytes what all open files of one subtask may hold together
 */
public record ParquetOptions(
    int zstdLevel,
    long rowGroupBytes,
    int pageBytes,
    int pageRows,
    int dictionaryBytes,
    long memoryBytes)
    implements Serializable {

  /** Row groups of 64 MB, pages of 1 MB, 256 MB per subtask. */
  public static final ParquetOptions DEFAULT =
      new ParquetOptions(1, 64L << 20, 1 << 20, 20_000, 256 << 10, 256L << 20);

  public ParquetOptions {
    require(zstdLevel >= 1 && zstdLevel <= 22, "zstdLevel must be 1 to 22", zstdLevel);
    require(rowGroupBytes > 0, "rowGroupBytes must be positive", rowGroupBytes);
    require(pageBytes > 0, "pageBytes must be positive", pageBytes);
    require(pageRows > 0, "pageRows must be positive", pageRows);
    require(dictionaryBytes > 0, "dictionaryBytes must be positive", dictionaryBytes);
    require(memoryBytes > 0, "memoryBytes must be positive", memoryBytes);
  }

  public ParquetOptions withZstdLevel(int level) {
    return new ParquetOptions(
        level, rowGroupBytes, pageBytes, pageRows, dictionaryBytes, memoryBytes);
  }

  public ParquetOptions withRowGroupBytes(long bytes) {
    return new ParquetOptions(zstdLevel, bytes, pageBytes, pageRows, dictionaryBytes, memoryBytes);
  }

  public ParquetOptions withPageRows(int rows) {
    return new ParquetOptions(
        zstdLevel, rowGroupBytes, pageBytes, rows, dictionaryBytes, memoryBytes);
  }

  public ParquetOptions withDictionaryBytes(int bytes) {
    return new ParquetOptions(zstdLevel, rowGroupBytes, pageBytes, pageRows, bytes, memoryBytes);
  }

  public ParquetOptions withMemoryBytes(long bytes) {
    return new ParquetOptions(
        zstdLevel, rowGroupBytes, pageBytes, pageRows, dictionaryBytes, bytes);
  }

  private static void require(boolean holds, String rule, long was) {
    if (!holds) {
      throw new IllegalArgumentException(rule + ", was " + was);
    }
  }
}

package io.millrace.codec.arrow;

import java.io.Serializable;

/**
 * What Arrow data may cost. Lengths that it declares are held against these before memory is
 * allocated for them.
 *
 * @param maxBytes most bytes of a record, or of one message of a file
 * @param maxDecompressedBytes most bytes that the compressed buffers of a record, or of one message
 *     of a file, may come to
 * @param maxDepth deepest nesting of a column; a column without children is 1
 * @param maxFields most fields of a schema, nested ones included
 * @param maxRows most rows of a record, or of one batch of a file
 */
public record ArrowLimits(
    int maxBytes, long maxDecompressedBytes, int maxDepth, int maxFields, int maxRows)
    implements Serializable {

  /** For messages of a topic. */
  public static final ArrowLimits OF_RECORDS =
      new ArrowLimits(16 << 20, 256L << 20, 32, 4096, 1_000_000);

  /** For files, whose batches are larger. */
  public static final ArrowLimits OF_FILES =
      new ArrowLimits(512 << 20, 1L << 30, 32, 4096, 10_000_000);

  public ArrowLimits {
    if (maxBytes < 1 || maxDecompressedBytes < 1 || maxDepth < 1 || maxFields < 1 || maxRows < 1) {
      throw new IllegalArgumentException("limits must be at least 1");
    }
  }
}

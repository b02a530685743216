package io.millrace.codec.arrow;

import com.github.luben.zstd.Zstd;
import io.millrace.codec.arrow.ArrowRejection.Reason;
import java.io.IOException;
import java.util.List;
import javax.annotation.Nullable;
import org.apache.arrow.flatbuf.BodyCompression;
import org.apache.arrow.flatbuf.BodyCompressionMethod;
import org.apache.arrow.flatbuf.Buffer;
import org.apache.arrow.flatbuf.CompressionType;
import org.apache.arrow.flatbuf.FieldNode;
import org.apache.arrow.flatbuf.RecordBatch;

/** Hands out the nodes and buffers of one batch in their order, decompressed and within bounds. */
final class BodyReader {
  private static final int LENGTH_BYTES = 8;
  private static final long NOT_COMPRESSED = -1;
  private static final int NO_CODEC = -1;

  private final RecordBatch batch;
  private final Slice body;
  private final Budget budget;
  private final int codec;
  private final FieldNode node = new FieldNode();
  private final Buffer buffer = new Buffer();
  private int nodes;
  private int buffers;
  private int views;

  /** What may still be decompressed. */
  static final class Budget {
    private final long most;
    private long left;

    Budget(long most) {
      this.most = most;
      this.left = most;
    }

    void take(long bytes) throws BadArrowException {
      left -= bytes;
      if (left < 0) {
        throw BadArrowException.of(
            Reason.TOO_LARGE, "the compressed buffers come to more than %d bytes", most);
      }
    }
  }

  BodyReader(RecordBatch batch, Slice body, Budget budget) throws BadArrowException {
    this.batch = batch;
    this.body = body;
    this.budget = budget;
    BodyCompression compression = batch.compression();
    if (compression == null) {
      codec = NO_CODEC;
    } else if (compression.method() == BodyCompressionMethod.BUFFER
        && (compression.codec() == CompressionType.LZ4_FRAME
            || compression.codec() == CompressionType.ZSTD)) {
      codec = compression.codec();
    } else {
      throw BadArrowException.of(
          Reason.UNSUPPORTED,
          "compression %d by method %d, only lz4 and zstd of buffers are read",
          compression.codec(),
          compression.method());
    }
  }

  /**
   * Length and number of nulls of the next node.
   *
   * @param length receives both
   */
  void nextNode(ArrowField field, int[] length) throws BadArrowException {
    if (nodes >= batch.nodesLength()) {
      throw BadArrowException.malformed("the batch ends before column '%s'", field.name());
    }
    batch.nodes(node, nodes++);
    long values = node.length();
    long nulls = node.nullCount();
    if (values < 0 || values > Integer.MAX_VALUE - 1 || nulls < 0 || nulls > values) {
      throw BadArrowException.malformed(
          "column '%s' with %d values and %d nulls", field.name(), values, nulls);
    }
    length[0] = (int) values;
    length[1] = (int) nulls;
  }

  /** The next buffer of a column, as it was before compression. */
  Slice nextBuffer(ArrowField field) throws BadArrowException {
    if (buffers >= batch.buffersLength()) {
      throw BadArrowException.malformed("the batch has no buffer for column '%s'", field.name());
    }
    batch.buffers(buffer, buffers++);
    long offset = buffer.offset();
    long length = buffer.length();
    if (offset < 0 || length < 0 || offset > body.length() || length > body.length() - offset) {
      throw BadArrowException.malformed(
          "column '%s' has a buffer of %d bytes at %d of a body of %d",
          field.name(), length, offset, body.length());
    }
    Slice bytes = new Slice(body.bytes(), body.start() + (int) offset, (int) length);
    return codec == NO_CODEC || length == 0 ? bytes : decompressed(field, bytes);
  }

  private Slice decompressed(ArrowField field, Slice bytes) throws BadArrowException {
    if (bytes.length() < LENGTH_BYTES) {
      throw BadArrowException.malformed(
          "column '%s' has a compressed buffer of %d bytes", field.name(), bytes.length());
    }
    long length = Slice.longAt(bytes.bytes(), bytes.start());
    int start = bytes.start() + LENGTH_BYTES;
    int rest = bytes.length() - LENGTH_BYTES;
    if (length == NOT_COMPRESSED) {
      return new Slice(bytes.bytes(), start, rest);
    }
    if (length < 0 || length > Integer.MAX_VALUE - LENGTH_BYTES) {
      throw BadArrowException.malformed(
          "column '%s' has a buffer of %d bytes before compression", field.name(), length);
    }
    budget.take(length);
    byte[] target = new byte[(int) length];
    long got =
        codec == CompressionType.ZSTD
            ? zstd(field, target, bytes.bytes(), start, rest)
            : lz4(field, target, bytes.bytes(), start, rest);
    if (got != length) {
      throw BadArrowException.malformed(
          "column '%s': a buffer of %d bytes came to %d after decompression",
          field.name(), length, got);
    }
    return new Slice(target, 0, target.length);
  }

  private static long zstd(ArrowField field, byte[] target, byte[] bytes, int start, int length)
      throws BadArrowException {
    long got = Zstd.decompressByteArray(target, 0, target.length, bytes, start, length);
    if (Zstd.isError(got)) {
      throw BadArrowException.malformed(
          "column '%s' cannot be decompressed: %s", field.name(), Zstd.getErrorName(got));
    }
    return got;
  }

  private static long lz4(ArrowField field, byte[] target, byte[] bytes, int start, int length)
      throws BadArrowException {
    try {
      return Lz4Frames.decompress(bytes, start, length, target);
    } catch (IOException | ArithmeticException e) {
      throw BadArrowException.malformed(
          "column '%s' cannot be decompressed: %s", field.name(), e.getMessage());
    }
  }

  /** Passes over a column that nobody wants, without decompressing it. */
  void skip(ArrowField field) throws BadArrowException {
    nodes++;
    if (field.dictionary() != null) {
      buffers += 2;
      return;
    }
    buffers += field.buffers();
    if (field.view()) {
      long further = batch.variadicBufferCounts(views++);
      if (further < 0 || further > batch.buffersLength()) {
        throw BadArrowException.malformed(
            "column '%s' with %d further buffers", field.name(), further);
      }
      buffers += (int) further;
    }
    for (ArrowField child : field.children()) {
      skip(child);
    }
  }

  /** Holds that the batch has what its schema says, and no more. */
  void checkAllRead(@Nullable List<ArrowField> fields) throws BadArrowException {
    if (nodes != batch.nodesLength() || buffers != batch.buffersLength()) {
      throw BadArrowException.malformed(
          "a batch of %d nodes and %d buffers, the schema%s has %d and %d",
          batch.nodesLength(),
          batch.buffersLength(),
          fields == null ? " of the dictionary" : "",
          nodes,
          buffers);
    }
  }
}

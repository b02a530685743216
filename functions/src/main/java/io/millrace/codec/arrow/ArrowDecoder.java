package io.millrace.codec.arrow;

import io.millrace.codec.arrow.ArrowRejection.Reason;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import javax.annotation.Nullable;
import org.apache.arrow.flatbuf.Message;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.columnar.ColumnarRowData;
import org.apache.flink.table.data.columnar.vector.VectorizedColumnBatch;
import org.apache.flink.table.types.logical.RowType;

/**
 * Reads a record that is one Arrow IPC stream: all of its rows, or one reason against all of it.
 *
 * <p>Columns are found by name; one that the data do not have is null, one that nobody wants is not
 * even decompressed. Rows are views of the record's own bytes: nothing is copied but what was
 * compressed, nothing is allocated outside of the heap, and a row stays valid as long as somebody
 * holds it, with the record that it is part of. So the array must not be written to afterwards.
 *
 * <p>For one thread.
 */
public final class ArrowDecoder implements Serializable {
  private static final long serialVersionUID = 1L;

  /** How a file begins that is an Arrow file and not a stream. */
  static final String FILE_MAGIC = "ARROW1";

  private static final int PREFIX_BYTES = 4;

  private final RowType rowType;
  private final ArrowLimits limits;
  private transient IpcStream.Bound known;

  /**
   * What a record holds.
   *
   * @param batches the rows in their order; empty when the record is rejected
   * @param rejection why it is; null when it is not
   */
  public record Decoded(List<VectorizedColumnBatch> batches, @Nullable ArrowRejection rejection) {
    public Decoded {
      Objects.requireNonNull(batches, "batches");
    }

    /** How many rows there are. */
    public int rows() {
      int rows = 0;
      for (VectorizedColumnBatch batch : batches) {
        rows += batch.getNumRows();
      }
      return rows;
    }

    /** Hands out each row as an object of its own, which the receiver may keep. */
    public void forEach(Consumer<RowData> rows) {
      for (VectorizedColumnBatch batch : batches) {
        for (int i = 0; i < batch.getNumRows(); i++) {
          rows.accept(new ColumnarRowData(batch, i));
        }
      }
    }
  }

  public ArrowDecoder(RowType rowType, ArrowLimits limits) {
    this.rowType = Objects.requireNonNull(rowType, "rowType");
    this.limits = Objects.requireNonNull(limits, "limits");
  }

  /** Reads a record; throws for no input. */
  public Decoded decode(@Nullable byte[] record) {
    try {
      return new Decoded(read(record), null);
    } catch (BadArrowException e) {
      return new Decoded(List.of(), e.rejection());
    } catch (RuntimeException e) {
      // References of the metadata that point anywhere end here, as an index out of bounds.
      return new Decoded(
          List.of(),
          new ArrowRejection(Reason.MALFORMED, "the metadata cannot be read: " + oneLine(e)));
    }
  }

  static String oneLine(RuntimeException e) {
    String message =
        e.getMessage() == null ? "" : ": " + e.getMessage().lines().findFirst().orElse("");
    return e.getClass().getSimpleName() + message;
  }

  private List<VectorizedColumnBatch> read(@Nullable byte[] record) throws BadArrowException {
    if (record == null) {
      throw BadArrowException.of(Reason.NULL_VALUE, "the record has no value");
    }
    if (record.length > limits.maxBytes()) {
      throw BadArrowException.of(
          Reason.TOO_LARGE, "%d bytes, at most %d are read", record.length, limits.maxBytes());
    }
    if (startsAsFile(record)) {
      throw BadArrowException.malformed("an Arrow file, where a stream is expected");
    }
    Cursor cursor = new Cursor(record);
    IpcStream stream = new IpcStream(rowType, limits, known);
    IpcMessage first = cursor.next();
    if (first == null) {
      throw BadArrowException.malformed("the stream ends before its schema");
    }
    IpcStream.Bound bound = stream.schema(first);
    List<VectorizedColumnBatch> batches = new ArrayList<>();
    long rows = 0;
    for (IpcMessage m = cursor.next(); m != null; m = cursor.next()) {
      VectorizedColumnBatch batch = stream.next(m);
      if (batch != null) {
        rows += batch.getNumRows();
        if (rows > limits.maxRows()) {
          throw BadArrowException.of(
              Reason.TOO_LARGE, "more than %d rows in a record", limits.maxRows());
        }
        batches.add(batch);
      }
    }
    if (cursor.position < record.length) {
      throw BadArrowException.malformed(
          "%d bytes after the end of the stream", record.length - cursor.position);
    }
    known = bound;
    return batches;
  }

  private static boolean startsAsFile(byte[] record) {
    byte[] magic = FILE_MAGIC.getBytes(StandardCharsets.US_ASCII);
    return record.length >= magic.length
        && Arrays.equals(record, 0, magic.length, magic, 0, magic.length);
  }

  /** The messages of a record, one after the other. */
  private static final class Cursor {
    private final byte[] record;
    private int position;

    Cursor(byte[] record) {
      this.record = record;
    }

    private void need(long bytes, String what) throws BadArrowException {
      if (bytes > record.length - position) {
        throw BadArrowException.malformed(
            "truncated: %s needs %d bytes at %d of %d", what, bytes, position, record.length);
      }
    }

    private int prefix() throws BadArrowException {
      need(PREFIX_BYTES, "the next message, or the mark of the stream's end,");
      int value = Slice.intAt(record, position);
      position += PREFIX_BYTES;
      return value;
    }

    /** Null at the end of the stream, which has to be marked: a stream may be cut anywhere else. */
    @Nullable
    IpcMessage next() throws BadArrowException {
      int length = prefix();
      // Streams before Arrow 0.15 have the length alone.
      if (length == IpcMessage.CONTINUATION) {
        length = prefix();
      }
      if (length == 0) {
        return null;
      }
      if (length < 0) {
        throw BadArrowException.malformed("a message of %d bytes at %d", length, position);
      }
      need(length, "a message");
      Slice metadata = new Slice(record, position, length);
      Message message = IpcMessage.parse(metadata);
      position += length;
      long bodyLength = message.bodyLength();
      if (bodyLength < 0) {
        throw BadArrowException.malformed("a body of %d bytes at %d", bodyLength, position);
      }
      need(bodyLength, "a body");
      Slice body = new Slice(record, position, (int) bodyLength);
      position += (int) bodyLength;
      return new IpcMessage(message, metadata, body);
    }
  }
}

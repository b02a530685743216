package io.millrace.codec.arrow;

import com.google.flatbuffers.FlatBufferBuilder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.flatbuf.BodyCompression;
import org.apache.arrow.flatbuf.BodyCompressionMethod;
import org.apache.arrow.flatbuf.Buffer;
import org.apache.arrow.flatbuf.FieldNode;
import org.apache.arrow.flatbuf.Message;
import org.apache.arrow.flatbuf.MessageHeader;
import org.apache.arrow.flatbuf.MetadataVersion;
import org.apache.arrow.flatbuf.RecordBatch;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;

/**
 * Writes rows as an Arrow IPC stream: its schema, batches of rows, the mark of its end. Rows are
 * copied into columns on the heap as they are added, so that the caller may reuse them.
 *
 * <p>For one thread.
 */
public final class ArrowEncoder {
  private static final int ALIGNMENT = 8;
  private static final byte[] PADDING = new byte[ALIGNMENT];

  private final RowType rowType;
  private final ArrowCompression compression;
  private final List<ColumnWriter> columns = new ArrayList<>();
  private final List<RowData.FieldGetter> getters = new ArrayList<>();
  private int rows;
  private long bytes;

  /**
   * @throws org.apache.flink.table.api.ValidationException if a column has a type that Arrow data
   *     have not
   */
  public ArrowEncoder(RowType rowType, ArrowCompression compression) {
    SchemaWriter.check(rowType);
    this.rowType = rowType;
    this.compression = compression;
    for (int i = 0; i < rowType.getFieldCount(); i++) {
      RowType.RowField field = rowType.getFields().get(i);
      columns.add(ColumnWriter.of(field.getName(), field.getType()));
      getters.add(RowData.createFieldGetter(field.getType(), i));
    }
  }

  /**
   * Adds a row to the batch.
   *
   * @throws IllegalArgumentException if a value does not fit its column; the batch is then lost
   */
  public void add(RowData row) {
    for (int i = 0; i < columns.size(); i++) {
      bytes += columns.get(i).append(getters.get(i).getFieldOrNull(row));
    }
    rows++;
  }

  /** Rows in the batch. */
  public int rows() {
    return rows;
  }

  /** About how many bytes the batch will have, before compression. */
  public long bytes() {
    return bytes;
  }

  /** A whole stream of the rows that were added, as one batch, none without rows. */
  public byte[] toStream() {
    ByteArrayOutputStream out = new ByteArrayOutputStream((int) Math.min(bytes + 1024, 1 << 30));
    try {
      writeSchema(out);
      writeBatch(out);
      writeEnd(out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  /** Begins a stream. */
  public void writeSchema(OutputStream out) throws IOException {
    FlatBufferBuilder metadata = new FlatBufferBuilder(1024);
    int schema = SchemaWriter.write(metadata, rowType);
    writeMessage(out, metadata, MessageHeader.Schema, schema, 0);
  }

  /** Writes what was added since the last time, if anything. */
  public void writeBatch(OutputStream out) throws IOException {
    if (rows == 0) {
      return;
    }
    Body body = new Body();
    for (ColumnWriter column : columns) {
      column.write(body);
    }
    FlatBufferBuilder metadata = new FlatBufferBuilder(1024);
    RecordBatch.startNodesVector(metadata, body.lengths.size());
    for (int i = body.lengths.size() - 1; i >= 0; i--) {
      FieldNode.createFieldNode(metadata, body.lengths.get(i), body.nulls.get(i));
    }
    int nodes = metadata.endVector();
    RecordBatch.startBuffersVector(metadata, body.buffers.size());
    long start = body.size;
    for (int i = body.buffers.size() - 1; i >= 0; i--) {
      long length = body.buffers.get(i).length();
      start -= padded(length);
      Buffer.createBuffer(metadata, start, length);
    }
    int buffers = metadata.endVector();
    int codec =
        compression == ArrowCompression.NONE
            ? 0
            : BodyCompression.createBodyCompression(
                metadata, compression.codec(), BodyCompressionMethod.BUFFER);
    RecordBatch.startRecordBatch(metadata);
    RecordBatch.addLength(metadata, rows);
    RecordBatch.addNodes(metadata, nodes);
    RecordBatch.addBuffers(metadata, buffers);
    if (codec != 0) {
      RecordBatch.addCompression(metadata, codec);
    }
    int batch = RecordBatch.endRecordBatch(metadata);
    writeMessage(out, metadata, MessageHeader.RecordBatch, batch, body.size);
    for (Slice buffer : body.buffers) {
      out.write(buffer.bytes(), buffer.start(), buffer.length());
      out.write(PADDING, 0, (int) (padded(buffer.length()) - buffer.length()));
    }
    clear();
  }

  /** Forgets the rows that were added since the last batch. */
  public void clear() {
    columns.forEach(ColumnWriter::clear);
    rows = 0;
    bytes = 0;
  }

  /** Ends a stream. */
  public static void writeEnd(OutputStream out) throws IOException {
    byte[] end = new byte[8];
    Slice.putInt(end, 0, IpcMessage.CONTINUATION);
    out.write(end);
  }

  private static long padded(long length) {
    return (length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  private static void writeMessage(
      OutputStream out, FlatBufferBuilder metadata, byte type, int header, long bodyLength)
      throws IOException {
    Message.startMessage(metadata);
    Message.addHeaderType(metadata, type);
    Message.addHeader(metadata, header);
    Message.addVersion(metadata, MetadataVersion.V5);
    Message.addBodyLength(metadata, bodyLength);
    metadata.finish(Message.endMessage(metadata));
    ByteBuffer message = metadata.dataBuffer();
    int length = message.remaining();
    int paddedLength = (int) padded(length);
    byte[] prefix = new byte[8];
    Slice.putInt(prefix, 0, IpcMessage.CONTINUATION);
    Slice.putInt(prefix, 4, paddedLength);
    out.write(prefix);
    out.write(message.array(), message.arrayOffset() + message.position(), length);
    out.write(PADDING, 0, paddedLength - length);
  }

  /** The body of a batch while it is put together. */
  private final class Body implements ColumnWriter.Target {
    private final List<Integer> lengths = new ArrayList<>();
    private final List<Integer> nulls = new ArrayList<>();
    private final List<Slice> buffers = new ArrayList<>();
    private long size;

    @Override
    public void node(int length, int nullCount) {
      lengths.add(length);
      nulls.add(nullCount);
    }

    @Override
    public void buffer(byte[] values, int length) {
      Slice buffer =
          compression == ArrowCompression.NONE || length == 0
              ? new Slice(values, 0, length)
              : compressed(values, length);
      buffers.add(buffer);
      size += padded(buffer.length());
    }

    private Slice compressed(byte[] values, int length) {
      byte[] packed = compression.compress(values, length);
      boolean isSmaller = packed.length < length;
      byte[] from = isSmaller ? packed : values;
      int fromLength = isSmaller ? packed.length : length;
      byte[] buffer = new byte[8 + fromLength];
      // The length before compression; -1 says that there was none.
      Slice.putLong(buffer, 0, isSmaller ? length : -1);
      System.arraycopy(from, 0, buffer, 8, fromLength);
      return new Slice(buffer, 0, buffer.length);
    }
  }
}

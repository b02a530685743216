package io.millrace.codec.arrow;

import io.millrace.codec.arrow.ArrowRejection.Reason;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;
import javax.annotation.Nullable;
import org.apache.arrow.flatbuf.Message;
import org.apache.arrow.flatbuf.MessageHeader;
import org.apache.arrow.flatbuf.RecordBatch;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.file.src.FileSourceSplit;
import org.apache.flink.connector.file.src.reader.BulkFormat;
import org.apache.flink.connector.file.src.util.CheckpointedPosition;
import org.apache.flink.connector.file.src.util.MutableRecordAndPosition;
import org.apache.flink.connector.file.src.util.RecordAndPosition;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.Path;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.columnar.ColumnarRowData;
import org.apache.flink.table.data.columnar.vector.VectorizedColumnBatch;
import org.apache.flink.table.types.logical.RowType;

/**
 * Reads files that are Arrow IPC streams or Arrow files, a batch at a time, in their order. A file
 * is not split. Each row is an object of its own over the bytes of its batch, and may be kept.
 */
public final class ArrowFiles implements BulkFormat<RowData, FileSourceSplit> {
  private static final long serialVersionUID = 1L;
  private static final byte[] MAGIC = ArrowDecoder.FILE_MAGIC.getBytes(StandardCharsets.US_ASCII);
  private static final int HEAD_BYTES = 8;
  private static final int PREFIX_BYTES = 4;

  private final RowType rowType;
  private final ArrowLimits limits;
  private final TypeInformation<RowData> produced;

  public ArrowFiles(RowType rowType, ArrowLimits limits, TypeInformation<RowData> produced) {
    this.rowType = Objects.requireNonNull(rowType, "rowType");
    this.limits = Objects.requireNonNull(limits, "limits");
    this.produced = Objects.requireNonNull(produced, "produced");
  }

  @Override
  public BulkFormat.Reader<RowData> createReader(Configuration config, FileSourceSplit split)
      throws IOException {
    return open(split.path(), 0);
  }

  @Override
  public BulkFormat.Reader<RowData> restoreReader(Configuration config, FileSourceSplit split)
      throws IOException {
    return open(
        split.path(),
        split.getReaderPosition().map(CheckpointedPosition::getRecordsAfterOffset).orElse(0L));
  }

  private Reader open(Path path, long skip) throws IOException {
    FileSystem files = path.getFileSystem();
    long length = files.getFileStatus(path).getLen();
    FSDataInputStream in = files.open(path);
    try {
      return new Reader(path, in, length, skip);
    } catch (IOException | RuntimeException e) {
      in.close();
      throw e;
    }
  }

  @Override
  public boolean isSplittable() {
    return false;
  }

  @Override
  public TypeInformation<RowData> getProducedType() {
    return produced;
  }

  /** One file, from its first message on. */
  private final class Reader implements BulkFormat.Reader<RowData> {
    private final Path path;
    private final FSDataInputStream in;
    private final IpcStream stream = new IpcStream(rowType, limits, null);
    private long end;
    private boolean isFile;
    private boolean hasSchema;
    private boolean done;
    private long position;
    private long rows;
    private long skip;

    Reader(Path path, FSDataInputStream in, long length, long skip) throws IOException {
      this.path = path;
      this.in = in;
      this.end = length;
      this.skip = skip;
      byte[] head = new byte[(int) Math.min(HEAD_BYTES, length)];
      readFully(head);
      isFile = Arrays.equals(Arrays.copyOf(head, MAGIC.length), MAGIC);
      if (isFile) {
        end = startOfFooter(length);
        seek(HEAD_BYTES);
      } else {
        seek(0);
      }
    }

    /** An Arrow file has its footer's length and the magic at its end, or was cut. */
    private long startOfFooter(long length) throws IOException {
      byte[] tail = new byte[PREFIX_BYTES + MAGIC.length];
      if (length < HEAD_BYTES + tail.length) {
        throw wrong(BadArrowException.malformed("truncated: an Arrow file of %d bytes", length));
      }
      seek(length - tail.length);
      readFully(tail);
      int footer = Slice.intAt(tail, 0);
      if (!Arrays.equals(tail, PREFIX_BYTES, tail.length, MAGIC, 0, MAGIC.length)
          || footer < 0
          || footer > length - HEAD_BYTES - tail.length) {
        throw wrong(BadArrowException.malformed("truncated: the Arrow file has no end"));
      }
      return length - tail.length - footer;
    }

    @Override
    @Nullable
    public RecordIterator<RowData> readBatch() throws IOException {
      try {
        for (IpcMessage m = next(); m != null; m = next()) {
          VectorizedColumnBatch batch = take(m);
          if (batch != null && batch.getNumRows() > 0) {
            return new Rows(batch, from(batch.getNumRows()), rows);
          }
        }
        return null;
      } catch (BadArrowException e) {
        throw wrong(e);
      } catch (RuntimeException e) {
        throw wrong(
            BadArrowException.malformed(
                "the metadata cannot be read: %s", ArrowDecoder.oneLine(e)));
      }
    }

    /** Counts the rows of a batch, and tells which of them is the first that has not gone out. */
    private int from(int batchRows) {
      int from = (int) Math.min(skip, batchRows);
      skip -= from;
      rows += from;
      return from;
    }

    @Nullable
    private VectorizedColumnBatch take(IpcMessage message) throws BadArrowException {
      stream.renewBudget();
      if (!hasSchema) {
        stream.schema(message);
        hasSchema = true;
        return null;
      }
      if (skip > 0 && message.message().headerType() == MessageHeader.RecordBatch) {
        RecordBatch batch = (RecordBatch) message.message().header(new RecordBatch());
        int batchRows = batch == null ? 0 : stream.rows(batch);
        if (batchRows <= skip) {
          skip -= batchRows;
          rows += batchRows;
          return null;
        }
      }
      return stream.next(message);
    }

    @Nullable
    private IpcMessage next() throws IOException {
      if (done) {
        return null;
      }
      if (isFile && position == end) {
        // The footer has shown that the file is whole; some writers mark the end of the stream.
        done = true;
        return null;
      }
      int length = prefix();
      if (length == IpcMessage.CONTINUATION) {
        length = prefix();
      }
      if (length == 0) {
        done = true;
        if (!hasSchema) {
          throw BadArrowException.malformed("the stream ends before its schema");
        }
        if (!isFile && position != end) {
          throw BadArrowException.malformed("%d bytes after the end of the stream", end - position);
        }
        return null;
      }
      byte[] metadata = read(length, "a message");
      Slice description = new Slice(metadata, 0, metadata.length);
      Message message = IpcMessage.parse(description);
      byte[] body = read(message.bodyLength(), "a body");
      return new IpcMessage(message, description, new Slice(body, 0, body.length));
    }

    private int prefix() throws IOException {
      return Slice.intAt(
          read(PREFIX_BYTES, "the next message, or the mark of the stream's end,"), 0);
    }

    private byte[] read(long length, String what) throws IOException {
      if (length < 0) {
        throw BadArrowException.malformed("%s of %d bytes at %d", what, length, position);
      }
      if (length > end - position) {
        throw BadArrowException.malformed(
            "truncated: %s needs %d bytes at %d of %d", what, length, position, end);
      }
      if (length > limits.maxBytes()) {
        throw BadArrowException.of(
            Reason.TOO_LARGE,
            "%s of %d bytes at %d, at most %d are read",
            what,
            length,
            position,
            limits.maxBytes());
      }
      byte[] bytes = new byte[(int) length];
      readFully(bytes);
      return bytes;
    }

    private void readFully(byte[] bytes) throws IOException {
      if (in.readNBytes(bytes, 0, bytes.length) < bytes.length) {
        throw new EOFException(path + " became shorter while it was read");
      }
      position += bytes.length;
    }

    private void seek(long to) throws IOException {
      in.seek(to);
      position = to;
    }

    private IOException wrong(BadArrowException e) {
      return new IOException(path + ": " + e.rejection(), e);
    }

    @Override
    public void close() throws IOException {
      in.close();
    }

    /** The rows of one batch. */
    private final class Rows implements RecordIterator<RowData> {
      private final VectorizedColumnBatch batch;
      private final MutableRecordAndPosition<RowData> next = new MutableRecordAndPosition<>();
      private int row;

      Rows(VectorizedColumnBatch batch, int from, long before) {
        this.batch = batch;
        this.row = from;
        next.set(null, CheckpointedPosition.NO_OFFSET, before);
        rows += batch.getNumRows() - from;
      }

      @Override
      @Nullable
      public RecordAndPosition<RowData> next() {
        if (row == batch.getNumRows()) {
          return null;
        }
        next.setNext(new ColumnarRowData(batch, row++));
        return next;
      }

      @Override
      public void releaseBatch() {
        // The garbage collector does.
      }
    }
  }
}

package io.millrace.transform.file;

import io.millrace.codec.arrow.ArrowCompression;
import io.millrace.codec.arrow.ArrowEncoder;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;

/** One Arrow IPC stream of batches, as the table format {@code arrow} writes and reads files. */
final class ArrowFile implements RowFile {
  private static final int BATCH_ROWS = 8192;
  private static final long BATCH_BYTES = 16L << 20;

  private final OutputStream bytes;
  private final ArrowEncoder encoder;

  ArrowFile(Path file, RowType rowType, ArrowCompression compression) throws IOException {
    this.encoder = new ArrowEncoder(rowType, compression);
    this.bytes = new BufferedOutputStream(Files.newOutputStream(file));
    encoder.writeSchema(bytes);
  }

  @Override
  public void write(RowData row) throws IOException {
    try {
      encoder.add(row);
    } catch (IllegalArgumentException e) {
      throw new IOException("a row cannot be written as Arrow: " + e.getMessage(), e);
    }
    if (encoder.rows() >= BATCH_ROWS || encoder.bytes() >= BATCH_BYTES) {
      encoder.writeBatch(bytes);
    }
  }

  @Override
  public void finish() throws IOException {
    encoder.writeBatch(bytes);
    ArrowEncoder.writeEnd(bytes);
    bytes.flush();
  }

  @Override
  public void close() throws IOException {
    bytes.close();
  }
}

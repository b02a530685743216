package io.millrace.codec.arrow;

import java.io.IOException;
import org.apache.flink.api.common.serialization.BulkWriter;
import org.apache.flink.core.fs.FSDataOutputStream;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;

/** Writes a file that is one Arrow IPC stream, a batch at a time. */
public final class ArrowFileWriter implements BulkWriter<RowData> {
  private final FSDataOutputStream out;
  private final ArrowEncoder encoder;
  private final int batchRows;
  private final long batchBytes;

  /**
   * Opens writers.
   *
   * @param batchRows rows that complete a batch
   * @param batchBytes bytes before compression that complete a batch
   */
  public record Factory(
      RowType rowType, ArrowCompression compression, int batchRows, long batchBytes)
      implements BulkWriter.Factory<RowData> {
    @Override
    public BulkWriter<RowData> create(FSDataOutputStream out) throws IOException {
      return new ArrowFileWriter(out, this);
    }
  }

  private ArrowFileWriter(FSDataOutputStream out, Factory options) throws IOException {
    this.out = out;
    this.encoder = new ArrowEncoder(options.rowType(), options.compression());
    this.batchRows = options.batchRows();
    this.batchBytes = options.batchBytes();
    encoder.writeSchema(out);
  }

  @Override
  public void addElement(RowData row) throws IOException {
    encoder.add(row);
    if (encoder.rows() >= batchRows || encoder.bytes() >= batchBytes) {
      encoder.writeBatch(out);
    }
  }

  @Override
  public void flush() throws IOException {
    encoder.writeBatch(out);
    out.flush();
  }

  @Override
  public void finish() throws IOException {
    encoder.writeBatch(out);
    ArrowEncoder.writeEnd(out);
    out.flush();
  }
}

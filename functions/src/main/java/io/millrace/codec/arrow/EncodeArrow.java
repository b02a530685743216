package io.millrace.codec.arrow;

import java.util.Objects;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;

/**
 * Rows to records of many rows each: one Arrow IPC stream with one batch, as soon as it has enough
 * rows or bytes, before every checkpoint and watermark, and at the end of the input. It keeps no
 * state.
 */
public final class EncodeArrow extends AbstractStreamOperator<byte[]>
    implements OneInputStreamOperator<RowData, byte[]>, BoundedOneInput {
  private static final long serialVersionUID = 1L;

  private final RowType rowType;
  private final ArrowCompression compression;
  private final int maxRows;
  private final long maxBytes;
  private transient ArrowEncoder encoder;

  /**
   * @param maxRows rows that complete a record
   * @param maxBytes bytes before compression that complete a record
   */
  public EncodeArrow(RowType rowType, ArrowCompression compression, int maxRows, long maxBytes) {
    this.rowType = Objects.requireNonNull(rowType, "rowType");
    this.compression = Objects.requireNonNull(compression, "compression");
    this.maxRows = maxRows;
    this.maxBytes = maxBytes;
  }

  @Override
  public void open() throws Exception {
    super.open();
    encoder = new ArrowEncoder(rowType, compression);
  }

  @Override
  public void processElement(StreamRecord<RowData> element) {
    encoder.add(element.getValue());
    if (encoder.rows() >= maxRows || encoder.bytes() >= maxBytes) {
      emit();
    }
  }

  @Override
  public void processWatermark(Watermark mark) throws Exception {
    emit();
    super.processWatermark(mark);
  }

  @Override
  public void prepareSnapshotPreBarrier(long checkpointId) {
    emit();
  }

  @Override
  public void endInput() {
    emit();
  }

  private void emit() {
    if (encoder.rows() > 0) {
      output.collect(new StreamRecord<>(encoder.toStream()));
    }
  }
}

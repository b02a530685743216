package io.millrace.codec.arrow;

import java.util.Objects;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;

/**
 * Each row as an Arrow IPC stream of its own, with its schema: what a sink that asks row by row can
 * do. {@link EncodeArrow} puts many rows into one record.
 */
public final class ArrowRowSerializer implements SerializationSchema<RowData> {
  private static final long serialVersionUID = 1L;

  private final RowType rowType;
  private final ArrowCompression compression;
  private transient ArrowEncoder encoder;

  public ArrowRowSerializer(RowType rowType, ArrowCompression compression) {
    this.rowType = Objects.requireNonNull(rowType, "rowType");
    this.compression = Objects.requireNonNull(compression, "compression");
  }

  @Override
  public void open(InitializationContext context) {
    encoder = new ArrowEncoder(rowType, compression);
  }

  @Override
  public byte[] serialize(RowData row) {
    if (encoder == null) {
      encoder = new ArrowEncoder(rowType, compression);
    }
    encoder.add(row);
    return encoder.toStream();
  }
}

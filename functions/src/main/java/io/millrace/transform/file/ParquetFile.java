package io.millrace.transform.file;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.formats.parquet.ParquetFileFormatFactory;
import org.apache.flink.formats.parquet.row.ParquetRowDataWriter;
import org.apache.flink.formats.parquet.utils.ParquetSchemaConverter;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.api.WriteSupport;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.LocalOutputFile;
import org.apache.parquet.io.OutputFile;
import org.apache.parquet.io.api.RecordConsumer;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeUnit;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Types;

/**
 * A Parquet file. Timestamps are microseconds, and say whether they are instants in UTC or local
 * ones; the rest is as Flink's own format has it.
 */
final class ParquetFile implements RowFile {
  private static final long ROW_GROUP_BYTES = 64L << 20;

  private final ParquetWriter<RowData> writer;

  ParquetFile(Path file, RowType rowType, CompressionCodecName codec) throws IOException {
    this.writer =
        new Builder(new LocalOutputFile(file), rowType)
            .withCompressionCodec(codec)
            .withRowGroupSize(ROW_GROUP_BYTES)
            .build();
  }

  @Override
  public void write(RowData row) throws IOException {
    writer.write(row);
  }

  /** The footer is written by closing; {@link #close} then does nothing. */
  @Override
  public void finish() throws IOException {
    writer.close();
  }

  @Override
  public void close() throws IOException {
    writer.close();
  }

  private static final class Builder extends ParquetWriter.Builder<RowData, Builder> {
    private final RowType rowType;

    Builder(OutputFile file, RowType rowType) {
      super(file);
      this.rowType = rowType;
    }

    @Override
    protected Builder self() {
      return this;
    }

    // The newer method, which takes another configuration, falls back to this one.
    @Override
    @SuppressWarnings("deprecation")
    protected WriteSupport<RowData> getWriteSupport(Configuration ignored) {
      return new RowSupport(rowType);
    }
  }

  private static final class RowSupport extends WriteSupport<RowData> {
    private final RowType rowType;
    private final MessageType schema;
    private final Configuration configuration = new Configuration(false);
    private ParquetRowDataWriter rows;

    RowSupport(RowType rowType) {
      this.rowType = rowType;
      String prefix = ParquetFileFormatFactory.IDENTIFIER + ".";
      configuration.setBoolean(prefix + ParquetFileFormatFactory.WRITE_INT64_TIMESTAMP.key(), true);
      configuration.set(prefix + ParquetFileFormatFactory.TIMESTAMP_TIME_UNIT.key(), "micros");
      this.schema = schema(rowType, configuration);
    }

    /** Flink's schema, which does not tell instants from local times. */
    private static MessageType schema(RowType rowType, Configuration configuration) {
      MessageType plain =
          ParquetSchemaConverter.convertToParquetMessageType("rows", rowType, configuration);
      List<Type> fields = new ArrayList<>();
      for (int i = 0; i < rowType.getFieldCount(); i++) {
        Type field = plain.getType(i);
        fields.add(
            switch (rowType.getTypeAt(i).getTypeRoot()) {
              case TIMESTAMP_WITH_LOCAL_TIME_ZONE ->
                  Types.primitive(PrimitiveTypeName.INT64, field.getRepetition())
                      .as(LogicalTypeAnnotation.timestampType(true, TimeUnit.MICROS))
                      .named(field.getName());
              case TIME_WITHOUT_TIME_ZONE ->
                  Types.primitive(PrimitiveTypeName.INT32, field.getRepetition())
                      .as(LogicalTypeAnnotation.timeType(false, TimeUnit.MILLIS))
                      .named(field.getName());
              default -> field;
            });
      }
      return new MessageType(plain.getName(), fields);
    }

    @Override
    @SuppressWarnings("deprecation")
    public WriteContext init(Configuration ignored) {
      return new WriteContext(schema, Map.of());
    }

    @Override
    public void prepareForWrite(RecordConsumer consumer) {
      rows = new ParquetRowDataWriter(consumer, rowType, schema, true, configuration);
    }

    @Override
    public void write(RowData row) {
      rows.write(row);
    }
  }
}

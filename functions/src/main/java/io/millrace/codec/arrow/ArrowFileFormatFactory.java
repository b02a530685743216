package io.millrace.codec.arrow;

import java.util.HashSet;
import java.util.Set;
import org.apache.flink.api.common.serialization.BulkWriter;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.connector.file.src.FileSourceSplit;
import org.apache.flink.connector.file.src.reader.BulkFormat;
import org.apache.flink.connector.file.table.factories.BulkReaderFormatFactory;
import org.apache.flink.connector.file.table.factories.BulkWriterFormatFactory;
import org.apache.flink.connector.file.table.format.BulkDecodingFormat;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.Projection;
import org.apache.flink.table.connector.format.EncodingFormat;
import org.apache.flink.table.connector.format.ProjectableDecodingFormat;
import org.apache.flink.table.connector.sink.DynamicTableSink;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DynamicTableFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;

/**
 * The format {@code arrow} of files: an Arrow IPC stream, or, for reading, an Arrow file. A file
 * that cannot be read fails the job: rows of its first batches may have gone out by then.
 */
public final class ArrowFileFormatFactory
    implements BulkReaderFormatFactory, BulkWriterFormatFactory {

  @Override
  public String factoryIdentifier() {
    return ArrowOptions.IDENTIFIER;
  }

  @Override
  public Set<ConfigOption<?>> requiredOptions() {
    return Set.of();
  }

  @Override
  public Set<ConfigOption<?>> optionalOptions() {
    Set<ConfigOption<?>> options = new HashSet<>(ArrowOptions.SHARED);
    options.add(ArrowOptions.BATCH_SIZE);
    options.add(ArrowOptions.BATCH_BYTES);
    return options;
  }

  @Override
  public Set<ConfigOption<?>> forwardOptions() {
    return optionalOptions();
  }

  @Override
  public BulkDecodingFormat<RowData> createDecodingFormat(
      DynamicTableFactory.Context context, ReadableConfig options) {
    FactoryUtil.validateFactoryOptions(this, options);
    // The connector lets it pass, because the format of records has it.
    if (options.get(ArrowOptions.ON_ERROR) == ArrowRowDeserializer.OnError.SKIP) {
      throw new ValidationException(
          "'arrow.on-error' is 'skip', which is for records; a file that cannot be read fails the"
              + " job");
    }
    return new FileFormat(ArrowOptions.limits(options, ArrowLimits.OF_FILES));
  }

  @Override
  public EncodingFormat<BulkWriter.Factory<RowData>> createEncodingFormat(
      DynamicTableFactory.Context context, ReadableConfig options) {
    FactoryUtil.validateFactoryOptions(this, options);
    ArrowCompression compression = options.get(ArrowOptions.COMPRESSION);
    int rows =
        (int) ArrowOptions.atLeast(ArrowOptions.BATCH_SIZE, options.get(ArrowOptions.BATCH_SIZE));
    long bytes =
        ArrowOptions.atLeast(
            ArrowOptions.BATCH_BYTES, options.get(ArrowOptions.BATCH_BYTES).getBytes());
    return new EncodingFormat<>() {
      @Override
      public BulkWriter.Factory<RowData> createRuntimeEncoder(
          DynamicTableSink.Context sink, DataType physical) {
        RowType rowType = (RowType) physical.getLogicalType();
        SchemaWriter.check(rowType);
        return new ArrowFileWriter.Factory(rowType, compression, rows, bytes);
      }

      @Override
      public ChangelogMode getChangelogMode() {
        return ChangelogMode.insertOnly();
      }
    };
  }

  private record FileFormat(ArrowLimits limits)
      implements BulkDecodingFormat<RowData>,
          ProjectableDecodingFormat<BulkFormat<RowData, FileSourceSplit>> {
    @Override
    public BulkFormat<RowData, FileSourceSplit> createRuntimeDecoder(
        DynamicTableSource.Context source, DataType physical, int[][] projections) {
      DataType produced = Projection.of(projections).project(physical);
      RowType rowType = (RowType) produced.getLogicalType();
      SchemaWriter.check(rowType);
      return new ArrowFiles(rowType, limits, source.createTypeInformation(produced));
    }

    @Override
    public ChangelogMode getChangelogMode() {
      return ChangelogMode.insertOnly();
    }
  }
}

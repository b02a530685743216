package io.millrace.lake.parquet;

import java.io.IOException;
import java.util.Map;
import org.apache.flink.core.fs.Path;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ParquetMetadata;

/**
 * What a committed file says of itself; only the file's tail is read.
 *
 * @param metadata the footer's key-value pairs, {@link Lineage}'s among them
 */
public record ParquetFooter(long rows, Map<String, String> metadata) {
  public ParquetFooter {
    metadata = Map.copyOf(metadata);
  }

  /** Reads the footer of a file on any of Flink's file systems. */
  public static ParquetFooter read(Path file) throws IOException {
    ParquetReadOptions options =
        ParquetReadOptions.builder(new PlainParquetConfiguration()).build();
    try (ParquetFileReader reader = ParquetFileReader.open(FlinkFiles.input(file), options)) {
      ParquetMetadata footer = reader.getFooter();
      long rows = footer.getBlocks().stream().mapToLong(BlockMetaData::getRowCount).sum();
      return new ParquetFooter(rows, footer.getFileMetaData().getKeyValueMetaData());
    }
  }

  /**
   * The source partitions of the file's rows, as topic-partition; none where rows have no origin.
   */
  public Map<String, OffsetRange> sourceOffsets() throws IOException {
    return SourceOffsets.parse(metadata.getOrDefault(Lineage.SOURCE_OFFSETS, "{}"));
  }

  /** How many rows a file has. */
  public static long rows(Path file) throws IOException {
    return read(file).rows();
  }

  /** The key-value pairs of a file's footer. */
  public static Map<String, String> metadata(Path file) throws IOException {
    return read(file).metadata();
  }
}

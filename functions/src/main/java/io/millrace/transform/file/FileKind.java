package io.millrace.transform.file;

import io.millrace.codec.arrow.ArrowCompression;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import javax.annotation.Nullable;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.RowType;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;

/** The kinds of files that rows can be written to. */
public enum FileKind {
  CSV("csv"),
  JSON("json"),
  PARQUET("parquet"),
  XLSX("xlsx"),
  ARROW("arrow");

  private static final Set<LogicalTypeRoot> SCALARS =
      Set.of(
          LogicalTypeRoot.CHAR,
          LogicalTypeRoot.VARCHAR,
          LogicalTypeRoot.BOOLEAN,
          LogicalTypeRoot.TINYINT,
          LogicalTypeRoot.SMALLINT,
          LogicalTypeRoot.INTEGER,
          LogicalTypeRoot.BIGINT,
          LogicalTypeRoot.FLOAT,
          LogicalTypeRoot.DOUBLE,
          LogicalTypeRoot.DECIMAL,
          LogicalTypeRoot.BINARY,
          LogicalTypeRoot.VARBINARY,
          LogicalTypeRoot.DATE,
          LogicalTypeRoot.TIME_WITHOUT_TIME_ZONE,
          LogicalTypeRoot.TIMESTAMP_WITHOUT_TIME_ZONE,
          LogicalTypeRoot.TIMESTAMP_WITH_LOCAL_TIME_ZONE);
  private static final Set<LogicalTypeRoot> NESTED =
      Set.of(LogicalTypeRoot.ARRAY, LogicalTypeRoot.MAP, LogicalTypeRoot.ROW);

  private final String extension;

  FileKind(String extension) {
    this.extension = extension;
  }

  /** What the name of such a file ends in, without the dot. */
  public String extension() {
    return extension;
  }

  /** How it can be compressed, the usual way first; none where there is no choice. */
  public List<String> compressions() {
    return switch (this) {
      case PARQUET -> List.of("snappy", "zstd", "gzip", "none");
      case ARROW -> List.of("none", "zstd", "lz4");
      case CSV, JSON, XLSX -> List.of();
    };
  }

  /**
   * How a kind of file is written.
   *
   * @param lines of JSON: an object per line instead of an array
   * @param compression one of {@link #compressions}, if there are any
   */
  public record Options(boolean lines, String compression) {}

  /** Why rows of that type cannot be written; null when they can. */
  @Nullable
  public String refuses(RowType rowType) {
    if (rowType.getFieldCount() == 0) {
      return "there is no column left to write";
    }
    if (this == XLSX && rowType.getFieldCount() > ExcelFile.MAX_COLUMNS) {
      return "there are "
          + rowType.getFieldCount()
          + " columns, but a sheet of Excel holds "
          + ExcelFile.MAX_COLUMNS;
    }
    for (RowType.RowField field : rowType.getFields()) {
      LogicalType type = field.getType();
      boolean nested = NESTED.contains(type.getTypeRoot());
      if (!SCALARS.contains(type.getTypeRoot()) && !(nested && this != CSV && this != XLSX)) {
        return "the column '"
            + field.getName()
            + "' is "
            + type.asSummaryString()
            + ", which "
            + extension
            + " cannot hold";
      }
    }
    return null;
  }

  /** Creates files of rows that {@link #refuses} has nothing against. */
  public RowFile.Factory files(RowType rowType, Options options) {
    boolean lines = options.lines();
    return switch (this) {
      case CSV -> file -> new CsvFile(file, rowType);
      case JSON -> file -> new JsonFile(file, rowType, lines);
      case PARQUET -> {
        CompressionCodecName codec =
            options.compression().equals("none")
                ? CompressionCodecName.UNCOMPRESSED
                : CompressionCodecName.valueOf(options.compression().toUpperCase(Locale.ROOT));
        yield file -> new ParquetFile(file, rowType, codec);
      }
      case XLSX -> file -> new ExcelFile(file, rowType);
      case ARROW -> {
        ArrowCompression compression =
            ArrowCompression.valueOf(options.compression().toUpperCase(Locale.ROOT));
        yield file -> new ArrowFile(file, rowType, compression);
      }
    };
  }
}

package io.millrace.transform.file;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.conf.ParquetConfiguration;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.api.InitContext;
import org.apache.parquet.hadoop.api.ReadSupport;
import org.apache.parquet.io.InputFile;
import org.apache.parquet.io.LocalInputFile;
import org.apache.parquet.io.api.RecordMaterializer;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;

/** Parquet files as rows, of the types that {@link ParquetColumns} finds. */
public final class ParquetRows implements RowFormat {
  private static final long serialVersionUID = 1L;

  private final FileColumns columns;

  /**
   * Rows of these columns.
   *
   * @param rowType the files' columns, and the order column as the last one if {@code ordered}
   */
  public ParquetRows(RowType rowType, boolean ordered) {
    this.columns = new FileColumns(rowType, ordered);
  }

  @Override
  public RowType rowType() {
    return columns.rowType();
  }

  @Override
  public Reader open(Path file, int index) throws IOException {
    ParquetReader<GenericRowData> records = new Builder(new LocalInputFile(file), file).build();
    return new Reader() {
      private long read;

      @Override
      @Nullable
      public RowData read() throws IOException {
        GenericRowData row;
        try {
          row = records.read();
        } catch (MalformedFileException e) {
          throw e;
        } catch (IOException | RuntimeException e) {
          throw ParquetColumns.unreadable(file, e);
        }
        if (row != null && columns.ordered()) {
          row.setField(columns.count(), RowFormat.order(index, read));
        }
        read++;
        return row;
      }

      @Override
      public void close() throws IOException {
        records.close();
      }
    };
  }

  private final class Builder extends ParquetReader.Builder<GenericRowData> {
    private final Path path;

    Builder(InputFile file, Path path) {
      super(file, new PlainParquetConfiguration());
      this.path = path;
    }

    @Override
    protected ReadSupport<GenericRowData> getReadSupport() {
      return new RowSupport(path);
    }
  }

  private final class RowSupport extends ReadSupport<GenericRowData> {
    private final Path path;

    RowSupport(Path path) {
      this.path = path;
    }

    @Override
    public ReadContext init(InitContext context) {
      return new ReadContext(context.getFileSchema());
    }

    // The newer method below is what is called; this one has to be there.
    @Override
    @SuppressWarnings("deprecation")
    public RecordMaterializer<GenericRowData> prepareForRead(
        Configuration configuration,
        Map<String, String> metadata,
        MessageType schema,
        ReadContext context) {
      return records(schema);
    }

    @Override
    public RecordMaterializer<GenericRowData> prepareForRead(
        ParquetConfiguration configuration,
        Map<String, String> metadata,
        MessageType schema,
        ReadContext context) {
      return records(schema);
    }

    private ParquetRecords records(MessageType schema) {
      List<String> names = schema.getFields().stream().map(Type::getName).toList();
      try {
        return new ParquetRecords(
            schema,
            CsvInference.positions(columns.names(), names, path),
            columns.rowType().getFieldCount());
      } catch (MalformedFileException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}

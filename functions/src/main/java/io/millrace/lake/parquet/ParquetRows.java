package io.millrace.lake.parquet;

import java.io.Closeable;
import java.io.IOException;
import javax.annotation.Nullable;
import org.apache.flink.core.fs.Path;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.MessageColumnIO;
import org.apache.parquet.io.RecordReader;
import org.apache.parquet.schema.MessageType;

/** The rows of a file, one row group in memory at a time. */
final class ParquetRows implements Closeable {
  private final ParquetFileReader file;
  private final MessageType wanted;
  private final MessageColumnIO columns;
  @Nullable private RecordReader<Group> rows;
  private long left;

  /**
   * Opens a file.
   *
   * @param wanted the columns to read; those that the file lacks have no value
   */
  ParquetRows(Path path, MessageType wanted) throws IOException {
    ParquetReadOptions options =
        ParquetReadOptions.builder(new PlainParquetConfiguration()).build();
    this.file = ParquetFileReader.open(FlinkFiles.input(path), options);
    this.wanted = wanted;
    file.setRequestedSchema(wanted);
    this.columns =
        new ColumnIOFactory().getColumnIO(wanted, file.getFooter().getFileMetaData().getSchema());
  }

  /** The next row, null after the last one. */
  @Nullable
  Group next() throws IOException {
    while (left == 0) {
      PageReadStore rowGroup = file.readNextRowGroup();
      if (rowGroup == null) {
        return null;
      }
      left = rowGroup.getRowCount();
      rows = columns.getRecordReader(rowGroup, new GroupRecordConverter(wanted));
    }
    left--;
    return rows.read();
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}

package io.millrace.lake.parquet;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.core.fs.local.LocalDataOutputStream;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.RecordReader;
import org.apache.parquet.schema.MessageType;

/** Writes rows to files, and reads files with DuckDB, which shares no code with the writer. */
final class ParquetFiles {
  static final Lineage LINEAGE = new Lineage("engagement", "0.1.0", "run-1");

  private ParquetFiles() {}

  static <T> Path write(Path file, LakeTable<T> table, List<T> rows) throws IOException {
    return write(file, table, rows, ParquetOptions.DEFAULT);
  }

  static <T> Path write(Path file, LakeTable<T> table, List<T> rows, ParquetOptions options)
      throws IOException {
    ParquetRowWriter.Factory<T> factory = new ParquetRowWriter.Factory<>(table, LINEAGE, options);
    try (LocalDataOutputStream out = new LocalDataOutputStream(file.toFile())) {
      ParquetRowWriter<T> writer = factory.create(out);
      for (T row : rows) {
        writer.addElement(row);
      }
      writer.flush();
      writer.finish();
    }
    return file;
  }

  /**
   * Runs a query; {@code %s} stands for the file. Each row is its columns as text, joined by a bar.
   */
  static List<String> query(Path file, String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection("jdbc:duckdb:");
        Statement statement = connection.createStatement()) {
      statement.execute("SET TimeZone = 'UTC'");
      String from = "read_parquet('" + file + "', hive_partitioning = false)";
      try (ResultSet rows = statement.executeQuery(sql.replace("%s", from))) {
        List<String> out = new ArrayList<>();
        int columns = rows.getMetaData().getColumnCount();
        while (rows.next()) {
          List<String> values = new ArrayList<>();
          for (int i = 1; i <= columns; i++) {
            values.add(String.valueOf(rows.getObject(i)));
          }
          out.add(String.join("|", values));
        }
        return out;
      }
    }
  }

  static ParquetFileReader reader(Path file) throws IOException {
    return ParquetFileReader.open(
        FlinkFiles.input(new org.apache.flink.core.fs.Path(file.toUri())),
        ParquetReadOptions.builder(new PlainParquetConfiguration()).build());
  }

  /** The rows as Parquet's own reader sees them. */
  static List<Group> groups(Path file) throws IOException {
    List<Group> out = new ArrayList<>();
    try (ParquetFileReader reader = reader(file)) {
      MessageType schema = reader.getFileMetaData().getSchema();
      for (PageReadStore pages = reader.readNextRowGroup();
          pages != null;
          pages = reader.readNextRowGroup()) {
        RecordReader<Group> records =
            new ColumnIOFactory()
                .getColumnIO(schema)
                .getRecordReader(pages, new GroupRecordConverter(schema));
        for (long i = 0; i < pages.getRowCount(); i++) {
          out.add(records.read());
        }
      }
    }
    return out;
  }
}

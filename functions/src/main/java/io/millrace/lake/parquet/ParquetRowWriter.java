package io.millrace.lake.parquet;

import io.millrace.event.Origin;
import java.io.IOException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.flink.api.common.serialization.BulkWriter;
import org.apache.flink.core.fs.FSDataOutputStream;
import org.apache.parquet.hadoop.ParquetFileWriter;
import org.apache.parquet.schema.MessageType;

/**
 * Writes rows of a table to one Parquet file. The files that one factory has open share a budget of
 * memory: when it is used up, the largest of them flushes its row group early.
 */
public final class ParquetRowWriter<T> implements BulkWriter<T> {
  private static final int NO_PADDING = 0;

  private final LakeTable<T> table;
  private final Lineage lineage;
  private final ParquetOptions options;
  private final WriteBudget budget;
  private final RowColumns columns;
  private final ParquetFileWriter file;
  private final SourceOffsets offsets = new SourceOffsets();
  private long rows;
  private long reported;

  private ParquetRowWriter(Factory<T> factory, FSDataOutputStream out) throws IOException {
    this.table = factory.table;
    this.lineage = factory.lineage;
    this.options = factory.options;
    this.budget = factory.budget;
    this.columns =
        new RowColumns(
            table.schema().path(), factory.schema, table.uniqueColumns(), options, factory.codec);
    this.file =
        new ParquetFileWriter(
            FlinkFiles.output(out),
            factory.schema,
            ParquetFileWriter.Mode.CREATE,
            options.rowGroupBytes(),
            NO_PADDING,
            RowColumns.COLUMN_INDEX_TRUNCATE,
            Integer.MAX_VALUE,
            false);
    file.start();
    budget.opened(this);
    report();
  }

  @Override
  public void addElement(T row) throws IOException {
    table.write(row, columns);
    columns.endRow();
    rows++;
    Origin origin = table.origin(row);
    if (origin != null) {
      offsets.add(origin);
    }
    if (columns.held() != reported) {
      if (columns.held() >= options.rowGroupBytes()) {
        flushRowGroup();
      } else {
        report();
      }
    }
  }

  /** Does nothing: what is buffered becomes a row group when it is large enough, or at the end. */
  @Override
  public void flush() {}

  @Override
  public void finish() throws IOException {
    flushRowGroup();
    file.end(footer());
    budget.closed(this);
    budget.changed(-reported);
    reported = 0;
  }

  private Map<String, String> footer() throws IOException {
    Map<String, String> footer = new LinkedHashMap<>();
    footer.put(Lineage.JOB, lineage.job());
    footer.put(Lineage.VERSION, lineage.version());
    footer.put(Lineage.RUN_ID, lineage.runId());
    footer.put(Lineage.SCHEMA_VERSION, Integer.toString(table.schemaVersion()));
    footer.put(Lineage.TABLE, table.schema().path());
    footer.put(Lineage.WRITTEN_AT, Instant.now().toString());
    footer.put(Lineage.ROWS, Long.toString(rows));
    footer.put(Lineage.SOURCE_OFFSETS, offsets.json());
    return footer;
  }

  /** Rows in memory. */
  int bufferedRows() {
    return columns.rows();
  }

  /** Bytes in memory. */
  long held() {
    return columns.held();
  }

  void flushRowGroup() throws IOException {
    columns.flush(file);
    report();
  }

  private void report() throws IOException {
    long delta = columns.held() - reported;
    reported = columns.held();
    budget.changed(delta);
  }

  /** Opens a writer for each file of a table; travels with the job to its subtasks. */
  public static final class Factory<T> implements BulkWriter.Factory<T> {
    private static final long serialVersionUID = 1L;

    private final LakeTable<T> table;
    private final Lineage lineage;
    private final ParquetOptions options;
    @Nullable private transient MessageType schema;
    @Nullable private transient PageCodec codec;
    @Nullable private transient WriteBudget budget;

    public Factory(LakeTable<T> table, Lineage lineage, ParquetOptions options) {
      this.table = table;
      this.lineage = lineage;
      this.options = options;
    }

    @Override
    public ParquetRowWriter<T> create(FSDataOutputStream out) throws IOException {
      if (budget == null) {
        schema = ParquetSchema.of(table.schema());
        codec = new PageCodec(options.zstdLevel());
        budget = new WriteBudget(options.memoryBytes());
      }
      return new ParquetRowWriter<>(this, out);
    }

    /** What the open files of this instance hold in memory. */
    long held() {
      return budget == null ? 0 : budget.held();
    }
  }
}

package io.millrace.transform.file;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.FileSourceSplit;
import org.apache.flink.connector.file.src.reader.BulkFormat;
import org.apache.flink.connector.file.src.util.ArrayResultIterator;
import org.apache.flink.connector.file.src.util.CheckpointedPosition;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;

/**
 * Reads whole files in parallel, each by one reader from its start to its end. A reader that is
 * restored reads its file anew and skips what it had sent.
 */
public final class FileRows implements BulkFormat<RowData, FileSourceSplit> {
  private static final long serialVersionUID = 1L;

  private static final int BATCH = 1024;

  private final RowFormat format;
  private final Map<String, Integer> indexes;

  private FileRows(RowFormat format, Map<String, Integer> indexes) {
    this.format = format;
    this.indexes = indexes;
  }

  /** A bounded source of the files' rows. */
  public static FileSource<RowData> source(List<Path> files, RowFormat format) {
    Map<String, Integer> indexes = new HashMap<>();
    org.apache.flink.core.fs.Path[] paths = new org.apache.flink.core.fs.Path[files.size()];
    for (int i = 0; i < paths.length; i++) {
      paths[i] = org.apache.flink.core.fs.Path.fromLocalFile(files.get(i).toFile());
      indexes.put(paths[i].getPath(), i);
    }
    return FileSource.forBulkFileFormat(new FileRows(format, indexes), paths).build();
  }

  @Override
  public BulkFormat.Reader<RowData> createReader(Configuration configuration, FileSourceSplit split)
      throws IOException {
    String path = split.path().getPath();
    Batches reader = new Batches(format.open(Path.of(path), indexes.get(path)));
    long skip =
        split.getReaderPosition().map(CheckpointedPosition::getRecordsAfterOffset).orElse(0L);
    reader.skip(skip);
    return reader;
  }

  @Override
  public BulkFormat.Reader<RowData> restoreReader(
      Configuration configuration, FileSourceSplit split) throws IOException {
    return createReader(configuration, split);
  }

  @Override
  public boolean isSplittable() {
    return false;
  }

  @Override
  public TypeInformation<RowData> getProducedType() {
    return InternalTypeInfo.of(format.rowType());
  }

  private static final class Batches implements BulkFormat.Reader<RowData> {
    private final RowFormat.Reader reader;
    private long read;

    Batches(RowFormat.Reader reader) {
      this.reader = reader;
    }

    void skip(long rows) throws IOException {
      while (read < rows && reader.read() != null) {
        read++;
      }
    }

    @Override
    @Nullable
    public BulkFormat.RecordIterator<RowData> readBatch() throws IOException {
      RowData[] rows = new RowData[BATCH];
      int size = 0;
      while (size < BATCH) {
        RowData row = reader.read();
        if (row == null) {
          break;
        }
        rows[size++] = row;
      }
      if (size == 0) {
        return null;
      }
      ArrayResultIterator<RowData> batch = new ArrayResultIterator<>();
      batch.set(rows, size, CheckpointedPosition.NO_OFFSET, read);
      read += size;
      return batch;
    }

    @Override
    public void close() throws IOException {
      reader.close();
    }
  }
}

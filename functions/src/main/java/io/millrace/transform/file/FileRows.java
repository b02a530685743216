package io.millrace.transform.file;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
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
import org.apache.flink.core.fs.FileStatus;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;

/**
 * Reads whole files in parallel, each from its start to its end. Where there are more readers than
 * files, large files whose rows are skipped cheaply are shared: of so many blocks of rows a reader
 * takes one and skips the others. A reader that is restored reads its file anew and skips what it
 * had sent.
 */
public final class FileRows implements BulkFormat<RowData, FileSourceSplit> {
  private static final long serialVersionUID = 1L;

  private static final int BATCH = 1024;
  private static final long BYTES_TO_SHARE = 4 << 20;
  private static final int MOST_READERS = 8;

  private final RowFormat format;
  private final Map<String, Integer> indexes;

  private FileRows(RowFormat format, Map<String, Integer> indexes) {
    this.format = format;
    this.indexes = indexes;
  }

  /** A bounded source of the files' rows. */
  public static FileSource<RowData> source(List<Path> files, RowFormat format) {
    boolean shared = format.skipsCheaply();
    return FileSource.forBulkFileFormat(format(files, format), paths(files))
        .setFileEnumerator(() -> (all, readers) -> splits(all, shared ? readers : 1))
        .build();
  }

  static FileRows format(List<Path> files, RowFormat format) {
    Map<String, Integer> indexes = new HashMap<>();
    for (org.apache.flink.core.fs.Path path : paths(files)) {
      indexes.put(path.getPath(), indexes.size());
    }
    return new FileRows(format, indexes);
  }

  private static org.apache.flink.core.fs.Path[] paths(List<Path> files) {
    return files.stream()
        .map(file -> org.apache.flink.core.fs.Path.fromLocalFile(file.toFile()))
        .toArray(org.apache.flink.core.fs.Path[]::new);
  }

  /** A split for each reader of each file: its offset is the reader's number, from 0. */
  static List<FileSourceSplit> splits(org.apache.flink.core.fs.Path[] paths, int readers)
      throws IOException {
    int most = Math.min(MOST_READERS, (readers + paths.length - 1) / paths.length);
    List<FileSourceSplit> splits = new ArrayList<>();
    for (org.apache.flink.core.fs.Path path : paths) {
      FileStatus file = path.getFileSystem().getFileStatus(path);
      int sharing = file.getLen() < BYTES_TO_SHARE ? 1 : most;
      for (int i = 0; i < sharing; i++) {
        splits.add(
            new FileSourceSplit(
                Integer.toString(splits.size()),
                path,
                i,
                sharing,
                file.getModificationTime(),
                file.getLen()));
      }
    }
    return splits;
  }

  @Override
  public BulkFormat.Reader<RowData> createReader(Configuration configuration, FileSourceSplit split)
      throws IOException {
    String path = split.path().getPath();
    Batches reader =
        new Batches(
            format.open(Path.of(path), indexes.get(path)),
            (int) split.offset(),
            (int) split.length());
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
    private final int place;
    private final int sharing;
    private long passed;
    private long read;

    Batches(RowFormat.Reader reader, int place, int sharing) {
      this.reader = reader;
      this.place = place;
      this.sharing = sharing;
    }

    void skip(long rows) throws IOException {
      while (read < rows && next() != null) {
        read++;
      }
    }

    /** The next row of this reader's blocks. */
    @Nullable
    private RowData next() throws IOException {
      while (passed / BATCH % sharing != place) {
        if (!reader.skip()) {
          return null;
        }
        passed++;
      }
      passed++;
      return reader.read();
    }

    @Override
    @Nullable
    public BulkFormat.RecordIterator<RowData> readBatch() throws IOException {
      RowData[] rows = new RowData[BATCH];
      int size = 0;
      while (size < BATCH) {
        RowData row = next();
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

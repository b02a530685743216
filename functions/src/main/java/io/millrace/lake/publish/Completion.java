package io.millrace.lake.publish;

import io.millrace.lake.catalog.Granularity;
import io.millrace.lake.catalog.TimePartition;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import org.apache.flink.core.fs.FileStatus;
import org.apache.flink.core.fs.Path;

/** Counts what a partition's folder holds and writes its {@code _SUCCESS} file. */
final class Completion {
  private final Path base;
  private final RowCounter rowCounter;

  Completion(Path base, RowCounter rowCounter) {
    this.base = base;
    this.rowCounter = rowCounter;
  }

  /** Completes a partition in its folder below the table's: see the other method. */
  Optional<SuccessFile> complete(TimePartition partition, long watermark, BooleanSupplier stopped)
      throws IOException {
    return complete(new Path(base, partition.path()), watermark, stopped);
  }

  /**
   * The partition's file, written where the folder holds other data files than the former one says;
   * empty when it holds none. Only files that the former one does not name are read.
   *
   * @param stopped another publisher may have taken over, whose file must not be replaced by this
   *     older count
   */
  Optional<SuccessFile> complete(Path folder, long watermark, BooleanSupplier stopped)
      throws IOException {
    Optional<SuccessFile> former = SuccessFile.read(folder);
    NavigableMap<String, Long> rows = new TreeMap<>();
    for (Path file : dataFiles(folder)) {
      Long known = former.map(f -> f.fileRows().get(file.getName())).orElse(null);
      rows.put(file.getName(), known == null ? (Long) rowCounter.rows(file) : known);
    }
    if (rows.isEmpty() || former.map(SuccessFile::fileRows).filter(rows::equals).isPresent()) {
      return rows.isEmpty() ? Optional.empty() : former;
    }
    long generation = 1 + former.map(SuccessFile::generation).orElse(0L);
    SuccessFile success = new SuccessFile(rows, generation, System.currentTimeMillis(), watermark);
    if (stopped.getAsBoolean()) {
      throw new IOException("stopped before " + folder + " was marked");
    }
    success.write(folder);
    return Optional.of(success);
  }

  /** The files that readers see: not those that begin with a dot or an underscore. */
  static List<Path> dataFiles(Path folder) throws IOException {
    List<Path> files = new ArrayList<>();
    for (FileStatus status : list(folder)) {
      String name = status.getPath().getName();
      if (!status.isDir() && !name.startsWith(".") && !name.startsWith("_")) {
        files.add(status.getPath());
      }
    }
    return files;
  }

  /** The folders of partitions below a table's or a generation's, as paths from there. */
  static List<String> partitionFolders(Path base, Granularity granularity) throws IOException {
    List<String> found = List.of("");
    for (String column : granularity.columns()) {
      List<String> next = new ArrayList<>();
      for (String parent : found) {
        for (FileStatus status : list(parent.isEmpty() ? base : new Path(base, parent))) {
          String name = status.getPath().getName();
          if (status.isDir() && name.startsWith(column + "=")) {
            next.add(parent.isEmpty() ? name : parent + "/" + name);
          }
        }
      }
      found = next;
    }
    return found;
  }

  /** What a folder holds; nothing where there is no such folder. */
  static FileStatus[] list(Path folder) throws IOException {
    try {
      FileStatus[] listed = folder.getFileSystem().listStatus(folder);
      return listed == null ? new FileStatus[0] : listed;
    } catch (FileNotFoundException e) {
      return new FileStatus[0];
    }
  }
}

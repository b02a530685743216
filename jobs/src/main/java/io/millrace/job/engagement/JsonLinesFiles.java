package io.millrace.job.engagement;

import io.millrace.config.ConfigException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import org.apache.flink.connector.file.src.FileSourceSplit;
import org.apache.flink.connector.file.src.enumerate.DefaultFileFilter;
import org.apache.flink.connector.file.src.enumerate.NonSplittingRecursiveEnumerator;
import org.apache.flink.core.fs.FileStatus;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.Path;

/**
 * The {@code *.jsonl} and {@code *.jsonl.gz} files of a folder and the folders in it, without
 * hidden ones.
 */
final class JsonLinesFiles extends NonSplittingRecursiveEnumerator {
  private static final DefaultFileFilter NOT_HIDDEN = new DefaultFileFilter();

  JsonLinesFiles() {
    super(NOT_HIDDEN);
  }

  /**
   * Fails when the folder has no file to read. Says nothing of a folder that cannot be listed from
   * here: a client need not have the file system that the cluster has.
   */
  static void require(String folder) {
    Path path = new Path(folder);
    try {
      FileSystem fs = path.getFileSystem();
      if (!hasFile(fs, fs.getFileStatus(path))) {
        throw new ConfigException(List.of(noFile(folder)));
      }
    } catch (FileNotFoundException e) {
      throw new ConfigException(List.of(noFile(folder)), e);
    } catch (IOException e) {
      // The enumerator meets it again, in the cluster.
    }
  }

  @Override
  public Collection<FileSourceSplit> enumerateSplits(Path[] paths, int minDesiredSplits)
      throws IOException {
    Collection<FileSourceSplit> splits = super.enumerateSplits(paths, minDesiredSplits);
    if (splits.isEmpty()) {
      throw new FileNotFoundException(noFile(paths[0].toString()));
    }
    return splits;
  }

  // The filter of the constructor is asked about folders too.
  @Override
  protected void convertToSourceSplits(FileStatus file, FileSystem fs, List<FileSourceSplit> target)
      throws IOException {
    if (isJsonLines(file)) {
      super.convertToSourceSplits(file, fs, target);
    }
  }

  private static boolean hasFile(FileSystem fs, FileStatus file) throws IOException {
    if (!NOT_HIDDEN.test(file.getPath())) {
      return false;
    }
    if (!file.isDir()) {
      return isJsonLines(file);
    }
    for (FileStatus each : fs.listStatus(file.getPath())) {
      if (hasFile(fs, each)) {
        return true;
      }
    }
    return false;
  }

  private static boolean isJsonLines(FileStatus file) {
    String name = file.getPath().getName();
    return name.endsWith(".jsonl") || name.endsWith(".jsonl.gz");
  }

  private static String noFile(String folder) {
    return "input is '"
        + folder
        + "', where there is no file *.jsonl or *.jsonl.gz (a name that begins with . or _ is"
        + " hidden)";
  }
}

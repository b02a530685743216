package io.millrace.lake.publish;

import io.millrace.lake.parquet.ParquetFooter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.fs.Path;

/**
 * Brings into a partition's generation what the live job commits to the table's own folder and the
 * backfill has not read. A copy has the name of its original, so it may be made again at any time.
 */
final class LateFiles {
  private LateFiles() {}

  /**
   * What there is in the table's own folder beside what a generation holds.
   *
   * @param read names of files whose rows are in the generation
   * @param missing files to be copied
   * @param mixed files of which some rows are in the generation
   */
  record Found(Set<String> read, List<Path> missing, List<Path> mixed) {}

  /**
   * Compares; only footers of files that the generation neither has nor names are read.
   *
   * @param own the partition's folder below the table's
   * @param current that of the generation
   */
  static Found find(Path own, Path current, GenerationFile generation) throws IOException {
    Set<String> present = new HashSet<>(generation.replaced());
    Completion.dataFiles(current).forEach(file -> present.add(file.getName()));
    Coverage coverage = generation.coverage();
    Found found =
        new Found(new HashSet<>(generation.replaced()), new ArrayList<>(), new ArrayList<>());
    for (Path file : Completion.dataFiles(own)) {
      if (!present.contains(file.getName())) {
        switch (coverage.judge(ParquetFooter.read(file).sourceOffsets())) {
          case READ -> found.read().add(file.getName());
          case NEW -> found.missing().add(file);
          case MIXED -> found.mixed().add(file);
        }
      }
    }
    return found;
  }

  static void copy(List<Path> files, Path folder) throws IOException {
    for (Path file : files) {
      try (FSDataInputStream in = file.getFileSystem().open(file)) {
        WholeFile.write(new Path(folder, file.getName()), in);
      }
    }
  }
}

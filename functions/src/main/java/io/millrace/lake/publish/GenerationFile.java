package io.millrace.lake.publish;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeSet;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.fs.Path;

/**
 * The {@code _GENERATION} file of a partition that a backfill has written: what it stands for.
 *
 * @param runId the backfill's run, as in the ledger
 * @param plannedAt when it began, ISO-8601
 * @param lastOffsets what it has read: see {@link Coverage}
 * @param replaced files of the table's own folder whose rows are in this generation; all other
 *     files there are to be copied
 */
record GenerationFile(
    String runId,
    String plannedAt,
    NavigableMap<String, Long> lastOffsets,
    NavigableSet<String> replaced) {
  static final String NAME = "_GENERATION";

  private static final ObjectMapper JSON = new ObjectMapper();

  GenerationFile {
    replaced = new TreeSet<>(replaced);
  }

  Coverage coverage() {
    return new Coverage(lastOffsets);
  }

  /** That of a partition's folder; empty where no backfill wrote the folder. */
  static Optional<GenerationFile> read(Path folder) throws IOException {
    Path path = new Path(folder, NAME);
    try (FSDataInputStream in = path.getFileSystem().open(path)) {
      return Optional.of(JSON.readValue(in.readAllBytes(), GenerationFile.class));
    } catch (FileNotFoundException e) {
      return Optional.empty();
    }
  }

  void write(Path folder) throws IOException {
    byte[] bytes = JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(this);
    WholeFile.write(new Path(folder, NAME), new ByteArrayInputStream(bytes));
  }
}

package io.millrace.lake.publish;

import io.millrace.lake.catalog.Catalog;
import io.millrace.lake.catalog.Catalog.RegisteredPartition;
import io.millrace.lake.catalog.CatalogException;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.catalog.TimePartition;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.core.fs.FileStatus;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.Path;

/**
 * Finds and removes what backfills have written and no partition of the catalog points to: former
 * generations, and hours that were computed and not published.
 *
 * <p>A reader that has asked the catalog goes on reading where it was sent, so a folder stays for a
 * while after its last use: its own last change, or the swap that sent readers elsewhere. What a
 * backfill has still to swap stays, and what one that was planned within that while writes.
 */
public final class Generations {
  private final Path root;
  private final Catalog catalog;

  /**
   * The folder of a partition that no reader is sent to.
   *
   * @param run the backfill that wrote it
   * @param bytes in all its files
   * @param lastUsed when readers may last have been sent there
   */
  public record Unused(
      TableSchema table,
      String run,
      TimePartition partition,
      Path folder,
      int files,
      long bytes,
      Instant lastUsed) {}

  /**
   * The generations of a lake.
   *
   * @param root the lake's
   */
  public Generations(Path root, Catalog catalog) {
    this.root = root;
    this.catalog = catalog;
  }

  /**
   * The folders of tables that were last used before an instant, by table, run and partition.
   *
   * @throws IllegalArgumentException in one line, when the catalog has no partition of any of the
   *     tables in this lake: then it is not the one that readers ask, or not the lake
   */
  public List<Unused> unused(List<TableSchema> tables, Instant before)
      throws IOException, CatalogException {
    Set<String> kept = unfinished(before);
    List<Unused> unused = new ArrayList<>();
    boolean known = false;
    for (TableSchema table : tables) {
      Map<TimePartition, RegisteredPartition> registered = new HashMap<>();
      for (RegisteredPartition p : catalog.partitions(table)) {
        registered.put(p.partition(), p);
        known |= p.isBelow(root.toString());
      }
      for (FileStatus run : Completion.list(folder(table.name()))) {
        if (run.isDir() && !kept.contains(run.getPath().getName())) {
          addUnused(table, run.getPath(), registered, before, unused);
        }
      }
    }
    if (!known) {
      throw new IllegalArgumentException(
          "the catalog has no partition in "
              + root
              + ": is it the lake's root, and the database that readers ask?");
    }
    return unused;
  }

  private void addUnused(
      TableSchema table,
      Path run,
      Map<TimePartition, RegisteredPartition> registered,
      Instant before,
      List<Unused> unused)
      throws IOException {
    for (String path : Completion.partitionFolders(run, table.granularity())) {
      TimePartition partition = TimePartition.parse(path, table.granularity());
      Path folder = new Path(run, path);
      RegisteredPartition known = registered.get(partition);
      if (known != null && known.isAt(folder.toString())) {
        continue;
      }
      long changed = known == null ? 0 : swapped(known);
      long bytes = 0;
      int files = 0;
      for (FileStatus file : Completion.list(folder)) {
        changed = Math.max(changed, file.getModificationTime());
        bytes += file.getLen();
        files++;
      }
      if (changed < before.toEpochMilli()) {
        Instant lastUsed = Instant.ofEpochMilli(changed);
        unused.add(new Unused(table, run.getName(), partition, folder, files, bytes, lastUsed));
      }
    }
  }

  /** When a backfill sent readers to where they look now; 0 when none did. */
  private static long swapped(RegisteredPartition known) throws IOException {
    long swapped = 0;
    for (FileStatus file : Completion.list(new Path(known.location()))) {
      if (file.getPath().getName().equals(GenerationFile.NAME)) {
        swapped = file.getModificationTime();
      }
    }
    return swapped;
  }

  /** Runs that have something to swap, or that may still be writing. */
  private Set<String> unfinished(Instant before) throws IOException {
    Set<String> runs = new HashSet<>();
    for (BackfillPlan plan : BackfillPlan.all(root)) {
      boolean recent = !Instant.parse(plan.plannedAt()).isBefore(before);
      if (recent || plan.stage() == BackfillPlan.Stage.WRITTEN) {
        runs.add(plan.runId());
      }
    }
    return runs;
  }

  /**
   * Removes a folder, and those above it that become empty.
   *
   * @return false when readers have been sent there meanwhile: then it stays
   */
  public boolean remove(Unused unused) throws IOException, CatalogException {
    boolean used =
        catalog
            .partition(unused.table(), unused.partition())
            .filter(p -> p.isAt(unused.folder().toString()))
            .isPresent();
    if (used) {
      return false;
    }
    FileSystem files = unused.folder().getFileSystem();
    files.delete(unused.folder(), true);
    Path table = folder(unused.table().name());
    Path above = unused.folder().getParent();
    while (!above.getPath().equals(table.getPath()) && Completion.list(above).length == 0) {
      files.delete(above, false);
      above = above.getParent();
    }
    return true;
  }

  private Path folder(String name) {
    return new Path(root, BackfillPlan.FOLDER + "/" + name);
  }
}

package io.millrace.lake.publish;

import io.millrace.lake.catalog.Catalog;
import io.millrace.lake.catalog.CatalogException;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.parquet.ParquetFooter;
import io.millrace.lake.parquet.PersonRows;
import io.millrace.lake.parquet.RowErasure;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.flink.core.fs.FileStatus;
import org.apache.flink.core.fs.Path;

/**
 * Takes a person's rows out of a lake, in every generation of its tables, beside a job that goes on
 * writing them.
 *
 * <p>A file that has such a row is replaced by one of the same name without it; no other file is
 * touched. Names stay, because the job, its checkpoints and the backfills know files by them.
 * Readers by path and by catalog see each file as it was or as it is. Per partition all files are
 * written on this machine first, then put in place one after another; then {@code _SUCCESS} and the
 * catalog's properties tell the new counts. Each step may be repeated: an erasure that was
 * interrupted is run again.
 */
public final class Erasure {
  /** How old a file must be that would grow: see {@link RowErasure#write}. */
  public static final Duration SETTLED = Duration.ofHours(1);

  private final Path root;
  private final PersonRows person;
  private final java.nio.file.Path work;
  private final List<Path> left = new ArrayList<>();
  private Progress progress = (table, files) -> {};

  /** Hears how far a table is. */
  @FunctionalInterface
  public interface Progress {
    void at(TableSchema table, long filesRead);
  }

  /**
   * What was found in a table.
   *
   * @param filesRead those that were looked at
   * @param files those that had a row of the person
   * @param partitions those that had such a file, or counts that did not hold
   * @param rows the person's rows
   */
  public record Found(TableSchema table, long filesRead, long files, long partitions, long rows) {
    private Found plus(long moreRead, long moreFiles, long morePartitions, long moreRows) {
      return new Found(
          table,
          filesRead + moreRead,
          files + moreFiles,
          partitions + morePartitions,
          rows + moreRows);
    }
  }

  /**
   * An erasure.
   *
   * @param root the lake's
   * @param work an empty folder of this machine for the files of one partition
   */
  public Erasure(Path root, PersonRows person, java.nio.file.Path work) {
    this.root = root;
    this.person = person;
    this.work = work;
  }

  /** The same, which tells how far it is. */
  public Erasure onProgress(Progress to) {
    progress = to;
    return this;
  }

  /**
   * Files that still have rows of the person: they would grow, and are so young that a job can be
   * restored from the checkpoint that committed them, which does not allow that. To be run again
   * for them after {@link #SETTLED}.
   */
  public List<Path> left() {
    return List.copyOf(left);
  }

  /** Looks for the person's rows, and changes nothing. */
  public List<Found> survey() throws IOException {
    List<Found> found = new ArrayList<>();
    for (TableSchema table : PersonRows.TABLES) {
      Found[] sum = {new Found(table, 0, 0, 0, 0)};
      visit(
          table,
          folder -> {
            long rows = 0;
            long files = 0;
            for (FileStatus file : folder.files()) {
              long ofPerson = RowErasure.count(file.getPath(), person).ofPerson();
              rows += ofPerson;
              files += ofPerson > 0 ? 1 : 0;
            }
            sum[0] = sum[0].plus(folder.files().size(), files, files > 0 ? 1 : 0, rows);
            progress.at(table, sum[0].filesRead());
          });
      found.add(sum[0]);
    }
    return found;
  }

  /**
   * Erases, and tells the catalog.
   *
   * @param catalog knows the tables; one without any is fine
   */
  public List<Found> run(Catalog catalog) throws IOException, CatalogException {
    List<Found> found = new ArrayList<>();
    for (TableSchema table : PersonRows.TABLES) {
      Found[] sum = {new Found(table, 0, 0, 0, 0)};
      List<Path> touched = new ArrayList<>();
      visit(
          table,
          folder -> {
            sum[0] = erase(folder, sum[0], touched);
            progress.at(table, sum[0].filesRead());
          });
      // A publisher that had read the former counts may have written them back meanwhile.
      for (Path folder : touched) {
        recount(folder);
      }
      // Also what an erasure that was interrupted did not tell.
      if (sum[0].filesRead() > 0) {
        Path base = new Path(root, table.path());
        new Repair(table, base, base.toString(), catalog).run();
      }
      found.add(sum[0]);
    }
    return found;
  }

  /** The table's own folder, and the generations that backfills have made. */
  private void visit(TableSchema table, TableFiles.Visitor visitor) throws IOException {
    TableFiles.visit(new Path(root, table.path()), table, visitor);
    for (FileStatus run :
        Completion.list(new Path(root, BackfillPlan.FOLDER + "/" + table.name()))) {
      if (run.isDir()) {
        TableFiles.visit(run.getPath(), table, visitor);
      }
    }
  }

  private Found erase(TableFiles.Folder folder, Found sum, List<Path> touched) throws IOException {
    long rows = 0;
    Map<FileStatus, java.nio.file.Path> written = new LinkedHashMap<>();
    try {
      for (FileStatus file : folder.files()) {
        long ofPerson = RowErasure.count(file.getPath(), person).ofPerson();
        if (ofPerson > 0 && without(file, written)) {
          rows += ofPerson;
        }
      }
      for (Map.Entry<FileStatus, java.nio.file.Path> file : written.entrySet()) {
        try (InputStream in = Files.newInputStream(file.getValue())) {
          WholeFile.write(file.getKey().getPath(), in);
        }
      }
    } finally {
      for (java.nio.file.Path file : written.values()) {
        Files.deleteIfExists(file);
      }
    }
    boolean stale = recount(folder.path());
    if (stale || !written.isEmpty()) {
      touched.add(folder.path());
    }
    return sum.plus(
        folder.files().size(), written.size(), stale || !written.isEmpty() ? 1 : 0, rows);
  }

  /** Writes the file without the rows, unless it has to wait; whether it did. */
  private boolean without(FileStatus file, Map<FileStatus, java.nio.file.Path> written)
      throws IOException {
    Path path = file.getPath();
    java.nio.file.Path target = work.resolve(path.getName());
    written.put(file, target);
    RowErasure.write(path, person, target);
    long age = System.currentTimeMillis() - file.getModificationTime();
    if (Files.size(target) > file.getLen() && age < SETTLED.toMillis()) {
      Files.delete(target);
      written.remove(file);
      left.add(path);
      return false;
    }
    return true;
  }

  /**
   * Lets {@code _SUCCESS} of a complete partition tell what its files hold.
   *
   * @return whether it did not
   */
  private static boolean recount(Path folder) throws IOException {
    Optional<SuccessFile> told = SuccessFile.read(folder);
    if (told.isEmpty()) {
      return false;
    }
    NavigableMap<String, Long> rows = new TreeMap<>(told.get().fileRows());
    for (Path file : Completion.dataFiles(folder)) {
      // A file that is not counted yet is the publisher's to count.
      if (rows.containsKey(file.getName())) {
        rows.put(file.getName(), ParquetFooter.rows(file));
      }
    }
    if (rows.equals(told.get().fileRows())) {
      return false;
    }
    new SuccessFile(
            rows, told.get().generation() + 1, told.get().completedAt(), told.get().watermark())
        .write(folder);
    return true;
  }
}

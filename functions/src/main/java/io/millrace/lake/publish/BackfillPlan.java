package io.millrace.lake.publish;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.catalog.TimePartition;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import javax.annotation.Nullable;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.fs.FileStatus;
import org.apache.flink.core.fs.Path;

/**
 * What a backfill of hours reads and replaces, as a file in the lake: written before the job reads
 * anything, so that job and swap know of the same records, and kept, so that an interrupted swap
 * can go on.
 *
 * @param runId the run, as in the ledger; part of the generation's folders
 * @param plannedAt when it began, ISO-8601
 * @param hours the hours that were asked for; they name the plan
 * @param published the hours that are published: those, and hours beside them that changed with
 *     them
 * @param eventsFrom first event time that is read, epoch ms
 * @param eventsTo last event time that is read, epoch ms
 * @param settledUntil partitions that end by then are over, epoch ms; others are left alone
 * @param rawFiles every file of {@code raw/app_events} that is read
 * @param lastOffsets last offset in these files, by topic-partition
 * @param stage how far it is
 */
public record BackfillPlan(
    String runId,
    String plannedAt,
    HourRange hours,
    @Nullable HourRange published,
    long eventsFrom,
    long eventsTo,
    long settledUntil,
    List<String> rawFiles,
    NavigableMap<String, Long> lastOffsets,
    Stage stage) {

  /** Folder of everything that backfills write, below the lake's root and outside of all tables. */
  public static final String FOLDER = "_generations";

  private static final ObjectMapper JSON = new ObjectMapper();

  /** How far a backfill is. */
  public enum Stage {
    /** The job has not ended; what it wrote is of no use. */
    PLANNED,
    /** The new generation is whole; partitions are being swapped. */
    WRITTEN,
    /** Every partition is swapped. */
    SWAPPED
  }

  public BackfillPlan {
    published = published == null ? hours : published;
    rawFiles = List.copyOf(rawFiles);
    lastOffsets = new TreeMap<>(lastOffsets);
  }

  /**
   * Looks up which raw files there are now, and what they hold.
   *
   * @param root the lake's
   * @param rawTable the table of raw records
   * @param rawFrom first instant of the raw hours to read, epoch ms
   * @param rawUntil hours that begin before are read, and of later ones those files that hold
   *     offsets among theirs
   * @throws IOException also when files are committed faster than they are listed
   */
  public static BackfillPlan of(
      Path root,
      TableSchema rawTable,
      long rawFrom,
      long rawUntil,
      BackfillPlan.Window window,
      String runId,
      String plannedAt)
      throws IOException {
    RawFiles raw =
        RawFiles.of(RawFiles.inFolders(new Path(root, rawTable.path()), rawFrom), rawUntil);
    return new BackfillPlan(
        runId,
        plannedAt,
        window.hours(),
        window.hours(),
        window.eventsFrom(),
        window.eventsTo(),
        window.settledUntil(),
        raw.files().stream().map(Path::toString).toList(),
        raw.coverage().lastOffsets(),
        Stage.PLANNED);
  }

  /** The times of a plan: see its components. */
  public record Window(HourRange hours, long eventsFrom, long eventsTo, long settledUntil) {}

  /**
   * Raw files that are not read though they hold offsets up to those that are: files of a commit
   * that was under way when the plan was made. None of a plan whose partitions may be swapped.
   *
   * @param rawFrom as the plan was made with
   */
  public List<Path> overlooked(Path root, TableSchema rawTable, long rawFrom) throws IOException {
    Set<Path> read = new HashSet<>();
    rawFiles.forEach(file -> read.add(new Path(file)));
    return RawFiles.overlooked(
        RawFiles.inFolders(new Path(root, rawTable.path()), rawFrom), read, coverage());
  }

  /** The same plan, further on. */
  public BackfillPlan at(Stage newStage) {
    return with(published, newStage);
  }

  /** The same plan, publishing other hours. */
  public BackfillPlan publishing(HourRange other) {
    return with(other, stage);
  }

  private BackfillPlan with(HourRange newPublished, Stage newStage) {
    return new BackfillPlan(
        runId,
        plannedAt,
        hours,
        newPublished,
        eventsFrom,
        eventsTo,
        settledUntil,
        rawFiles,
        lastOffsets,
        newStage);
  }

  Coverage coverage() {
    return new Coverage(lastOffsets);
  }

  /** The partitions of a table that are replaced: the hours, or the days that they touch. */
  public List<TimePartition> partitions(TableSchema table) {
    return all(table).stream().filter(p -> p.end() <= settledUntil).toList();
  }

  /** The partitions of a table that are left alone because they are not over. */
  public List<TimePartition> notOver(TableSchema table) {
    return all(table).stream().filter(p -> p.end() > settledUntil).toList();
  }

  private List<TimePartition> all(TableSchema table) {
    List<TimePartition> partitions = new ArrayList<>();
    TimePartition next = TimePartition.of(published.from(), table.granularity());
    while (next.start() < published.end()) {
      partitions.add(next);
      next = new TimePartition(next.end(), table.granularity());
    }
    return partitions;
  }

  /** The folder of a table's new generation. */
  public Path folder(Path root, TableSchema table) {
    return new Path(root, FOLDER + "/" + table.name() + "/" + runId);
  }

  /** Where the plan of some hours is. */
  public static Path file(Path root, HourRange hours) {
    return new Path(plans(root), hours + ".json");
  }

  private static Path plans(Path root) {
    return new Path(root, FOLDER + "/plans");
  }

  /** The last plan of each range of hours that was ever begun. */
  static List<BackfillPlan> all(Path root) throws IOException {
    List<BackfillPlan> all = new ArrayList<>();
    for (FileStatus file : Completion.list(plans(root))) {
      if (file.getPath().getName().endsWith(".json")) {
        read(file.getPath()).ifPresent(all::add);
      }
    }
    return all;
  }

  /** Those that were begun and have not swapped everything: at work, or interrupted. */
  public static List<BackfillPlan> unfinished(Path root) throws IOException {
    return all(root).stream().filter(plan -> plan.stage != Stage.SWAPPED).toList();
  }

  /** Whether this is still the plan of its hours: not given up, and none was made since. */
  public boolean stands(Path root) throws IOException {
    return read(file(root, hours)).filter(plan -> plan.runId.equals(runId)).isPresent();
  }

  /**
   * Gives the plan up: it goes, and before that what was written by it, which no reader is sent to
   * unless a swap has begun; then {@link Generations} tell what of it is unused.
   */
  public void giveUp(Path root) throws IOException {
    if (stage == Stage.PLANNED) {
      for (FileStatus table : Completion.list(new Path(root, FOLDER))) {
        Path written = new Path(table.getPath(), runId);
        written.getFileSystem().delete(written, true);
      }
    }
    if (stands(root)) {
      Path file = file(root, hours);
      file.getFileSystem().delete(file, false);
    }
  }

  /** Reads a plan; empty where there is none. */
  public static Optional<BackfillPlan> read(Path file) throws IOException {
    try (FSDataInputStream in = file.getFileSystem().open(file)) {
      return Optional.of(JSON.readValue(in.readAllBytes(), BackfillPlan.class));
    } catch (FileNotFoundException e) {
      return Optional.empty();
    } catch (JsonProcessingException e) {
      throw new IOException(file + " is not the plan of a backfill: " + e.getOriginalMessage(), e);
    }
  }

  /** Writes the plan where {@link #file} tells. */
  public void write(Path root) throws IOException {
    byte[] bytes = JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(this);
    WholeFile.write(file(root, hours), new ByteArrayInputStream(bytes));
  }
}

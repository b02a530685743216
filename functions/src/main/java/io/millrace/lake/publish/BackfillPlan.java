package io.millrace.lake.publish;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.lake.catalog.Granularity;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.catalog.TimePartition;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
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
 * @param hours the hours that are published
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
    rawFiles = List.copyOf(rawFiles);
    lastOffsets = new TreeMap<>(lastOffsets);
  }

  /**
   * Looks up which raw files there are now, and what they hold.
   *
   * @param root the lake's
   * @param rawTable the table of raw records
   * @param rawFrom first instant of the raw hours to read, epoch ms
   * @param rawUntil hours that begin before are read
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
    List<Path> files = rawFiles(new Path(root, rawTable.path()), rawFrom, rawUntil);
    return new BackfillPlan(
        runId,
        plannedAt,
        window.hours(),
        window.eventsFrom(),
        window.eventsTo(),
        window.settledUntil(),
        files.stream().map(Path::toString).toList(),
        Coverage.of(files).lastOffsets(),
        Stage.PLANNED);
  }

  /** The times of a plan: see its components. */
  public record Window(HourRange hours, long eventsFrom, long eventsTo, long settledUntil) {}

  /** Folder by folder, so that years without an hour of interest are not listed. */
  private static List<Path> rawFiles(Path table, long from, long until) throws IOException {
    List<Path> files = new ArrayList<>();
    for (FileStatus year : folders(table)) {
      for (FileStatus month : folders(year.getPath())) {
        for (FileStatus day : folders(month.getPath())) {
          String date =
              String.join(
                  "/",
                  year.getPath().getName(),
                  month.getPath().getName(),
                  day.getPath().getName());
          TimePartition whole = TimePartition.parse(date, Granularity.DAY);
          if (whole.end() > from && whole.start() < until) {
            for (FileStatus hour : folders(day.getPath())) {
              TimePartition partition =
                  TimePartition.parse(date + "/" + hour.getPath().getName(), Granularity.HOUR);
              if (partition.end() > from && partition.start() < until) {
                files.addAll(Completion.dataFiles(hour.getPath()));
              }
            }
          }
        }
      }
    }
    return files;
  }

  private static List<FileStatus> folders(Path folder) throws IOException {
    List<FileStatus> found = new ArrayList<>();
    for (FileStatus status : Completion.list(folder)) {
      if (status.isDir() && status.getPath().getName().contains("=")) {
        found.add(status);
      }
    }
    return found;
  }

  /** The same plan, further on. */
  public BackfillPlan at(Stage newStage) {
    return new BackfillPlan(
        runId,
        plannedAt,
        hours,
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
    TimePartition next = TimePartition.of(hours.from(), table.granularity());
    while (next.start() < hours.end()) {
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
    return new Path(root, FOLDER + "/plans/" + hours + ".json");
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

package io.millrace.lake.publish;

import io.millrace.lake.catalog.Granularity;
import io.millrace.lake.catalog.TimePartition;
import io.millrace.lake.parquet.OffsetRange;
import io.millrace.lake.parquet.ParquetFooter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.core.fs.FileStatus;
import org.apache.flink.core.fs.Path;

/**
 * The files of {@code raw/} that a backfill reads, with no record left out up to the offsets that
 * they reach. Folders are listed one after another while a job commits to them, and records are not
 * in the order of the hours; so a file that one listing did not bring may hold lower offsets than
 * one that it brought.
 */
record RawFiles(List<Path> files, Coverage coverage) {
  /** A commit takes much less time than a listing; more of them in a row is no accident. */
  private static final int LISTINGS = 10;

  /** What files there are now, of the hours that begin before an instant. */
  interface Listing {
    List<Path> files(long until) throws IOException;
  }

  RawFiles {
    files = List.copyOf(files);
  }

  /**
   * The files of some hours, and those of any later hour that hold an offset among theirs.
   *
   * @param until hours that begin before are read, epoch ms
   * @throws IOException also when the job commits faster than files are listed
   */
  static RawFiles of(Listing listing, long until) throws IOException {
    Map<Path, Map<String, OffsetRange>> footers = new HashMap<>();
    Set<Path> read = new LinkedHashSet<>(listing.files(until));
    Coverage coverage = new Coverage(Collections.emptyNavigableMap());
    for (Path file : read) {
      coverage = coverage.with(sources(file, footers));
    }
    List<Path> reached = List.of();
    for (int i = 0; i < LISTINGS; i++) {
      List<Path> listed = listing.files(Long.MAX_VALUE);
      reached = reached(listed, read, coverage, footers);
      if (reached.isEmpty()) {
        return new RawFiles(List.copyOf(read), coverage);
      }
      // What these reach may be among the same files.
      for (List<Path> more = reached;
          !more.isEmpty();
          more = reached(listed, read, coverage, footers)) {
        for (Path file : more) {
          read.add(file);
          coverage = coverage.with(sources(file, footers));
        }
      }
    }
    throw new IOException(
        "raw files were committed during each of "
            + LISTINGS
            + " listings, among offsets that were listed before, "
            + reached.get(0)
            + " as the last; run the same command again");
  }

  /** Files that were not read and hold offsets up to those that were. */
  static List<Path> overlooked(Listing listing, Set<Path> read, Coverage coverage)
      throws IOException {
    return reached(listing.files(Long.MAX_VALUE), read, coverage, new HashMap<>());
  }

  private static List<Path> reached(
      List<Path> listed,
      Set<Path> read,
      Coverage coverage,
      Map<Path, Map<String, OffsetRange>> footers)
      throws IOException {
    List<Path> reached = new ArrayList<>();
    for (Path file : listed) {
      if (!read.contains(file) && coverage.reaches(sources(file, footers))) {
        reached.add(file);
      }
    }
    return reached;
  }

  private static Map<String, OffsetRange> sources(
      Path file, Map<Path, Map<String, OffsetRange>> footers) throws IOException {
    Map<String, OffsetRange> known = footers.get(file);
    if (known == null) {
      known = ParquetFooter.read(file).sourceOffsets();
      footers.put(file, known);
    }
    return known;
  }

  /** Folder by folder, so that years without an hour of interest are not listed. */
  static Listing inFolders(Path table, long from) {
    return until -> {
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
    };
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
}

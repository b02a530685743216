package io.millrace.local;

import io.millrace.lake.catalog.TimePartition;
import io.millrace.lake.parquet.UserTimes;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.core.fs.FileStatus;
import org.apache.flink.core.fs.Path;

/**
 * Counts the users of whom a backfill cannot tell where a session began: their events go on without
 * a gap from the first ones that it has read into what it publishes.
 *
 * <p>It reads who did something when, hour by hour, and remembers only users without a gap so far:
 * few, after the first hours.
 */
final class OpenChains {
  private final Path events;
  private final long readFrom;
  private final long publishedFrom;
  private final long gap;

  /** The last event of each user without a gap so far. */
  private final Map<String, Long> open = new HashMap<>();

  private long reached;

  /**
   * A count over the events that a backfill has written.
   *
   * @param events the folder of its {@code app_events}
   * @param readFrom first event time that was read, epoch ms
   * @param publishedFrom first event time that is published, epoch ms
   * @param gap a longer one ends a session
   */
  OpenChains(Path events, long readFrom, long publishedFrom, Duration gap) {
    this.events = events;
    this.readFrom = readFrom;
    this.publishedFrom = publishedFrom;
    this.gap = gap.toMillis();
  }

  /** The users without a gap. */
  long count() throws IOException {
    TimePartition hour = TimePartition.hour(readFrom);
    while (hour.start() <= publishedFrom + gap && (begins(hour) || !open.isEmpty())) {
      Map<String, List<Long>> times = new HashMap<>();
      for (Path file : dataFiles(new Path(events, hour.path()))) {
        boolean all = begins(hour);
        UserTimes.read(
            file,
            (user, time) -> {
              if (all || open.containsKey(user)) {
                times.computeIfAbsent(user, u -> new ArrayList<>()).add(time);
              }
            });
      }
      times.forEach(this::follow);
      long next = hour.end();
      open.values().removeIf(last -> next - last > gap);
      hour = TimePartition.hour(next);
    }
    return reached;
  }

  /** Whether a chain can begin in an hour: before a first event that comes later there is a gap. */
  private boolean begins(TimePartition hour) {
    return hour.start() <= readFrom + gap;
  }

  private void follow(String user, List<Long> times) {
    Collections.sort(times);
    Long last = open.get(user);
    if (last == null) {
      last = readFrom;
    }
    for (long time : times) {
      if (time - last > gap) {
        open.remove(user);
        return;
      }
      if (time >= publishedFrom) {
        reached++;
        open.remove(user);
        return;
      }
      last = time;
    }
    open.put(user, last);
  }

  /** The files of a partition's folder that readers see; none where there is no folder. */
  static List<Path> dataFiles(Path folder) throws IOException {
    List<Path> files = new ArrayList<>();
    for (FileStatus status : list(folder)) {
      String name = status.getPath().getName();
      if (!name.startsWith(".") && !name.startsWith("_")) {
        files.add(status.getPath());
      }
    }
    return files;
  }

  /** Without a folder a file system fails or says null. */
  private static FileStatus[] list(Path folder) throws IOException {
    try {
      FileStatus[] listed = folder.getFileSystem().listStatus(folder);
      return listed == null ? new FileStatus[0] : listed;
    } catch (FileNotFoundException e) {
      return new FileStatus[0];
    }
  }
}

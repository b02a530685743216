package io.millrace.local;

import io.millrace.lake.catalog.TimePartition;
import io.millrace.lake.parquet.SessionSpan;
import io.millrace.lake.publish.HourRange;
import io.millrace.session.SessionRules;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.flink.core.fs.Path;

/**
 * Finds hours beside those of a backfill whose published sessions are not what it has computed,
 * because a session goes on across the border: one that is published beside it has events that are
 * now in another, or lacks some that came late.
 *
 * <p>Sessions of a user do not overlap, so beside the border only those of users who cross it are
 * looked at, as far as their events go on without a gap. Of a session that may go on behind what
 * was read, only its begin and its number of events so far are compared, and with a job that has
 * not ended it yet there is nothing to compare. Differences that have nothing to do with the hours,
 * late events of the neighbour itself, are left alone.
 */
final class SessionBorder {
  private static final long HOUR_MS = Duration.ofHours(1).toMillis();

  private final Path recomputed;
  private final Published published;
  private final long gap;
  private final long readFrom;
  private final long readTo;
  private final long settled;
  private final long longest;

  /** Where readers of the catalog find the sessions of an hour. */
  interface Published {
    List<Path> files(TimePartition hour) throws IOException;
  }

  /**
   * A comparison.
   *
   * @param recomputed the folder of the sessions that a backfill has written
   * @param readFrom first event time that it has read, epoch ms
   * @param readTo last event time that it has read, epoch ms
   * @param settledUntil sessions of hours that end by then are published, epoch ms
   * @param rules what ends a session
   */
  SessionBorder(
      Path recomputed,
      Published published,
      long readFrom,
      long readTo,
      long settledUntil,
      SessionRules rules) {
    this.recomputed = recomputed;
    this.published = published;
    this.readFrom = readFrom;
    this.readTo = readTo;
    this.settled = settledUntil;
    this.gap = rules.gap().toMillis();
    this.longest = rules.maxDuration().toMillis();
  }

  /** The hours beside these, by their start in epoch ms, that would have to be published too. */
  NavigableSet<Long> touched(HourRange hours) throws IOException {
    NavigableSet<Long> touched = new TreeSet<>();
    // Of each user who crosses a border: where that session begins, and how far events go on.
    Map<String, Long> begins = new HashMap<>();
    Map<String, Long> reach = new HashMap<>();
    for (long hour = hours.from(); hour < hours.end(); hour += HOUR_MS) {
      readRecomputed(
          hour,
          s -> {
            noteBegin(s, hours, begins);
            if (s.end() + gap >= hours.end()) {
              reach.merge(s.user(), s.end(), Math::max);
            }
          });
    }
    after(hours, begins, reach, touched);
    before(hours, begins, touched);
    return touched;
  }

  private void after(
      HourRange hours,
      Map<String, Long> begins,
      Map<String, Long> reach,
      NavigableSet<Long> touched)
      throws IOException {
    Set<SessionSpan> expected = new HashSet<>();
    // Sessions that may go on behind what was read.
    List<SessionSpan> cut = new ArrayList<>();
    for (long hour = hours.end(); hour <= readTo; hour += HOUR_MS) {
      for (SessionSpan s : inOrder(hour, reach, hours.end())) {
        noteBegin(s, hours, begins);
        Long reached = reach.get(s.user());
        if (s.start() < hours.end() || (reached != null && s.start() <= reached + gap)) {
          reach.merge(s.user(), s.end(), Math::max);
          if (s.end() + gap > readTo) {
            cut.add(s);
          } else {
            expected.add(s);
          }
        }
      }
    }
    for (long hour = hours.end(); hour <= readTo && isOver(hour); hour += HOUR_MS) {
      readPublished(
          hour,
          s -> {
            Long reached = reach.get(s.user());
            if (reached != null
                && s.start() <= reached + gap
                && s.end() + gap <= readTo
                && !expected.remove(s)) {
              touched.add(TimePartition.hour(s.end()).start());
            }
          });
    }
    for (SessionSpan s : expected) {
      TimePartition hour = TimePartition.hour(s.end());
      if (isOver(hour.start())) {
        touched.add(hour.start());
      }
    }
    addContradicted(cut, touched);
  }

  private List<SessionSpan> inOrder(long hour, Map<String, Long> reach, long border)
      throws IOException {
    Set<String> users = new HashSet<>(reach.keySet());
    readRecomputed(
        hour,
        s -> {
          if (s.start() < border) {
            users.add(s.user());
          }
        });
    List<SessionSpan> sessions = new ArrayList<>();
    readRecomputed(
        hour,
        s -> {
          if (users.contains(s.user())) {
            sessions.add(s);
          }
        });
    sessions.sort(Comparator.comparingLong(SessionSpan::start));
    return sessions;
  }

  /** Adds the hours that have other sessions of the same time than these, or lack them for good. */
  private void addContradicted(List<SessionSpan> cut, NavigableSet<Long> touched)
      throws IOException {
    Map<String, List<SessionSpan>> ofUser =
        cut.stream().collect(Collectors.groupingBy(SessionSpan::user));
    Set<SessionSpan> seen = new HashSet<>();
    for (long hour = TimePartition.hour(readTo - gap).start();
        !cut.isEmpty() && hour <= readTo + longest && isOver(hour);
        hour += HOUR_MS) {
      readPublished(
          hour,
          s -> {
            for (SessionSpan known : ofUser.getOrDefault(s.user(), List.of())) {
              if (s.end() + gap > readTo && s.start() <= known.end() && known.start() <= s.end()) {
                seen.add(known);
                if (!goesOn(known, s)) {
                  touched.add(TimePartition.hour(s.end()).start());
                }
              }
            }
          });
    }
    for (SessionSpan s : cut) {
      if (!seen.contains(s) && isOver(TimePartition.hour(s.start() + longest).start())) {
        touched.add(TimePartition.hour(s.end()).start());
      }
    }
  }

  private boolean isOver(long hour) {
    return hour + HOUR_MS <= settled;
  }

  /** Whether a session is the same one, or has more events behind what was read. */
  private boolean goesOn(SessionSpan known, SessionSpan published) {
    return published.equals(known)
        || (published.id().equals(known.id())
            && published.end() > readTo
            && published.events() > known.events());
  }

  private static void noteBegin(SessionSpan s, HourRange hours, Map<String, Long> begins) {
    if (s.start() < hours.from()) {
      begins.merge(s.user(), s.start(), Math::min);
    }
  }

  /** Whatever ends there within a session that goes on into the hours is no session any more. */
  private void before(HourRange hours, Map<String, Long> begins, NavigableSet<Long> touched)
      throws IOException {
    long first = begins.values().stream().mapToLong(Long::longValue).min().orElse(hours.from());
    for (long hour = TimePartition.hour(Math.max(first, readFrom)).start();
        hour < hours.from();
        hour += HOUR_MS) {
      Set<SessionSpan> found = new HashSet<>();
      Set<SessionSpan> expected = new HashSet<>();
      readPublished(hour, s -> addWithin(s, begins, found));
      if (!found.isEmpty()) {
        readRecomputed(hour, s -> addWithin(s, begins, expected));
        if (!expected.containsAll(found)) {
          touched.add(hour);
        }
      }
    }
  }

  private static void addWithin(
      SessionSpan s, Map<String, Long> begins, Set<SessionSpan> sessions) {
    Long begin = begins.get(s.user());
    if (begin != null && s.end() >= begin) {
      sessions.add(s);
    }
  }

  private void readRecomputed(long hour, Consumer<SessionSpan> row) throws IOException {
    Path folder = new Path(recomputed, TimePartition.hour(hour).path());
    for (Path file : OpenChains.dataFiles(folder)) {
      SessionSpan.read(file, row);
    }
  }

  private void readPublished(long hour, Consumer<SessionSpan> row) throws IOException {
    for (Path file : published.files(TimePartition.hour(hour))) {
      SessionSpan.read(file, row);
    }
  }
}

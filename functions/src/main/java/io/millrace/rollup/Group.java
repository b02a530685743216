package io.millrace.rollup;

import io.millrace.event.Cell;
import io.millrace.event.CellCounts;
import io.millrace.event.Rollup;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import javax.annotation.Nullable;

/** The cells of one combination of values in one grouping set, while a flush adds them up. */
final class Group {
  private final int kept;
  private final List<String> values;
  private final List<Part> parts = new ArrayList<>(2);

  Group(int kept, List<String> values) {
    this.kept = kept;
    this.values = values;
  }

  /** Adds an hour of a leaf to a window; true when this is the first part. */
  boolean add(boolean daily, long start, Leaf.HourCounts hour, int newUsers) {
    for (Part part : parts) {
      if (part.daily == daily && part.start == start) {
        part.add(hour, newUsers);
        return false;
      }
    }
    Part part = new Part(daily, start, hour.events.length);
    part.add(hour, newUsers);
    parts.add(part);
    return parts.size() == 1;
  }

  void drain(Consumer<Rollup> out) {
    for (Part part : parts) {
      Cell cell = new Cell(part.daily, part.start, kept, values);
      out.accept(new Rollup(cell, part.toCounts(), false));
    }
    parts.clear();
  }

  /** The part of one cell. */
  private static final class Part {
    final boolean daily;
    final long start;
    final long[] events;
    long activeUsers;
    long sessionsEnded;
    long bouncedSessions;
    long sessionMs;
    @Nullable UserSketch users;

    Part(boolean daily, long start, int counters) {
      this.daily = daily;
      this.start = start;
      this.events = new long[counters];
    }

    void add(Leaf.HourCounts hour, int newUsers) {
      for (int i = 0; i < events.length; i++) {
        events[i] += hour.events[i];
      }
      activeUsers += newUsers;
      sessionsEnded += hour.sessionsEnded;
      bouncedSessions += hour.bouncedSessions;
      sessionMs += hour.sessionMs;
      for (byte[] user : hour.users) {
        if (users == null) {
          users = new UserSketch();
        }
        users.add(user);
      }
    }

    CellCounts toCounts() {
      return new CellCounts(
          events,
          activeUsers,
          sessionsEnded,
          bouncedSessions,
          sessionMs,
          users == null ? null : users.toBytes());
    }
  }
}

package io.millrace.rollup;

import java.util.ArrayList;
import java.util.List;
import javax.annotation.Nullable;

/**
 * One combination of dimension values, with what a subtask has counted there since the last flush.
 */
final class Leaf {
  final List<String> values;

  /** The cell of each grouping set that this falls into. */
  final Group[] groups;

  private final List<HourCounts> hours = new ArrayList<>(1);

  /** The hour that was asked for last: mostly the same again. */
  @Nullable private HourCounts last;

  /** Counts of one hour. */
  static final class HourCounts {
    final long start;
    final long[] events;
    long sessionsEnded;
    long bouncedSessions;
    long sessionMs;

    /** Users that are new to the cells of every grouping set of the hour, and of the day. */
    int newInEachHourCell;

    int newInEachDayCell;

    /** Further users that are new to the cell of one grouping set. */
    final int[] newInHour;

    final int[] newInDay;

    /** Ids of users that are new to this leaf in this hour. */
    final List<byte[]> users = new ArrayList<>(2);

    HourCounts(long start, int counters, int sets) {
      this.start = start;
      this.events = new long[counters];
      this.newInHour = new int[sets];
      this.newInDay = new int[sets];
    }
  }

  Leaf(List<String> values, Group[] groups) {
    this.values = values;
    this.groups = groups;
  }

  /** The counts of an hour, or null when there are none yet. */
  @Nullable
  HourCounts find(long hour) {
    if (last != null && last.start == hour) {
      return last;
    }
    for (int i = hours.size() - 1; i >= 0; i--) {
      if (hours.get(i).start == hour) {
        last = hours.get(i);
        return last;
      }
    }
    return null;
  }

  /** See {@link ActiveWindows#lookAhead}. */
  int lookAhead() {
    return last == null ? 0 : last.events.length;
  }

  void add(HourCounts counts) {
    hours.add(counts);
    last = counts;
  }

  List<HourCounts> hours() {
    return hours;
  }

  boolean isClean() {
    return hours.isEmpty();
  }

  void clear() {
    hours.clear();
    last = null;
  }
}

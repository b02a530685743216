package io.millrace.rollup;

import java.util.List;

/**
 * Counts a user once per cell and window, exactly: all events of a user pass here, and what the
 * user was counted in already is part of its value.
 */
final class DistinctUsers {
  private static final long DAY_MS = 86_400_000L;

  /**
   * Combinations of a user in a window that are told apart: a client that invents values must not
   * make its user's value grow for ever.
   */
  static final int MAX_COMBINATIONS = 200;

  private final int[] sets;

  /**
   * @param sets the grouping sets, as bit masks of the dimensions that are kept
   */
  DistinctUsers(List<Integer> sets) {
    this.sets = sets.stream().mapToInt(Integer::intValue).toArray();
  }

  /**
   * Notes that a user was active.
   *
   * @param counts goes up where the user is new to a cell of the hour, or of the day
   * @return whether the user is new to the finest cell of the hour
   */
  boolean add(List<String> values, long hour, ActiveWindows active, Leaf.HourCounts counts) {
    ActiveWindows.Window inHour = active.window(false, hour);
    if (inHour.seen.contains(values)) {
      return false;
    }
    // Most users have one combination, which is new to every cell alike.
    if (inHour.seen.isEmpty()) {
      counts.newInEachHourCell++;
    } else {
      count(inHour.seen, values, counts.newInHour);
    }
    active.see(inHour, values);
    ActiveWindows.Window inDay = active.window(true, Math.floorDiv(hour, DAY_MS) * DAY_MS);
    // What is new to the day is new to each of its hours.
    if (inDay.seen.isEmpty()) {
      counts.newInEachDayCell++;
      active.see(inDay, values);
    } else if (!inDay.seen.contains(values)) {
      count(inDay.seen, values, counts.newInDay);
      active.see(inDay, values);
    }
    return true;
  }

  /** Whether a further combination of a user is one too many in its day. */
  boolean isFull(List<String> values, long hour, ActiveWindows active) {
    if (active.seen() < MAX_COMBINATIONS) {
      return false;
    }
    List<List<String>> seen = active.window(true, Math.floorDiv(hour, DAY_MS) * DAY_MS).seen;
    return seen.size() >= MAX_COMBINATIONS && !seen.contains(values);
  }

  private void count(List<List<String>> seen, List<String> values, int[] newInSet) {
    for (int s = 0; s < sets.length; s++) {
      if (isNew(seen, values, sets[s])) {
        newInSet[s]++;
      }
    }
  }

  /** Whether no combination seen so far falls into the same cell of a grouping set. */
  private static boolean isNew(List<List<String>> seen, List<String> values, int kept) {
    for (List<String> other : seen) {
      // Of other dimensions when they were changed: those say nothing of these.
      boolean same = other.size() == values.size();
      for (int d = 0; same && d < values.size(); d++) {
        same = (kept >> d & 1) == 0 || other.get(d).equals(values.get(d));
      }
      if (same) {
        return false;
      }
    }
    return true;
  }
}

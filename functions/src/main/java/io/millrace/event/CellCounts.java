package io.millrace.event;

import java.util.Objects;
import javax.annotation.Nullable;

/**
 * What is counted in a cell, of events that were not late. Counts of one cell add up; the sketch
 * does too, as a union.
 *
 * @param events the events by counter: all, then install, session_start, view_notification and
 *     open_notification, then the configured ones in order
 * @param activeUsers exact number of distinct users
 * @param sessionsEnded sessions whose last event lies in the window, under the dimensions of their
 *     first event; the next two are about these
 * @param bouncedSessions sessions with one engagement event
 * @param sessionMs sum of their durations
 * @param activeUsersHll an Apache DataSketches HLL sketch of the users, serialized; null for none
 */
public record CellCounts(
    long[] events,
    long activeUsers,
    long sessionsEnded,
    long bouncedSessions,
    long sessionMs,
    @Nullable byte[] activeUsersHll) {

  /** Positions in {@code events}. */
  public static final int ALL = 0;

  public static final int INSTALLS = 1;
  public static final int SESSION_STARTS = 2;
  public static final int VIEWS = 3;
  public static final int OPENS = 4;

  /** How many counters there are before the configured ones. */
  public static final int FIXED = 5;

  public CellCounts {
    Objects.requireNonNull(events, "events");
  }
}

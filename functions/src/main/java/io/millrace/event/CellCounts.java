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

  private static final double MS_PER_SECOND = 1000.0;

  public CellCounts {
    Objects.requireNonNull(events, "events");
  }

  /** Notifications opened per notification viewed; null when none was viewed. */
  @Nullable
  public Double notificationCtr() {
    return ratio(events[OPENS], events[VIEWS]);
  }

  /** Share of the ended sessions that are bounces; null when none ended. */
  @Nullable
  public Double bounceRate() {
    return ratio(bouncedSessions, sessionsEnded);
  }

  /** Sum of the durations of the ended sessions, in seconds. */
  public double sessionSeconds() {
    return sessionMs / MS_PER_SECOND;
  }

  /** Average duration of the ended sessions, in seconds; null when none ended. */
  @Nullable
  public Double avgSessionSeconds() {
    return sessionsEnded == 0 ? null : sessionSeconds() / sessionsEnded;
  }

  @Nullable
  private static Double ratio(long part, long whole) {
    return whole == 0 ? null : (double) part / whole;
  }
}

package io.millrace.transform.keyed;

import java.io.Serializable;

/**
 * The event time that a statistic covers. It is kept in panes of a 16th of the range, so that what
 * is kept does not grow with the number of rows: at a row, the statistic covers the pane of the row
 * and the 16 before it, which is the range and at most a 16th of it more.
 *
 * @param rangeMs the range, milliseconds; {@link Long#MAX_VALUE} for all that ever came
 */
public record Scope(long rangeMs) implements Serializable {
  /** Panes before that of a row. */
  static final int PANES = 16;

  /** Everything so far. */
  public static final Scope ALL = new Scope(Long.MAX_VALUE);

  public Scope {
    if (rangeMs <= 0) {
      throw new IllegalArgumentException("the range is " + rangeMs + " ms, but must be positive");
    }
  }

  boolean isAll() {
    return rangeMs == Long.MAX_VALUE;
  }

  /** The length of a pane, milliseconds. */
  private long paneMs() {
    return rangeMs / PANES + (rangeMs % PANES == 0 ? 0 : 1);
  }

  /** The number of the pane of an event time; one for all time without a range. */
  long pane(long time) {
    return isAll() ? 0 : Math.floorDiv(time, paneMs());
  }

  /** From this event time on, no row needs the pane. */
  long forgottenAt(long pane) {
    return isAll() ? Long.MAX_VALUE : (pane + PANES + 1) * paneMs();
  }

  /** Whether a pane is forgotten at that event time. */
  boolean forgetsAt(long time) {
    return !isAll() && Math.floorMod(time, paneMs()) == 0;
  }
}

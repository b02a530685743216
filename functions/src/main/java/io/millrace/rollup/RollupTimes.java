package io.millrace.rollup;

import java.io.Serializable;
import java.time.Duration;
import javax.annotation.Nullable;

/**
 * When the rows of a window are told; all but the interval in event time.
 *
 * @param finalDelay how long after the end of its window a row is final: session gap + allowed
 *     lateness
 * @param early how long after the end of its window a row is told before that, at most as long;
 *     null for not at all
 * @param liveInterval how often a cell that changes is told, by the clock; zero for never
 * @param liveRetention how long after the final row the key of a cell is retired
 */
public record RollupTimes(
    Duration finalDelay, @Nullable Duration early, Duration liveInterval, Duration liveRetention)
    implements Serializable {

  /** Final rows only. */
  public static RollupTimes finalAfter(Duration delay) {
    return new RollupTimes(delay, null, Duration.ZERO, Duration.ZERO);
  }

  boolean isLive() {
    return liveInterval.toMillis() > 0;
  }

  long finalMs() {
    return finalDelay.toMillis();
  }
}

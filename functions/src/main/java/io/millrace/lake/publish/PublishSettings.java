package io.millrace.lake.publish;

import java.io.Serializable;
import java.time.Duration;

/**
 * How a table's partitions are published.
 *
 * @param complete whether partitions are marked complete at all; raw and quarantine are not
 * @param completeAfter how far the watermark passes a partition's end before it is complete: the
 *     allowed lateness, and the session gap where rows wait for it
 * @param firstRetry wait after the first failure; it doubles with each one
 * @param longestRetry the wait stops doubling there
 * @param closeTimeout how long the normal end of a job waits for a catalog that is down
 */
public record PublishSettings(
    boolean complete,
    Duration completeAfter,
    Duration firstRetry,
    Duration longestRetry,
    Duration closeTimeout)
    implements Serializable {

  private static final Duration FIRST_RETRY = Duration.ofSeconds(1);
  private static final Duration LONGEST_RETRY = Duration.ofMinutes(1);
  private static final Duration CLOSE_TIMEOUT = Duration.ofMinutes(1);

  public PublishSettings {
    require(!completeAfter.isNegative(), "completeAfter must not be negative", completeAfter);
    require(firstRetry.toMillis() > 0, "firstRetry must be at least 1 ms", firstRetry);
    require(
        longestRetry.compareTo(firstRetry) >= 0,
        "longestRetry must not be shorter than firstRetry",
        longestRetry);
    require(!closeTimeout.isNegative(), "closeTimeout must not be negative", closeTimeout);
  }

  private static void require(boolean holds, String rule, Duration was) {
    if (!holds) {
      throw new IllegalArgumentException(rule + ", was " + was);
    }
  }

  /** Partitions are complete when the watermark passes their end by this much. */
  public static PublishSettings completeAfter(Duration lateness) {
    return new PublishSettings(true, lateness, FIRST_RETRY, LONGEST_RETRY, CLOSE_TIMEOUT);
  }

  /** Partitions are registered and never marked complete. */
  public static PublishSettings neverComplete() {
    return new PublishSettings(false, Duration.ZERO, FIRST_RETRY, LONGEST_RETRY, CLOSE_TIMEOUT);
  }

  /** The same, with other waits after a failure. */
  public PublishSettings withRetry(Duration first, Duration longest) {
    return new PublishSettings(complete, completeAfter, first, longest, closeTimeout);
  }

  /** The same, with another wait at the normal end of a job. */
  public PublishSettings withCloseTimeout(Duration timeout) {
    return new PublishSettings(complete, completeAfter, firstRetry, longestRetry, timeout);
  }
}

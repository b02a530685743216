package io.millrace.session;

import java.io.Serializable;
import java.time.Duration;
import javax.annotation.Nullable;

/**
 * Where sessions end, and what their rows tell.
 *
 * @param gap two events belong to one session when their distance is at most this
 * @param maxDuration an event at more than this after the first one begins another session
 * @param maxEvents most events of a session
 * @param splitAtMidnight whether a session ends with the UTC day
 * @param pathLength most steps of a path
 * @param pathProperty an event that has this property contributes its value to the path instead of
 *     its type; null for types only
 * @param inputEndsAt input that ends is known to be whole up to here, epoch ms: a session whose gap
 *     had passed by then ended by gap, another by end of input. {@link Long#MIN_VALUE} when unknown
 */
public record SessionRules(
    Duration gap,
    Duration maxDuration,
    int maxEvents,
    boolean splitAtMidnight,
    int pathLength,
    @Nullable String pathProperty,
    long inputEndsAt)
    implements Serializable {

  /** The rules unless told otherwise. */
  public static final SessionRules DEFAULTS =
      new SessionRules(
          Duration.ofMinutes(30), Duration.ofHours(24), 10_000, false, 50, null, Long.MIN_VALUE);

  /** Most client session ids that a row tells. */
  public static final int MAX_CLIENT_IDS = 10;
}

package io.millrace.identity;

import io.millrace.event.Event;
import java.io.IOException;
import java.io.Serializable;
import java.time.Duration;

/**
 * Recognises resends. The identity of an event is (user_id, event_id, timestamp in ms): the same id
 * at another timestamp is another event. Time is event time against the watermark.
 *
 * @param ttl how far behind the watermark an event is still compared
 */
public record Deduplicate(Duration ttl) implements Serializable {
  /**
   * Fingerprints that a user's value holds; a user with more of them within the TTL has the largest
   * quarter of an hour moved out, so that its value stays below 64 KiB.
   */
  private static final int MAX_HELD = 4_096;

  /** What deduplication says of an event. */
  public enum Verdict {
    /** Not seen before. */
    NEW,
    /** A resend of an event that was accepted. */
    DUPLICATE,
    /** Older than the TTL: accepted, though it may be a resend. */
    UNCHECKED
  }

  /**
   * Judges an event of one user and remembers it.
   *
   * @param seen what is remembered for the user; changed unless the verdict is {@code UNCHECKED}
   */
  public Verdict judge(Event event, long watermark, SeenEvents seen, SeenEvents.Spill spill)
      throws IOException {
    if (watermark != Long.MIN_VALUE && event.timestamp() <= watermark - ttl.toMillis()) {
      return Verdict.UNCHECKED;
    }
    Fingerprint fingerprint = Fingerprint.of(event.eventId(), event.timestamp());
    return seen.add(event.timestamp(), fingerprint, MAX_HELD, spill)
        ? Verdict.NEW
        : Verdict.DUPLICATE;
  }

  /** Forgets what no event can ask for any more. */
  public void expire(long watermark, SeenEvents seen, SeenEvents.Spill spill) throws IOException {
    seen.expire(watermark, ttl.toMillis(), spill);
  }

  /** The watermark at which there is something to forget; {@link Long#MAX_VALUE} for never. */
  public long nextExpiry(SeenEvents seen) {
    return seen.nextExpiry(ttl.toMillis());
  }
}

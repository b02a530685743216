package io.millrace.session;

import java.io.IOException;
import javax.annotation.Nullable;

/**
 * What is known of one user's sessions: events that are held because an older one may still come,
 * and the open session that all older ones were folded into. Of a user with very many events most
 * of the held ones are in an {@link Overflow}.
 */
public final class UserSessions {
  HeldEvents held = new HeldEvents();
  @Nullable OpenSession open;

  /** What the open session weighs, noted here so that a look at it is not needed. */
  private int openWeight;

  /** Chunks in the overflow, and the events in them. */
  int chunks;

  long overflowed;

  /** The least timestamp in the overflow. */
  long overflowFrom = Long.MAX_VALUE;

  /** Numbers the chunks, so that two with the same first timestamp differ. */
  int nextChunk;

  /** Chunks of events of one user that are too many for its value. */
  public interface Overflow {
    /** Adds a chunk. */
    void put(long firstTimestamp, int number, byte[] events) throws IOException;

    /** Takes the chunk with the least first timestamp if that is at most the limit, else null. */
    @Nullable
    byte[] take(long limit) throws IOException;

    /** The least first timestamp; {@link Long#MAX_VALUE} when there is no chunk. */
    long first() throws IOException;
  }

  /**
   * Reads where the next event will be added, and what the session that it may end is made of, so
   * many references away from this; the result means nothing.
   */
  public int lookAhead(int depth) {
    return switch (depth) {
      case 0 -> chunks;
      case 1 -> held.size() + (open == null ? 0 : (int) open.events);
      default -> held.lookAhead(depth - 1) + (open == null ? 0 : open.lookAhead(depth - 1));
    };
  }

  /** Whether nothing is known. */
  public boolean isEmpty() {
    return held.size() == 0 && open == null && chunks == 0;
  }

  /** Events that are in no row yet. */
  public long openEvents() {
    return held.size() + overflowed + (open == null ? 0 : open.events);
  }

  /** About how much heap this takes. */
  public int weight() {
    return 64 + held.weight() + (open == null ? 0 : openWeight);
  }

  /** To be called when the open session is another one or has grown. */
  void weighOpen() {
    openWeight = open.weight();
  }

  /** An independent copy. */
  public UserSessions copy() {
    UserSessions copy = new UserSessions();
    copy.held = held.copy();
    copy.open = open == null ? null : open.copy();
    copy.openWeight = openWeight;
    copy.chunks = chunks;
    copy.overflowed = overflowed;
    copy.overflowFrom = overflowFrom;
    copy.nextChunk = nextChunk;
    return copy;
  }
}

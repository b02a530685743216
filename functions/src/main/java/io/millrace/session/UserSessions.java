package io.millrace.session;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.annotation.Nullable;

/**
 * What is known of one user's sessions: events that are held because an older one may still come,
 * in order, and the open session that all older ones were folded into. Of a user with very many
 * events most of the held ones are in an {@link Overflow}.
 */
public final class UserSessions {
  private static final HeldEvent[] NONE = new HeldEvent[0];
  private static final int HELD_WEIGHT = 200;

  HeldEvent[] held = NONE;
  int size;
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

  /** Whether nothing is known. */
  public boolean isEmpty() {
    return size == 0 && open == null && chunks == 0;
  }

  /** Events that are in no row yet. */
  public long openEvents() {
    return size + overflowed + (open == null ? 0 : open.events);
  }

  /** About how much heap this takes. */
  public int weight() {
    return 64 + HELD_WEIGHT * size + (open == null ? 0 : openWeight);
  }

  /** To be called when the open session is another one or has grown. */
  void weighOpen() {
    openWeight = open.weight();
  }

  /** An independent copy. */
  public UserSessions copy() {
    UserSessions copy = new UserSessions();
    copy.held = size == 0 ? NONE : Arrays.copyOf(held, size);
    copy.size = size;
    copy.open = open == null ? null : open.copy();
    copy.openWeight = openWeight;
    copy.chunks = chunks;
    copy.overflowed = overflowed;
    copy.overflowFrom = overflowFrom;
    copy.nextChunk = nextChunk;
    return copy;
  }

  /** Inserts an event where it belongs. */
  void hold(HeldEvent event) {
    if (size == held.length) {
      held = Arrays.copyOf(held, Math.max(4, 2 * size));
    }
    int at = size;
    // Most events are the latest so far.
    while (at > 0 && held[at - 1].compareTo(event) > 0) {
      at--;
    }
    System.arraycopy(held, at, held, at + 1, size - at);
    held[at] = event;
    size++;
  }

  /** Forgets the first held events. */
  void drop(int count) {
    System.arraycopy(held, count, held, 0, size - count);
    Arrays.fill(held, size - count, size, null);
    size -= count;
    if (size == 0 && held.length > 64) {
      held = NONE;
    }
  }

  /** Takes all held events out. */
  List<HeldEvent> takeAll() {
    List<HeldEvent> all = new ArrayList<>(Arrays.asList(held).subList(0, size));
    held = NONE;
    size = 0;
    return all;
  }
}

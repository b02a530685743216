package io.millrace.timeline;

import io.millrace.identity.SeenEvents;

/** What is known of one user: one part per logic that the timeline hosts, and the armed timer. */
final class UserValue {
  /** No timer is armed. */
  static final long NO_TIMER = Long.MAX_VALUE;

  final SeenEvents seen;

  /** When the user's only timer fires, by watermark in epoch ms. */
  long timer;

  UserValue() {
    this(new SeenEvents(), NO_TIMER);
  }

  UserValue(SeenEvents seen, long timer) {
    this.seen = seen;
    this.timer = timer;
  }

  boolean isEmpty() {
    return seen.isEmpty();
  }

  UserValue copy() {
    return new UserValue(seen.copy(), timer);
  }

  /** About how much heap the value takes, with its place in the cache. */
  int weight() {
    return 200 + seen.weight();
  }
}

package io.millrace.timeline;

import io.millrace.identity.SeenEvents;
import io.millrace.rollup.ActiveWindows;
import io.millrace.session.UserSessions;

/** What is known of one user: one part per logic that the timeline hosts, and the armed timers. */
final class UserValue {
  /** No timer is armed. */
  static final long NO_TIMER = Long.MAX_VALUE;

  /** One more than the greatest depth of {@link #lookAhead}. */
  static final int DEPTHS = 5;

  final SeenEvents seen;
  final UserSessions sessions;
  final ActiveWindows active;

  /** When the timer fires by which a session is closed, by watermark in epoch ms. */
  long timer;

  /** When the timer fires by which the user is forgotten bit by bit. */
  long expiryTimer = NO_TIMER;

  UserValue() {
    this(new SeenEvents(), new UserSessions(), new ActiveWindows(), NO_TIMER);
  }

  UserValue(SeenEvents seen, UserSessions sessions, ActiveWindows active, long timer) {
    this.seen = seen;
    this.sessions = sessions;
    this.active = active;
    this.timer = timer;
  }

  boolean isEmpty() {
    return seen.isEmpty() && sessions.isEmpty() && active.isEmpty();
  }

  /**
   * Reads the value's memory that is so many references away; the result means nothing. See {@link
   * UserCache#lookAhead}.
   */
  int lookAhead(int depth) {
    return seen.lookAhead(depth) + sessions.lookAhead(depth) + active.lookAhead(depth);
  }

  UserValue copy() {
    UserValue copy = new UserValue(seen.copy(), sessions.copy(), active.copy(), timer);
    copy.expiryTimer = expiryTimer;
    return copy;
  }

  /** About how much heap the value takes, with its place in the cache. */
  int weight() {
    return 200 + seen.weight() + sessions.weight() + active.weight();
  }
}

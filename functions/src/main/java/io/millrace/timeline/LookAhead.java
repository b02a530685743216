package io.millrace.timeline;

/**
 * Lets a few events, or timers, wait for each other, so that the memory of their users is read
 * together; see {@link UserCache#lookAhead}. Order is kept.
 *
 * @param <T> what waits
 */
final class LookAhead<T> {
  private final UserCache cache;
  private final Next<T> next;
  private final Object[] waiting;
  private final String[] users;
  private final long[] times;
  private int count;

  /** Takes what has waited. */
  interface Next<T> {
    void take(T what, long time) throws Exception;
  }

  /**
   * Nothing waits yet.
   *
   * @param most how many wait for each other at most, {@link UserCache#LOOK_AHEAD} or fewer
   */
  LookAhead(UserCache cache, int most, Next<T> next) {
    if (most < 1 || most > UserCache.LOOK_AHEAD) {
      throw new IllegalArgumentException(
          "most is " + most + ", but must be 1 to " + UserCache.LOOK_AHEAD);
    }
    this.cache = cache;
    this.next = next;
    this.waiting = new Object[most];
    this.users = new String[most];
    this.times = new long[most];
  }

  void add(String user, T what, long time) throws Exception {
    waiting[count] = what;
    users[count] = user;
    times[count] = time;
    count++;
    if (count == waiting.length) {
      drain();
    }
  }

  /** Lets nothing wait any longer. */
  @SuppressWarnings("unchecked")
  void drain() throws Exception {
    int all = count;
    count = 0;
    if (all > 1) {
      cache.lookAhead(users, all);
    }
    for (int i = 0; i < all; i++) {
      T what = (T) waiting[i];
      waiting[i] = null;
      next.take(what, times[i]);
    }
  }
}

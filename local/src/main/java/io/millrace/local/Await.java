package io.millrace.local;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * Waits for a condition, up to a deadline, and says what it waited for when the deadline passes.
 */
public final class Await {
  private static final long POLL_NANOS = Duration.ofMillis(25).toNanos();

  private Await() {}

  /** Something that holds or not yet; an exception counts as not yet. */
  @FunctionalInterface
  public interface Condition {
    boolean holds() throws Exception;
  }

  /**
   * Returns as soon as the condition holds.
   *
   * @param what completes the sentence "gave up waiting for ..."
   */
  public static void until(String what, Duration timeout, Condition condition) {
    until(() -> what, timeout, condition);
  }

  /** The same, with words that are found when they are needed. */
  public static void until(Supplier<String> what, Duration timeout, Condition condition) {
    long deadline = System.nanoTime() + timeout.toNanos();
    Exception last = null;
    do {
      try {
        if (condition.holds()) {
          return;
        }
        last = null;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while waiting for " + what.get(), e);
      } catch (Exception e) {
        last = e;
      }
      LockSupport.parkNanos(POLL_NANOS);
      if (Thread.currentThread().isInterrupted()) {
        throw new IllegalStateException("interrupted while waiting for " + what.get(), last);
      }
    } while (System.nanoTime() - deadline < 0);
    throw new IllegalStateException(
        "gave up waiting for " + what.get() + " after " + timeout.toMillis() + " ms", last);
  }
}

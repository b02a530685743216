package io.millrace.local;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * A process that gets a part of its time only, as on a machine that others have: it is halted and
 * goes on, over and over, until this is closed.
 */
final class SlowedProcess implements AutoCloseable {
  private static final long PATIENCE_SECONDS = 10;

  private final long pid;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(task -> new Thread(task, "slow-down"));
  private final List<ScheduledFuture<?>> signals;

  /**
   * Slows a process down at once.
   *
   * @param running how long of each period it goes on
   */
  SlowedProcess(long pid, Duration period, Duration running) {
    this.pid = pid;
    long halted = period.minus(running).toMillis();
    signals =
        List.of(
            timer.scheduleAtFixedRate(
                () -> signal(pid, "STOP"), 0, period.toMillis(), TimeUnit.MILLISECONDS),
            timer.scheduleAtFixedRate(
                () -> signal(pid, "CONT"), halted, period.toMillis(), TimeUnit.MILLISECONDS));
  }

  /** Sends a signal to a process that runs. */
  static void signal(long pid, String name) {
    try {
      int code =
          new ProcessBuilder("kill", "-" + name, Long.toString(pid)).inheritIO().start().waitFor();
      if (code != 0) {
        throw new IllegalStateException("kill -" + name + " " + pid + " ends with " + code);
      }
    } catch (IOException e) {
      throw new IllegalStateException("cannot run kill -" + name + " " + pid, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted: kill -" + name + " " + pid, e);
    }
  }

  @Override
  public void close() throws InterruptedException, ExecutionException {
    // Ends both after the signal that is being sent; one that could not be sent has ended its own.
    timer.shutdown();
    boolean ended = timer.awaitTermination(PATIENCE_SECONDS, TimeUnit.SECONDS);
    signal(pid, "CONT");
    if (!ended) {
      throw new IllegalStateException("signals are still sent to " + pid);
    }
    for (ScheduledFuture<?> sent : signals) {
      try {
        sent.get();
      } catch (CancellationException e) {
        // By the end of the timer.
      }
    }
  }
}

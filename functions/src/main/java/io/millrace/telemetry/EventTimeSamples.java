package io.millrace.telemetry;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.SplittableRandom;

/**
 * Event times of a few of the events that an operator sees, until it is known when their row was
 * committed: some {@value #WANTED} between two checkpoints, whatever the load, so that an event
 * costs a decrement.
 */
public final class EventTimeSamples {
  /** Stands for no event. */
  public static final long NONE = Long.MIN_VALUE;

  private static final int WANTED = 128;

  /** When no checkpoint completes, the oldest stay: they wait the longest. */
  private static final int MOST = 16 * WANTED;

  private record Sample(long checkpoint, long eventTime) {}

  private final SplittableRandom random = new SplittableRandom();
  private final Deque<Long> open = new ArrayDeque<>();
  private final Deque<Sample> waiting = new ArrayDeque<>();
  private long stride = 1;
  private long countdown = 1;
  private long seen;
  private int sinceTaken;
  private long one = NONE;

  /** An event has passed. */
  public void offer(long eventTime) {
    countdown--;
    if (countdown == 0) {
      take(eventTime);
    }
  }

  private void take(long eventTime) {
    countdown = stride;
    seen += stride;
    sinceTaken++;
    if (random.nextInt(sinceTaken) == 0) {
      one = eventTime;
    }
    if (open.size() + waiting.size() < MOST) {
      open.add(eventTime);
    }
  }

  /** The time of one of the events since this was last called, or {@link #NONE}. */
  public long takeOne() {
    long taken = one;
    one = NONE;
    sinceTaken = 0;
    return taken;
  }

  /** The events so far are in this checkpoint. */
  public void barrier(long checkpoint) {
    open.forEach(time -> waiting.add(new Sample(checkpoint, time)));
    open.clear();
    stride = Math.max(1, seen / WANTED);
    countdown = Math.min(countdown, stride);
    seen = 0;
  }

  /** The checkpoint, and so each before it, is complete: their events' ages go to a histogram. */
  public void complete(long checkpoint, long now, LatencyHistogram ages) {
    while (!waiting.isEmpty() && waiting.peek().checkpoint() <= checkpoint) {
      ages.observe(now - waiting.remove().eventTime());
    }
  }
}

package io.millrace.telemetry;

import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.SimpleCounter;

/**
 * A histogram of seconds as Prometheus has them: counters of values up to each bound, by label
 * {@code le}, their number and their sum. So it adds up over subtasks, which Flink's own, a summary
 * of quantiles, does not.
 *
 * <p>Used by the task's thread alone; whoever reads sees a count of a moment ago.
 */
public final class LatencyHistogram {
  private static final long[] BOUNDS = {
    1, 2, 5, 10, 15, 30, 60, 120, 180, 300, 600, 1_800, 3_600, 21_600
  };

  private final Counter[] upTo = new Counter[BOUNDS.length + 1];
  private final Counter count = new SimpleCounter();
  private double sum;

  /** A histogram of that name in a group; the name ends with the unit, {@code _seconds}. */
  public LatencyHistogram(MetricGroup group, String name) {
    for (int i = 0; i < upTo.length; i++) {
      String bound = i < BOUNDS.length ? Long.toString(BOUNDS[i]) : "+Inf";
      upTo[i] = new SimpleCounter();
      group.addGroup(Metrics.LE, bound).counter(name + Metrics.BUCKET, upTo[i]);
    }
    group.counter(name + Metrics.COUNT, count);
    group.<Double, Gauge<Double>>gauge(name + Metrics.SUM, () -> sum);
  }

  /** Takes a duration; one below zero, of a clock that is ahead, is none. */
  public void observe(long millis) {
    double seconds = Math.max(0, millis) / 1000.0;
    for (int i = 0; i < upTo.length; i++) {
      if (i == BOUNDS.length || seconds <= BOUNDS[i]) {
        upTo[i].inc();
      }
    }
    count.inc();
    sum += seconds;
  }
}

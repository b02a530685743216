package io.millrace.event;

import java.util.List;
import java.util.Objects;

/**
 * The value of a metric in one window: what anomalies are looked for in.
 *
 * @param metric name of the metric, as {@code total_events}
 * @param labels the cell as {@code name=value} texts in a fixed order; empty for the grand total
 * @param windowStart start of the window, epoch ms
 * @param windowEnd first instant after the window, epoch ms
 * @param value NaN when the metric has no value in the window, as a ratio without a denominator
 */
public record Observation(
    String metric, List<String> labels, long windowStart, long windowEnd, double value) {
  public Observation {
    Objects.requireNonNull(metric, "metric");
    labels = List.copyOf(labels);
    if (windowEnd <= windowStart) {
      throw new IllegalArgumentException(
          "the window of " + metric + " must end after " + windowStart + ", was " + windowEnd);
    }
  }

  /** Observations of one series have the same key: the metric and the cell. */
  public String series() {
    return metric + "/" + String.join(",", labels);
  }
}

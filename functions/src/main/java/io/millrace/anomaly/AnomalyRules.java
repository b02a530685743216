package io.millrace.anomaly;

import java.io.Serializable;
import java.time.Duration;
import java.util.List;

/**
 * What {@link DetectAnomalies} watches, and how.
 *
 * @param metrics each metric once; observations of others are refused
 * @param delay how far behind the end of a window the watermark is when the window's rows are there
 *     at the latest; then it is judged, as empty without a row
 * @param maxEmptyWindows empty windows in a row after which a series is forgotten
 */
public record AnomalyRules(List<MetricRule> metrics, Duration delay, int maxEmptyWindows)
    implements Serializable {
  /** A week of hours: a series that is seen once a week is not forgotten. */
  public static final int DEFAULT_MAX_EMPTY_WINDOWS = 7 * 24;

  public AnomalyRules {
    metrics = List.copyOf(metrics);
    if (metrics.stream().map(MetricRule::metric).distinct().count() < metrics.size()) {
      throw new IllegalArgumentException(
          "a metric is named twice: " + metrics.stream().map(MetricRule::metric).toList());
    }
    if (delay.isNegative()) {
      throw new IllegalArgumentException("delay must not be negative, was " + delay);
    }
    if (maxEmptyWindows < 1) {
      throw new IllegalArgumentException(
          "maxEmptyWindows must be at least 1, was " + maxEmptyWindows);
    }
  }

  boolean watches(String metric) {
    return metrics.stream().anyMatch(rule -> rule.metric().equals(metric));
  }

  MetricRule of(String metric) {
    for (MetricRule rule : metrics) {
      if (rule.metric().equals(metric)) {
        return rule;
      }
    }
    throw new IllegalArgumentException(
        "metric '"
            + metric
            + "' is not watched, only "
            + metrics.stream().map(MetricRule::metric).toList());
  }
}

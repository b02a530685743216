package io.millrace.anomaly;

import java.io.Serializable;
import java.util.Objects;

/**
 * How one metric is watched.
 *
 * @param metric its name in {@link io.millrace.event.Observation}
 * @param absent what a window without a row says
 * @param detector how its values are judged
 */
public record MetricRule(String metric, Absent absent, DetectorOptions detector)
    implements Serializable {

  /** What a window without a row says of a metric. */
  public enum Absent {
    /** That its value is 0: there was nothing to count. */
    ZERO,
    /** Nothing: there is no value. */
    MISSING
  }

  public MetricRule {
    Objects.requireNonNull(metric, "metric");
    Objects.requireNonNull(absent, "absent");
    Objects.requireNonNull(detector, "detector");
  }

  /** A number of events, users or sessions: silence is 0. */
  public static MetricRule count(String metric) {
    return new MetricRule(metric, Absent.ZERO, DetectorOptions.with(Floor.COUNTS));
  }

  /** A ratio between 0 and 1, which does not exist without a denominator. */
  public static MetricRule ratio(String metric) {
    return new MetricRule(metric, Absent.MISSING, DetectorOptions.with(Floor.RATIO));
  }

  /** A mean, a duration or a quantile, which does not exist without values. */
  public static MetricRule amount(String metric) {
    return new MetricRule(
        metric, Absent.MISSING, DetectorOptions.with(new Floor(1e-9, 0.05, false)));
  }
}

package io.millrace.event;

import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * A window of a series during an alert: a row of {@code anomalies}. An alert has one opened row,
 * one firing row for each further window that is not as expected, and one resolved row for the
 * first window that is, all with the same id.
 *
 * @param alertId the same for all rows of an alert, and for the same alert of another run
 * @param metric name of the metric
 * @param labels the cell as {@code name=value} texts; empty for the grand total
 * @param windowStart start of the window, epoch ms
 * @param windowEnd first instant after the window, epoch ms
 * @param observed the value in the window
 * @param expected the value that the series let expect
 * @param score 0 to 1, how rare such a deviation is: 0.5 is once in 10,000 windows
 * @param severity of this window; {@link Severity#NONE} in a resolved row
 * @param direction of the deviation
 * @param state where in its life the alert is
 * @param openedAt start of the window that opened the alert, epoch ms
 * @param windowsFiring how many windows were not as expected so far, this one included
 */
public record Anomaly(
    String alertId,
    String metric,
    List<String> labels,
    long windowStart,
    long windowEnd,
    double observed,
    double expected,
    double score,
    Severity severity,
    Direction direction,
    State state,
    long openedAt,
    int windowsFiring) {

  /** How far from what is expected. */
  public enum Severity {
    NONE,
    WARNING,
    CRITICAL;

    /** As rows show it. */
    public String code() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Above or below what is expected. */
  public enum Direction {
    NONE,
    SPIKE,
    DROP;

    /** As rows show it. */
    public String code() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** The life of an alert. */
  public enum State {
    OPENED,
    FIRING,
    RESOLVED;

    /** As rows show it. */
    public String code() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public Anomaly {
    Objects.requireNonNull(alertId, "alertId");
    Objects.requireNonNull(metric, "metric");
    Objects.requireNonNull(severity, "severity");
    Objects.requireNonNull(direction, "direction");
    Objects.requireNonNull(state, "state");
    labels = List.copyOf(labels);
  }
}

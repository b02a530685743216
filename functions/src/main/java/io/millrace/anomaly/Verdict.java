package io.millrace.anomaly;

import io.millrace.event.Anomaly.Direction;
import io.millrace.event.Anomaly.Severity;

/**
 * What a {@link Detector} says of one value.
 *
 * @param expected the value that the series let expect before this one came; NaN for the first
 * @param deviation of the value from that, signed, in units of the series' usual deviation
 * @param rarity 0 to 1: how rare a deviation of this size is; 0.5 is once in 10,000 rows
 * @param score 0 to 1, on the same scale: how surprising the row is after all that came before, so
 *     that what repeats an alarm of late scores less; see {@link Detector}
 * @param severity whether the value itself is anomalous
 * @param direction NONE while the severity is
 */
public record Verdict(
    double expected,
    double deviation,
    double rarity,
    double score,
    Severity severity,
    Direction direction) {
  /** Of a value that there is nothing to compare with. */
  static final Verdict UNJUDGED = new Verdict(Double.NaN, 0, 0, 0, Severity.NONE, Direction.NONE);

  /** Whether the value is an anomaly. */
  public boolean anomalous() {
    return severity != Severity.NONE;
  }
}

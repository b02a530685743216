package io.millrace.anomaly;

import java.io.Serializable;

/**
 * The least deviation that counts as one unit of spread, so that a flat or sparse series does not
 * alert for next to nothing. The largest of the three applies.
 *
 * @param absolute in the metric's own unit
 * @param relative as a part of the expected value
 * @param counts whether values are counts of independent things: then the square root of the
 *     expected number
 */
public record Floor(double absolute, double relative, boolean counts) implements Serializable {
  /** Next to nothing: for series of which nothing is known. */
  public static final Floor NEGLIGIBLE = new Floor(1e-9, 1e-3, false);

  /** For numbers of events, users or sessions in a window. */
  public static final Floor COUNTS = new Floor(1, 0.02, true);

  /** For ratios between 0 and 1. */
  public static final Floor RATIO = new Floor(0.01, 0.02, false);

  public Floor {
    if (!(absolute > 0) || !(relative >= 0)) {
      throw new IllegalArgumentException(
          "a floor must be above 0, was " + absolute + " and " + relative + " of the value");
    }
  }

  double at(double expected) {
    double magnitude = Math.abs(expected);
    double floor = Math.max(absolute, relative * magnitude);
    return counts ? Math.max(floor, Math.sqrt(magnitude)) : floor;
  }
}

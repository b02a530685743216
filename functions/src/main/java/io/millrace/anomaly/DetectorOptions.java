package io.millrace.anomaly;

import java.io.Serializable;
import java.util.Objects;

/**
 * How a {@link Detector} judges.
 *
 * @param minSamples values that must have come before anything is called an anomaly
 * @param patience anomalous values in a row after which the series is taken to have changed for
 *     good: they become the baseline
 * @param warning surprise, minus the decimal logarithm of a deviation's share of rows, from which a
 *     value is a warning
 * @param critical the same for critical
 * @param floor the least deviation that counts
 */
public record DetectorOptions(
    int minSamples, int patience, double warning, double critical, Floor floor)
    implements Serializable {
  private static final int MIN_SAMPLES = 10;
  private static final int PATIENCE = 48;
  private static final double WARNING = 3.5;
  private static final double CRITICAL = 5;

  public DetectorOptions {
    Objects.requireNonNull(floor, "floor");
    if (minSamples < 2) {
      throw new IllegalArgumentException("minSamples must be at least 2, was " + minSamples);
    }
    if (patience < 1) {
      throw new IllegalArgumentException("patience must be at least 1, was " + patience);
    }
    if (!(warning > 0 && critical >= warning)) {
      throw new IllegalArgumentException(
          "0 < warning <= critical must hold, were " + warning + " and " + critical);
    }
  }

  /** For series with the given floor, otherwise the defaults. */
  public static DetectorOptions with(Floor floor) {
    return new DetectorOptions(MIN_SAMPLES, PATIENCE, WARNING, CRITICAL, floor);
  }

  /** The same with other numbers of samples and patience. */
  public DetectorOptions with(int otherMinSamples, int otherPatience) {
    return new DetectorOptions(otherMinSamples, otherPatience, warning, critical, floor);
  }
}

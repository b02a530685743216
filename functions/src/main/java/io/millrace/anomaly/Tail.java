package io.millrace.anomaly;

import java.io.IOException;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * How rare a deviation of a given size is, learned from all before it: a histogram of magnitudes by
 * quarter octaves, which forgets slowly, with a power law beyond the bulk. It starts from what a
 * normal distribution would show in a few rows.
 */
final class Tail {
  private static final int BINS = 64;
  private static final int PER_OCTAVE = 4;
  private static final double LOG2_LOWEST = -4;
  private static final double BULK = 0.98;

  /** So many rows may lie beyond in any case: one anomaly must not make the next one usual. */
  private static final double LEAST_BEYOND = 3;

  /** Rows after which an observation weighs 1/e. */
  private static final double MEMORY = 10_000;

  /** The power law's exponent before the data say more, and how many exceedances that is worth. */
  private static final double PRIOR_INDEX = 0.2;

  private static final double PRIOR_EXCEEDANCES = 10;

  /**
   * Magnitudes in units of the mean absolute deviation; the normal distribution's share of bins.
   */
  private static final double PRIOR_ROWS = 20;

  private final float[] counts = new float[BINS];
  private double total;

  Tail() {
    double below = 0;
    for (int bin = 0; bin < BINS; bin++) {
      // Mean absolute deviation of a standard normal: sqrt(2 / pi).
      double share = halfNormal(upper(bin) * Math.sqrt(2 / Math.PI));
      counts[bin] = (float) (PRIOR_ROWS * (share - below));
      below = share;
    }
    total = PRIOR_ROWS;
  }

  private static double halfNormal(double z) {
    // A logistic fit to erf(z / sqrt(2)), exact to 2e-4: a prior needs no more.
    return 2 / (1 + Math.exp(-z * (1.5976 + 0.070566 * z * z))) - 1;
  }

  private static int bin(double magnitude) {
    if (!(magnitude > 0)) {
      return 0;
    }
    double log2 = Math.log(magnitude) / Math.log(2);
    int bin = (int) Math.floor((log2 - LOG2_LOWEST) * PER_OCTAVE);
    return Math.max(0, Math.min(BINS - 1, bin));
  }

  private static double upper(int bin) {
    return Math.pow(2, LOG2_LOWEST + (bin + 1) / (double) PER_OCTAVE);
  }

  void add(double magnitude, double weight) {
    float keep = (float) (1 - weight / MEMORY);
    for (int i = 0; i < BINS; i++) {
      counts[i] *= keep;
    }
    counts[bin(magnitude)] += (float) weight;
    total = total * keep + weight;
  }

  /** Minus the decimal logarithm of the share of deviations that are at least this large. */
  double surprise(double size) {
    double magnitude = Math.min(size, upper(BINS - 1));
    // The bulk's upper end, at a bin's border.
    double beyond = 0;
    double logs = 0;
    int end = BINS - 1;
    while (end > 0 && beyond + counts[end] <= Math.max((1 - BULK) * total, LEAST_BEYOND)) {
      beyond += counts[end];
      end--;
    }
    double border = upper(end);
    if (magnitude <= border) {
      double above = beyond;
      int own = bin(magnitude);
      for (int i = end; i > own; i--) {
        above += counts[i];
      }
      double part = own == 0 ? 1 : (upper(own) - magnitude) / (upper(own) - upper(own - 1));
      above += counts[own] * Math.max(0, Math.min(1, part));
      return -Math.log10(Math.min(1, Math.max(above, 1e-12) / total));
    }
    for (int i = end + 1; i < BINS; i++) {
      logs += counts[i] * (i - end - 0.5) * Math.log(2) / PER_OCTAVE;
    }
    double index = (logs + PRIOR_EXCEEDANCES * PRIOR_INDEX) / (beyond + PRIOR_EXCEEDANCES);
    double share = Math.max(beyond, 0.5) / total;
    return -Math.log10(share) + Math.log10(magnitude / border) / index;
  }

  void write(DataOutputView out) throws IOException {
    out.writeDouble(total);
    Floats.write(counts, out);
  }

  static Tail read(DataInputView in) throws IOException {
    Tail tail = new Tail();
    tail.total = in.readDouble();
    Floats.read(tail.counts, in);
    return tail;
  }
}

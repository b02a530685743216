package io.millrace.anomaly;

import java.io.IOException;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** The shape of a season: the mean deviation from the level at each time of a day or week, UTC. */
final class Profile {
  private static final int MAX_WEIGHT = 1_000_000;

  private final long bucketMs;
  private final double memory;
  private final float[] means;
  private final float[] weights;

  /**
   * @param memory share of a deviation that a later one of the same time replaces
   */
  Profile(long periodMs, int buckets, double memory) {
    this.bucketMs = periodMs / buckets;
    this.memory = memory;
    this.means = new float[buckets];
    this.weights = new float[buckets];
  }

  /** The deviation to be expected at a time; 0 where nothing was learned yet. */
  double at(long time) {
    int before = before(time);
    int after = (before + 1) % means.length;
    double part = part(time);
    double left = weights[before] > 0 ? 1 - part : 0;
    double right = weights[after] > 0 ? part : 0;
    double sum = left + right;
    return sum > 0 ? (left * means[before] + right * means[after]) / sum : 0;
  }

  /** Learns a deviation; {@code interval} is the usual time between two of them in ms. */
  void learn(long time, double deviation, double interval) {
    double rowsPerVisit = Math.max(1, bucketMs / Math.max(1, interval));
    double slowest = memory / rowsPerVisit;
    int before = before(time);
    double part = part(time);
    learn(before, deviation, 1 - part, slowest);
    learn((before + 1) % means.length, deviation, part, slowest);
  }

  private void learn(int bucket, double deviation, double share, double slowest) {
    if (share > 0) {
      double weight = weights[bucket] + share;
      double rate = Math.max(share / weight, share * slowest);
      means[bucket] += (float) (rate * (deviation - means[bucket]));
      weights[bucket] = (float) Math.min(MAX_WEIGHT, weight);
    }
  }

  private int before(long time) {
    return (int) (Math.floorMod(time, bucketMs * means.length) / bucketMs);
  }

  private double part(long time) {
    return Math.floorMod(time, bucketMs) / (double) bucketMs;
  }

  void write(DataOutputView out) throws IOException {
    Floats.write(means, out);
    Floats.write(weights, out);
  }

  void read(DataInputView in) throws IOException {
    Floats.read(means, in);
    Floats.read(weights, in);
  }
}

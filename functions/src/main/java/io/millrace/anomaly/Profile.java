package io.millrace.anomaly;

import java.io.IOException;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** A season: the mean value at each time of a day or week, UTC. */
final class Profile {
  private static final int MAX_WEIGHT = 1_000_000;

  private final long bucketMs;
  private final double memory;
  private final float[] means;
  private final float[] weights;
  private int visited = -1;
  private boolean visitedBefore;

  /**
   * @param memory share of a time's mean that its values of one more period replace
   */
  Profile(long periodMs, int buckets, double memory) {
    this.bucketMs = periodMs / buckets;
    this.memory = memory;
    this.means = new float[buckets];
    this.weights = new float[buckets];
  }

  /** Whether an earlier period had a value at this time. */
  boolean knows(long time) {
    int bucket = bucket(time);
    return bucket == visited ? visitedBefore : weights[bucket] > 0;
  }

  double at(long time) {
    return means[bucket(time)];
  }

  /** Learns a value; {@code interval} is the usual time between two of them in ms. */
  void learn(long time, double value, double interval) {
    int bucket = bucket(time);
    if (bucket != visited) {
      visited = bucket;
      visitedBefore = weights[bucket] > 0;
    }
    double rowsPerVisit = Math.max(1, bucketMs / Math.max(1, interval));
    double weight = weights[bucket] + 1;
    means[bucket] +=
        (float) (Math.max(1 / weight, memory / rowsPerVisit) * (value - means[bucket]));
    weights[bucket] = (float) Math.min(MAX_WEIGHT, weight);
  }

  private int bucket(long time) {
    return (int) (Math.floorMod(time, bucketMs * means.length) / bucketMs);
  }

  void write(DataOutputView out) throws IOException {
    out.writeInt(visited);
    out.writeBoolean(visitedBefore);
    Floats.write(means, out);
    Floats.write(weights, out);
  }

  void read(DataInputView in) throws IOException {
    visited = in.readInt();
    visitedBefore = in.readBoolean();
    Floats.read(means, in);
    Floats.read(weights, in);
  }
}

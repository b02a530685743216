package io.millrace.anomaly;

import java.io.IOException;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** How far a series usually is from where it should be, and how rare it is to be farther. */
final class Deviations {
  /** Share of the usual deviation that a new one replaces. */
  private static final double RATE = 1.0 / 150;

  private static final double SLOW_RATE = 1.0 / 2000;

  /** A deviation counts as at most so many usual ones, so that an anomaly widens nothing. */
  private static final double CAP = 3;

  private static final double SLOW_CAP = 300;

  /**
   * Part of the long-run mean below which the usual deviation does not fall: what is mostly zero
   * would else have none.
   */
  private static final double LEAST = 0.1;

  private static final int START = 10;

  private Tail tail = new Tail();
  private long count;
  private double usual;
  private double mean;

  /** What counts as one unit of deviation, at least the floor. */
  double unit(double floor) {
    return Math.max(Math.max(usual, LEAST * mean), floor);
  }

  /** How rare a deviation of so many units is, as {@link Tail#surprise}. */
  double surprise(double units) {
    return tail.surprise(units);
  }

  /** How many there were. */
  long count() {
    return count;
  }

  /**
   * Learns a deviation.
   *
   * @param weight 1 unless it is one of a row of anomalies
   */
  void learn(double deviation, double floor, double weight) {
    double unit = unit(floor);
    count++;
    tail.add(deviation / unit, weight);
    boolean starting = count <= START;
    double capped = starting ? deviation : Math.min(deviation, CAP * unit);
    usual += Math.max(1.0 / count, RATE * weight) * (capped - usual);
    double slow = starting ? deviation : Math.min(deviation, SLOW_CAP * unit);
    mean += Math.max(1.0 / count, SLOW_RATE * weight) * (slow - mean);
  }

  void write(DataOutputView out) throws IOException {
    out.writeLong(count);
    out.writeDouble(usual);
    out.writeDouble(mean);
    tail.write(out);
  }

  void read(DataInputView in) throws IOException {
    count = in.readLong();
    usual = in.readDouble();
    mean = in.readDouble();
    tail = Tail.read(in);
  }
}

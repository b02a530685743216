package io.millrace.anomaly;

import io.millrace.event.Anomaly.Direction;
import io.millrace.event.Anomaly.Severity;
import java.io.IOException;
import java.util.Objects;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * Finds anomalies in one series of (time, value), in the order of time, without looking ahead and
 * in constant memory.
 *
 * <p>A {@link Forecast} says what to expect; a deviation, in units of the usual one, is as
 * surprising as it is rare among all before ({@link Deviations}). A surprise of n is what one row
 * in 10^n shows. The severity of a value comes from its deviation from what the series would be
 * without its anomalies, so it lasts as long as they do. The score ranks rows: it also sees drifts
 * from the season and bursts of noise, and what follows an alarm and surprises no more than that
 * scores next to nothing, so that an incident scores high where it begins.
 */
public final class Detector {
  private static final int FORMAT = 1;

  /** A value that follows an anomaly is one with a surprise of this much less. */
  private static final double HYSTERESIS = 1;

  /** How much the deviations of an anomaly that goes on count: little in a young series. */
  private static final double KNOWN_WEIGHT = 0.3;

  private static final double KNOWN_ROWS = 5_000;

  /** A clean error counts against a forecast as at most so many usual ones. */
  private static final double LOSS_CAP = 5;

  private static final double DRIFT_RATE = 0.1;
  private static final double BURST_RATE = 0.15;
  private static final double BURST_CAP = 20;

  /** Drifts of a season are judged once there were so many. */
  private static final int MIN_DRIFTS = 100;

  /** How much of the lesser of two surprises adds to the larger. */
  private static final double SECOND = 0.2;

  /** The score of a row counts surprises up to here. */
  private static final double MOST = 8;

  /** By how much an alarm's shadow on the scores after it shrinks per row. */
  private static final double SHADOW_DECAY = 4.0 / 150;

  /** Rows after which the same rarity scores less: false alarms are to be few per series. */
  private static final double SCORED_ROWS = 3_000;

  private static final double MOST_ROWS = 20_000;
  private static final double PER_LENGTH = 0.3;

  /** The surprise whose score is a half. */
  private static final double HALF = 4;

  private final DetectorOptions options;
  private final Forecast forecast = new Forecast();
  private final Deviations steps = new Deviations();
  private final Deviations[] drifts = new Deviations[Forecast.SEASONS];
  private final double[] drift = new double[Forecast.SEASONS];
  private Tail bursts = new Tail();
  private double burst;
  private long rows;
  private double shadow;
  private int streak;

  public Detector(DetectorOptions options) {
    this.options = Objects.requireNonNull(options, "options");
    for (int s = 0; s < drifts.length; s++) {
      drifts[s] = new Deviations();
    }
  }

  /** Judges the next value, then learns from it; NaN and infinite values are passed over. */
  public Verdict observe(long time, double value) {
    if (Double.isNaN(value) || Double.isInfinite(value)) {
      return Verdict.UNJUDGED;
    }
    if (rows == 0) {
      rows = 1;
      forecast.learn(time, value, value, Double.MAX_VALUE);
      return Verdict.UNJUDGED;
    }
    double expected = forecast.expected(time, false);
    double floor = options.floor().at(expected);
    double unit = steps.unit(floor);
    double deviation = (value - expected) / unit;
    double step = Math.abs(value - forecast.expected(time, true));
    boolean judged = rows >= options.minSamples();

    double alarm = judged ? steps.surprise(Math.abs(deviation)) : 0;
    double surprise = judged ? steps.surprise(step / unit) : 0;
    surprise = both(surprise, drifts(time, value, floor));
    burst += BURST_RATE * (Math.min(step / unit, BURST_CAP) - burst);
    surprise = judged ? Math.max(surprise, bursts.surprise(burst)) : 0;
    bursts.add(burst, 1);

    Severity severity = severity(alarm);
    Direction direction =
        severity == Severity.NONE
            ? Direction.NONE
            : deviation > 0 ? Direction.SPIKE : Direction.DROP;
    learn(time, value, expected, step, unit, floor, severity != Severity.NONE);
    return new Verdict(
        expected, deviation, score(alarm), score(fresh(surprise)), severity, direction);
  }

  /** The surprise at the drift from the best season, after the drifts from all are learned. */
  private double drifts(long time, double value, double floor) {
    int best = forecast.bestSeason(time);
    double surprise = 0;
    for (int s = 0; s < drifts.length; s++) {
      drift[s] += DRIFT_RATE * (value - forecast.base(s, time) - drift[s]);
      if (forecast.knows(s, time)) {
        double size = Math.abs(drift[s]);
        if (s == best && drifts[s].count() >= MIN_DRIFTS) {
          surprise = drifts[s].surprise(size / drifts[s].unit(floor));
        }
        drifts[s].learn(size, floor, 1);
      }
    }
    return surprise;
  }

  /** Two surprises at the same row: the larger, and a part of the other. */
  private static double both(double one, double other) {
    return Math.max(one, other) + SECOND * Math.min(one, other);
  }

  /** What is left of a surprise in the shadow of the alarms before. */
  private double fresh(double surprise) {
    double length = Math.max(1, Math.min((double) rows, MOST_ROWS) / SCORED_ROWS);
    double weighed = Math.max(0, Math.min(MOST, surprise - PER_LENGTH * Math.log10(length)));
    double left = weighed > shadow ? weighed : 0;
    shadow = Math.max(weighed, shadow - SHADOW_DECAY);
    return left;
  }

  private static double score(double surprise) {
    return surprise / (surprise + HALF);
  }

  private Severity severity(double surprise) {
    double relief = streak > 0 ? HYSTERESIS : 0;
    if (surprise < options.warning() - relief) {
      return Severity.NONE;
    }
    return surprise < options.critical() ? Severity.WARNING : Severity.CRITICAL;
  }

  private void learn(
      long time,
      double value,
      double expected,
      double step,
      double unit,
      double floor,
      boolean anomalous) {
    rows++;
    streak = anomalous ? streak + 1 : 0;
    double weight = streak > 1 ? Math.min(KNOWN_WEIGHT, rows / KNOWN_ROWS) : 1;
    steps.learn(step, floor, weight);
    double clean = anomalous ? expected + Math.signum(value - expected) * unit : value;
    forecast.learn(time, value, clean, LOSS_CAP * unit);
    if (streak >= options.patience()) {
      forecast.accept();
      streak = 0;
    }
  }

  /** Writes the state; {@link #read} needs the same options. */
  public void write(DataOutputView out) throws IOException {
    out.writeByte(FORMAT);
    out.writeLong(rows);
    out.writeDouble(burst);
    out.writeDouble(shadow);
    out.writeInt(streak);
    for (int s = 0; s < drifts.length; s++) {
      out.writeDouble(drift[s]);
      drifts[s].write(out);
    }
    forecast.write(out);
    steps.write(out);
    bursts.write(out);
  }

  /** The detector that was written. */
  public static Detector read(DetectorOptions options, DataInputView in) throws IOException {
    int format = in.readUnsignedByte();
    if (format != FORMAT) {
      throw new IOException("detector of format " + format + ", this version reads 1");
    }
    Detector detector = new Detector(options);
    detector.rows = in.readLong();
    detector.burst = in.readDouble();
    detector.shadow = in.readDouble();
    detector.streak = in.readInt();
    for (int s = 0; s < detector.drifts.length; s++) {
      detector.drift[s] = in.readDouble();
      detector.drifts[s].read(in);
    }
    detector.forecast.read(in);
    detector.steps.read(in);
    detector.bursts = Tail.read(in);
    return detector;
  }
}

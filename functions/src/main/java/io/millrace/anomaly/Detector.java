package io.millrace.anomaly;

import io.millrace.event.Anomaly.Direction;
import io.millrace.event.Anomaly.Severity;
import java.io.IOException;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * Finds anomalies in one series of (time, value), in the order of time, without looking ahead and
 * in constant memory.
 *
 * <p>A {@link Forecast} says what to expect; deviations, in units of their usual size, are as
 * surprising as they are rare among all before ({@link Tail}). A surprise of n is a deviation that
 * one row in 10^n shows. The severity of a value comes from its deviation from what the series
 * would be without its anomalies, so it lasts as long as they do. The score is for ranking rows: it
 * also sees drifts and bursts of noise, and what repeats an alarm of the last rows scores lower, so
 * that an incident scores high once, where it begins.
 */
public final class Detector {
  private static final int FORMAT = 1;

  private static final double SPREAD_RATE = 1.0 / 150;
  private static final double SPREAD_CAP = 3;

  /** A value that follows an anomaly is one with a surprise of this much less. */
  private static final double HYSTERESIS = 1;

  private static final double DRIFT_RATE = 0.15;
  private static final double BURST_RATE = 0.15;

  /** Rows over which an alarm lowers the scores of those after it. */
  private static final double REST_ROWS = 120;

  /** The surprise whose score is a half. */
  private static final double HALF = 4;

  private final DetectorOptions options;
  private final Forecast forecast = new Forecast();
  private Tail deviations = new Tail();
  private Tail drifts = new Tail();
  private Tail bursts = new Tail();
  private long rows;
  private double spread;
  private double driftSpread;
  private double mean;
  private double burst;
  private double rest;
  private int streak;

  public Detector(DetectorOptions options) {
    this.options = options;
  }

  /** Judges the next value, then learns from it; NaN and infinite values are passed over. */
  public Verdict observe(long time, double value) {
    if (Double.isNaN(value) || Double.isInfinite(value)) {
      return Verdict.UNJUDGED;
    }
    if (rows == 0) {
      rows = 1;
      mean = value;
      forecast.learn(time, value, value, Double.MAX_VALUE);
      return Verdict.UNJUDGED;
    }
    double expected = forecast.expected(time, false);
    double next = forecast.expected(time, true);
    double unit = Math.max(spread, options.floor().at(expected));
    double deviation = (value - expected) / unit;
    double step = Math.abs(value - next) / unit;
    mean += DRIFT_RATE * (value - mean);
    double driftUnit = Math.max(driftSpread, options.floor().at(expected));
    double drift = Math.abs(mean - forecast.baseline(time)) / driftUnit;
    burst += BURST_RATE * (Math.min(step, 20) - burst);

    boolean judged = rows >= options.minSamples();
    double alarm = judged ? deviations.surprise(Math.abs(deviation)) : 0;
    double surprise = 0;
    if (judged) {
      surprise = deviations.surprise(step);
      surprise = Math.max(surprise, drifts.surprise(drift) - 0.3);
      surprise = Math.max(surprise, bursts.surprise(burst) - 0.3);
    }
    Severity severity = severity(alarm);
    learn(time, value, expected, next, severity, step, drift);
    double fresh = Math.max(0, surprise - rest);
    rest = Math.max(0, rest - HALF * 1.5 / REST_ROWS);
    if (fresh > 2) {
      rest = Math.max(rest, surprise);
    }
    Direction direction =
        severity == Severity.NONE
            ? Direction.NONE
            : deviation > 0 ? Direction.SPIKE : Direction.DROP;
    return new Verdict(expected, deviation, scale(alarm), scale(fresh), severity, direction);
  }

  private static double scale(double surprise) {
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
      double next,
      Severity severity,
      double step,
      double drift) {
    boolean anomalous = severity != Severity.NONE;
    streak = anomalous ? streak + 1 : 0;
    boolean known = anomalous && streak > 1;
    rows++;
    double rate = Math.max(1.0 / rows, known ? SPREAD_RATE / 4 : SPREAD_RATE);
    double unit = Math.max(spread, options.floor().at(expected));
    double error = Math.abs(value - next);
    if (rows > options.minSamples()) {
      error = Math.min(error, SPREAD_CAP * unit);
    }
    spread += rate * (error - spread);
    double driftUnit = Math.max(driftSpread, options.floor().at(expected));
    double off = drift * driftUnit;
    if (rows > options.minSamples()) {
      off = Math.min(off, SPREAD_CAP * driftUnit);
    }
    driftSpread += rate * (off - driftSpread);
    deviations.add(step, known ? 0.05 : 1);
    drifts.add(drift, 1);
    bursts.add(burst, 1);
    double clean = anomalous ? expected + Math.signum(value - expected) * unit : value;
    forecast.learn(time, value, clean, 5 * unit);
    if (streak >= options.patience()) {
      forecast.accept();
      streak = 0;
    }
  }

  /** Writes the state; {@link #read} needs the same options. */
  public void write(DataOutputView out) throws IOException {
    out.writeByte(FORMAT);
    out.writeLong(rows);
    out.writeDouble(spread);
    out.writeDouble(driftSpread);
    out.writeDouble(mean);
    out.writeDouble(burst);
    out.writeDouble(rest);
    out.writeInt(streak);
    forecast.write(out);
    deviations.write(out);
    drifts.write(out);
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
    detector.spread = in.readDouble();
    detector.driftSpread = in.readDouble();
    detector.mean = in.readDouble();
    detector.burst = in.readDouble();
    detector.rest = in.readDouble();
    detector.streak = in.readInt();
    detector.forecast.read(in);
    detector.deviations = Tail.read(in);
    detector.drifts = Tail.read(in);
    detector.bursts = Tail.read(in);
    return detector;
  }
}

package io.millrace.anomaly;

import java.io.IOException;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * What a series lets expect next: many simple forecasts, weighted by how well each did lately. Each
 * takes the series to have no season, one of a day or one of a week, and the residual from that to
 * persist to some part, as it was last or on average, or to go on moving.
 *
 * <p>There are two of each: one that follows what was observed, and one that follows what was
 * observed less anomalies.
 */
final class Forecast {
  private static final long HOUR_MS = 3_600_000L;
  private static final long DAY_MS = 24 * HOUR_MS;
  private static final long WEEK_MS = 7 * DAY_MS;

  private static final int SEASONS = 3;
  private static final double[] LEVEL_MS = {DAY_MS, 2 * DAY_MS, WEEK_MS};
  private static final double FASTEST_LEVEL = 0.1;

  private static final double[] PERSISTENCE = {0.5, 0.9, 1};
  private static final double MOMENTUM = 0.7;
  private static final int PER_SEASON = 2 + 3 * PERSISTENCE.length;

  /** Residuals of one season: the last one, the one before, and two running means. */
  private static final int LAST = 0;

  private static final int PREVIOUS = 1;
  private static final int FAST = 2;
  private static final int SLOW = 3;
  private static final int KINDS = 4;
  private static final double FAST_RATE = 0.4;
  private static final double SLOW_RATE = 0.1;

  private static final double LOSS_RATE = 0.01;
  private static final double SHARPNESS = 8;

  private final Profile day = new Profile(DAY_MS, 96, 0.15);
  private final Profile week = new Profile(WEEK_MS, 168, 0.25);
  private final double[] levels = new double[SEASONS];
  private final double[] observed = new double[SEASONS * KINDS];
  private final double[] cleaned = new double[SEASONS * KINDS];
  private final double[] losses = new double[SEASONS * PER_SEASON];
  private long rows;
  private long lastTime;
  private double interval;

  private double season(int season, long time) {
    return switch (season) {
      case 0 -> levels[0];
      case 1 -> levels[1] + day.at(time);
      default -> levels[2] + week.at(time);
    };
  }

  /** The value to be expected at a time; not to be called before the first value. */
  double expected(long time, boolean followAnomalies) {
    double[] residuals = followAnomalies ? observed : cleaned;
    double best = bestLoss();
    double sum = 0;
    double weights = 0;
    for (int s = 0; s < SEASONS; s++) {
      double base = season(s, time);
      for (int i = 0; i < PER_SEASON; i++) {
        double weight = weight(losses[s * PER_SEASON + i], best);
        sum += weight * (base + residual(residuals, s, i));
        weights += weight;
      }
    }
    return sum / weights;
  }

  /** The same without any persistence: the level and season alone. */
  double baseline(long time) {
    double best = Double.MAX_VALUE;
    for (int s = 0; s < SEASONS; s++) {
      best = Math.min(best, losses[s * PER_SEASON]);
    }
    double sum = 0;
    double weights = 0;
    for (int s = 0; s < SEASONS; s++) {
      double weight = weight(losses[s * PER_SEASON], best);
      sum += weight * season(s, time);
      weights += weight;
    }
    return sum / weights;
  }

  private double bestLoss() {
    double best = Double.MAX_VALUE;
    for (double loss : losses) {
      best = Math.min(best, loss);
    }
    return best;
  }

  private static double weight(double loss, double best) {
    return loss <= best ? 1 : Math.pow(best / loss, SHARPNESS);
  }

  private static double residual(double[] residuals, int season, int expert) {
    int at = season * KINDS;
    if (expert == 0) {
      return 0;
    }
    if (expert == 1) {
      return residuals[at + LAST] + MOMENTUM * (residuals[at + LAST] - residuals[at + PREVIOUS]);
    }
    double persistence = PERSISTENCE[(expert - 2) % PERSISTENCE.length];
    int kind = (expert - 2) / PERSISTENCE.length;
    return persistence * residuals[at + (kind == 0 ? LAST : kind == 1 ? FAST : SLOW)];
  }

  /**
   * Learns a value.
   *
   * @param clean what the baselines learn instead: the same, unless the value is an anomaly
   * @param cap the largest error that counts against a forecast
   */
  void learn(long time, double value, double clean, double cap) {
    if (rows == 0) {
      for (int s = 0; s < SEASONS; s++) {
        levels[s] = value;
      }
      lastTime = time;
    }
    double elapsed = Math.max(0, time - lastTime);
    if (rows > 0) {
      double usual = rows == 1 ? elapsed : interval;
      interval = usual + 0.05 * (Math.min(elapsed, 3 * usual + 1) - usual);
    }
    rows++;
    double rate = Math.max(1.0 / rows, LOSS_RATE);
    for (int s = 0; s < SEASONS; s++) {
      double base = season(s, time);
      for (int i = 0; i < PER_SEASON; i++) {
        double error = Math.abs(clean - base - residual(cleaned, s, i));
        int at = s * PER_SEASON + i;
        losses[at] += rate * (Math.min(error, cap) - losses[at]);
      }
    }
    day.learn(time, clean - levels[1], interval);
    week.learn(time, clean - levels[2], interval);
    for (int s = 0; s < SEASONS; s++) {
      double pace = 1 - Math.exp(-Math.min(elapsed, 2 * interval) / LEVEL_MS[s]);
      pace = Math.max(1.0 / rows, Math.min(FASTEST_LEVEL, pace));
      levels[s] += pace * (clean - levels[s]);
      double base = season(s, time);
      remember(observed, s, value - base);
      remember(cleaned, s, clean - base);
    }
    lastTime = time;
  }

  private static void remember(double[] residuals, int season, double residual) {
    int at = season * KINDS;
    residuals[at + PREVIOUS] = residuals[at + LAST];
    residuals[at + LAST] = residual;
    residuals[at + FAST] += FAST_RATE * (residual - residuals[at + FAST]);
    residuals[at + SLOW] += SLOW_RATE * (residual - residuals[at + SLOW]);
  }

  /** The anomalies of late were no anomalies: their level is the level. */
  void accept() {
    for (int s = 0; s < SEASONS; s++) {
      int at = s * KINDS;
      double shift = observed[at + SLOW];
      levels[s] += shift;
      for (int k = 0; k < KINDS; k++) {
        observed[at + k] -= shift;
        cleaned[at + k] = observed[at + k];
      }
    }
  }

  void write(DataOutputView out) throws IOException {
    out.writeLong(rows);
    out.writeLong(lastTime);
    out.writeDouble(interval);
    writeAll(levels, out);
    writeAll(observed, out);
    writeAll(cleaned, out);
    writeAll(losses, out);
    day.write(out);
    week.write(out);
  }

  void read(DataInputView in) throws IOException {
    rows = in.readLong();
    lastTime = in.readLong();
    interval = in.readDouble();
    readAll(levels, in);
    readAll(observed, in);
    readAll(cleaned, in);
    readAll(losses, in);
    day.read(in);
    week.read(in);
  }

  private static void writeAll(double[] values, DataOutputView out) throws IOException {
    for (double value : values) {
      out.writeDouble(value);
    }
  }

  private static void readAll(double[] values, DataInputView in) throws IOException {
    for (int i = 0; i < values.length; i++) {
      values[i] = in.readDouble();
    }
  }
}

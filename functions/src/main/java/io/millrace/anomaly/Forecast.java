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

  /** None, a day, a week. */
  static final int SEASONS = 3;

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

  private final Profile day = new Profile(DAY_MS, 96, 0.15);
  private final Profile week = new Profile(WEEK_MS, 168, 0.25);
  private final double[] levels = new double[SEASONS];
  private final double[] observed = new double[SEASONS * KINDS];
  private final double[] cleaned = new double[SEASONS * KINDS];
  private final double[] losses = new double[SEASONS * PER_SEASON];
  private long rows;
  private long lastTime;
  private double interval;

  /** What a season alone lets expect; where it is not known yet, what a shorter one does. */
  double base(int season, long time) {
    if (season == 2 && week.knows(time)) {
      return levels[2] + week.at(time);
    }
    if (season >= 1 && day.knows(time)) {
      return levels[1] + day.at(time);
    }
    return levels[0];
  }

  /** Whether an earlier period of the season had a value at this time. */
  boolean knows(int season, long time) {
    return season == 0 || (season == 1 ? day : week).knows(time);
  }

  /** The season that did best lately, of those that know the time. */
  int bestSeason(long time) {
    int best = 0;
    for (int s = 1; s < SEASONS; s++) {
      if (knows(s, time) && losses[s * PER_SEASON] < losses[best * PER_SEASON]) {
        best = s;
      }
    }
    return best;
  }

  /**
   * The value to be expected at a time; not to be called before the first value.
   *
   * @param followAnomalies whether to go on from what was observed, or from that less anomalies
   */
  double expected(long time, boolean followAnomalies) {
    double[] residuals = followAnomalies ? observed : cleaned;
    double best = bestLoss();
    double sum = 0;
    double weights = 0;
    for (int s = 0; s < SEASONS; s++) {
      double base = base(s, time);
      for (int i = 0; i < PER_SEASON; i++) {
        double weight = weight(losses[s * PER_SEASON + i], best);
        sum += weight * (base + residual(residuals, s, i));
        weights += weight;
      }
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
    if (loss <= best) {
      return 1;
    }
    double square = best / loss * (best / loss);
    return square * square * square * square;
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
      levels[0] = value;
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
      double base = base(s, time);
      for (int i = 0; i < PER_SEASON; i++) {
        double error = Math.abs(clean - base - residual(cleaned, s, i));
        int at = s * PER_SEASON + i;
        losses[at] += rate * (Math.min(error, cap) - losses[at]);
      }
    }
    learnSeasons(time, clean, Math.min(elapsed, 2 * interval));
    for (int s = 0; s < SEASONS; s++) {
      double base = base(s, time);
      remember(observed, s, value - base);
      remember(cleaned, s, clean - base);
    }
    lastTime = time;
  }

  /** Each season is a profile of values and, on top, a level that moves by itself. */
  private void learnSeasons(long time, double value, double elapsed) {
    boolean dayKnown = day.knows(time);
    boolean weekKnown = week.knows(time);
    double ofDay = day.at(time);
    double ofWeek = week.at(time);
    day.learn(time, value - levels[1], interval);
    week.learn(time, value - levels[2], interval);
    levels[0] += Math.max(1.0 / rows, pace(0, elapsed)) * (value - levels[0]);
    if (dayKnown) {
      levels[1] += pace(1, elapsed) * (value - ofDay - levels[1]);
    }
    if (weekKnown) {
      levels[2] += pace(2, elapsed) * (value - ofWeek - levels[2]);
    }
  }

  private static double pace(int season, double elapsed) {
    return Math.min(FASTEST_LEVEL, 1 - Math.exp(-elapsed / LEVEL_MS[season]));
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

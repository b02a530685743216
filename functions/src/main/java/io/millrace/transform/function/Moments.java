package io.millrace.transform.function;

import javax.annotation.Nullable;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.FunctionHint;
import org.apache.flink.table.functions.AggregateFunction;
import org.apache.flink.types.Row;

/**
 * {@code MOMENTS(x)}: how many values there are, their mean and their sample deviation (n - 1).
 * Nulls and NaN do not count. The deviation comes from merged sums of squared distances from the
 * mean (Chan), so it keeps its digits where values are large and close together; it is null below
 * two values.
 */
@FunctionHint(output = @DataTypeHint("ROW<n BIGINT NOT NULL, mean DOUBLE, stddev DOUBLE>"))
public final class Moments extends AggregateFunction<Row, Moments.Sums> {
  private static final long serialVersionUID = 1L;

  /**
   * What has been seen. The sum is kept with the error of its additions, so that the mean does not
   * depend on the order of values in more than the last digit.
   */
  public static final class Sums {
    public long n;
    public double sum;
    public double error;
    public double mean;
    public double squares;
  }

  @Override
  public Sums createAccumulator() {
    return new Sums();
  }

  public void accumulate(Sums sums, @Nullable Double value) {
    if (value == null || value.isNaN()) {
      return;
    }
    double x = value;
    sums.n++;
    add(sums, x);
    double distance = x - sums.mean;
    sums.mean += distance / sums.n;
    sums.squares += distance * (x - sums.mean);
  }

  public void merge(Sums sums, Iterable<Sums> others) {
    for (Sums other : others) {
      if (other.n == 0) {
        continue;
      }
      long n = sums.n + other.n;
      double distance = other.mean - sums.mean;
      sums.squares += other.squares + distance * distance * ((double) sums.n * other.n / n);
      sums.mean = sums.n == 0 ? other.mean : sums.mean + distance * other.n / n;
      add(sums, other.sum);
      sums.error += other.error;
      sums.n = n;
    }
  }

  /** Neumaier's addition. */
  private static void add(Sums sums, double x) {
    double sum = sums.sum + x;
    sums.error += Math.abs(sums.sum) >= Math.abs(x) ? (sums.sum - sum) + x : (x - sum) + sums.sum;
    sums.sum = sum;
  }

  @Override
  public Row getValue(Sums sums) {
    return Row.of(sums.n, mean(sums), deviation(sums));
  }

  /** The mean; null of nothing. */
  @Nullable
  public static Double mean(Sums sums) {
    if (sums.n == 0) {
      return null;
    }
    double total = sums.sum + sums.error;
    return (Double.isNaN(total) ? sums.sum : total) / sums.n;
  }

  /** The sample deviation; null below two values. */
  @Nullable
  public static Double deviation(Sums sums) {
    return sums.n < 2 ? null : Math.sqrt(sums.squares / (sums.n - 1));
  }
}

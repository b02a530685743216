package io.millrace.transform.function;

import javax.annotation.Nullable;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.FunctionHint;
import org.apache.flink.table.functions.AggregateFunction;
import org.apache.flink.types.Row;

/**
 * {@code ANOMALY(epoch_millis, value [, min_samples, patience]) OVER (PARTITION BY ... ORDER BY
 * time ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)}: what the detector says of the row's
 * value after those before it. Of another frame it would judge the last row only.
 */
@FunctionHint(
    accumulator =
        @DataTypeHint(
            value = "RAW",
            bridgedTo = Series.class,
            rawSerializer = SeriesSerializer.class),
    output = @DataTypeHint("ROW<expected DOUBLE, score DOUBLE, severity STRING>"))
public final class JudgeAnomaly extends AggregateFunction<Row, Series> {
  private static final long serialVersionUID = 1L;

  static final int MIN_SAMPLES = 10;
  static final int PATIENCE = 48;

  @Override
  public Series createAccumulator() {
    return new Series();
  }

  public void accumulate(Series series, @Nullable Long epochMillis, @Nullable Double value) {
    series.observe(epochMillis, value, MIN_SAMPLES, PATIENCE);
  }

  public void accumulate(
      Series series,
      @Nullable Long epochMillis,
      @Nullable Double value,
      Integer minSamples,
      Integer patience) {
    series.observe(epochMillis, value, minSamples, patience);
  }

  @Override
  public Row getValue(Series series) {
    return series.verdict();
  }
}

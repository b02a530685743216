package io.millrace.transform.function;

import javax.annotation.Nullable;
import org.apache.flink.table.functions.AggregateFunction;

/**
 * {@code STDDEV_WELFORD(x)}: the sample deviation (n - 1) that {@link Moments} tells of, which
 * keeps its digits where values are large and close together; null below two values.
 */
public final class SampleDeviation extends AggregateFunction<Double, Moments.Sums> {
  private static final long serialVersionUID = 1L;

  private final Moments moments = new Moments();

  @Override
  public Moments.Sums createAccumulator() {
    return moments.createAccumulator();
  }

  public void accumulate(Moments.Sums sums, @Nullable Double value) {
    moments.accumulate(sums, value);
  }

  public void merge(Moments.Sums sums, Iterable<Moments.Sums> others) {
    moments.merge(sums, others);
  }

  @Override
  @Nullable
  public Double getValue(Moments.Sums sums) {
    return Moments.deviation(sums);
  }
}

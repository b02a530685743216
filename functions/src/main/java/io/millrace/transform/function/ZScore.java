package io.millrace.transform.function;

import javax.annotation.Nullable;
import org.apache.flink.table.functions.ScalarFunction;

/**
 * {@code Z_SCORE(x, mean, deviation)}: how many deviations x is above the mean; null where one of
 * them is, or the deviation is 0.
 */
public final class ZScore extends ScalarFunction {
  private static final long serialVersionUID = 1L;

  @Nullable
  public Double eval(@Nullable Double x, @Nullable Double mean, @Nullable Double deviation) {
    return x == null || mean == null || deviation == null || deviation == 0
        ? null
        : Double.valueOf((x - mean) / deviation);
  }
}

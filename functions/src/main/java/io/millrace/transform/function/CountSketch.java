package io.millrace.transform.function;

import javax.annotation.Nullable;
import org.apache.datasketches.hll.HllSketch;
import org.apache.flink.table.functions.ScalarFunction;

/** {@code HLL_COUNT(sketch)}: about how many distinct values are in a sketch; 0 for null. */
public final class CountSketch extends ScalarFunction {
  private static final long serialVersionUID = 1L;

  public long eval(@Nullable byte[] sketch) {
    return sketch == null ? 0 : Math.round(HllSketch.heapify(sketch).getEstimate());
  }
}

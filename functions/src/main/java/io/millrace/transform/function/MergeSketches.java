package io.millrace.transform.function;

import javax.annotation.Nullable;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.FunctionHint;
import org.apache.flink.table.functions.AggregateFunction;

/** {@code HLL_MERGE(sketch)}: the sketch of what is in any of the sketches; null of none. */
@FunctionHint(
    accumulator =
        @DataTypeHint(
            value = "RAW",
            bridgedTo = DistinctSketch.class,
            rawSerializer = DistinctSketch.Serializer.class))
public final class MergeSketches extends AggregateFunction<byte[], DistinctSketch> {
  private static final long serialVersionUID = 1L;

  @Override
  public DistinctSketch createAccumulator() {
    return new DistinctSketch();
  }

  public void accumulate(DistinctSketch sketch, @Nullable byte[] other) {
    if (other != null) {
      sketch.merge(other);
    }
  }

  public void merge(DistinctSketch sketch, Iterable<DistinctSketch> others) {
    others.forEach(sketch::merge);
  }

  @Override
  @Nullable
  public byte[] getValue(DistinctSketch sketch) {
    return sketch.toBytes();
  }
}

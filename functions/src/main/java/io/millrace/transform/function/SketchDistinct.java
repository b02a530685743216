package io.millrace.transform.function;

import java.nio.charset.StandardCharsets;
import javax.annotation.Nullable;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.FunctionHint;
import org.apache.flink.table.functions.AggregateFunction;

/**
 * {@code HLL_SKETCH(text)}: a sketch of the distinct texts, as {@code active_users_hll} is one of
 * users; null of none.
 */
@FunctionHint(
    accumulator =
        @DataTypeHint(
            value = "RAW",
            bridgedTo = DistinctSketch.class,
            rawSerializer = DistinctSketch.Serializer.class))
public final class SketchDistinct extends AggregateFunction<byte[], DistinctSketch> {
  private static final long serialVersionUID = 1L;

  @Override
  public DistinctSketch createAccumulator() {
    return new DistinctSketch();
  }

  public void accumulate(DistinctSketch sketch, @Nullable String value) {
    if (value != null) {
      sketch.add(value.getBytes(StandardCharsets.UTF_8));
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

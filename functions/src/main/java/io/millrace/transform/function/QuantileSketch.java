package io.millrace.transform.function;

import java.io.IOException;
import java.nio.ByteBuffer;
import javax.annotation.Nullable;
import org.apache.datasketches.kll.KllDoublesSketch;
import org.apache.datasketches.memory.Memory;
import org.apache.datasketches.quantilescommon.QuantileSearchCriteria;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;

/** A KLL sketch of numbers, and which quantile of them is wanted. */
public final class QuantileSketch {
  /** The error of a rank is at most 1.33 % of the number of values, in 99 of 100 cases. */
  private static final int K = 200;

  private final KllDoublesSketch sketch;
  private double quantile;

  QuantileSketch() {
    this(KllDoublesSketch.newHeapInstance(K), Double.NaN);
  }

  private QuantileSketch(KllDoublesSketch sketch, double quantile) {
    this.sketch = sketch;
    this.quantile = quantile;
  }

  void add(double value, double wanted) {
    if (!(wanted >= 0 && wanted <= 1)) {
      throw new IllegalArgumentException("the quantile is " + wanted + ", but must be from 0 to 1");
    }
    quantile = wanted;
    sketch.update(value);
  }

  void merge(QuantileSketch other) {
    sketch.merge(other.sketch);
    quantile = Double.isNaN(other.quantile) ? quantile : other.quantile;
  }

  /** The value at the quantile; null of nothing. */
  @Nullable
  Double value() {
    return sketch.isEmpty()
        ? null
        : Double.valueOf(sketch.getQuantile(quantile, QuantileSearchCriteria.INCLUSIVE));
  }

  /** Writes the quantile, then the sketch in its own format. */
  public static final class Serializer extends BytesSerializer<QuantileSketch> {
    private static final long serialVersionUID = 1L;

    @Override
    byte[] toBytes(QuantileSketch value) {
      byte[] sketch = value.sketch.toByteArray();
      return ByteBuffer.allocate(Double.BYTES + sketch.length)
          .putDouble(value.quantile)
          .put(sketch)
          .array();
    }

    @Override
    QuantileSketch fromBytes(byte[] bytes) throws IOException {
      ByteBuffer buffer = ByteBuffer.wrap(bytes);
      double quantile = buffer.getDouble();
      byte[] sketch = new byte[buffer.remaining()];
      buffer.get(sketch);
      return new QuantileSketch(KllDoublesSketch.heapify(Memory.wrap(sketch)), quantile);
    }

    @Override
    public QuantileSketch createInstance() {
      return new QuantileSketch();
    }

    @Override
    public TypeSerializerSnapshot<QuantileSketch> snapshotConfiguration() {
      return new Snapshot();
    }
  }

  /** Says that bytes of this serializer are read by this serializer. */
  public static final class Snapshot extends SimpleTypeSerializerSnapshot<QuantileSketch> {
    public Snapshot() {
      super(Serializer::new);
    }
  }
}

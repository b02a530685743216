package io.millrace.transform.function;

import javax.annotation.Nullable;
import org.apache.datasketches.hll.HllSketch;
import org.apache.datasketches.hll.TgtHllType;
import org.apache.datasketches.hll.Union;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;

/**
 * A sketch of distinct values in the form that the columns {@code active_users_hll} have: Apache
 * DataSketches HLL_8 with 4,096 registers, of the UTF-8 bytes of values. One standard error of its
 * estimate is 1.6 %.
 */
public final class DistinctSketch {
  private static final int LG_K = 12;

  private final Union union;

  DistinctSketch() {
    this(new Union(LG_K));
  }

  private DistinctSketch(Union union) {
    this.union = union;
  }

  void add(byte[] value) {
    union.update(value);
  }

  void merge(byte[] sketch) {
    union.update(HllSketch.heapify(sketch));
  }

  void merge(DistinctSketch other) {
    union.update(other.union.getResult(TgtHllType.HLL_8));
  }

  /** The sketch; null of nothing. */
  @Nullable
  byte[] toBytes() {
    return union.isEmpty() ? null : union.getResult(TgtHllType.HLL_8).toCompactByteArray();
  }

  /** Writes it as the union that it is. */
  public static final class Serializer extends BytesSerializer<DistinctSketch> {
    private static final long serialVersionUID = 1L;

    @Override
    byte[] toBytes(DistinctSketch sketch) {
      return sketch.union.toCompactByteArray();
    }

    @Override
    DistinctSketch fromBytes(byte[] bytes) {
      return new DistinctSketch(Union.heapify(bytes));
    }

    @Override
    public DistinctSketch createInstance() {
      return new DistinctSketch();
    }

    @Override
    public TypeSerializerSnapshot<DistinctSketch> snapshotConfiguration() {
      return new Snapshot();
    }
  }

  /** Says that bytes of this serializer are read by this serializer. */
  public static final class Snapshot extends SimpleTypeSerializerSnapshot<DistinctSketch> {
    public Snapshot() {
      super(Serializer::new);
    }
  }
}

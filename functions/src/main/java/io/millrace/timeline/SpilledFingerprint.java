package io.millrace.timeline;

import java.io.IOException;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.base.TypeSerializerSingleton;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** A fingerprint of a bucket that outgrew its user's value: a key of the timeline's map state. */
record SpilledFingerprint(int bucket, long high, long low) {

  /**
   * Writes the bucket first and big-endian, so that RocksDB iterates a user's fingerprints from the
   * oldest bucket on.
   */
  public static final class Serializer extends TypeSerializerSingleton<SpilledFingerprint> {
    private static final long serialVersionUID = 1L;

    @Override
    public boolean isImmutableType() {
      return true;
    }

    @Override
    public SpilledFingerprint createInstance() {
      return new SpilledFingerprint(0, 0, 0);
    }

    @Override
    public SpilledFingerprint copy(SpilledFingerprint from) {
      return from;
    }

    @Override
    public SpilledFingerprint copy(SpilledFingerprint from, SpilledFingerprint reuse) {
      return from;
    }

    @Override
    public int getLength() {
      return Integer.BYTES + 2 * Long.BYTES;
    }

    @Override
    public void serialize(SpilledFingerprint f, DataOutputView out) throws IOException {
      out.writeInt(f.bucket);
      out.writeLong(f.high);
      out.writeLong(f.low);
    }

    @Override
    public SpilledFingerprint deserialize(DataInputView in) throws IOException {
      return new SpilledFingerprint(in.readInt(), in.readLong(), in.readLong());
    }

    @Override
    public SpilledFingerprint deserialize(SpilledFingerprint reuse, DataInputView in)
        throws IOException {
      return deserialize(in);
    }

    @Override
    public void copy(DataInputView in, DataOutputView out) throws IOException {
      out.write(in, getLength());
    }

    @Override
    public TypeSerializerSnapshot<SpilledFingerprint> snapshotConfiguration() {
      return new SpilledFingerprintSnapshot();
    }

    /** Format 1. */
    public static final class SpilledFingerprintSnapshot
        extends SimpleTypeSerializerSnapshot<SpilledFingerprint> {
      public SpilledFingerprintSnapshot() {
        super(Serializer::new);
      }
    }
  }
}

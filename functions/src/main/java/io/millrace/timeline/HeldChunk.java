package io.millrace.timeline;

import java.io.IOException;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.base.TypeSerializerSingleton;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * A chunk of a user's held events: a key of the timeline's map state.
 *
 * @param first its least timestamp
 * @param number tells chunks with the same first timestamp apart
 */
record HeldChunk(long first, int number) {

  /**
   * Writes the time first, big-endian and with its sign flipped, so that RocksDB iterates a user's
   * chunks in the order of time.
   */
  public static final class Serializer extends TypeSerializerSingleton<HeldChunk> {
    private static final long serialVersionUID = 1L;

    @Override
    public boolean isImmutableType() {
      return true;
    }

    @Override
    public HeldChunk createInstance() {
      return new HeldChunk(0, 0);
    }

    @Override
    public HeldChunk copy(HeldChunk from) {
      return from;
    }

    @Override
    public HeldChunk copy(HeldChunk from, HeldChunk reuse) {
      return from;
    }

    @Override
    public int getLength() {
      return Long.BYTES + Integer.BYTES;
    }

    @Override
    public void serialize(HeldChunk chunk, DataOutputView out) throws IOException {
      out.writeLong(chunk.first ^ Long.MIN_VALUE);
      out.writeInt(chunk.number);
    }

    @Override
    public HeldChunk deserialize(DataInputView in) throws IOException {
      return new HeldChunk(in.readLong() ^ Long.MIN_VALUE, in.readInt());
    }

    @Override
    public HeldChunk deserialize(HeldChunk reuse, DataInputView in) throws IOException {
      return deserialize(in);
    }

    @Override
    public void copy(DataInputView in, DataOutputView out) throws IOException {
      out.write(in, getLength());
    }

    @Override
    public TypeSerializerSnapshot<HeldChunk> snapshotConfiguration() {
      return new HeldChunkSnapshot();
    }

    /** Format 1. */
    public static final class HeldChunkSnapshot extends SimpleTypeSerializerSnapshot<HeldChunk> {
      public HeldChunkSnapshot() {
        super(Serializer::new);
      }
    }
  }
}

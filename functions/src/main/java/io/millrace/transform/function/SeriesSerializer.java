package io.millrace.transform.function;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputViewStreamWrapper;
import org.apache.flink.core.memory.DataOutputViewStreamWrapper;

/** Writes a {@link Series}, about 4 KB, as it writes itself. */
public final class SeriesSerializer extends BytesSerializer<Series> {
  private static final long serialVersionUID = 1L;

  @Override
  byte[] toBytes(Series series) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    series.write(new DataOutputViewStreamWrapper(bytes));
    return bytes.toByteArray();
  }

  @Override
  Series fromBytes(byte[] bytes) throws IOException {
    return Series.read(new DataInputViewStreamWrapper(new ByteArrayInputStream(bytes)));
  }

  @Override
  public Series createInstance() {
    return new Series();
  }

  @Override
  public TypeSerializerSnapshot<Series> snapshotConfiguration() {
    return new Snapshot();
  }

  /** Says that bytes of this serializer are read by this serializer. */
  public static final class Snapshot extends SimpleTypeSerializerSnapshot<Series> {
    public Snapshot() {
      super(SeriesSerializer::new);
    }
  }
}

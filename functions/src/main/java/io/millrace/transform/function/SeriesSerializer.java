package io.millrace.transform.function;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.base.TypeSerializerSingleton;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataInputViewStreamWrapper;
import org.apache.flink.core.memory.DataOutputView;
import org.apache.flink.core.memory.DataOutputViewStreamWrapper;

/** Writes a {@link Series}, about 4 KB, as it writes itself. */
public final class SeriesSerializer extends TypeSerializerSingleton<Series> {
  private static final long serialVersionUID = 1L;

  @Override
  public boolean isImmutableType() {
    return false;
  }

  @Override
  public Series createInstance() {
    return new Series();
  }

  @Override
  public Series copy(Series from) {
    try {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      from.write(new DataOutputViewStreamWrapper(bytes));
      return Series.read(
          new DataInputViewStreamWrapper(new ByteArrayInputStream(bytes.toByteArray())));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public Series copy(Series from, Series reuse) {
    return copy(from);
  }

  @Override
  public int getLength() {
    return -1;
  }

  @Override
  public void serialize(Series series, DataOutputView out) throws IOException {
    series.write(out);
  }

  @Override
  public Series deserialize(DataInputView in) throws IOException {
    return Series.read(in);
  }

  @Override
  public Series deserialize(Series reuse, DataInputView in) throws IOException {
    return Series.read(in);
  }

  @Override
  public void copy(DataInputView from, DataOutputView to) throws IOException {
    Series.read(from).write(to);
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

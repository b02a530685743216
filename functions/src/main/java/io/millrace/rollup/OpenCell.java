package io.millrace.rollup;

import io.millrace.event.CellCounts;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.annotation.Nullable;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** What is counted so far in a cell whose window is not final: the state of {@link RollUp}. */
final class OpenCell {
  private final long[] fixed;

  /** By column, so that counters can be configured while windows are open. */
  private final Map<String, Long> further;

  private long activeUsers;
  private long sessionsEnded;
  private long bouncedSessions;
  private long sessionMs;
  @Nullable private byte[] sketch;

  // The sketch while parts are added to it, so that it is written once and not with each.
  @Nullable private UserSketch.Sum sum;

  OpenCell() {
    this(new long[CellCounts.FIXED], new TreeMap<>());
  }

  private OpenCell(long[] fixed, Map<String, Long> further) {
    this.fixed = fixed;
    this.further = further;
  }

  /**
   * @param counters the columns of the counts behind the fixed ones
   */
  void add(CellCounts part, List<String> counters) {
    for (int i = 0; i < CellCounts.FIXED; i++) {
      fixed[i] += part.events()[i];
    }
    for (int i = 0; i < counters.size(); i++) {
      long count = part.events()[CellCounts.FIXED + i];
      if (count != 0) {
        further.merge(counters.get(i), count, Long::sum);
      }
    }
    activeUsers += part.activeUsers();
    sessionsEnded += part.sessionsEnded();
    bouncedSessions += part.bouncedSessions();
    sessionMs += part.sessionMs();
    if (part.activeUsersHll() != null) {
      if (sketch == null && sum == null) {
        sketch = part.activeUsersHll();
      } else {
        if (sum == null) {
          sum = new UserSketch.Sum();
          sum.add(sketch);
        }
        sum.add(part.activeUsersHll());
        sketch = null;
      }
    }
  }

  CellCounts counts(List<String> counters) {
    long[] events = new long[CellCounts.FIXED + counters.size()];
    System.arraycopy(fixed, 0, events, 0, CellCounts.FIXED);
    for (int i = 0; i < counters.size(); i++) {
      events[CellCounts.FIXED + i] = further.getOrDefault(counters.get(i), 0L);
    }
    return new CellCounts(events, activeUsers, sessionsEnded, bouncedSessions, sessionMs, sketch());
  }

  @Nullable
  private byte[] sketch() {
    if (sketch == null && sum != null) {
      sketch = sum.toBytes();
    }
    return sketch;
  }

  OpenCell copy() {
    OpenCell copy = new OpenCell(fixed.clone(), new TreeMap<>(further));
    copy.activeUsers = activeUsers;
    copy.sessionsEnded = sessionsEnded;
    copy.bouncedSessions = bouncedSessions;
    copy.sessionMs = sessionMs;
    copy.sketch = sketch();
    return copy;
  }

  /** The class name and the format are part of savepoints. */
  public static final class Serializer extends TypeSerializer<OpenCell> {
    private static final long serialVersionUID = 1L;
    private static final int FORMAT = 1;

    @Override
    public boolean isImmutableType() {
      return false;
    }

    @Override
    public TypeSerializer<OpenCell> duplicate() {
      return this;
    }

    @Override
    public OpenCell createInstance() {
      return new OpenCell();
    }

    @Override
    public OpenCell copy(OpenCell from) {
      return from.copy();
    }

    @Override
    public OpenCell copy(OpenCell from, OpenCell reuse) {
      return from.copy();
    }

    @Override
    public int getLength() {
      return -1;
    }

    @Override
    public void serialize(OpenCell cell, DataOutputView out) throws IOException {
      out.writeByte(FORMAT);
      for (long count : cell.fixed) {
        out.writeLong(count);
      }
      out.writeInt(cell.further.size());
      for (Map.Entry<String, Long> e : cell.further.entrySet()) {
        out.writeUTF(e.getKey());
        out.writeLong(e.getValue());
      }
      out.writeLong(cell.activeUsers);
      out.writeLong(cell.sessionsEnded);
      out.writeLong(cell.bouncedSessions);
      out.writeLong(cell.sessionMs);
      byte[] sketch = cell.sketch();
      out.writeInt(sketch == null ? 0 : sketch.length);
      if (sketch != null) {
        out.write(sketch);
      }
    }

    @Override
    public OpenCell deserialize(DataInputView in) throws IOException {
      int format = in.readUnsignedByte();
      if (format != FORMAT) {
        throw new IOException("open cell of format " + format + ", this version reads 1");
      }
      OpenCell cell = new OpenCell();
      for (int i = 0; i < CellCounts.FIXED; i++) {
        cell.fixed[i] = in.readLong();
      }
      for (int left = in.readInt(); left > 0; left--) {
        cell.further.put(in.readUTF(), in.readLong());
      }
      cell.activeUsers = in.readLong();
      cell.sessionsEnded = in.readLong();
      cell.bouncedSessions = in.readLong();
      cell.sessionMs = in.readLong();
      int length = in.readInt();
      if (length > 0) {
        cell.sketch = new byte[length];
        in.readFully(cell.sketch);
      }
      return cell;
    }

    @Override
    public OpenCell deserialize(OpenCell reuse, DataInputView in) throws IOException {
      return deserialize(in);
    }

    @Override
    public void copy(DataInputView in, DataOutputView out) throws IOException {
      serialize(deserialize(in), out);
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Serializer;
    }

    @Override
    public int hashCode() {
      return Serializer.class.hashCode();
    }

    @Override
    public TypeSerializerSnapshot<OpenCell> snapshotConfiguration() {
      return new OpenCellSnapshot();
    }

    /** The value carries its own format, so that this snapshot never changes. */
    public static final class OpenCellSnapshot extends SimpleTypeSerializerSnapshot<OpenCell> {
      public OpenCellSnapshot() {
        super(Serializer::new);
      }
    }
  }
}

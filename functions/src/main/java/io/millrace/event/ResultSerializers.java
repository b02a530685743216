package io.millrace.event;

import java.io.IOException;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * Serializers of sessions and rollups. {@link OfCell} writes keys and {@link OfCellCounts} values
 * of state: their class names and formats are part of savepoints.
 */
public final class ResultSerializers {
  private ResultSerializers() {}

  /** Serializer of {@link Session}. */
  public static final class OfSession extends WireSerializer<Session> {
    private static final long serialVersionUID = 1L;

    @Override
    public TypeSerializer<Session> duplicate() {
      return new OfSession();
    }

    @Override
    public void serialize(Session s, DataOutputView out) throws IOException {
      writeText(s.sessionId(), out);
      writeText(s.userId(), out);
      out.writeLong(s.start());
      out.writeLong(s.end());
      out.writeLong(s.eventCount());
      out.writeLong(s.engagementCount());
      out.writeLong(s.installs());
      out.writeLong(s.sessionStarts());
      out.writeLong(s.sessionEnds());
      out.writeLong(s.views());
      out.writeLong(s.opens());
      writeTexts(s.path(), out);
      out.writeBoolean(s.pathTruncated());
      writeText(s.entryEvent(), out);
      writeText(s.exitEvent(), out);
      writeText(s.endReason().code(), out);
      writeText(s.deviceType(), out);
      writeText(s.appVersion(), out);
      writeText(s.country(), out);
      writeTexts(s.clientSessionIds(), out);
    }

    @Override
    public Session deserialize(DataInputView in) throws IOException {
      return new Session(
          readText(in),
          readText(in),
          in.readLong(),
          in.readLong(),
          in.readLong(),
          in.readLong(),
          in.readLong(),
          in.readLong(),
          in.readLong(),
          in.readLong(),
          in.readLong(),
          readTexts(in),
          in.readBoolean(),
          readSharedText(in),
          readSharedText(in),
          Session.EndReason.ofCode(readSharedText(in)),
          readSharedText(in),
          readSharedText(in),
          readSharedText(in),
          readTexts(in));
    }

    @Override
    public TypeSerializerSnapshot<Session> snapshotConfiguration() {
      return new OfSession.Snapshot();
    }

    /** Format 1. */
    public static final class Snapshot extends SimpleTypeSerializerSnapshot<Session> {
      public Snapshot() {
        super(OfSession::new);
      }
    }
  }

  /** Serializer of {@link Cell}. */
  public static final class OfCell extends WireSerializer<Cell> {
    private static final long serialVersionUID = 1L;

    @Override
    public TypeSerializer<Cell> duplicate() {
      return new OfCell();
    }

    @Override
    public void serialize(Cell c, DataOutputView out) throws IOException {
      out.writeBoolean(c.daily());
      out.writeLong(c.start());
      out.writeInt(c.kept());
      writeTexts(c.values(), out);
    }

    @Override
    public Cell deserialize(DataInputView in) throws IOException {
      return new Cell(in.readBoolean(), in.readLong(), in.readInt(), readTexts(in));
    }

    @Override
    public TypeSerializerSnapshot<Cell> snapshotConfiguration() {
      return new OfCell.Snapshot();
    }

    /** Format 1. */
    public static final class Snapshot extends SimpleTypeSerializerSnapshot<Cell> {
      public Snapshot() {
        super(OfCell::new);
      }
    }
  }

  /** Serializer of {@link CellCounts}. */
  public static final class OfCellCounts extends WireSerializer<CellCounts> {
    private static final long serialVersionUID = 1L;

    @Override
    public TypeSerializer<CellCounts> duplicate() {
      return new OfCellCounts();
    }

    @Override
    public void serialize(CellCounts c, DataOutputView out) throws IOException {
      writeVarint(c.events().length, out);
      for (long count : c.events()) {
        out.writeLong(count);
      }
      out.writeLong(c.activeUsers());
      out.writeLong(c.sessionsEnded());
      out.writeLong(c.bouncedSessions());
      out.writeLong(c.sessionMs());
      writeBytes(c.activeUsersHll(), out);
    }

    @Override
    public CellCounts deserialize(DataInputView in) throws IOException {
      long[] events = new long[readVarint(in)];
      for (int i = 0; i < events.length; i++) {
        events[i] = in.readLong();
      }
      return new CellCounts(
          events, in.readLong(), in.readLong(), in.readLong(), in.readLong(), readBytes(in));
    }

    @Override
    public TypeSerializerSnapshot<CellCounts> snapshotConfiguration() {
      return new OfCellCounts.Snapshot();
    }

    /** Format 1. */
    public static final class Snapshot extends SimpleTypeSerializerSnapshot<CellCounts> {
      public Snapshot() {
        super(OfCellCounts::new);
      }
    }
  }

  /** Serializer of {@link Rollup}. */
  public static final class OfRollup extends WireSerializer<Rollup> {
    private static final long serialVersionUID = 1L;

    private final OfCell cells = new OfCell();
    private final OfCellCounts counts = new OfCellCounts();

    @Override
    public TypeSerializer<Rollup> duplicate() {
      return new OfRollup();
    }

    @Override
    public void serialize(Rollup r, DataOutputView out) throws IOException {
      cells.serialize(r.cell(), out);
      counts.serialize(r.counts(), out);
      out.writeBoolean(r.distinctApproximate());
    }

    @Override
    public Rollup deserialize(DataInputView in) throws IOException {
      return new Rollup(cells.deserialize(in), counts.deserialize(in), in.readBoolean());
    }

    @Override
    public TypeSerializerSnapshot<Rollup> snapshotConfiguration() {
      return new OfRollup.Snapshot();
    }

    /** Format 1. */
    public static final class Snapshot extends SimpleTypeSerializerSnapshot<Rollup> {
      public Snapshot() {
        super(OfRollup::new);
      }
    }
  }

  /** Serializer of {@link LiveRollup}. */
  public static final class OfLiveRollup extends WireSerializer<LiveRollup> {
    private static final long serialVersionUID = 1L;

    private final OfRollup rollups = new OfRollup();

    @Override
    public TypeSerializer<LiveRollup> duplicate() {
      return new OfLiveRollup();
    }

    @Override
    public void serialize(LiveRollup l, DataOutputView out) throws IOException {
      rollups.serialize(l.rollup(), out);
      out.writeBoolean(l.isFinal());
      out.writeBoolean(l.retired());
    }

    @Override
    public LiveRollup deserialize(DataInputView in) throws IOException {
      return new LiveRollup(rollups.deserialize(in), in.readBoolean(), in.readBoolean());
    }

    @Override
    public TypeSerializerSnapshot<LiveRollup> snapshotConfiguration() {
      return new OfLiveRollup.Snapshot();
    }

    /** Format 1. */
    public static final class Snapshot extends SimpleTypeSerializerSnapshot<LiveRollup> {
      public Snapshot() {
        super(OfLiveRollup::new);
      }
    }
  }
}

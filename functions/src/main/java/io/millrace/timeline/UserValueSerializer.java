package io.millrace.timeline;

import io.millrace.identity.SeenEvents;
import io.millrace.rollup.ActiveWindows;
import io.millrace.session.SessionFormat;
import io.millrace.session.UserSessions;
import java.io.IOException;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.core.memory.DataOutputView;

/**
 * Serializer of {@link UserValue}: a format byte, then sections of (number, length, bytes), closed
 * by section 0. A logic that joins the timeline brings a section of its own; a reader that does not
 * know a section refuses it, because skipping it would lose that user's state on the next write.
 *
 * <p>The class name and every number below are part of the savepoint format.
 */
public final class UserValueSerializer extends TypeSerializer<UserValue> {
  private static final long serialVersionUID = 1L;

  private static final int FORMAT = 1;
  private static final int END = 0;
  private static final int TIMER = 1;
  private static final int SEEN_EVENTS = 2;
  private static final int SESSIONS = 3;
  private static final int ACTIVE_WINDOWS = 4;
  private static final int EXPIRY_TIMER = 5;
  private static final int SEEN_ARCHIVE = 6;

  private transient DataOutputSerializer section;
  private transient SessionFormat sessionFormat;

  @Override
  public boolean isImmutableType() {
    return false;
  }

  @Override
  public TypeSerializer<UserValue> duplicate() {
    return new UserValueSerializer();
  }

  @Override
  public UserValue createInstance() {
    return new UserValue();
  }

  @Override
  public UserValue copy(UserValue from) {
    return from.copy();
  }

  @Override
  public UserValue copy(UserValue from, UserValue reuse) {
    return from.copy();
  }

  @Override
  public int getLength() {
    return -1;
  }

  @Override
  public void serialize(UserValue value, DataOutputView out) throws IOException {
    out.writeByte(FORMAT);
    writeTimer(TIMER, value.timer, out);
    writeTimer(EXPIRY_TIMER, value.expiryTimer, out);
    if (!value.seen.isEmpty()) {
      value.seen.write(cleared());
      writeSection(SEEN_EVENTS, out);
    }
    if (value.seen.hasArchive()) {
      value.seen.writeArchive(cleared());
      writeSection(SEEN_ARCHIVE, out);
    }
    if (!value.sessions.isEmpty()) {
      if (sessionFormat == null) {
        sessionFormat = new SessionFormat();
      }
      sessionFormat.write(value.sessions, cleared());
      writeSection(SESSIONS, out);
    }
    if (!value.active.isEmpty()) {
      value.active.write(cleared());
      writeSection(ACTIVE_WINDOWS, out);
    }
    out.writeByte(END);
  }

  private static void writeTimer(int number, long timer, DataOutputView out) throws IOException {
    if (timer != UserValue.NO_TIMER) {
      out.writeByte(number);
      out.writeInt(Long.BYTES);
      out.writeLong(timer);
    }
  }

  private DataOutputSerializer cleared() {
    if (section == null) {
      section = new DataOutputSerializer(256);
    }
    section.clear();
    return section;
  }

  private void writeSection(int number, DataOutputView out) throws IOException {
    out.writeByte(number);
    out.writeInt(section.length());
    out.write(section.getSharedBuffer(), 0, section.length());
  }

  @Override
  public UserValue deserialize(DataInputView in) throws IOException {
    int format = in.readUnsignedByte();
    if (format != FORMAT) {
      throw new IOException("user value of format " + format + ", this version reads 1");
    }
    SeenEvents seen = new SeenEvents();
    UserSessions sessions = new UserSessions();
    ActiveWindows active = new ActiveWindows();
    // The first release had one timer for all, which was for expiry: one too many does no harm.
    long timer = UserValue.NO_TIMER;
    long expiryTimer = UserValue.NO_TIMER;
    while (true) {
      int number = in.readUnsignedByte();
      if (number == END) {
        UserValue value = new UserValue(seen, sessions, active, timer);
        value.expiryTimer = expiryTimer;
        return value;
      }
      byte[] bytes = new byte[in.readInt()];
      in.readFully(bytes);
      DataInputDeserializer content = new DataInputDeserializer(bytes);
      switch (number) {
        case TIMER -> timer = content.readLong();
        case EXPIRY_TIMER -> expiryTimer = content.readLong();
        case SEEN_EVENTS -> seen = SeenEvents.read(content);
        case SEEN_ARCHIVE -> seen.readArchive(content);
        case SESSIONS -> sessions = SessionFormat.read(content);
        case ACTIVE_WINDOWS -> active = ActiveWindows.read(content);
        default ->
            throw new IOException(
                "user value with section " + number + ", written by a later version");
      }
    }
  }

  @Override
  public UserValue deserialize(UserValue reuse, DataInputView in) throws IOException {
    return deserialize(in);
  }

  @Override
  public void copy(DataInputView in, DataOutputView out) throws IOException {
    serialize(deserialize(in), out);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof UserValueSerializer;
  }

  @Override
  public int hashCode() {
    return UserValueSerializer.class.hashCode();
  }

  @Override
  public TypeSerializerSnapshot<UserValue> snapshotConfiguration() {
    return new UserValueSnapshot();
  }

  /** The value carries its own format, so that this snapshot never changes. */
  public static final class UserValueSnapshot extends SimpleTypeSerializerSnapshot<UserValue> {
    public UserValueSnapshot() {
      super(UserValueSerializer::new);
    }
  }
}

package io.millrace.session;

import java.io.IOException;
import java.util.List;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.core.memory.DataOutputView;

/**
 * The bytes of {@link UserSessions} in state. An instance has scratch space, so it belongs to one
 * thread.
 */
public final class SessionFormat {
  private static final int FORMAT = 1;

  private final SessionTexts texts = new SessionTexts();
  private final DataOutputSerializer body = new DataOutputSerializer(1024);

  /** Format 1: texts, overflow, open session, held events. */
  public void write(UserSessions s, DataOutputView out) throws IOException {
    texts.clear();
    body.clear();
    body.writeInt(s.chunks);
    if (s.chunks > 0) {
      body.writeLong(s.overflowed);
      body.writeLong(s.overflowFrom);
    }
    body.writeInt(s.nextChunk);
    body.writeBoolean(s.open != null);
    if (s.open != null) {
      writeOpen(s.open, texts, body);
    }
    s.held.write(texts, body);
    finish(texts, body, out);
  }

  /** Reads what {@link #write} wrote. */
  public static UserSessions read(DataInputView in) throws IOException {
    List<String> texts = readTexts(in);
    UserSessions s = new UserSessions();
    s.chunks = in.readInt();
    if (s.chunks > 0) {
      s.overflowed = in.readLong();
      s.overflowFrom = in.readLong();
    }
    s.nextChunk = in.readInt();
    if (in.readBoolean()) {
      s.open = readOpen(texts, in);
      s.weighOpen();
    }
    s.held = HeldEvents.read(texts, in);
    return s;
  }

  /** A chunk for the overflow. */
  static byte[] writeChunk(List<HeldEvent> events) throws IOException {
    HeldEvents held = new HeldEvents();
    events.forEach(held::add);
    SessionTexts texts = new SessionTexts();
    DataOutputSerializer body = new DataOutputSerializer(64 * events.size());
    held.write(texts, body);
    DataOutputSerializer out = new DataOutputSerializer(body.length() + 256);
    finish(texts, body, out);
    return out.getCopyOfBuffer();
  }

  /** The events of a chunk, in order. */
  static List<HeldEvent> readChunk(byte[] bytes) throws IOException {
    DataInputDeserializer in = new DataInputDeserializer(bytes);
    return HeldEvents.read(readTexts(in), in).takeAll();
  }

  private static void finish(SessionTexts texts, DataOutputSerializer body, DataOutputView out)
      throws IOException {
    out.writeByte(FORMAT);
    texts.writeAll(out);
    out.write(body.getSharedBuffer(), 0, body.length());
  }

  private static List<String> readTexts(DataInputView in) throws IOException {
    int format = in.readUnsignedByte();
    if (format != FORMAT) {
      throw new IOException("sessions of format " + format + ", this version reads 1");
    }
    return SessionTexts.read(in);
  }

  private static void writeOpen(OpenSession o, SessionTexts texts, DataOutputSerializer out)
      throws IOException {
    out.writeLong(o.start);
    SessionTexts.writeText(o.firstEventId, out);
    texts.write(o.entryEvent, out);
    texts.write(o.deviceType, out);
    texts.write(o.appVersion, out);
    texts.write(o.country, out);
    texts.write(o.cell, out);
    out.writeLong(o.last);
    texts.write(o.exitEvent, out);
    out.writeLong(o.events);
    out.writeLong(o.engagements);
    out.writeLong(o.installs);
    out.writeLong(o.starts);
    out.writeLong(o.ends);
    out.writeLong(o.views);
    out.writeLong(o.opens);
    texts.write(o.path, out);
    out.writeBoolean(o.pathTruncated);
    texts.write(o.clientIds, out);
  }

  private static OpenSession readOpen(List<String> texts, DataInputView in) throws IOException {
    long start = in.readLong();
    String firstEventId = SessionTexts.readText(in);
    String entryEvent = SessionTexts.required(texts, in);
    String deviceType = SessionTexts.text(texts, in);
    String appVersion = SessionTexts.text(texts, in);
    String country = SessionTexts.text(texts, in);
    List<String> cell = List.copyOf(SessionTexts.list(texts, in));
    long last = in.readLong();
    String exitEvent = SessionTexts.required(texts, in);
    long[] counts = new long[7];
    for (int i = 0; i < counts.length; i++) {
      counts[i] = in.readLong();
    }
    List<String> path = SessionTexts.list(texts, in);
    boolean pathTruncated = in.readBoolean();
    List<String> clientIds = SessionTexts.list(texts, in);
    OpenSession o =
        new OpenSession(
            start,
            firstEventId,
            entryEvent,
            deviceType,
            appVersion,
            country,
            cell,
            path,
            clientIds);
    o.last = last;
    o.exitEvent = exitEvent;
    o.events = counts[0];
    o.engagements = counts[1];
    o.installs = counts[2];
    o.starts = counts[3];
    o.ends = counts[4];
    o.views = counts[5];
    o.opens = counts[6];
    o.pathTruncated = pathTruncated;
    return o;
  }
}

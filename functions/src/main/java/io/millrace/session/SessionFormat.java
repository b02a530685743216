package io.millrace.session;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.core.memory.DataOutputView;

/**
 * The bytes of {@link UserSessions} in state. Texts that repeat, such as event types and devices,
 * are written once and referred to by number: 0 is null, n is the nth text. An instance has scratch
 * space, so it belongs to one thread.
 */
public final class SessionFormat {
  private static final int FORMAT = 1;
  private static final List<String> NO_CELL = List.of();

  private final Texts texts = new Texts();
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
    body.writeInt(s.size);
    for (int i = 0; i < s.size; i++) {
      writeHeld(s.held[i], texts, body);
    }
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
    s.size = in.readInt();
    s.held = new HeldEvent[Math.max(4, s.size)];
    for (int i = 0; i < s.size; i++) {
      s.held[i] = readHeld(texts, in);
    }
    return s;
  }

  /** A chunk for the overflow. */
  static byte[] writeChunk(List<HeldEvent> events) throws IOException {
    Texts texts = new Texts();
    DataOutputSerializer body = new DataOutputSerializer(64 * events.size());
    body.writeInt(events.size());
    for (HeldEvent e : events) {
      writeHeld(e, texts, body);
    }
    DataOutputSerializer out = new DataOutputSerializer(body.length() + 256);
    finish(texts, body, out);
    return out.getCopyOfBuffer();
  }

  /** The events of a chunk, in order. */
  static List<HeldEvent> readChunk(byte[] bytes) throws IOException {
    DataInputDeserializer in = new DataInputDeserializer(bytes);
    List<String> texts = readTexts(in);
    int size = in.readInt();
    List<HeldEvent> events = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      events.add(readHeld(texts, in));
    }
    return events;
  }

  private static void finish(Texts texts, DataOutputSerializer body, DataOutputView out)
      throws IOException {
    out.writeByte(FORMAT);
    out.writeInt(texts.inOrder.size());
    for (String text : texts.inOrder) {
      writeText(text, out);
    }
    out.write(body.getSharedBuffer(), 0, body.length());
  }

  private static List<String> readTexts(DataInputView in) throws IOException {
    int format = in.readUnsignedByte();
    if (format != FORMAT) {
      throw new IOException("sessions of format " + format + ", this version reads 1");
    }
    int count = in.readInt();
    List<String> texts = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      texts.add(readText(in));
    }
    return texts;
  }

  private static void writeOpen(OpenSession o, Texts texts, DataOutputSerializer out)
      throws IOException {
    out.writeLong(o.start);
    writeText(o.firstEventId, out);
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
    String firstEventId = readText(in);
    String entryEvent = required(texts, in);
    String deviceType = text(texts, in);
    String appVersion = text(texts, in);
    String country = text(texts, in);
    List<String> cell = List.copyOf(list(texts, in));
    long last = in.readLong();
    String exitEvent = required(texts, in);
    long[] counts = new long[7];
    for (int i = 0; i < counts.length; i++) {
      counts[i] = in.readLong();
    }
    List<String> path = list(texts, in);
    boolean pathTruncated = in.readBoolean();
    List<String> clientIds = list(texts, in);
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

  private static void writeHeld(HeldEvent e, Texts texts, DataOutputSerializer out)
      throws IOException {
    out.writeLong(e.timestamp());
    writeText(e.eventId(), out);
    texts.write(e.eventType(), out);
    texts.write(e.step(), out);
    texts.write(e.clientSessionId(), out);
    texts.write(e.deviceType(), out);
    texts.write(e.appVersion(), out);
    texts.write(e.country(), out);
    texts.write(e.cell(), out);
  }

  private static HeldEvent readHeld(List<String> texts, DataInputView in) throws IOException {
    return new HeldEvent(
        in.readLong(),
        readText(in),
        required(texts, in),
        required(texts, in),
        text(texts, in),
        text(texts, in),
        text(texts, in),
        text(texts, in),
        cell(texts, in));
  }

  private static void writeText(String text, DataOutputView out) throws IOException {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    writeNumber(utf8.length, out);
    out.write(utf8, 0, utf8.length);
  }

  private static String readText(DataInputView in) throws IOException {
    byte[] utf8 = new byte[readNumber(in)];
    in.readFully(utf8);
    return new String(utf8, StandardCharsets.UTF_8);
  }

  /** Seven bits a byte, the lowest first; most numbers are small. */
  private static void writeNumber(int number, DataOutputView out) throws IOException {
    int rest = number;
    while (rest >= 0x80) {
      out.writeByte(rest | 0x80);
      rest >>>= 7;
    }
    out.writeByte(rest);
  }

  private static int readNumber(DataInputView in) throws IOException {
    int number = 0;
    int shift = 0;
    int next;
    do {
      next = in.readUnsignedByte();
      number |= (next & 0x7f) << shift;
      shift += 7;
    } while (next >= 0x80);
    return number;
  }

  @Nullable
  private static String text(List<String> texts, DataInputView in) throws IOException {
    int number = readNumber(in);
    return number == 0 ? null : texts.get(number - 1);
  }

  private static String required(List<String> texts, DataInputView in) throws IOException {
    return texts.get(readNumber(in) - 1);
  }

  private static List<String> list(List<String> texts, DataInputView in) throws IOException {
    int size = readNumber(in);
    List<String> list = new ArrayList<>(Math.max(size, 1));
    for (int i = 0; i < size; i++) {
      list.add(required(texts, in));
    }
    return list;
  }

  private static List<String> cell(List<String> texts, DataInputView in) throws IOException {
    List<String> cell = list(texts, in);
    return cell.isEmpty() ? NO_CELL : List.copyOf(cell);
  }

  /** Numbers the texts of one value as they are written. */
  private static final class Texts {
    /** Few texts are found faster by looking at each; most are the same object every time. */
    private static final int FEW = 12;

    final List<String> inOrder = new ArrayList<>();
    private final Map<String, Integer> numbers = new HashMap<>();

    void clear() {
      inOrder.clear();
      numbers.clear();
    }

    void write(@Nullable String text, DataOutputSerializer out) throws IOException {
      writeNumber(text == null ? 0 : number(text), out);
    }

    @SuppressWarnings("ReferenceEquality")
    private int number(String text) {
      int few = Math.min(FEW, inOrder.size());
      for (int i = 0; i < few; i++) {
        if (inOrder.get(i) == text) {
          return i + 1;
        }
      }
      for (int i = 0; i < few; i++) {
        if (inOrder.get(i).equals(text)) {
          return i + 1;
        }
      }
      Integer number = numbers.get(text);
      if (number != null) {
        return number;
      }
      inOrder.add(text);
      if (inOrder.size() > FEW) {
        numbers.put(text, inOrder.size());
      }
      return inOrder.size();
    }

    void write(List<String> list, DataOutputSerializer out) throws IOException {
      writeNumber(list.size(), out);
      for (int i = 0; i < list.size(); i++) {
        write(list.get(i), out);
      }
    }
  }
}

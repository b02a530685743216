package io.millrace.session;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import javax.annotation.Nullable;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * Events of one user as bytes, with what repeats beside them: types, and the rest of an event,
 * which is mostly that of the one before. An object per event would be as large again, would have
 * to be followed by every collection, and encoded anew for every checkpoint.
 *
 * <p>Events stand in the order of arrival until they are asked for in theirs.
 */
final class HeldEvents {
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
  private static final byte[] NO_BYTES = {};
  private static final String[] NO_TYPES = {};
  private static final Rest[] NO_RESTS = {};

  /** An event of a type that is not in the list, because there were too many. */
  private static final int OTHER_TYPE = 0;

  private static final int MAX_TYPES = 64;

  /** Types that are kept for the next events. */
  private static final int SPARE_TYPES = 16;

  /** The last so many rests are looked through for an equal one. */
  private static final int LOOK_BACK = 4;

  /** Rests that may be there without an event that has them. */
  private static final int SPARE_RESTS = 16;

  private static final int FIRST_BYTES = 256;

  /** Free bytes that are kept for the next events. */
  private static final int SPARE_BYTES = 512;

  private static final int WEIGHT = 96;
  private static final int REST_WEIGHT = 120;
  private static final int TYPE_WEIGHT = 16;

  private byte[] bytes = NO_BYTES;
  private int start;
  private int end;
  private int size;
  private long first = Long.MAX_VALUE;
  private long last = Long.MIN_VALUE;
  private boolean sorted = true;
  private String[] types = NO_TYPES;
  private int typeCount;
  private Rest[] rests = NO_RESTS;
  private int restCount;

  /** What an event has beside time, id, type and step. */
  private record Rest(
      @Nullable String clientSessionId,
      @Nullable String deviceType,
      @Nullable String appVersion,
      @Nullable String country,
      List<String> cell) {
    Rest(HeldEvent e) {
      this(e.clientSessionId(), e.deviceType(), e.appVersion(), e.country(), e.cell());
    }

    int lookAhead(int depth) {
      int known = clientSessionId == null ? 0 : 1;
      return depth == 0 || known == 0 ? known : clientSessionId.length();
    }

    boolean isOf(HeldEvent e) {
      return Objects.equals(deviceType, e.deviceType())
          && Objects.equals(appVersion, e.appVersion())
          && Objects.equals(country, e.country())
          && Objects.equals(clientSessionId, e.clientSessionId())
          && isCell(e.cell());
    }

    /** Mostly one object, whose memory need not be looked at. */
    @SuppressWarnings("ReferenceEquality")
    private boolean isCell(List<String> other) {
      return cell == other || cell.equals(other);
    }
  }

  int size() {
    return size;
  }

  /** See {@link UserSessions#lookAhead}. */
  int lookAhead(int depth) {
    return switch (depth) {
      case 1 -> bytes.length + types.length + rests.length;
      case 2 ->
          (bytes.length == 0 ? 0 : bytes[start] + bytes[Math.min(end, bytes.length - 1)])
              + (restCount == 0 ? 0 : rests[restCount - 1].lookAhead(0));
      case 3 -> restCount == 0 ? 0 : rests[restCount - 1].lookAhead(1);
      default -> 0;
    };
  }

  /** The least timestamp; {@link Long#MAX_VALUE} when there is none. */
  long first() {
    return first;
  }

  void add(HeldEvent event) {
    byte[] id = event.eventId().getBytes(UTF_8);
    int type = type(event.eventType());
    int rest = rest(event);
    byte[] otherType = type == OTHER_TYPE ? event.eventType().getBytes(UTF_8) : NO_BYTES;
    boolean stepIsType = event.step().equals(event.eventType());
    byte[] step = stepIsType ? NO_BYTES : event.step().getBytes(UTF_8);
    // A number has at most five bytes; there are up to six.
    reserve(Long.BYTES + 30 + id.length + otherType.length + step.length);
    putLong(event.timestamp());
    putText(id);
    // The lowest bit tells whether a step of its own follows.
    putNumber(type << 1 | (stepIsType ? 0 : 1));
    if (type == OTHER_TYPE) {
      putText(otherType);
    }
    if (!stepIsType) {
      putText(step);
    }
    putNumber(rest);
    sorted &= event.timestamp() > last;
    first = Math.min(first, event.timestamp());
    last = Math.max(last, event.timestamp());
    size++;
    if (restCount > size + SPARE_RESTS) {
      List<HeldEvent> all = takeAll();
      all.forEach(this::add);
    }
  }

  @SuppressWarnings("ReferenceEquality")
  private int type(String type) {
    // Mostly the same object, so that no other memory need be looked at.
    for (int i = 0; i < typeCount; i++) {
      if (types[i] == type) {
        return i + 1;
      }
    }
    for (int i = 0; i < typeCount; i++) {
      if (types[i].equals(type)) {
        return i + 1;
      }
    }
    if (typeCount == MAX_TYPES) {
      return OTHER_TYPE;
    }
    if (typeCount == types.length) {
      types = Arrays.copyOf(types, Math.max(4, 2 * typeCount));
    }
    types[typeCount] = type;
    return ++typeCount;
  }

  private int rest(HeldEvent event) {
    for (int i = restCount - 1; i >= Math.max(0, restCount - LOOK_BACK); i--) {
      if (rests[i].isOf(event)) {
        return i;
      }
    }
    if (restCount == rests.length) {
      rests = Arrays.copyOf(rests, Math.max(2, 2 * restCount));
    }
    rests[restCount] = new Rest(event);
    return restCount++;
  }

  private void reserve(int more) {
    if (end + more <= bytes.length) {
      return;
    }
    int used = end - start;
    byte[] from = bytes;
    if (used + more > bytes.length) {
      bytes = new byte[Math.max(Math.max(FIRST_BYTES, used + more), used + used / 2)];
    }
    System.arraycopy(from, start, bytes, 0, used);
    start = 0;
    end = used;
  }

  /** Takes the first event in the order of the fold, unless that is younger. */
  @Nullable
  HeldEvent takeUpTo(long limit) {
    if (size == 0 || first > limit) {
      return null;
    }
    if (!sorted) {
      List<HeldEvent> all = takeAll();
      all.forEach(this::add);
      // Those of one time stand in their order now.
      sorted = true;
    }
    HeldEvent event = next();
    size--;
    if (size == 0) {
      clear();
    } else {
      first = longAt(start);
    }
    return event;
  }

  /** Takes all events out, in the order of the fold. */
  List<HeldEvent> takeAll() {
    List<HeldEvent> all = new ArrayList<>(size);
    for (int left = size; left > 0; left--) {
      all.add(next());
    }
    if (!sorted) {
      all.sort(null);
    }
    clear();
    return all;
  }

  private void clear() {
    start = 0;
    end = 0;
    size = 0;
    first = Long.MAX_VALUE;
    last = Long.MIN_VALUE;
    sorted = true;
    if (bytes.length > SPARE_BYTES) {
      bytes = NO_BYTES;
    }
    if (restCount > 0) {
      // The next event is most likely like the last one.
      rests[0] = rests[restCount - 1];
      Arrays.fill(rests, 1, restCount, null);
      restCount = 1;
    }
    if (typeCount > SPARE_TYPES) {
      types = NO_TYPES;
      typeCount = 0;
    }
  }

  private HeldEvent next() {
    long timestamp = longAt(start);
    start += Long.BYTES;
    String id = text();
    int kind = number();
    int type = kind >>> 1;
    String eventType = type == OTHER_TYPE ? text() : types[type - 1];
    String step = (kind & 1) == 0 ? eventType : text();
    Rest rest = rests[number()];
    return new HeldEvent(
        timestamp,
        id,
        eventType,
        step,
        rest.clientSessionId(),
        rest.deviceType(),
        rest.appVersion(),
        rest.country(),
        rest.cell());
  }

  private void putLong(long value) {
    LONGS.set(bytes, end, value);
    end += Long.BYTES;
  }

  private long longAt(int at) {
    return (long) LONGS.get(bytes, at);
  }

  private void putText(byte[] utf8) {
    putNumber(utf8.length);
    System.arraycopy(utf8, 0, bytes, end, utf8.length);
    end += utf8.length;
  }

  private String text() {
    int length = number();
    String text = new String(bytes, start, length, UTF_8);
    start += length;
    return text;
  }

  private void putNumber(int number) {
    int rest = number;
    while (rest >= 0x80) {
      bytes[end++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    bytes[end++] = (byte) rest;
  }

  private int number() {
    int number = 0;
    int shift = 0;
    int next;
    do {
      next = bytes[start++];
      number |= (next & 0x7f) << shift;
      shift += 7;
    } while (next < 0);
    return number;
  }

  /** About how much heap this takes. */
  int weight() {
    return WEIGHT + bytes.length + REST_WEIGHT * restCount + TYPE_WEIGHT * typeCount;
  }

  HeldEvents copy() {
    HeldEvents copy = new HeldEvents();
    copy.bytes = Arrays.copyOfRange(bytes, start, end);
    copy.end = end - start;
    copy.size = size;
    copy.first = first;
    copy.last = last;
    copy.sorted = sorted;
    copy.types = types.clone();
    copy.typeCount = typeCount;
    copy.rests = rests.clone();
    copy.restCount = restCount;
    return copy;
  }

  /** Count, types, rests, then the events; of none the count alone. */
  void write(SessionTexts texts, DataOutputView out) throws IOException {
    SessionTexts.writeNumber(size, out);
    if (size == 0) {
      return;
    }
    SessionTexts.writeNumber(typeCount, out);
    for (int i = 0; i < typeCount; i++) {
      texts.write(types[i], out);
    }
    SessionTexts.writeNumber(restCount, out);
    for (int i = 0; i < restCount; i++) {
      Rest rest = rests[i];
      texts.write(rest.clientSessionId(), out);
      texts.write(rest.deviceType(), out);
      texts.write(rest.appVersion(), out);
      texts.write(rest.country(), out);
      texts.write(rest.cell(), out);
    }
    out.writeLong(first);
    out.writeLong(last);
    out.writeBoolean(sorted);
    SessionTexts.writeNumber(end - start, out);
    out.write(bytes, start, end - start);
  }

  /** Reads what {@link #write} wrote. */
  static HeldEvents read(List<String> texts, DataInputView in) throws IOException {
    HeldEvents held = new HeldEvents();
    held.size = SessionTexts.readNumber(in);
    if (held.size == 0) {
      return held;
    }
    held.typeCount = SessionTexts.readNumber(in);
    held.types = new String[held.typeCount];
    for (int i = 0; i < held.typeCount; i++) {
      held.types[i] = SessionTexts.required(texts, in);
    }
    held.restCount = SessionTexts.readNumber(in);
    held.rests = new Rest[held.restCount];
    for (int i = 0; i < held.restCount; i++) {
      held.rests[i] =
          new Rest(
              SessionTexts.text(texts, in),
              SessionTexts.text(texts, in),
              SessionTexts.text(texts, in),
              SessionTexts.text(texts, in),
              SessionTexts.cell(texts, in));
    }
    held.first = in.readLong();
    held.last = in.readLong();
    held.sorted = in.readBoolean();
    held.end = SessionTexts.readNumber(in);
    held.bytes = new byte[held.end];
    in.readFully(held.bytes);
    return held;
  }
}

package io.millrace.event;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * Base of the hand-written serializers of hot records: immutable values, no reflection, ASCII text
 * copied without encoding. An instance has scratch space, so it belongs to one thread.
 */
abstract class WireSerializer<T> extends TypeSerializer<T> {
  private static final long serialVersionUID = 1L;

  private static final int NULL_TEXT = 0;
  private static final int SHARED_SLOTS = 4096;
  private static final int SHARED_LENGTH = 32;

  private transient byte[] scratch;
  // Direct-mapped, by the hash of the bytes.
  private transient String[] shared;

  /** A fresh instance of the same serializer. */
  @Override
  public abstract TypeSerializer<T> duplicate();

  @Override
  public boolean isImmutableType() {
    return true;
  }

  @Override
  @Nullable
  public T createInstance() {
    return null;
  }

  @Override
  public T copy(T from) {
    return from;
  }

  @Override
  public T copy(T from, T reuse) {
    return from;
  }

  @Override
  public int getLength() {
    return -1;
  }

  @Override
  public T deserialize(T reuse, DataInputView in) throws IOException {
    return deserialize(in);
  }

  @Override
  public void copy(DataInputView in, DataOutputView out) throws IOException {
    serialize(deserialize(in), out);
  }

  // Two serializers are the same when they are of the same class: they have no configuration.
  @SuppressWarnings("EqualsGetClass")
  @Override
  public boolean equals(Object other) {
    return other != null && other.getClass() == getClass();
  }

  @Override
  public int hashCode() {
    return getClass().hashCode();
  }

  /**
   * Text as a varint head, then bytes. The head is 0 for null, else {@code 2 * length + 1} for
   * ASCII and {@code 2 * length + 2} for UTF-8.
   */
  final void writeText(@Nullable String text, DataOutputView out) throws IOException {
    if (text == null) {
      writeVarint(NULL_TEXT, out);
      return;
    }
    int length = text.length();
    byte[] ascii = scratch(length);
    for (int i = 0; i < length; i++) {
      char c = text.charAt(i);
      if (c >= 0x80) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        writeVarint(2 * utf8.length + 2, out);
        out.write(utf8, 0, utf8.length);
        return;
      }
      ascii[i] = (byte) c;
    }
    writeVarint(2 * length + 1, out);
    out.write(ascii, 0, length);
  }

  @Nullable
  final String readText(DataInputView in) throws IOException {
    int head = readVarint(in);
    return head == NULL_TEXT ? null : readText(head, in);
  }

  private String readText(int head, DataInputView in) throws IOException {
    boolean isAscii = (head & 1) == 1;
    int length = isAscii ? head >> 1 : (head >> 1) - 1;
    byte[] bytes = scratch(length);
    in.readFully(bytes, 0, length);
    return new String(
        bytes, 0, length, isAscii ? StandardCharsets.ISO_8859_1 : StandardCharsets.UTF_8);
  }

  /**
   * Reads text of a field with few values, such as a country: equal texts are mostly one object,
   * which costs less here and in whatever compares or hashes them later.
   */
  @Nullable
  final String readSharedText(DataInputView in) throws IOException {
    int head = readVarint(in);
    if (head == NULL_TEXT) {
      return null;
    }
    int length = head >> 1;
    if ((head & 1) == 0 || length > SHARED_LENGTH) {
      return readText(head, in);
    }
    byte[] ascii = scratch(length);
    in.readFully(ascii, 0, length);
    int hash = length;
    for (int i = 0; i < length; i++) {
      hash = 31 * hash + ascii[i];
    }
    if (shared == null) {
      shared = new String[SHARED_SLOTS];
    }
    int slot = (hash ^ (hash >>> 15)) & (SHARED_SLOTS - 1);
    String known = shared[slot];
    if (known == null || !isAscii(known, ascii, length)) {
      known = new String(ascii, 0, length, StandardCharsets.ISO_8859_1);
      shared[slot] = known;
    }
    return known;
  }

  private static boolean isAscii(String text, byte[] ascii, int length) {
    if (text.length() != length) {
      return false;
    }
    for (int i = 0; i < length; i++) {
      if (text.charAt(i) != ascii[i]) {
        return false;
      }
    }
    return true;
  }

  final void writeTexts(List<String> texts, DataOutputView out) throws IOException {
    writeVarint(texts.size(), out);
    for (String text : texts) {
      writeText(text, out);
    }
  }

  final List<String> readTexts(DataInputView in) throws IOException {
    String[] texts = new String[readVarint(in)];
    for (int i = 0; i < texts.length; i++) {
      texts[i] = readSharedText(in);
    }
    return List.of(texts);
  }

  final void writeBytes(@Nullable byte[] bytes, DataOutputView out) throws IOException {
    if (bytes == null) {
      writeVarint(0, out);
    } else {
      writeVarint(bytes.length + 1, out);
      out.write(bytes);
    }
  }

  @Nullable
  final byte[] readBytes(DataInputView in) throws IOException {
    int head = readVarint(in);
    if (head == 0) {
      return null;
    }
    byte[] bytes = new byte[head - 1];
    in.readFully(bytes);
    return bytes;
  }

  final void writeTextMap(Map<String, String> map, DataOutputView out) throws IOException {
    writeVarint(map.size(), out);
    for (Map.Entry<String, String> e : map.entrySet()) {
      writeText(e.getKey(), out);
      writeText(e.getValue(), out);
    }
  }

  final Map<String, String> readTextMap(DataInputView in) throws IOException {
    int size = readVarint(in);
    if (size == 0) {
      return Map.of();
    }
    Map<String, String> map = new HashMap<>(size * 2);
    for (int i = 0; i < size; i++) {
      map.put(readSharedText(in), readText(in));
    }
    return map;
  }

  final void writeOrigin(Origin origin, DataOutputView out) throws IOException {
    writeText(origin.topic(), out);
    writeVarint(origin.partition(), out);
    out.writeLong(origin.offset());
    out.writeLong(origin.kafkaTimestamp());
    out.writeLong(origin.ingestedAt());
  }

  final Origin readOrigin(DataInputView in) throws IOException {
    return new Origin(
        readSharedText(in), readVarint(in), in.readLong(), in.readLong(), in.readLong());
  }

  final void writeHeaders(List<Header> headers, DataOutputView out) throws IOException {
    writeVarint(headers.size(), out);
    for (Header h : headers) {
      writeText(h.key(), out);
      writeBytes(h.value(), out);
    }
  }

  final List<Header> readHeaders(DataInputView in) throws IOException {
    int size = readVarint(in);
    if (size == 0) {
      return List.of();
    }
    List<Header> headers = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      headers.add(new Header(readText(in), readBytes(in)));
    }
    return headers;
  }

  final void writeRejections(List<Rejection> rejections, DataOutputView out) throws IOException {
    writeVarint(rejections.size(), out);
    for (Rejection r : rejections) {
      writeText(r.reason().name(), out);
      writeText(r.field(), out);
      writeText(r.message(), out);
    }
  }

  final List<Rejection> readRejections(DataInputView in) throws IOException {
    int size = readVarint(in);
    if (size == 0) {
      return List.of();
    }
    List<Rejection> rejections = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      rejections.add(new Rejection(RejectReason.valueOf(readText(in)), readText(in), readText(in)));
    }
    return rejections;
  }

  static void writeVarint(int value, DataOutputView out) throws IOException {
    int rest = value;
    while ((rest & ~0x7F) != 0) {
      out.writeByte((rest & 0x7F) | 0x80);
      rest >>>= 7;
    }
    out.writeByte(rest);
  }

  static int readVarint(DataInputView in) throws IOException {
    int value = 0;
    int shift = 0;
    while (true) {
      byte b = in.readByte();
      value |= (b & 0x7F) << shift;
      if (b >= 0) {
        return value;
      }
      shift += 7;
      if (shift > 28) {
        throw new IOException("a varint of more than five bytes: the stream is corrupt");
      }
    }
  }

  /** Scratch of at least {@code length}; a large one is not kept. */
  private byte[] scratch(int length) {
    if (scratch == null) {
      scratch = new byte[512];
    }
    if (length <= scratch.length) {
      return scratch;
    }
    byte[] larger = new byte[length];
    if (length <= 1 << 16) {
      scratch = larger;
    }
    return larger;
  }
}

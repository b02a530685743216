package io.millrace.session;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * Texts in the bytes of {@link UserSessions}: those that repeat, such as event types and devices,
 * are written once and referred to by number; 0 is null, n is the nth text. Numbers the texts of
 * one value as they are written.
 */
final class SessionTexts {
  /** Few texts are found faster by looking at each; most are the same object every time. */
  private static final int FEW = 12;

  private static final List<String> NO_CELL = List.of();

  private final List<String> inOrder = new ArrayList<>();
  private final Map<String, Integer> numbers = new HashMap<>();

  void clear() {
    inOrder.clear();
    numbers.clear();
  }

  void write(@Nullable String text, DataOutputView out) throws IOException {
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

  void write(List<String> list, DataOutputView out) throws IOException {
    writeNumber(list.size(), out);
    for (int i = 0; i < list.size(); i++) {
      write(list.get(i), out);
    }
  }

  /** What {@link #read} takes up. */
  void writeAll(DataOutputView out) throws IOException {
    out.writeInt(inOrder.size());
    for (String text : inOrder) {
      writeText(text, out);
    }
  }

  /** The texts of one value, in order. */
  static List<String> read(DataInputView in) throws IOException {
    int count = in.readInt();
    List<String> texts = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      texts.add(readText(in));
    }
    return texts;
  }

  static void writeText(String text, DataOutputView out) throws IOException {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    writeNumber(utf8.length, out);
    out.write(utf8, 0, utf8.length);
  }

  static String readText(DataInputView in) throws IOException {
    byte[] utf8 = new byte[readNumber(in)];
    in.readFully(utf8);
    return new String(utf8, StandardCharsets.UTF_8);
  }

  /** Seven bits a byte, the lowest first; most numbers are small. */
  static void writeNumber(int number, DataOutputView out) throws IOException {
    int rest = number;
    while (rest >= 0x80) {
      out.writeByte(rest | 0x80);
      rest >>>= 7;
    }
    out.writeByte(rest);
  }

  static int readNumber(DataInputView in) throws IOException {
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
  static String text(List<String> texts, DataInputView in) throws IOException {
    int number = readNumber(in);
    return number == 0 ? null : texts.get(number - 1);
  }

  static String required(List<String> texts, DataInputView in) throws IOException {
    return texts.get(readNumber(in) - 1);
  }

  static List<String> list(List<String> texts, DataInputView in) throws IOException {
    int size = readNumber(in);
    List<String> list = new ArrayList<>(Math.max(size, 1));
    for (int i = 0; i < size; i++) {
      list.add(required(texts, in));
    }
    return list;
  }

  static List<String> cell(List<String> texts, DataInputView in) throws IOException {
    List<String> cell = list(texts, in);
    return cell.isEmpty() ? NO_CELL : List.copyOf(cell);
  }
}

package io.millrace.datagen;

import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.Arrays;

/** A growing buffer of JSON text, written straight as UTF-8 bytes. */
final class JsonBytes {
  private static final long DAY_MS = 86_400_000L;
  private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] BASE32 =
      "0123456789abcdefghjkmnpqrstvwxyz".getBytes(StandardCharsets.US_ASCII);

  private byte[] bytes = new byte[1024];
  private int length;
  private long day = Long.MIN_VALUE;
  private byte[] date = new byte[0];

  void clear() {
    length = 0;
  }

  byte[] toBytes() {
    return Arrays.copyOf(bytes, length);
  }

  byte[] prefix(int end) {
    return Arrays.copyOf(bytes, end);
  }

  JsonBytes raw(byte[] text) {
    ensure(text.length);
    System.arraycopy(text, 0, bytes, length, text.length);
    length += text.length;
    return this;
  }

  /** Text without a character that JSON escapes. */
  JsonBytes text(String text) {
    return raw(text.getBytes(StandardCharsets.UTF_8));
  }

  /** {@code count} times the same ASCII character. */
  JsonBytes repeat(char character, int count) {
    ensure(count);
    Arrays.fill(bytes, length, length + count, (byte) character);
    length += count;
    return this;
  }

  JsonBytes put(int b) {
    ensure(1);
    bytes[length++] = (byte) b;
    return this;
  }

  /** 128 bits in the form of a random UUID. */
  JsonBytes uuid(long high, long low) {
    ensure(36);
    long versioned = (high & 0xFFFFFFFFFFFF0FFFL) | 0x4000L;
    long varianted = (low & 0x3FFFFFFFFFFFFFFFL) | 0x8000000000000000L;
    hex(versioned, 60, 32);
    bytes[length++] = '-';
    hex(versioned, 28, 16);
    bytes[length++] = '-';
    hex(versioned, 12, 0);
    bytes[length++] = '-';
    hex(varianted, 60, 48);
    bytes[length++] = '-';
    hex(varianted, 44, 0);
    return this;
  }

  private void hex(long bits, int fromShift, int toShift) {
    for (int shift = fromShift; shift >= toShift; shift -= 4) {
      bytes[length++] = HEX[(int) (bits >>> shift) & 15];
    }
  }

  /** 64 bits in 13 characters. */
  static byte[] base32(char prefix, long bits) {
    byte[] text = new byte[14];
    text[0] = (byte) prefix;
    for (int i = 13; i >= 1; i--) {
      text[i] = BASE32[(int) (bits >>> (5 * (13 - i))) & 31];
    }
    return text;
  }

  JsonBytes decimal(long value) {
    ensure(20);
    if (value < 0) {
      bytes[length++] = '-';
    }
    long rest = Math.abs(value);
    int digits = 1;
    for (long power = 10; power <= rest && digits < 19; power *= 10) {
      digits++;
    }
    for (int i = length + digits - 1; i >= length; i--) {
      bytes[i] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
    length += digits;
    return this;
  }

  /** The date and time of day to the millisecond, without a zone. */
  JsonBytes dateTime(long epochMs) {
    ensure(40);
    long epochDay = Math.floorDiv(epochMs, DAY_MS);
    if (epochDay != day) {
      day = epochDay;
      date = LocalDate.ofEpochDay(epochDay).toString().getBytes(StandardCharsets.US_ASCII);
    }
    raw(date);
    int ms = (int) (epochMs - epochDay * DAY_MS);
    bytes[length++] = 'T';
    two(ms / 3_600_000);
    bytes[length++] = ':';
    two(ms / 60_000 % 60);
    bytes[length++] = ':';
    two(ms / 1000 % 60);
    bytes[length++] = '.';
    bytes[length++] = (byte) ('0' + ms % 1000 / 100);
    two(ms % 100);
    return this;
  }

  private void two(int value) {
    bytes[length++] = (byte) ('0' + value / 10);
    bytes[length++] = (byte) ('0' + value % 10);
  }

  private void ensure(int more) {
    if (length + more > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more));
    }
  }
}

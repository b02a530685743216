package io.millrace.codec.json;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Tells whether bytes are well-formed UTF-8, as the Unicode Standard's table 3-7 defines it. */
final class Utf8 {
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
  private static final long HIGH_BITS = 0x8080808080808080L;
  private static final long LOW_BITS = 0x0101010101010101L;
  private static final long BACKSLASHES = LOW_BITS * '\\';

  private Utf8() {}

  /** The index of the first byte that is not part of a well-formed sequence, or -1. */
  static int firstInvalid(byte[] bytes) {
    int end = bytes.length;
    int i = 0;
    while (i < end) {
      while (i + Long.BYTES <= end && ((long) LONGS.get(bytes, i) & HIGH_BITS) == 0) {
        i += Long.BYTES;
      }
      if (i >= end) {
        return -1;
      }
      byte b = bytes[i];
      if (b >= 0) {
        i++;
        continue;
      }
      int length = sequenceLength(bytes, i, end);
      if (length == 0) {
        return i;
      }
      i += length;
    }
    return -1;
  }

  /** Whether well-formed bytes may hold a JSON escape of a surrogate, {@code \\uD8xx..DFxx}. */
  static boolean hasSurrogateEscape(byte[] bytes) {
    int end = bytes.length;
    int i = 0;
    while (i < end) {
      while (i + Long.BYTES <= end && !hasBackslash((long) LONGS.get(bytes, i))) {
        i += Long.BYTES;
      }
      int stop = Math.min(end, i + Long.BYTES);
      for (; i < stop; i++) {
        if (bytes[i] == '\\'
            && i + 2 < end
            && bytes[i + 1] == 'u'
            && (bytes[i + 2] == 'd' || bytes[i + 2] == 'D')) {
          return true;
        }
      }
    }
    return false;
  }

  private static boolean hasBackslash(long eight) {
    long zeroWhereEqual = eight ^ BACKSLASHES;
    return ((zeroWhereEqual - LOW_BITS) & ~zeroWhereEqual & HIGH_BITS) != 0;
  }

  /** The length of the multi-byte sequence at {@code i}; 0 when it is ill-formed or cut off. */
  private static int sequenceLength(byte[] bytes, int i, int end) {
    int b0 = bytes[i] & 0xFF;
    if (b0 >= 0xC2 && b0 <= 0xDF) {
      return i + 1 < end && isTail(bytes[i + 1]) ? 2 : 0;
    }
    if (b0 >= 0xE0 && b0 <= 0xEF) {
      if (i + 2 >= end || !isTail(bytes[i + 1]) || !isTail(bytes[i + 2])) {
        return 0;
      }
      int b1 = bytes[i + 1] & 0xFF;
      boolean overlong = b0 == 0xE0 && b1 < 0xA0;
      boolean surrogate = b0 == 0xED && b1 >= 0xA0;
      return overlong || surrogate ? 0 : 3;
    }
    if (b0 >= 0xF0 && b0 <= 0xF4) {
      if (i + 3 >= end || !isTail(bytes[i + 1]) || !isTail(bytes[i + 2]) || !isTail(bytes[i + 3])) {
        return 0;
      }
      int b1 = bytes[i + 1] & 0xFF;
      boolean overlong = b0 == 0xF0 && b1 < 0x90;
      boolean beyondUnicode = b0 == 0xF4 && b1 >= 0x90;
      return overlong || beyondUnicode ? 0 : 4;
    }
    return 0;
  }

  private static boolean isTail(byte b) {
    return (b & 0xC0) == 0x80;
  }
}

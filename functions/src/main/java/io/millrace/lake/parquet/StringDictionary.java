package io.millrace.lake.parquet;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import javax.annotation.Nullable;

/** The distinct strings of a column chunk, numbered in the order of their first appearance. */
final class StringDictionary {
  private static final int FIRST_SLOTS = 16;
  // A String with its array and header, beside the encoded copy.
  private static final int ENTRY_OVERHEAD = 64;

  private final MemoryUse memory;
  private final PageBuffer entries;
  private String[] slots = new String[FIRST_SLOTS];
  private int[] codes = new int[FIRST_SLOTS];
  private int[] starts = new int[FIRST_SLOTS];
  private int size;
  private long counted;
  @Nullable private String last;
  private int lastCode;

  StringDictionary(MemoryUse memory) {
    this.memory = memory;
    this.entries = new PageBuffer(memory);
    count(FIRST_SLOTS * 16L);
  }

  int size() {
    return size;
  }

  /** The entries in plain encoding. */
  PageBuffer entries() {
    return entries;
  }

  @SuppressWarnings("ReferenceEquality")
  int code(String value) {
    // Decoders share the instances of frequent values, so identity settles most lookups.
    if (value == last) {
      return lastCode;
    }
    int code = find(value);
    last = value;
    lastCode = code;
    return code;
  }

  /** Where the entry's bytes begin in {@link #entries()}. */
  int start(int code) {
    return starts[code] + Integer.BYTES;
  }

  int length(int code) {
    return entries.getInt(starts[code]);
  }

  byte[] bytes(int code) {
    return Arrays.copyOfRange(entries.bytes(), start(code), start(code) + length(code));
  }

  int compare(int left, int right) {
    byte[] b = entries.bytes();
    int l = start(left);
    int r = start(right);
    return Arrays.compareUnsigned(b, l, l + length(left), b, r, r + length(right));
  }

  void release() {
    entries.clear(0);
    memory.add(-counted);
    counted = 0;
  }

  private int find(String value) {
    int mask = slots.length - 1;
    int slot = slot(value, mask);
    for (String s = slots[slot]; s != null; s = slots[slot]) {
      if (s.equals(value)) {
        return codes[slot];
      }
      slot = (slot + 1) & mask;
    }
    if (size == slots.length / 2) {
      rehash();
    }
    return insert(value);
  }

  private int insert(String value) {
    int mask = slots.length - 1;
    int slot = slot(value, mask);
    while (slots[slot] != null) {
      slot = (slot + 1) & mask;
    }
    int code = size++;
    if (code == starts.length) {
      starts = Arrays.copyOf(starts, 2 * code);
      count(4L * code);
    }
    starts[code] = entries.size();
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    entries.putBinary(utf8);
    slots[slot] = value;
    codes[slot] = code;
    count(ENTRY_OVERHEAD + utf8.length);
    return code;
  }

  private void rehash() {
    String[] oldSlots = slots;
    int[] oldCodes = codes;
    slots = new String[2 * oldSlots.length];
    codes = new int[slots.length];
    count(12L * oldSlots.length);
    int mask = slots.length - 1;
    for (int i = 0; i < oldSlots.length; i++) {
      if (oldSlots[i] != null) {
        int slot = slot(oldSlots[i], mask);
        while (slots[slot] != null) {
          slot = (slot + 1) & mask;
        }
        slots[slot] = oldSlots[i];
        codes[slot] = oldCodes[i];
      }
    }
  }

  private void count(long bytes) {
    counted += bytes;
    memory.add(bytes);
  }

  private static int slot(String value, int mask) {
    int h = value.hashCode() * 0x9E3779B9;
    return (h ^ (h >>> 15)) & mask;
  }
}

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
  // Of each entry in a slot its hash and, in the low half, one more than its code; 0 for none. So
  // an entry of another hash is passed over without a look at its text.
  private long[] slots = new long[FIRST_SLOTS];
  private String[] texts = new String[FIRST_SLOTS];
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
    int hash = spread(value);
    int mask = slots.length - 1;
    int slot = hash & mask;
    for (long entry = slots[slot]; entry != 0; entry = slots[slot]) {
      if ((int) (entry >>> 32) == hash && texts[(int) entry - 1].equals(value)) {
        return (int) entry - 1;
      }
      slot = (slot + 1) & mask;
    }
    if (size == slots.length / 2) {
      rehash();
    }
    return insert(value, hash);
  }

  private int insert(String value, int hash) {
    int code = size++;
    if (code == starts.length) {
      starts = Arrays.copyOf(starts, 2 * code);
      texts = Arrays.copyOf(texts, 2 * code);
      count(8L * code);
    }
    starts[code] = entries.size();
    texts[code] = value;
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    entries.putBinary(utf8);
    place((long) hash << 32 | size);
    count(ENTRY_OVERHEAD + utf8.length);
    return code;
  }

  private void place(long entry) {
    int mask = slots.length - 1;
    int slot = (int) (entry >>> 32) & mask;
    while (slots[slot] != 0) {
      slot = (slot + 1) & mask;
    }
    slots[slot] = entry;
  }

  private void rehash() {
    long[] old = slots;
    slots = new long[2 * old.length];
    count(8L * old.length);
    for (long entry : old) {
      if (entry != 0) {
        place(entry);
      }
    }
  }

  private void count(long bytes) {
    counted += bytes;
    memory.add(bytes);
  }

  private static int spread(String value) {
    int h = value.hashCode() * 0x9E3779B9;
    return h ^ (h >>> 15);
  }
}

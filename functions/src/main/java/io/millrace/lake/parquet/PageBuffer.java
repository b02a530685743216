package io.millrace.lake.parquet;

import java.io.OutputStream;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Bytes in Parquet's plain encoding (little-endian), growing from nothing; what it holds is counted
 * in a {@link MemoryUse}.
 */
final class PageBuffer extends OutputStream {
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final byte[] NONE = {};
  private static final int FIRST_CAPACITY = 128;

  private final MemoryUse memory;
  private byte[] bytes = NONE;
  private int size;

  PageBuffer(MemoryUse memory) {
    this.memory = memory;
  }

  byte[] bytes() {
    return bytes;
  }

  int size() {
    return size;
  }

  void putInt(int value) {
    reserve(Integer.BYTES);
    INT.set(bytes, size, value);
    size += Integer.BYTES;
  }

  void putLong(long value) {
    reserve(Long.BYTES);
    LONG.set(bytes, size, value);
    size += Long.BYTES;
  }

  /** A length and that many bytes, as the plain encoding has them. */
  void putBinary(byte[] value) {
    reserve(Integer.BYTES + value.length);
    INT.set(bytes, size, value.length);
    System.arraycopy(value, 0, bytes, size + Integer.BYTES, value.length);
    size += Integer.BYTES + value.length;
  }

  void setInt(int at, int value) {
    INT.set(bytes, at, value);
  }

  int getInt(int at) {
    return (int) INT.get(bytes, at);
  }

  @Override
  public void write(int b) {
    reserve(1);
    bytes[size++] = (byte) b;
  }

  @Override
  public void write(byte[] source, int offset, int length) {
    reserve(length);
    System.arraycopy(source, offset, bytes, size, length);
    size += length;
  }

  void truncate(int to) {
    size = to;
  }

  /** Forgets the content; keeps the room unless it is more than {@code keep} bytes. */
  void clear(int keep) {
    size = 0;
    if (bytes.length > keep) {
      memory.add(-bytes.length);
      bytes = NONE;
    }
  }

  private void reserve(int more) {
    if (bytes.length - size < more) {
      grow(more);
    }
  }

  private void grow(int more) {
    long wanted = Math.max((long) size + more, Math.max(FIRST_CAPACITY, 2L * bytes.length));
    if ((long) size + more > Integer.MAX_VALUE - 8) {
      throw new IllegalStateException("a page of more than 2 GB: " + ((long) size + more));
    }
    int capacity = (int) Math.min(wanted, Integer.MAX_VALUE - 8);
    memory.add(capacity - bytes.length);
    bytes = Arrays.copyOf(bytes, capacity);
  }
}

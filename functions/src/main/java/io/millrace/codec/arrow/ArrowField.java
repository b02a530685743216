package io.millrace.codec.arrow;

import java.util.List;
import java.util.Locale;
import javax.annotation.Nullable;

/**
 * A column of an Arrow schema, or a part of one.
 *
 * @param unit nanoseconds of one tick of a time; 0 for other kinds
 * @param width bits of a number, bytes of a fixed binary value, elements of a fixed list
 * @param zoned whether a timestamp is an instant
 * @param buffers how many buffers a batch holds for it, those of its children aside
 * @param view whether a batch may hold further buffers for it
 * @param typeName the type as messages show it
 * @param dictionary the indices of a dictionary-encoded column; null when it is not encoded
 */
record ArrowField(
    String name,
    Kind kind,
    int width,
    boolean signed,
    int precision,
    int scale,
    long unit,
    boolean zoned,
    int buffers,
    boolean view,
    String typeName,
    @Nullable Dictionary dictionary,
    List<ArrowField> children) {

  /** What a value is. */
  enum Kind {
    NULL,
    BOOL,
    INT,
    FLOAT,
    DECIMAL,
    DATE,
    TIME,
    TIMESTAMP,
    TEXT,
    LARGE_TEXT,
    BINARY,
    LARGE_BINARY,
    FIXED_BINARY,
    LIST,
    LARGE_LIST,
    FIXED_LIST,
    STRUCT,
    MAP,
    /** Can be left out, not read. */
    OTHER
  }

  /**
   * How a column refers to a dictionary.
   *
   * @param width bits of an index
   */
  record Dictionary(long id, int width, boolean signed) {}

  static final long SECOND = 1_000_000_000;
  static final long MILLI = 1_000_000;
  static final long MICRO = 1_000;
  static final long NANO = 1;

  /** All columns of a schema, as if they were those of one struct. */
  static ArrowField root(List<ArrowField> columns) {
    return new ArrowField(
        "", Kind.STRUCT, 0, false, 0, 0, 0, false, 0, false, "Struct", null, List.copyOf(columns));
  }

  /** The dictionary's own values. */
  ArrowField values() {
    return new ArrowField(
        name, kind, width, signed, precision, scale, unit, zoned, buffers, view, typeName, null,
        children);
  }

  static String nameOf(long unit) {
    return unit == SECOND ? "s" : unit == MILLI ? "ms" : unit == MICRO ? "us" : "ns";
  }

  static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}

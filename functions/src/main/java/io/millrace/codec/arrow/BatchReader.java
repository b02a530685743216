package io.millrace.codec.arrow;

import io.millrace.codec.arrow.ArrowRejection.Reason;
import io.millrace.codec.arrow.ArrowVectors.Offsets;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.function.Consumer;
import javax.annotation.Nullable;
import org.apache.flink.table.data.columnar.vector.ColumnVector;
import org.apache.flink.table.data.columnar.vector.VectorizedColumnBatch;

/**
 * Reads the columns of one batch, and checks all that reading a row would trip over: lengths,
 * offsets, indices, text, and values that the wanted type does not hold. What no row shows, such as
 * the fields of a struct that is null, may hold anything.
 */
final class BatchReader {
  private static final ColumnVector NULLS = new ArrowVectors.Nulls();
  private static final long ASCII = 0x8080808080808080L;
  private static final long NANOS_PER_DAY = 86_400L * ArrowField.SECOND;
  private static final BigInteger TEN = BigInteger.TEN;

  private final BodyReader body;
  private final ArrowLimits limits;
  private final Dictionaries dictionaries;
  private final int[] node = new int[2];
  private CharsetDecoder utf8;

  /** What a dictionary-encoded column refers to. */
  interface Dictionaries {
    /** The values as they are at this point of the stream, in the parts that they came in. */
    List<DictionaryVector.Part> values(long id, ColumnBinding values) throws BadArrowException;
  }

  BatchReader(BodyReader body, ArrowLimits limits, Dictionaries dictionaries) {
    this.body = body;
    this.limits = limits;
    this.dictionaries = dictionaries;
  }

  /** The wanted columns of a batch of rows. */
  VectorizedColumnBatch rows(ColumnBinding row, int rows) throws BadArrowException {
    VectorizedColumnBatch batch = new VectorizedColumnBatch(fields(row, rows, true, null));
    batch.setNumRows(rows);
    body.checkAllRead(row.field().children());
    return batch;
  }

  /** The values of a dictionary. */
  ColumnVector dictionary(ColumnBinding values, int length) throws BadArrowException {
    ColumnVector vector = column(values, length, true, null);
    body.checkAllRead(null);
    return vector;
  }

  private ColumnVector[] fields(
      ColumnBinding row, int length, boolean exactly, @Nullable Mask visible)
      throws BadArrowException {
    ColumnVector[] columns = new ColumnVector[row.arity()];
    Arrays.fill(columns, NULLS);
    List<ArrowField> fields = row.field().children();
    for (int i = 0; i < fields.size(); i++) {
      ColumnBinding child = row.children()[i];
      if (child == null) {
        body.skip(fields.get(i));
      } else {
        columns[row.positions()[i]] = column(child, length, exactly, visible);
      }
    }
    return columns;
  }

  /**
   * Reads a column.
   *
   * @param length how many values there have to be
   * @param exactly whether there may not be more
   * @param visible which values a row can show; null for all
   */
  private ColumnVector column(
      ColumnBinding column, int length, boolean exactly, @Nullable Mask visible)
      throws BadArrowException {
    ArrowField field = column.field();
    body.nextNode(field, node);
    int nulls = node[1];
    if (node[0] < length || (exactly && node[0] > length)) {
      throw BadArrowException.malformed(
          "column '%s' has %d values, not %d", column.path(), node[0], length);
    }
    // What is beyond is in no list, and so in no row.
    int values = length;
    if (field.dictionary() != null) {
      return encoded(column, values, nulls, visible);
    }
    if (field.kind() == ArrowField.Kind.NULL) {
      checkWithoutBytes(column, values);
      return NULLS;
    }
    Slice validity = validity(column, values, nulls);
    checkNoNulls(column, values, visible, validity);
    return switch (field.kind()) {
      case BOOL -> new ArrowVectors.Bools(validity, data(column, (values + 7L) / 8));
      case INT -> ints(field, validity, data(column, (long) values * field.width() / 8));
      case FLOAT -> {
        Slice data = data(column, (long) values * field.width() / 8);
        yield field.width() == 16
            ? new ArrowVectors.Float16(validity, data)
            : field.width() == 32
                ? new ArrowVectors.Float32(validity, data)
                : new ArrowVectors.Float64(validity, data);
      }
      case DECIMAL -> decimals(column, values, visible, validity);
      case DATE -> dates(column, values, visible, validity);
      case TIME -> times(column, values, visible, validity);
      case TIMESTAMP -> timestamps(column, values, visible, validity);
      case TEXT, LARGE_TEXT, BINARY, LARGE_BINARY -> varBytes(column, values, visible, validity);
      case FIXED_BINARY -> {
        if (field.width() == 0) {
          checkWithoutBytes(column, values);
        }
        Slice data = data(column, (long) values * field.width());
        yield new ArrowVectors.FixedBytes(validity, data, field.width());
      }
      case LIST, LARGE_LIST -> {
        Offsets offsets = offsets(column, values);
        int end = values == 0 ? 0 : checkedEnd(column, offsets, values, Integer.MAX_VALUE - 1);
        Mask shown = values == 0 ? null : shown(offsets, values, validity, visible);
        ColumnVector elements = column(column.children()[0], end, false, shown);
        yield new ArrowVectors.Lists(validity, offsets, elements);
      }
      case FIXED_LIST -> {
        if (field.width() == 0) {
          checkWithoutBytes(column, values);
        }
        long end = (long) values * field.width();
        if (end > Integer.MAX_VALUE - 1) {
          throw BadArrowException.malformed(
              "column '%s' with %d lists of %d", column.path(), values, field.width());
        }
        Mask shown = spread(values, field.width(), validity, visible);
        ColumnVector elements = column(column.children()[0], (int) end, false, shown);
        yield new ArrowVectors.FixedLists(validity, field.width(), elements);
      }
      case MAP -> maps(column, values, visible, validity);
      case STRUCT -> {
        if (field.children().isEmpty()) {
          checkWithoutBytes(column, values);
        }
        Mask shown = spread(values, 1, validity, visible);
        yield new ArrowVectors.Structs(validity, fields(column, values, false, shown));
      }
      case NULL, OTHER -> throw new IllegalStateException("bound a column of " + field.kind());
    };
  }

  private static ColumnVector ints(ArrowField field, @Nullable Slice validity, Slice data) {
    return switch (field.width()) {
      case 8 ->
          field.signed()
              ? new ArrowVectors.Int8(validity, data)
              : new ArrowVectors.UInt8(validity, data);
      case 16 ->
          field.signed()
              ? new ArrowVectors.Int16(validity, data)
              : new ArrowVectors.UInt16(validity, data);
      case 32 ->
          field.signed()
              ? new ArrowVectors.Int32(validity, data)
              : new ArrowVectors.UInt32(validity, data);
      default ->
          field.signed()
              ? new ArrowVectors.Int64(validity, data)
              : new ArrowVectors.UInt64(validity, data);
    };
  }

  private ColumnVector decimals(
      ColumnBinding column, int values, @Nullable Mask visible, @Nullable Slice validity)
      throws BadArrowException {
    ArrowField field = column.field();
    int width = field.width() / 8;
    ArrowVectors.Decimals vector =
        new ArrowVectors.Decimals(validity, data(column, (long) values * width), width);
    int precision = field.precision();
    boolean isCompact = precision <= 18;
    long bound = isCompact ? TEN.pow(precision).longValueExact() : Long.MAX_VALUE;
    BigInteger exactBound = isCompact ? null : TEN.pow(precision);
    for (int i = 0; i < values; i++) {
      if (isShown(i, visible, validity)) {
        boolean fits;
        if (vector.fitsLong(i)) {
          long low = vector.low(i);
          fits = !isCompact || (low > -bound && low < bound);
        } else {
          fits = !isCompact && vector.unscaled(i).abs().compareTo(exactBound) < 0;
        }
        if (!fits) {
          throw BadArrowException.malformed(
              "column '%s', value %d: more than the %d digits of %s",
              column.path(), i, precision, field.typeName());
        }
      }
    }
    return vector;
  }

  private ColumnVector dates(
      ColumnBinding column, int values, @Nullable Mask visible, @Nullable Slice validity)
      throws BadArrowException {
    if (column.field().width() == 32) {
      return new ArrowVectors.Int32(validity, data(column, 4L * values));
    }
    ArrowVectors.DateMillis vector =
        new ArrowVectors.DateMillis(validity, data(column, 8L * values));
    for (int i = 0; i < values; i++) {
      if (isShown(i, visible, validity) && vector.days(i) != vector.getInt(i)) {
        throw BadArrowException.malformed(
            "column '%s', value %d: %d days since 1970 are no date",
            column.path(), i, vector.days(i));
      }
    }
    return vector;
  }

  private ColumnVector times(
      ColumnBinding column, int values, @Nullable Mask visible, @Nullable Slice validity)
      throws BadArrowException {
    ArrowField field = column.field();
    ArrowVectors.Times vector =
        new ArrowVectors.Times(
            validity,
            data(column, (long) values * field.width() / 8),
            field.width() == 64,
            field.unit());
    long ticksPerDay = NANOS_PER_DAY / field.unit();
    for (int i = 0; i < values; i++) {
      if (isShown(i, visible, validity)
          && (vector.ticks(i) < 0 || vector.ticks(i) >= ticksPerDay)) {
        throw BadArrowException.malformed(
            "column '%s', value %d: %d %s are no time of day",
            column.path(), i, vector.ticks(i), ArrowField.nameOf(field.unit()));
      }
    }
    return vector;
  }

  private ColumnVector timestamps(
      ColumnBinding column, int values, @Nullable Mask visible, @Nullable Slice validity)
      throws BadArrowException {
    ArrowField field = column.field();
    ArrowVectors.Timestamps vector =
        new ArrowVectors.Timestamps(validity, data(column, 8L * values), field.unit());
    if (field.unit() == ArrowField.SECOND) {
      for (int i = 0; i < values; i++) {
        long seconds = vector.ticks(i);
        if (isShown(i, visible, validity)
            && (seconds > Long.MAX_VALUE / 1000 || seconds < Long.MIN_VALUE / 1000)) {
          throw BadArrowException.malformed(
              "column '%s', value %d: %d seconds since 1970 are more than a timestamp holds",
              column.path(), i, seconds);
        }
      }
    }
    return vector;
  }

  private ColumnVector varBytes(
      ColumnBinding column, int values, @Nullable Mask visible, @Nullable Slice validity)
      throws BadArrowException {
    ArrowField field = column.field();
    Offsets offsets = offsets(column, values);
    Slice data = body.nextBuffer(field);
    if (values > 0) {
      int end = checkedEnd(column, offsets, values, data.length());
      boolean isText =
          field.kind() == ArrowField.Kind.TEXT || field.kind() == ArrowField.Kind.LARGE_TEXT;
      if (isText && !isAscii(data.bytes(), data.start() + offsets.at(0), data.start() + end)) {
        for (int i = 0; i < values; i++) {
          if (isShown(i, visible, validity)) {
            checkText(column, i, data, offsets.at(i), offsets.at(i + 1));
          }
        }
      }
    }
    return offsets.large()
        ? new ArrowVectors.LargeVarBytes(validity, offsets, data)
        : new ArrowVectors.VarBytes(validity, offsets, data);
  }

  private ColumnVector maps(
      ColumnBinding column, int values, @Nullable Mask visible, @Nullable Slice validity)
      throws BadArrowException {
    ArrowField entry = column.field().children().get(0);
    Offsets offsets = offsets(column, values);
    int end = values == 0 ? 0 : checkedEnd(column, offsets, values, Integer.MAX_VALUE - 1);
    Mask shown = values == 0 ? null : shown(offsets, values, validity, visible);
    body.nextNode(entry, node);
    if (node[0] < end) {
      throw BadArrowException.malformed(
          "column '%s' has %d entries, not %d", column.path(), node[0], end);
    }
    Slice entryValidity = validity(column, end, node[1]);
    for (int i = 0; entryValidity != null && i < end; i++) {
      if (!entryValidity.bit(i) && (shown == null || shown.get(i))) {
        throw BadArrowException.malformed("column '%s' has an entry that is null", column.path());
      }
    }
    ColumnVector keys = column(column.children()[0], end, false, shown);
    for (int i = 0; i < end; i++) {
      if ((shown == null || shown.get(i)) && keys.isNullAt(i)) {
        throw BadArrowException.malformed("column '%s' has a key that is null", column.path());
      }
    }
    ColumnVector mapped = column(column.children()[1], end, false, shown);
    return new ArrowVectors.Maps(validity, offsets, keys, mapped);
  }

  private ColumnVector encoded(ColumnBinding column, int values, int nulls, @Nullable Mask visible)
      throws BadArrowException {
    ArrowField.Dictionary dictionary = column.field().dictionary();
    Slice validity = validity(column, values, nulls);
    Slice indices = data(column, (long) values * dictionary.width() / 8);
    DictionaryVector vector =
        new DictionaryVector(
            validity,
            indices,
            dictionary.width(),
            dictionary.signed(),
            dictionaries.values(dictionary.id(), column.values()));
    for (int i = 0; i < values; i++) {
      if (visible != null && !visible.get(i)) {
        continue;
      }
      if (vector.hasIndex(i) && (vector.index(i) < 0 || vector.index(i) >= vector.length())) {
        throw BadArrowException.malformed(
            "column '%s', value %d: index %d into a dictionary of %d",
            column.path(), i, vector.index(i), vector.length());
      }
      if (!column.nullable() && vector.isNullAt(i)) {
        throw nullFound(column, i);
      }
    }
    return vector;
  }

  @Nullable
  private Slice validity(ColumnBinding column, int values, int nulls) throws BadArrowException {
    Slice bits = body.nextBuffer(column.field());
    if (nulls == 0) {
      return null;
    }
    if (bits.length() < (values + 7) / 8) {
      throw BadArrowException.malformed(
          "column '%s' has %d validity bytes for %d values", column.path(), bits.length(), values);
    }
    return bits;
  }

  private Slice data(ColumnBinding column, long bytes) throws BadArrowException {
    Slice data = body.nextBuffer(column.field());
    if (data.length() < bytes) {
      throw BadArrowException.malformed(
          "column '%s' has %d bytes of values, not %d", column.path(), data.length(), bytes);
    }
    return data;
  }

  private Offsets offsets(ColumnBinding column, int values) throws BadArrowException {
    boolean large =
        switch (column.field().kind()) {
          case LARGE_TEXT, LARGE_BINARY, LARGE_LIST -> true;
          default -> false;
        };
    // Without values there need not be an offset.
    Slice data = data(column, values == 0 ? 0 : (values + 1L) * (large ? 8 : 4));
    return new Offsets(data.bytes(), data.start(), large);
  }

  /** The last offset; all are known to rise and to stay within {@code most}. */
  private static int checkedEnd(ColumnBinding column, Offsets offsets, int values, int most)
      throws BadArrowException {
    long last = offsets.exact(0);
    boolean ok = last >= 0;
    for (int i = 1; i <= values; i++) {
      long next = offsets.exact(i);
      ok &= next >= last;
      last = next;
    }
    if (!ok || last > most) {
      throw BadArrowException.malformed(
          "column '%s' has offsets that do not rise from 0 or more to at most %d",
          column.path(), most);
    }
    return (int) last;
  }

  /** What takes no bytes is bounded by nothing else. */
  private void checkWithoutBytes(ColumnBinding column, int values) throws BadArrowException {
    if (values > limits.maxRows()) {
      throw BadArrowException.of(
          Reason.TOO_LARGE,
          "column '%s' has %d values, at most %d are read",
          column.path(),
          values,
          limits.maxRows());
    }
  }

  private static void checkNoNulls(
      ColumnBinding column, int values, @Nullable Mask visible, @Nullable Slice validity)
      throws BadArrowException {
    if (validity == null || column.nullable()) {
      return;
    }
    for (int i = 0; i < values; i++) {
      if (!validity.bit(i) && (visible == null || visible.get(i))) {
        throw nullFound(column, i);
      }
    }
  }

  private static BadArrowException nullFound(ColumnBinding column, int i) {
    return BadArrowException.of(
        Reason.BAD_TYPE, "column '%s' is NOT NULL, and value %d is null", column.path(), i);
  }

  private static boolean isShown(int i, @Nullable Mask visible, @Nullable Slice validity) {
    return (visible == null || visible.get(i)) && (validity == null || validity.bit(i));
  }

  /** Which elements of lists a row can show; null for all. */
  @Nullable
  private static Mask shown(
      Offsets offsets, int values, @Nullable Slice validity, @Nullable Mask visible) {
    boolean all = offsets.at(0) == 0;
    for (int i = 0; all && (validity != null || visible != null) && i < values; i++) {
      all = isShown(i, visible, validity) || offsets.at(i) == offsets.at(i + 1);
    }
    if (all) {
      return null;
    }
    return new Mask(
        bits -> {
          for (int i = 0; i < values; i++) {
            if (isShown(i, visible, validity)) {
              bits.set(offsets.at(i), offsets.at(i + 1));
            }
          }
        });
  }

  /** The same for values that have {@code width} elements each. */
  @Nullable
  private static Mask spread(
      int values, int width, @Nullable Slice validity, @Nullable Mask visible) {
    if (validity == null && (visible == null || width == 1)) {
      return visible;
    }
    return new Mask(
        bits -> {
          for (int i = 0; i < values; i++) {
            if (isShown(i, visible, validity)) {
              bits.set(i * width, (i + 1) * width);
            }
          }
        });
  }

  /**
   * Which values a row can show. It takes memory by the number of values, so it is made when it is
   * asked, which is once the buffers have shown that there are so many.
   */
  private static final class Mask {
    private final Consumer<BitSet> maker;
    private BitSet bits;

    Mask(Consumer<BitSet> maker) {
      this.maker = maker;
    }

    boolean get(int i) {
      if (bits == null) {
        bits = new BitSet();
        maker.accept(bits);
      }
      return bits.get(i);
    }
  }

  private static boolean isAscii(byte[] bytes, int from, int to) {
    int i = from;
    long seen = 0;
    for (; i + 8 <= to; i += 8) {
      seen |= Slice.longAt(bytes, i);
    }
    for (; i < to; i++) {
      seen |= bytes[i];
    }
    return (seen & ASCII) == 0;
  }

  private void checkText(ColumnBinding column, int i, Slice data, int from, int to)
      throws BadArrowException {
    int start = data.start() + from;
    if (isAscii(data.bytes(), start, data.start() + to)) {
      return;
    }
    if (utf8 == null) {
      utf8 =
          StandardCharsets.UTF_8
              .newDecoder()
              .onMalformedInput(CodingErrorAction.REPORT)
              .onUnmappableCharacter(CodingErrorAction.REPORT);
    }
    utf8.reset();
    ByteBuffer text = ByteBuffer.wrap(data.bytes(), start, to - from);
    CharBuffer chars = CharBuffer.allocate(Math.min(to - from, 1024));
    CoderResult result;
    do {
      chars.clear();
      result = utf8.decode(text, chars, true);
    } while (result.isOverflow());
    if (result.isError()) {
      throw BadArrowException.malformed(
          "column '%s', value %d: the text is not UTF-8", column.path(), i);
    }
  }
}

package io.millrace.codec.arrow;

import static io.millrace.codec.arrow.Fixtures.decode;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.apache.arrow.compression.CommonsCompressionFactory;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowStreamReader;
import org.apache.arrow.vector.ipc.ArrowStreamWriter;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.GenericMapData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.runtime.typeutils.RowDataSerializer;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.BinaryType;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.MapType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.utils.LogicalTypeChecks;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is written reads as the same rows, here and in Arrow's own Java library. */
class ArrowRoundTripTest {
  static final RowType WRITTEN =
      Fixtures.rowType(
          DataTypes.ROW(
              DataTypes.FIELD("bool", DataTypes.BOOLEAN()),
              DataTypes.FIELD("tiny", DataTypes.TINYINT()),
              DataTypes.FIELD("small", DataTypes.SMALLINT()),
              DataTypes.FIELD("int", DataTypes.INT()),
              DataTypes.FIELD("big", DataTypes.BIGINT().notNull()),
              DataTypes.FIELD("float", DataTypes.FLOAT()),
              DataTypes.FIELD("double", DataTypes.DOUBLE()),
              DataTypes.FIELD("decimal9", DataTypes.DECIMAL(9, 2)),
              DataTypes.FIELD("decimal38", DataTypes.DECIMAL(38, 10)),
              DataTypes.FIELD("char", DataTypes.CHAR(3)),
              DataTypes.FIELD("text", DataTypes.STRING()),
              DataTypes.FIELD("bytes", DataTypes.BYTES()),
              DataTypes.FIELD("fixed", DataTypes.BINARY(3)),
              DataTypes.FIELD("date", DataTypes.DATE()),
              DataTypes.FIELD("time", DataTypes.TIME(3)),
              DataTypes.FIELD("ts0", DataTypes.TIMESTAMP(0)),
              DataTypes.FIELD("ts3", DataTypes.TIMESTAMP(3)),
              DataTypes.FIELD("ts6", DataTypes.TIMESTAMP(6)),
              DataTypes.FIELD("ts9", DataTypes.TIMESTAMP(9)),
              DataTypes.FIELD("ltz3", DataTypes.TIMESTAMP_LTZ(3)),
              DataTypes.FIELD("ltz6", DataTypes.TIMESTAMP_LTZ(6)),
              DataTypes.FIELD("list", DataTypes.ARRAY(DataTypes.STRING())),
              DataTypes.FIELD("lists", DataTypes.ARRAY(DataTypes.ARRAY(DataTypes.DOUBLE()))),
              DataTypes.FIELD("map", DataTypes.MAP(DataTypes.STRING(), DataTypes.INT())),
              DataTypes.FIELD(
                  "row",
                  DataTypes.ROW(
                      DataTypes.FIELD("a", DataTypes.BIGINT().notNull()),
                      DataTypes.FIELD(
                          "b", DataTypes.ROW(DataTypes.FIELD("c", DataTypes.STRING()))))),
              DataTypes.FIELD(
                  "rows",
                  DataTypes.ARRAY(DataTypes.ROW(DataTypes.FIELD("x", DataTypes.DECIMAL(20, 0)))))));

  static List<RowData> rows(long seed, int count) {
    Random random = new Random(seed);
    List<RowData> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      rows.add((RowData) value(random, WRITTEN.copy(false)));
    }
    return rows;
  }

  private static Object value(Random random, LogicalType type) {
    if (type.isNullable() && random.nextInt(4) == 0) {
      return null;
    }
    return switch (type.getTypeRoot()) {
      case BOOLEAN -> random.nextBoolean();
      case TINYINT -> (byte) random.nextInt();
      case SMALLINT -> (short) random.nextInt();
      case INTEGER -> random.nextInt();
      case BIGINT -> random.nextLong();
      case FLOAT -> (float) random.nextGaussian();
      case DOUBLE -> random.nextGaussian() * Math.pow(10, random.nextInt(600) - 300);
      case DECIMAL -> decimal(random, (DecimalType) type);
      case CHAR -> StringData.fromString("abc");
      case VARCHAR ->
          StringData.fromString(
              random.ints(random.nextInt(9), 0, 4).mapToObj(TEXTS::get).reduce("", String::concat));
      case BINARY -> bytes(random, ((BinaryType) type).getLength());
      case VARBINARY -> bytes(random, random.nextInt(20));
      case DATE -> random.nextInt(2_000_000) - 1_000_000;
      case TIME_WITHOUT_TIME_ZONE -> random.nextInt(86_400_000);
      case TIMESTAMP_WITHOUT_TIME_ZONE, TIMESTAMP_WITH_LOCAL_TIME_ZONE ->
          time(random, LogicalTypeChecks.getPrecision(type));
      case ARRAY -> {
        Object[] elements = new Object[random.nextInt(4)];
        Arrays.setAll(elements, i -> value(random, ((ArrayType) type).getElementType()));
        yield new GenericArrayData(elements);
      }
      case MAP -> {
        Map<Object, Object> entries = new LinkedHashMap<>();
        for (int i = random.nextInt(4); i > 0; i--) {
          entries.put(
              value(random, ((MapType) type).getKeyType().copy(false)),
              value(random, ((MapType) type).getValueType()));
        }
        yield new GenericMapData(entries);
      }
      case ROW -> {
        GenericRowData row = new GenericRowData(((RowType) type).getFieldCount());
        for (int i = 0; i < row.getArity(); i++) {
          row.setField(i, value(random, ((RowType) type).getTypeAt(i)));
        }
        yield row;
      }
      default -> throw new IllegalStateException(type.toString());
    };
  }

  private static DecimalData decimal(Random random, DecimalType type) {
    BigInteger unscaled =
        new BigInteger(random.nextInt(126) + 1, random)
            .mod(BigInteger.TEN.pow(type.getPrecision()));
    return DecimalData.fromBigDecimal(
        new BigDecimal(random.nextBoolean() ? unscaled : unscaled.negate(), type.getScale()),
        type.getPrecision(),
        type.getScale());
  }

  private static final List<String> TEXTS = List.of("a", "ß", "日本", "\uD83D\uDE00");

  private static byte[] bytes(Random random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  private static TimestampData time(Random random, int precision) {
    // Within 1700 to 2200, which nanoseconds since 1970 can tell.
    long millis = random.nextLong(-8_000_000_000_000L, 7_000_000_000_000L);
    int nanos = random.nextInt(1_000_000);
    return switch (precision) {
      case 0 -> TimestampData.fromEpochMillis(Math.floorDiv(millis, 1000L) * 1000);
      case 3 -> TimestampData.fromEpochMillis(millis);
      case 6 -> TimestampData.fromEpochMillis(millis, nanos / 1000 * 1000);
      default -> TimestampData.fromEpochMillis(millis, nanos);
    };
  }

  static byte[] stream(List<RowData> rows, ArrowCompression compression, int batchRows)
      throws IOException {
    ArrowEncoder encoder = new ArrowEncoder(WRITTEN, compression);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    encoder.writeSchema(out);
    for (RowData row : rows) {
      encoder.add(row);
      if (encoder.rows() == batchRows) {
        encoder.writeBatch(out);
      }
    }
    encoder.writeBatch(out);
    ArrowEncoder.writeEnd(out);
    return out.toByteArray();
  }

  @Property(tries = 150)
  void readsWhatItWrote(
      @ForAll long seed,
      @ForAll @IntRange(max = 60) int count,
      @ForAll @IntRange(min = 1, max = 40) int batchRows,
      @ForAll ArrowCompression compression)
      throws IOException {
    List<RowData> rows = rows(seed, count);
    byte[] record = stream(rows, compression, batchRows);
    assertThat(decode(record, WRITTEN)).isEqualTo(RowText.of(rows, WRITTEN));
  }

  @Property(tries = 50)
  void rowsOutliveTheirDecoderAndCopyAsFlinkCopiesThem(@ForAll long seed) throws IOException {
    List<RowData> rows = rows(seed, 20);
    ArrowDecoder decoder = new ArrowDecoder(WRITTEN, ArrowLimits.OF_RECORDS);
    List<RowData> kept = new ArrayList<>();
    List<RowData> copies = new ArrayList<>();
    RowDataSerializer serializer = new RowDataSerializer(WRITTEN);
    decoder
        .decode(stream(rows, ArrowCompression.ZSTD, 7))
        .forEach(
            row -> {
              kept.add(row);
              copies.add(serializer.copy(row));
            });
    assertThat(decoder.decode(stream(rows(seed + 1, 20), ArrowCompression.NONE, 20)).rows())
        .isEqualTo(20);
    assertThat(RowText.of(kept, WRITTEN)).isEqualTo(RowText.of(rows, WRITTEN));
    assertThat(RowText.of(copies, WRITTEN)).isEqualTo(RowText.of(rows, WRITTEN));
  }

  /** Arrow's Java library reads the stream, writes what it read, and frees all of its memory. */
  @ParameterizedTest
  @EnumSource(ArrowCompression.class)
  void arrowsJavaLibraryReadsAndWritesTheSame(ArrowCompression compression) throws IOException {
    List<RowData> rows = rows(7, 100);
    byte[] written = stream(rows, compression, 30);
    ByteArrayOutputStream again = new ByteArrayOutputStream();
    try (RootAllocator allocator = new RootAllocator(64 << 20)) {
      try (ArrowStreamReader reader =
          new ArrowStreamReader(
              new ByteArrayInputStream(written), allocator, CommonsCompressionFactory.INSTANCE)) {
        VectorSchemaRoot root = reader.getVectorSchemaRoot();
        assertThat(root.getSchema().toString())
            .isEqualTo(
                "Schema<bool: Bool, tiny: Int(8, true), small: Int(16, true), int: Int(32, true), "
                    + "big: Int(64, true) not null, float: FloatingPoint(SINGLE), "
                    + "double: FloatingPoint(DOUBLE), decimal9: Decimal(9, 2, 128), "
                    + "decimal38: Decimal(38, 10, 128), char: Utf8, text: Utf8, bytes: Binary, "
                    + "fixed: FixedSizeBinary(3), date: Date(DAY), time: Time(MILLISECOND, 32), "
                    + "ts0: Timestamp(SECOND, null), ts3: Timestamp(MILLISECOND, null), "
                    + "ts6: Timestamp(MICROSECOND, null), ts9: Timestamp(NANOSECOND, null), "
                    + "ltz3: Timestamp(MILLISECOND, UTC), ltz6: Timestamp(MICROSECOND, UTC), "
                    + "list: List<item: Utf8>, lists: List<item: List<item: "
                    + "FloatingPoint(DOUBLE)>>, map: Map(false)<entries: Struct<key: Utf8 not "
                    + "null, value: Int(32, true)> not null>, row: Struct<a: Int(64, true), "
                    + "b: Struct<c: Utf8>>, rows: List<item: Struct<x: Decimal(20, 0, 128)>>>");
        try (ArrowStreamWriter writer = new ArrowStreamWriter(root, null, again)) {
          writer.start();
          int read = 0;
          while (reader.loadNextBatch()) {
            for (int i = 0; i < root.getRowCount(); i++) {
              assertThat(text(root.getVector("text").getObject(i)))
                  .isEqualTo(RowText.of(rows.get(read + i), WRITTEN).get(10));
              assertThat(text(root.getVector("decimal38").getObject(i)))
                  .isEqualTo(RowText.of(rows.get(read + i), WRITTEN).get(8));
            }
            read += root.getRowCount();
            writer.writeBatch();
          }
          assertThat(read).isEqualTo(100);
        }
      }
      assertThat(allocator.getAllocatedMemory()).isZero();
    }
    assertThat(decode(again.toByteArray(), WRITTEN)).isEqualTo(RowText.of(rows, WRITTEN));
  }

  private static String text(Object value) {
    return value instanceof BigDecimal decimal
        ? decimal.toPlainString()
        : value == null ? null : value.toString();
  }

  @Test
  void aRowOfOneRecordHasItsSchemaWithIt() {
    ArrowRowSerializer serializer = new ArrowRowSerializer(WRITTEN, ArrowCompression.NONE);
    for (RowData row : rows(3, 5)) {
      assertThat(decode(serializer.serialize(row), WRITTEN))
          .containsExactly(RowText.of(row, WRITTEN));
    }
  }

  @Test
  void valuesThatDoNotFitAreNamed() {
    RowType type =
        Fixtures.rowType(
            DataTypes.ROW(
                DataTypes.FIELD("ts", DataTypes.TIMESTAMP(9)),
                DataTypes.FIELD("id", DataTypes.BINARY(2)),
                DataTypes.FIELD("n", DataTypes.INT().notNull())));
    TimestampData year3000 = TimestampData.fromEpochMillis(32_503_680_000_000L);
    byte[] two = {1, 2};
    assertThatThrownBy(
            () ->
                new ArrowEncoder(type, ArrowCompression.NONE)
                    .add(GenericRowData.of(year3000, two, 1)))
        .hasMessage("column 'ts': 3000-01-01T00:00 is out of the range of a timestamp in ns");
    assertThatThrownBy(
            () ->
                new ArrowEncoder(type, ArrowCompression.NONE)
                    .add(GenericRowData.of(null, new byte[3], 1)))
        .hasMessage("column 'id': 3 bytes, not 2");
    assertThatThrownBy(
            () ->
                new ArrowEncoder(type, ArrowCompression.NONE)
                    .add(GenericRowData.of(null, two, null)))
        .hasMessage("column 'n' is NOT NULL, and a value is null");
  }

  @Test
  void typesThatArrowHasNotAreRefused() {
    RowType type =
        Fixtures.rowType(
            DataTypes.ROW(
                DataTypes.FIELD("m", DataTypes.ARRAY(DataTypes.MULTISET(DataTypes.INT())))));
    assertThatThrownBy(() -> new ArrowEncoder(type, ArrowCompression.NONE))
        .isInstanceOf(ValidationException.class)
        .hasMessage("column 'm[]' is MULTISET<INT>, which the format arrow has not");
  }

  @Test
  void anEmptyMapIsNotNull() {
    RowType type =
        Fixtures.rowType(
            DataTypes.ROW(
                DataTypes.FIELD("m", DataTypes.MAP(DataTypes.STRING(), DataTypes.INT()))));
    ArrowEncoder encoder = new ArrowEncoder(type, ArrowCompression.LZ4);
    encoder.add(GenericRowData.of(new GenericMapData(new HashMap<>())));
    encoder.add(GenericRowData.of((Object) null));
    assertThat(decode(encoder.toStream(), type))
        .containsExactly(List.of(List.of()), Arrays.asList((Object) null));
  }
}

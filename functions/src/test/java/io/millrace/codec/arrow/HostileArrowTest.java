package io.millrace.codec.arrow;

import static io.millrace.codec.arrow.Fixtures.ALL_TYPES;
import static io.millrace.codec.arrow.Fixtures.DICTIONARIES;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.arrow.ArrowDecoder.Decoded;
import io.millrace.codec.arrow.ArrowRejection.Reason;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.utils.LogicalTypeParser;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** No bytes crash the decoder, hang it, or make it allocate what they say. */
class HostileArrowTest {
  private static final ArrowLimits LIMITS = ArrowLimits.OF_RECORDS;
  private static final ArrowLimits SMALL = new ArrowLimits(1 << 20, 1 << 20, 16, 200, 2000);
  private static final com.sun.management.ThreadMXBean THREADS =
      (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static final RowType TEXT =
      Fixtures.rowType(
          DataTypes.ROW(
              DataTypes.FIELD("n", DataTypes.BIGINT()), DataTypes.FIELD("s", DataTypes.STRING())));

  private static RowType typeOf(String file) {
    return file.startsWith("dict")
        ? DICTIONARIES
        : file.startsWith("events") ? Fixtures.EVENTS : ALL_TYPES;
  }

  /** Decodes, and looks at every value of what was accepted. */
  private static Decoded decodeAndRead(ArrowDecoder decoder, byte[] record, RowType type) {
    Decoded decoded = decoder.decode(record);
    if (decoded.rejection() == null) {
      List<RowData> rows = new ArrayList<>();
      decoded.forEach(rows::add);
      assertThat(RowText.of(rows, type)).hasSize(decoded.rows());
    } else {
      assertThat(decoded.batches()).isEmpty();
      assertThat(decoded.rejection().detail()).isNotBlank().doesNotContain("\n");
    }
    return decoded;
  }

  private static byte[] textStream(int rows) {
    ArrowEncoder encoder = new ArrowEncoder(TEXT, ArrowCompression.NONE);
    for (int i = 0; i < rows; i++) {
      encoder.add(GenericRowData.of((long) i, StringData.fromString("text " + i)));
    }
    return encoder.toStream();
  }

  private static ArrowRejection rejection(byte[] record, RowType type, ArrowLimits limits) {
    Decoded decoded = decodeAndRead(new ArrowDecoder(type, limits), record, type);
    assertThat(decoded.rejection()).isNotNull();
    return decoded.rejection();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "all_types",
        "all_types_zstd",
        "all_types_lz4",
        "all_types_legacy",
        "dictionaries"
      })
  void aRecordThatIsCutAnywhereIsMalformed(String file) throws IOException {
    byte[] whole = Fixtures.bytes(file + ".arrows");
    RowType type = typeOf(file);
    ArrowDecoder decoder = new ArrowDecoder(type, LIMITS);
    assertThat(decodeAndRead(decoder, whole, type).rejection()).isNull();
    for (int length = 0; length < whole.length; length++) {
      Decoded decoded = decodeAndRead(decoder, Arrays.copyOf(whole, length), type);
      assertThat(decoded.rejection()).as("cut after %d bytes", length).isNotNull();
      assertThat(decoded.rejection().reason()).isEqualTo(Reason.MALFORMED);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "all_types, 5000",
    "all_types_zstd, 3000",
    "all_types_lz4, 3000",
    "all_types_batches, 2000",
    "dictionaries, 10000",
    "dictionaries_zstd, 5000",
    "events_lz4, 300"
  })
  void flippedBitsNeverCrash(String file, int tries) throws IOException {
    byte[] whole = Fixtures.bytes(file + ".arrows");
    RowType type = typeOf(file);
    Random random = new Random(file.hashCode());
    int rejected = 0;
    long begin = System.nanoTime();
    for (int i = 0; i < tries; i++) {
      byte[] record = whole.clone();
      for (int flips = random.nextInt(3); flips >= 0; flips--) {
        record[random.nextInt(record.length)] ^= (byte) (1 << random.nextInt(8));
      }
      ArrowDecoder decoder = new ArrowDecoder(type, SMALL);
      rejected += decodeAndRead(decoder, record, type).rejection() == null ? 0 : 1;
    }
    assertThat(rejected).isGreaterThan(tries / 20);
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofMinutes(2));
  }

  @Test
  void randomBytesAreMalformed() {
    Random random = new Random(1);
    ArrowDecoder decoder = new ArrowDecoder(TEXT, LIMITS);
    for (int i = 0; i < 20_000; i++) {
      byte[] record = new byte[random.nextInt(300)];
      random.nextBytes(record);
      if (record.length > 8 && i % 2 == 0) {
        Slice.putInt(record, 0, IpcMessage.CONTINUATION);
        Slice.putInt(record, 4, record.length - 8);
      }
      assertThat(decodeAndRead(decoder, record, TEXT).rejection()).isNotNull();
    }
  }

  /** Every 4 bytes of a stream, one after the other, say the largest and the smallest numbers. */
  @ParameterizedTest
  @ValueSource(ints = {Integer.MAX_VALUE, Integer.MIN_VALUE, 0x10000000})
  void hugeLengthsAllocateNothing(int length) throws IOException {
    for (String file : List.of("all_types", "dictionaries_zstd")) {
      byte[] whole = Fixtures.bytes(file + ".arrows");
      RowType type = typeOf(file);
      for (int at = 0; at + 4 <= whole.length; at += 4) {
        byte[] record = whole.clone();
        Slice.putInt(record, at, length);
        long before = THREADS.getCurrentThreadAllocatedBytes();
        decodeAndRead(new ArrowDecoder(type, SMALL), record, type);
        assertThat(THREADS.getCurrentThreadAllocatedBytes() - before)
            .as("bytes allocated for %d at %d of %s", length, at, file)
            .isLessThan(8 << 20);
      }
    }
  }

  @Test
  void theRestOfADecoderIsSoundAfterARejection() {
    ArrowDecoder decoder = new ArrowDecoder(TEXT, LIMITS);
    byte[] good = textStream(3);
    assertThat(decoder.decode(good).rows()).isEqualTo(3);
    byte[] cut = Arrays.copyOf(good, good.length - 1);
    assertThat(decoder.decode(cut).rejection()).isNotNull();
    assertThat(decoder.decode(good).rows()).isEqualTo(3);
  }

  @Test
  void messagesTellWhatWasFound() throws IOException {
    byte[] good = textStream(3);
    assertThat(rejection(null, TEXT, LIMITS)).hasToString("null_value: the record has no value");
    assertThat(rejection(new byte[0], TEXT, LIMITS))
        .hasToString(
            "malformed_arrow: truncated: the next message, or the mark of the stream's end, needs"
                + " 4 bytes at 0 of 0");
    assertThat(rejection(Arrays.copyOf(good, good.length - 8), TEXT, LIMITS).detail())
        .startsWith("truncated: the next message, or the mark of the stream's end, needs 4 bytes");
    assertThat(rejection(Arrays.copyOf(good, good.length + 5), TEXT, LIMITS))
        .hasToString("malformed_arrow: 5 bytes after the end of the stream");
    assertThat(rejection(Fixtures.bytes("all_types_file.arrow"), ALL_TYPES, LIMITS))
        .hasToString("malformed_arrow: an Arrow file, where a stream is expected");
    assertThat(
            rejection("{\"n\": 1, \"s\": \"json\"}".getBytes(StandardCharsets.UTF_8), TEXT, LIMITS)
                .detail())
        .startsWith("truncated: a message needs");
  }

  @Test
  void limitsAreHeld() throws IOException {
    byte[] hundred = textStream(100);
    assertThat(rejection(hundred, TEXT, new ArrowLimits(1000, 1000, 32, 100, 1000)))
        .hasToString("too_large: " + hundred.length + " bytes, at most 1000 are read");
    assertThat(rejection(hundred, TEXT, new ArrowLimits(1 << 20, 1000, 32, 100, 99)))
        .hasToString("too_large: a batch of 100 rows, at most 99 are read");
    assertThat(rejection(hundred, TEXT, new ArrowLimits(1 << 20, 1000, 32, 1, 100)))
        .hasToString("too_large: more than 1 fields in the schema");
    byte[] batches = Fixtures.bytes("all_types_batches.arrows");
    assertThat(rejection(batches, ALL_TYPES, new ArrowLimits(1 << 20, 1000, 32, 200, 6)))
        .hasToString("too_large: more than 6 rows in a record");
    assertThat(rejection(batches, ALL_TYPES, new ArrowLimits(1 << 20, 1000, 2, 200, 100)))
        .hasToString("too_deep: a column is nested deeper than 2 levels");
    byte[] zstd = Fixtures.bytes("events_zstd.arrows");
    assertThat(rejection(zstd, Fixtures.EVENTS, new ArrowLimits(1 << 20, 100_000, 32, 200, 5000)))
        .hasToString("too_large: the compressed buffers come to more than 100000 bytes");
  }

  @Test
  void aColumnThatNobodyWantsIsNotDecompressed() throws IOException {
    RowType ids = Fixtures.rowType(DataTypes.ROW(DataTypes.FIELD("amount", DataTypes.DOUBLE())));
    ArrowLimits limits = new ArrowLimits(1 << 20, 20_000, 32, 200, 5000);
    Decoded decoded = new ArrowDecoder(ids, limits).decode(Fixtures.bytes("events_zstd.arrows"));
    assertThat(decoded.rejection()).isNull();
    assertThat(decoded.rows()).isEqualTo(1600);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "int32   | STRING  | column 'int32' is Int32, which cannot be read as STRING, but as INT",
        "int64   | INT     | column 'int64' is Int64, which cannot be read as INT, but as BIGINT",
        "uint8   | TINYINT | column 'uint8' is UInt8, which cannot be read as TINYINT, but as SMALLINT",
        "uint64  | BIGINT  | column 'uint64' is UInt64, which cannot be read as BIGINT, but as DECIMAL(20, 0)",
        "double  | FLOAT   | column 'double' is Float64, which cannot be read as FLOAT, but as DOUBLE",
        "text    | BYTES   | column 'text' is Utf8, which cannot be read as BYTES, but as STRING",
        "ts_ns   | TIMESTAMP(6) | column 'ts_ns' is Timestamp(ns, without zone), which cannot be read as TIMESTAMP(6), but as TIMESTAMP(9)",
        "tz_ms   | TIMESTAMP(3) | column 'tz_ms' is Timestamp(ms, with zone), which cannot be read as TIMESTAMP(3), but as TIMESTAMP_LTZ(3)",
        "decimal9 | DECIMAL(8, 2) | column 'decimal9' is Decimal128(9, 2), which cannot be read as DECIMAL(8, 2), but as DECIMAL(9, 2)",
        "list    | ARRAY<STRING> | column 'list[]' is Int32, which cannot be read as STRING, but as INT",
        "fixed   | BINARY(3) | column 'fixed' is FixedSizeBinary(4), which cannot be read as BINARY(3), but as BINARY(4)",
      })
  void aTypeThatDoesNotFitIsNamedOnce(String column, String type, String message)
      throws IOException {
    RowType row =
        new RowType(
            List.of(
                new RowType.RowField(
                    column,
                    LogicalTypeParser.parse(type, HostileArrowTest.class.getClassLoader()))));
    ArrowRejection rejection = rejection(Fixtures.bytes("all_types.arrows"), row, LIMITS);
    assertThat(rejection.reason()).isEqualTo(Reason.BAD_TYPE);
    assertThat(
            rejection
                .detail()
                .replace("VARCHAR(2147483647)", "STRING")
                .replace("VARBINARY(2147483647)", "BYTES"))
        .isEqualTo(message);
  }

  @Test
  void nullsInNotNullColumnsAreRejected() throws IOException {
    byte[] record = Fixtures.bytes("all_types.arrows");
    RowType absent =
        Fixtures.rowType(DataTypes.ROW(DataTypes.FIELD("absent", DataTypes.INT().notNull())));
    assertThat(rejection(record, absent, LIMITS))
        .hasToString("bad_type: column 'absent' is NOT NULL, and the data have no such column");
    RowType nulls =
        Fixtures.rowType(DataTypes.ROW(DataTypes.FIELD("int8", DataTypes.TINYINT().notNull())));
    assertThat(rejection(record, nulls, LIMITS))
        .hasToString("bad_type: column 'int8' is NOT NULL, and value 1 is null");
    RowType encoded =
        Fixtures.rowType(DataTypes.ROW(DataTypes.FIELD("colour", DataTypes.STRING().notNull())));
    assertThat(rejection(Fixtures.bytes("dictionaries.arrows"), encoded, LIMITS))
        .hasToString("bad_type: column 'colour' is NOT NULL, and value 1 is null");
    RowType inner =
        Fixtures.rowType(
            DataTypes.ROW(
                DataTypes.FIELD(
                    "list_of_struct",
                    DataTypes.ARRAY(
                        DataTypes.ROW(DataTypes.FIELD("x", DataTypes.DOUBLE().notNull()))))));
    // The struct of the first list that is null has a null there too, which no row shows.
    assertThat(rejection(record, inner, LIMITS))
        .hasToString("bad_type: column 'list_of_struct[].x' is NOT NULL, and value 2 is null");
  }
}

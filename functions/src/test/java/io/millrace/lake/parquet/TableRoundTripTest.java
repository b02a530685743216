package io.millrace.lake.parquet;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.event.Anomaly;
import io.millrace.event.AppEvent;
import io.millrace.event.DeadLetter;
import io.millrace.event.Device;
import io.millrace.event.Dimensions;
import io.millrace.event.Event;
import io.millrace.event.Geo;
import io.millrace.event.Header;
import io.millrace.event.LedgerEntry;
import io.millrace.event.Origin;
import io.millrace.event.Received;
import io.millrace.event.RejectReason;
import io.millrace.event.Rejection;
import io.millrace.lake.parquet.RawEventReader.RawRecord;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What another reader finds in the files of every table. */
class TableRoundTripTest {
  private static final long T = 1_767_225_600_123L; // 2026-01-01T00:00:00.123Z
  private static final int TEN_MB = 10 << 20;
  private static final Origin ORIGIN = new Origin("session", 3, 41, T + 1, T + 2);

  @TempDir Path dir;

  private static AppEvent full() {
    Map<String, String> properties = new LinkedHashMap<>();
    properties.put("größe", "naïve 😀");
    properties.put("empty", "");
    Event event =
        new Event(
            "e-1",
            "użytkownik",
            "s-1",
            "install",
            T,
            T + 3,
            new Device("phone", "17.1", "2.0"),
            new Geo("DE", "Bayern", "München"),
            properties,
            new Dimensions("handheld", "acme", "Deutschland", "emea", "v7"),
            ORIGIN);
    return new AppEvent(event, true, true);
  }

  private static AppEvent bare() {
    Event event =
        new Event(
            "e-2",
            "u-2",
            null,
            "custom",
            0L,
            Origin.NO_TIME,
            Device.UNKNOWN,
            Geo.UNKNOWN,
            Map.of(),
            Dimensions.NONE,
            new Origin("install", 0, 0, Origin.NO_TIME, T));
    return new AppEvent(event, false, false);
  }

  @Test
  void anEventKeepsEveryColumn() throws Exception {
    Path file = ParquetFiles.write(dir.resolve("f"), new AppEventTable(), List.of(full(), bare()));
    assertThat(
            ParquetFiles.query(
                file,
                "select event_id, user_id, session_id, event_type, epoch_ms(timestamp),"
                    + " epoch_ms(received_at), epoch_ms(kafka_timestamp), epoch_ms(ingested_at),"
                    + " device_type, os_version, app_version, country, region, city,"
                    + " properties::varchar, late, dedup_checked, dim_device_class,"
                    + " dim_device_vendor, dim_country_name, dim_market, dim_version, topic,"
                    + " kafka_partition, kafka_offset from %s"))
        .containsExactly(
            "e-1|użytkownik|s-1|install|1767225600123|1767225600126|1767225600124|1767225600125|"
                + "phone|17.1|2.0|DE|Bayern|München|{größe=naïve 😀, empty=''}|true|true|handheld|"
                + "acme|Deutschland|emea|v7|session|3|41",
            "e-2|u-2|null|custom|0|null|null|1767225600123|"
                + "null|null|null|null|null|null|{}|false|false|null|"
                + "null|null|null|null|install|0|0");
  }

  @Test
  void timestampsAreInstants() throws Exception {
    Path file = ParquetFiles.write(dir.resolve("f"), new AppEventTable(), List.of(full()));
    assertThat(ParquetFiles.query(file, "select typeof(timestamp), timestamp::varchar from %s"))
        .containsExactly("TIMESTAMP WITH TIME ZONE|2026-01-01 00:00:00.123+00");
  }

  @Test
  void aRawRecordKeepsItsBytes() throws Exception {
    byte[] allBytes = new byte[256];
    for (int i = 0; i < allBytes.length; i++) {
      allBytes[i] = (byte) i;
    }
    byte[] huge = new byte[TEN_MB];
    Arrays.fill(huge, (byte) 'x');
    Rejection tooLarge = new Rejection(RejectReason.TOO_LARGE, "", "10485760 bytes");
    List<Received> rows =
        List.of(
            new Received(
                ORIGIN,
                "k".getBytes(UTF_8),
                List.of(
                    new Header("trace", allBytes),
                    new Header("trace", null),
                    new Header("", new byte[0])),
                allBytes,
                T,
                full().event(),
                List.of()),
            new Received(ORIGIN, null, List.of(), null, T, null, List.of(tooLarge)),
            new Received(ORIGIN, new byte[0], List.of(), huge, T, null, List.of(tooLarge)));
    Path file = ParquetFiles.write(dir.resolve("f"), new RawEventTable(), rows);
    assertThat(
            ParquetFiles.query(
                file,
                "select topic, kafka_partition, kafka_offset, epoch_ms(kafka_timestamp),"
                    + " epoch_ms(ingested_at), hex(key),"
                    + " list_transform(headers, h -> h.key || '=' ||"
                    + " coalesce(md5(h.value), 'null'))::varchar,"
                    + " octet_length(value), md5(value), accepted from %s"))
        .containsExactly(
            "session|3|41|1767225600124|1767225600125|6B|['trace=e2c865db4162bed963bfaa9ef6ac18f0',"
                + " 'trace=null', '=d41d8cd98f00b204e9800998ecf8427e']|256|"
                + "e2c865db4162bed963bfaa9ef6ac18f0|true",
            "session|3|41|1767225600124|1767225600125|null|[]|null|null|false",
            "session|3|41|1767225600124|1767225600125||[]|10485760|"
                + "46f40f95feefb6ab49b2b3679b5ec0a2|false");

    try (RawEventReader reader =
        new RawEventReader(new org.apache.flink.core.fs.Path(file.toUri()))) {
      for (Received row : rows) {
        RawRecord read = reader.next();
        assertThat(read.origin()).isEqualTo(ORIGIN);
        assertThat(read.key()).isEqualTo(row.key());
        assertThat(read.value()).isEqualTo(row.value());
        assertThat(read.headers())
            .usingRecursiveFieldByFieldElementComparator()
            .isEqualTo(row.headers());
      }
      assertThat(reader.next()).isNull();
    }
  }

  @Test
  void whatABackfillAsksOfAFileIsThere() throws Exception {
    org.apache.flink.core.fs.Path file =
        new org.apache.flink.core.fs.Path(
            ParquetFiles.write(dir.resolve("f"), new AppEventTable(), List.of(full(), bare()))
                .toUri());
    Map<String, Long> times = new LinkedHashMap<>();
    UserTimes.read(file, times::put);
    assertThat(times).isEqualTo(Map.of("użytkownik", T, "u-2", bare().event().timestamp()));
    assertThat(ParquetFooter.read(file).sourceOffsets())
        .containsEntry("session-3", new OffsetRange(41, 41));
  }

  @Test
  void aDeadLetterTellsEveryReason() throws Exception {
    List<Rejection> reasons =
        List.of(
            new Rejection(RejectReason.MISSING_FIELD, "event_id", "event_id is missing"),
            new Rejection(RejectReason.BAD_TYPE, "geo_location.country", "número, not a string"));
    List<DeadLetter> rows =
        List.of(
            new DeadLetter(
                ORIGIN,
                T,
                reasons,
                "u".getBytes(UTF_8),
                List.of(new Header("h", "v".getBytes(UTF_8))),
                "{\"größe\":1}".getBytes(UTF_8),
                "0.1.0",
                2),
            new DeadLetter(
                ORIGIN,
                0,
                List.of(new Rejection(RejectReason.NOT_UTF8, "", "byte 1")),
                null,
                List.of(),
                new byte[] {'a', (byte) 0xC3},
                "0.1.0",
                1),
            new DeadLetter(
                ORIGIN,
                0,
                List.of(new Rejection(RejectReason.NULL_VALUE, "", "tombstone")),
                null,
                List.of(),
                null,
                "0.1.0",
                1));
    Path file = ParquetFiles.write(dir.resolve("f"), new DeadLetterTable(), rows);
    assertThat(
            ParquetFiles.query(
                file,
                "select topic, kafka_offset, list_transform(reasons, r -> r.code || ':' || r.field"
                    + " || ':' || r.message)::varchar, reason, raw, raw_encoding, raw_size,"
                    + " raw_sha256, hex(key), len(headers), job_version, attempt from %s"))
        .containsExactly(
            "session|41|['missing_field:event_id:event_id is missing',"
                + " 'bad_type:geo_location.country:número, not a string']|missing_field|"
                + "{\"größe\":1}|utf8|13|"
                + "6f34e501b530fbb6e73bdd37ed8548b50af606ce49cf391379afc26bd0069be0|75|1|0.1.0|2",
            "session|41|['not_utf8::byte 1']|not_utf8|YcM=|base64|2|"
                + "7217e62bfcb0766e8cf1925411011bf777f48d9809bd30a7d7d4287a6daf9f78|null|0|0.1.0|1",
            "session|41|['null_value::tombstone']|null_value|null|null|null|null|null|0|0.1.0|1");
  }

  @Test
  void aLedgerEntryKeepsItsCounts() throws Exception {
    List<LedgerEntry> rows =
        List.of(
            new LedgerEntry("run-1", "streaming", 7, "install", 0, 10, 7, 2, 1, 3),
            new LedgerEntry("run-1", "bounded", -1, "session", 3_600_000L, 1, 1, 0, 0, 0));
    Path file = ParquetFiles.write(dir.resolve("f"), new LedgerTable(), rows);
    assertThat(
            ParquetFiles.query(
                file,
                "select run_id, mode, checkpoint, topic, epoch_ms(hour_start), received, accepted,"
                    + " rejected, duplicates, late from %s"))
        .containsExactly(
            "run-1|streaming|7|install|0|10|7|2|1|3", "run-1|bounded|-1|session|3600000|1|1|0|0|0");
  }

  private static Anomaly anomaly(List<String> labels, double observed, Anomaly.State state) {
    return new Anomaly(
        "a-1",
        "error_rate",
        labels,
        7_200_000L,
        10_800_000L,
        observed,
        0.25,
        0.75,
        Anomaly.Severity.CRITICAL,
        Anomaly.Direction.SPIKE,
        state,
        3_600_000L,
        2);
  }

  @Test
  void anAnomalyKeepsItsAlert() throws Exception {
    List<Anomaly> rows =
        List.of(
            anomaly(List.of("country=DE", "device_type=phone"), 0.8, Anomaly.State.FIRING),
            anomaly(List.of(), Double.NaN, Anomaly.State.RESOLVED));
    Path file = ParquetFiles.write(dir.resolve("f"), new AnomalyTable(), rows);
    assertThat(
            ParquetFiles.query(
                file,
                "select alert_id, metric, cell, epoch_ms(window_start), epoch_ms(window_end),"
                    + " observed, expected, score, severity, direction, state,"
                    + " epoch_ms(opened_at), windows_firing from %s"))
        .containsExactly(
            "a-1|error_rate|country=DE,device_type=phone|7200000|10800000|0.8|0.25|0.75|critical|"
                + "spike|firing|3600000|2",
            "a-1|error_rate||7200000|10800000|null|0.25|0.75|critical|spike|resolved|3600000|2");
    assertThat(new AnomalyTable().partitionTime(rows.get(0))).isEqualTo(7_200_000L);
  }

  @Test
  void rowsFallIntoTheirHours() {
    assertThat(new AppEventTable().partitionTime(full())).isEqualTo(T);
    assertThat(new LedgerTable().partitionTime(new LedgerEntry("r", "m", 1, "t", 5, 0, 0, 0, 0, 0)))
        .isEqualTo(5);
  }
}

package io.millrace.validation;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.json.JsonEventDecoder;
import io.millrace.codec.json.JsonEventDecoder.Limits;
import io.millrace.event.Event;
import io.millrace.event.Header;
import io.millrace.event.Origin;
import io.millrace.event.Received;
import io.millrace.event.RejectReason;
import io.millrace.event.Rejection;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.annotation.Nullable;
import org.apache.flink.util.InstantiationUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every rule of validation, on both sides of its boundary. */
class ValidateTest {
  private static final long T = 1_767_608_130_000L; // 2026-01-05T10:15:30Z
  private static final long MINUTE = 60_000L;
  private static final String AHEAD = " is more than PT10M ahead of ";
  private static final int MAX_RECORD = 16_384;

  private static final ValidationRules RULES =
      new ValidationRules(
          MAX_RECORD,
          128,
          256,
          Duration.ofMinutes(10),
          Duration.ofDays(30),
          Map.of("install", Set.of("install"), "session", Set.of("session_start", "session_end")));
  private static final JsonEventDecoder DECODER =
      new JsonEventDecoder(new Limits(MAX_RECORD, 32, 64, 1024, 128, true));

  private static final Origin KAFKA = new Origin("events", 1, 2, T, T + 5);
  private static final Origin BOUNDED = new Origin("events", 0, 2, Origin.NO_TIME, T + 5);

  /** One rule: a record just within it, and one just beyond. */
  private record Case(
      RejectReason reason,
      String name,
      Origin origin,
      @Nullable byte[] accepted,
      @Nullable byte[] rejected,
      String field,
      String message) {
    @Override
    public String toString() {
      return reason.code() + ": " + name;
    }
  }

  private static Validate validate() {
    return new Validate(RULES, DECODER);
  }

  private static Received judge(Origin origin, @Nullable byte[] value) {
    return validate().validate(origin, null, List.of(), value);
  }

  private static Received judge(Origin origin, String value) {
    return judge(origin, bytes(value));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** A valid event with some fields set to other JSON; null leaves a field out. */
  private static String event(String... fieldsAndJson) {
    Map<String, String> fields = new LinkedHashMap<>();
    fields.put("event_id", "\"e\"");
    fields.put("user_id", "\"u\"");
    fields.put("event_type", "\"t\"");
    fields.put("timestamp", Long.toString(T));
    for (int i = 0; i < fieldsAndJson.length; i += 2) {
      fields.put(fieldsAndJson[i], fieldsAndJson[i + 1]);
    }
    return fields.entrySet().stream()
        .filter(f -> f.getValue() != null)
        .map(f -> "\"" + f.getKey() + "\":" + f.getValue())
        .collect(Collectors.joining(",", "{", "}"));
  }

  private static String quoted(int length) {
    return "\"" + "x".repeat(length) + "\"";
  }

  private static String properties(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> "\"p" + i + "\":\"v\"")
        .collect(Collectors.joining(",", "{", "}"));
  }

  private static byte[] padded(int size) {
    byte[] json = bytes(event());
    byte[] padded = Arrays.copyOf(json, size);
    Arrays.fill(padded, json.length, size, (byte) ' ');
    return padded;
  }

  private static Case on(
      RejectReason reason, String field, String accepted, String rejected, String message) {
    return new Case(
        reason,
        field.isEmpty() ? message : field,
        KAFKA,
        bytes(accepted),
        bytes(rejected),
        field,
        message);
  }

  private static Case tooLong(String field, int max) {
    int dot = field.indexOf('.');
    String top = dot < 0 ? field : field.substring(0, dot);
    String start = dot < 0 ? "" : "{\"" + field.substring(dot + 1) + "\":";
    String end = dot < 0 ? "" : "}";
    return on(
        RejectReason.FIELD_TOO_LONG,
        field,
        event(top, start + quoted(max) + end),
        event(top, start + quoted(max + 1) + end),
        (max + 1) + " characters, at most " + max + " are allowed");
  }

  private static Stream<Case> missing(String field, String valid, boolean isText) {
    Stream<Case> absent =
        Stream.of(null, "null")
            .map(
                json ->
                    on(
                        RejectReason.MISSING_FIELD,
                        field,
                        event(field, valid),
                        event(field, json),
                        "is required"));
    return isText
        ? Stream.concat(
            absent,
            Stream.of(
                on(
                    RejectReason.MISSING_FIELD,
                    field,
                    event(field, "\"y\""),
                    event(field, "\"\""),
                    "is empty")))
        : absent;
  }

  static Stream<Case> cases() {
    Stream<Case> whole =
        Stream.of(
            new Case(
                RejectReason.NULL_VALUE,
                "a tombstone",
                KAFKA,
                bytes(event()),
                null,
                "",
                "the record has no value"),
            new Case(
                RejectReason.TOO_LARGE,
                "one byte more",
                KAFKA,
                padded(MAX_RECORD),
                padded(MAX_RECORD + 1),
                "",
                "16385 bytes, at most 16384 are allowed"),
            new Case(
                RejectReason.NOT_UTF8,
                "a Latin-1 letter",
                KAFKA,
                bytes(event("user_id", "\"é\"")),
                event("user_id", "\"é\"").getBytes(StandardCharsets.ISO_8859_1),
                "",
                "byte 27 of 73 is not UTF-8"),
            on(
                RejectReason.NOT_UTF8,
                "user_id",
                event("user_id", "\"\\ud83d\\ude00\""),
                event("user_id", "\"\\ud83d\""),
                "the text has an escaped half of a surrogate pair"),
            on(
                RejectReason.MALFORMED_JSON,
                "",
                event(),
                event() + ",",
                "Unexpected character (',' (code 44)): expected a value (byte 73)"),
            on(
                RejectReason.TOO_DEEP,
                "",
                event("x", "[".repeat(31) + "]".repeat(31)),
                event("x", "[".repeat(32) + "]".repeat(32)),
                "nested deeper than 32 levels"),
            on(
                RejectReason.TOO_MANY_PROPERTIES,
                "properties",
                event("properties", properties(64)),
                event("properties", properties(65)),
                "65 properties, at most 64 are allowed"));
    Stream<Case> missing =
        Stream.of(
                missing("event_id", "\"e\"", true),
                missing("user_id", "\"u\"", true),
                missing("event_type", "\"t\"", false),
                missing("timestamp", "" + T, false))
            .flatMap(s -> s);
    Stream<Case> types =
        Stream.of(
                "event_id",
                "user_id",
                "session_id",
                "event_type",
                "device_info.device_type",
                "device_info.os_version",
                "device_info.app_version",
                "geo_location.country",
                "geo_location.region",
                "geo_location.city",
                "properties.p")
            .map(
                field -> {
                  int dot = field.indexOf('.');
                  String top = dot < 0 ? field : field.substring(0, dot);
                  String start = dot < 0 ? "" : "{\"" + field.substring(dot + 1) + "\":";
                  String end = dot < 0 ? "" : "}";
                  return on(
                      RejectReason.BAD_TYPE,
                      field,
                      event(top, start + "\"a\"" + end),
                      event(top, start + "1" + end),
                      "expected a string, found a number");
                });
    Stream<Case> objects =
        Stream.of("device_info", "geo_location", "properties")
            .map(
                field ->
                    on(
                        RejectReason.BAD_TYPE,
                        field,
                        event(field, "{}"),
                        event(field, "[]"),
                        "expected an object, found an array"));
    Stream<Case> lengths =
        Stream.of(
            tooLong("event_id", 128),
            tooLong("user_id", 128),
            tooLong("session_id", 128),
            tooLong("device_info.device_type", 256),
            tooLong("device_info.os_version", 256),
            tooLong("device_info.app_version", 256),
            tooLong("geo_location.country", 256),
            tooLong("geo_location.region", 256),
            tooLong("geo_location.city", 256),
            tooLong("properties.p", 1024),
            on(
                RejectReason.FIELD_TOO_LONG,
                "properties",
                event("properties", "{" + quoted(128) + ":\"v\"}"),
                event("properties", "{" + quoted(129) + ":\"v\"}"),
                "a property name of 129 characters, at most 128"));
    return Stream.of(whole, missing, types, objects, lengths, times(), eventTypes())
        .flatMap(s -> s);
  }

  private static Stream<Case> times() {
    String form = "' is neither ISO-8601 with a zone nor integer epoch milliseconds of 1970..9999";
    return Stream.of(
        on(
            RejectReason.BAD_TIMESTAMP,
            "timestamp",
            event("timestamp", "\"2026-01-05T10:15:30Z\""),
            event("timestamp", "\"2026-01-05T10:15:30\""),
            "'2026-01-05T10:15:30" + form),
        on(
            RejectReason.BAD_TIMESTAMP,
            "timestamp",
            event(),
            event("timestamp", "\"" + T + "\""),
            "'" + T + form),
        on(
            RejectReason.BAD_TIMESTAMP,
            "received_at",
            event("received_at", "0"),
            event("received_at", "-1"),
            "'-1" + form),
        on(
            RejectReason.TIMESTAMP_IN_FUTURE,
            "timestamp",
            event("timestamp", "" + (T + 10 * MINUTE)),
            event("timestamp", "" + (T + 10 * MINUTE + 1)),
            "2026-01-05T10:25:30.001Z" + AHEAD + "2026-01-05T10:15:30Z"),
        new Case(
            RejectReason.TIMESTAMP_IN_FUTURE,
            "ahead of received_at, without a Kafka timestamp",
            BOUNDED,
            bytes(event("timestamp", "" + (T + 10 * MINUTE), "received_at", "" + T)),
            bytes(event("timestamp", "" + (T + 10 * MINUTE + 1), "received_at", "" + T)),
            "timestamp",
            "2026-01-05T10:25:30.001Z" + AHEAD + "2026-01-05T10:15:30Z"),
        on(
            RejectReason.TIMESTAMP_TOO_OLD,
            "timestamp",
            event("timestamp", "" + (T - Duration.ofDays(30).toMillis())),
            event("timestamp", "" + (T - Duration.ofDays(30).toMillis() - 1)),
            "2025-12-06T10:15:29.999Z is more than PT720H behind 2026-01-05T10:15:30Z"));
  }

  private static Stream<Case> eventTypes() {
    String pattern = "' does not match [a-z][a-z0-9_]{0,63}";
    Stream<Case> patterns =
        Stream.of(
                "A",
                "1a",
                "_a",
                "a-b",
                "a b",
                "aB",
                "ä",
                "aé",
                "a\\u0000",
                "a٣",
                "",
                "x".repeat(65))
            .map(
                type ->
                    on(
                        RejectReason.BAD_EVENT_TYPE,
                        "event_type",
                        event("event_type", "\"a1_" + "z".repeat(61) + "\""),
                        event("event_type", "\"" + type + "\""),
                        type.length() > 64
                            ? "'" + "x".repeat(64) + "..." + pattern
                            : "'" + type.replace("\\u0000", "\0") + pattern));
    Origin session = new Origin("session", 1, 2, T, T + 5);
    Stream<Case> topics =
        Stream.of(
            new Case(
                RejectReason.TYPE_NOT_ALLOWED_ON_TOPIC,
                "install on session",
                session,
                bytes(event("event_type", "\"session_end\"")),
                bytes(event("event_type", "\"install\"")),
                "event_type",
                "'install' on topic session, which takes [session_end, session_start]"));
    return Stream.concat(patterns, topics);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void acceptsJustWithinTheRule(Case c) {
    Received received = judge(c.origin(), c.accepted());
    assertThat(received.rejections()).isEmpty();
    assertThat(received.event()).isNotNull();
    assertThat(received.accepted()).isTrue();
    assertThat(received.value()).isSameAs(c.accepted());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void rejectsJustBeyondTheRule(Case c) {
    Received received = judge(c.origin(), c.rejected());
    assertThat(received.rejections())
        .containsExactly(new Rejection(c.reason(), c.field(), c.message()));
    assertThat(received.event()).isNull();
    assertThat(received.value()).isSameAs(c.rejected());
    assertThat(received.origin()).isEqualTo(c.origin());
  }

  @Test
  void everyReasonHasACaseThatRejects() {
    Set<RejectReason> covered = EnumSet.noneOf(RejectReason.class);
    cases()
        .forEach(
            c ->
                judge(c.origin(), c.rejected()).rejections().forEach(r -> covered.add(r.reason())));
    covered.add(aFaultOfOurs().rejections().get(0).reason());
    assertThat(covered).containsExactlyInAnyOrder(RejectReason.values());
  }

  @Test
  void reasonsHaveDistinctStableCodes() {
    assertThat(Stream.of(RejectReason.values()).map(r -> r.code() + " " + r.owner()))
        .containsExactly(
            "null_value PRODUCER",
            "too_large PRODUCER",
            "not_utf8 PRODUCER",
            "malformed_json PRODUCER",
            "too_deep PRODUCER",
            "missing_field PRODUCER",
            "bad_type PRODUCER",
            "bad_timestamp PRODUCER",
            "timestamp_in_future PRODUCER",
            "timestamp_too_old PRODUCER",
            "bad_event_type PRODUCER",
            "type_not_allowed_on_topic PRODUCER",
            "field_too_long PRODUCER",
            "too_many_properties PRODUCER",
            "internal_error MILLRACE");
  }

  private static Received aFaultOfOurs() {
    Validate faulty =
        new Validate(
            RULES,
            (value, draft) -> {
              throw new IllegalStateException("a bug");
            });
    return faulty.validate(KAFKA, bytes("k"), List.of(), bytes(event()));
  }

  @Test
  void aFaultOfOursCostsTheRecordButNotTheJob() {
    Received received = aFaultOfOurs();
    assertThat(received.rejections())
        .containsExactly(
            new Rejection(
                RejectReason.INTERNAL_ERROR, "", "java.lang.IllegalStateException: a bug"));
    assertThat(received.value()).isEqualTo(bytes(event()));
    assertThat(received.ledgerTime()).isEqualTo(T);
  }

  @Test
  void reportsAllReasonsOfOneRecordTogether() {
    Origin ahead = new Origin("session", 1, 2, T + 20 * MINUTE, T);
    String json =
        "{\"event_id\":7,\"user_id\":\"\",\"session_id\":"
            + quoted(129)
            + ",\"event_type\":\"View\",\"timestamp\":\"soon\",\"received_at\":true,"
            + "\"device_info\":{\"os_version\":"
            + quoted(257)
            + "},\"geo_location\":\"DE\",\"properties\":"
            + properties(65)
            + "}";
    assertThat(judge(ahead, json).rejections().stream().map(r -> r.reason() + " " + r.field()))
        .containsExactly(
            "BAD_TYPE event_id",
            "BAD_TIMESTAMP timestamp",
            "BAD_TYPE received_at",
            "BAD_TYPE geo_location",
            "TOO_MANY_PROPERTIES properties",
            "TIMESTAMP_IN_FUTURE ",
            "MISSING_FIELD user_id",
            "FIELD_TOO_LONG session_id",
            "BAD_EVENT_TYPE event_type",
            "FIELD_TOO_LONG device_info.os_version");
    assertThat(judge(KAFKA, "{}").rejections())
        .extracting(Rejection::field)
        .containsExactly("event_id", "user_id", "event_type", "timestamp");
  }

  @Test
  void anUnreadableRecordIsNotBlamedForWhatWasNotRead() {
    assertThat(judge(KAFKA, "{\"user_id\":1,").rejections())
        .extracting(Rejection::reason)
        .containsExactly(RejectReason.BAD_TYPE, RejectReason.MALFORMED_JSON);
  }

  @Test
  void aKafkaTimestampAheadOfTheClockIsRejectedEvenWithoutAValue() {
    Origin atLimit = new Origin("events", 1, 2, T + 10 * MINUTE, T);
    assertThat(judge(atLimit, event()).accepted()).isTrue();
    Origin beyond = new Origin("events", 1, 2, T + 10 * MINUTE + 1, T);
    Rejection ahead =
        new Rejection(
            RejectReason.TIMESTAMP_IN_FUTURE,
            "",
            "the Kafka timestamp 2026-01-05T10:25:30.001Z is more than PT10M ahead of the clock,"
                + " 2026-01-05T10:15:30Z");
    assertThat(judge(beyond, event()).rejections()).containsExactly(ahead);
    assertThat(judge(beyond, (byte[]) null).rejections())
        .containsExactly(
            new Rejection(RejectReason.NULL_VALUE, "", "the record has no value"), ahead);
  }

  @ParameterizedTest
  @ValueSource(longs = {Origin.LAST_TIME + 1, Long.MAX_VALUE})
  void aKafkaTimestampThatNoTableCanHoldStandsInTheMessageAlone(long kafkaTimestamp) {
    Received received = judge(new Origin("events", 1, 2, kafkaTimestamp, T), event());
    assertThat(received.rejections())
        .extracting(Rejection::reason)
        .contains(RejectReason.TIMESTAMP_IN_FUTURE);
    assertThat(received.origin()).isEqualTo(new Origin("events", 1, 2, Origin.NO_TIME, T));
    assertThat(received.ledgerTime()).isEqualTo(T);
    Origin last = new Origin("events", 1, 2, Origin.LAST_TIME, T);
    assertThat(judge(last, event()).origin()).isEqualTo(last);
    assertThat(judge(last, event()).ledgerTime()).isEqualTo(Origin.LAST_TIME);
  }

  @Test
  void withoutAnyReferenceTimeNoEventIsInTheFutureOrTooOld() {
    for (long timestamp : new long[] {0, T + 365L * 24 * 60 * MINUTE, Origin.LAST_TIME}) {
      assertThat(judge(BOUNDED, event("timestamp", "" + timestamp)).accepted()).isTrue();
    }
  }

  @Test
  void theKafkaTimestampIsTheReferenceEvenWhenReceivedAtIsThere() {
    String json = event("timestamp", "" + (T + 11 * MINUTE), "received_at", "" + (T + 11 * MINUTE));
    assertThat(judge(KAFKA, json).rejections())
        .extracting(Rejection::reason)
        .containsExactly(RejectReason.TIMESTAMP_IN_FUTURE);
    assertThat(judge(BOUNDED, json).accepted()).isTrue();
  }

  @Test
  void rulesThatAreOffByDefaultAcceptEverything() {
    Validate defaults = new Validate(ValidationRules.DEFAULTS, DECODER);
    Origin session = new Origin("session", 1, 2, T, T);
    Received received =
        defaults.validate(
            session, null, List.of(), bytes(event("timestamp", "0", "event_type", "\"install\"")));
    assertThat(received.rejections()).isEmpty();
  }

  @Test
  void typesAreCheckedOnlyOnTopicsThatNameThem() {
    Origin install = new Origin("install", 1, 2, T, T);
    assertThat(judge(install, event("event_type", "\"install\"")).accepted()).isTrue();
    assertThat(judge(install, event("event_type", "\"session_start\"")).rejections())
        .extracting(Rejection::message)
        .containsExactly("'session_start' on topic install, which takes [install]");
    assertThat(judge(KAFKA, event("event_type", "\"anything\"")).accepted()).isTrue();
  }

  @Test
  void anEmptySessionIdIsNone() {
    Event event = judge(KAFKA, event("session_id", "\"\"")).event();
    assertThat(event).isNotNull();
    assertThat(event.sessionId()).isNull();
  }

  @Test
  void filesARecordUnderTheFirstTimeItHas() {
    String received = "" + (T + 3);
    assertThat(judge(KAFKA, event("received_at", received)).ledgerTime()).isEqualTo(T);
    assertThat(judge(BOUNDED, event("received_at", received)).ledgerTime()).isEqualTo(T + 3);
    assertThat(judge(BOUNDED, event()).ledgerTime()).isEqualTo(T);

    assertThat(judge(KAFKA, event("received_at", received, "user_id", null)).ledgerTime())
        .isEqualTo(T);
    assertThat(judge(BOUNDED, event("received_at", received, "user_id", null)).ledgerTime())
        .isEqualTo(T + 3);
    assertThat(judge(BOUNDED, event("user_id", null)).ledgerTime()).isEqualTo(T);
    assertThat(judge(BOUNDED, event("timestamp", null)).ledgerTime()).isZero();
    assertThat(judge(BOUNDED, "{").ledgerTime()).isZero();
    assertThat(judge(BOUNDED, (byte[]) null).ledgerTime()).isZero();
    assertThat(judge(KAFKA, (byte[]) null).ledgerTime()).isEqualTo(T);
    assertThat(judge(BOUNDED, "{\"received_at\":" + received + ",").ledgerTime()).isEqualTo(T + 3);
  }

  @Test
  void nothingOfOneRecordStaysForTheNext() {
    Validate validate = validate();
    validate.validate(
        KAFKA, null, List.of(), bytes("{\"event_id\":1,\"properties\":{\"a\":\"b\"},"));
    Received next = validate.validate(KAFKA, null, List.of(), bytes(event()));
    assertThat(next.rejections()).isEmpty();
    assertThat(next.event().properties()).isEmpty();
    Received later =
        validate.validate(KAFKA, null, List.of(), bytes(event("properties", "{\"c\":\"d\"}")));
    assertThat(next.event().properties()).isEmpty();
    assertThat(later.event().properties()).isEqualTo(Map.of("c", "d"));
  }

  @Test
  void keepsKeyAndHeadersAndSurvivesTheJobGraph() throws Exception {
    List<Header> headers = List.of(new Header("h", null));
    byte[] key = bytes("k");
    Validate shipped = InstantiationUtil.clone(validate());
    Received accepted = shipped.validate(KAFKA, key, headers, bytes(event()));
    assertThat(accepted.accepted()).isTrue();
    Received rejected = shipped.validate(KAFKA, key, headers, null);
    for (Received received : List.of(accepted, rejected)) {
      assertThat(received.key()).isSameAs(key);
      assertThat(received.headers()).isSameAs(headers);
    }
  }
}

package io.millrace.codec.json;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.json.JsonEventDecoder.Limits;
import io.millrace.event.Device;
import io.millrace.event.Dimensions;
import io.millrace.event.Event;
import io.millrace.event.EventDraft;
import io.millrace.event.Geo;
import io.millrace.event.Origin;
import io.millrace.event.RejectReason;
import io.millrace.event.Rejection;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.Function;
import org.apache.flink.util.InstantiationUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** From bytes to a draft. */
class JsonEventDecoderTest {
  private static final Limits LIMITS = new Limits(1 << 20, 32, 64, 1024, 128, true);
  private static final Origin ORIGIN =
      new Origin("session", 3, 42, 1_767_608_131_000L, 1_767_608_132_000L);

  private static final Map<String, Function<EventDraft, String>> TEXTS =
      Map.of(
          "event_id", d -> d.eventId,
          "user_id", d -> d.userId,
          "session_id", d -> d.sessionId,
          "event_type", d -> d.eventType,
          "device_info.device_type", d -> d.deviceType,
          "device_info.os_version", d -> d.osVersion,
          "device_info.app_version", d -> d.appVersion,
          "geo_location.country", d -> d.country,
          "geo_location.region", d -> d.region,
          "geo_location.city", d -> d.city);

  private static EventDraft decode(byte[] json, Limits limits) {
    EventDraft draft = new EventDraft();
    new JsonEventDecoder(limits).decode(json, draft);
    return draft;
  }

  private static EventDraft decode(String json) {
    return decode(json.getBytes(StandardCharsets.UTF_8), LIMITS);
  }

  private static EventDraft decodeDroppingUnknown(String json) {
    return decode(
        json.getBytes(StandardCharsets.UTF_8), new Limits(1 << 20, 32, 64, 1024, 128, false));
  }

  /** A field by its path, as the only one of a record. */
  private static String record(String path, String value) {
    int dot = path.indexOf('.');
    return dot < 0
        ? "{\"" + path + "\":" + value + "}"
        : "{\""
            + path.substring(0, dot)
            + "\":{\""
            + path.substring(dot + 1)
            + "\":"
            + value
            + "}}";
  }

  private static void assertRejected(
      EventDraft draft, RejectReason reason, String field, String message) {
    assertThat(draft.rejections()).containsExactly(new Rejection(reason, field, message));
  }

  @Test
  void readsAWholeEvent() {
    EventDraft draft =
        decode(
            """
            {"event_id":"e-1","user_id":"u-1","session_id":"s-1","event_type":"view_notification",
             "timestamp":"2026-01-05T10:15:30.123Z","received_at":1767608130456,
             "device_info":{"device_type":"iPhone15,2","os_version":"17.2","app_version":"3.1.0",
                            "colour":"red"},
             "geo_location":{"country":"DE","region":"Hamburg","city":"Hamburg","zip":[20095]},
             "properties":{"screen":"home","campaign":"winter"},
             "schema":7,"beta":true,"price":1.10,"note":"n","none":null}
            """);
    assertThat(draft.rejections()).isEmpty();
    assertThat(draft.unreadable()).isFalse();
    assertThat(draft.toEvent(ORIGIN))
        .isEqualTo(
            new Event(
                "e-1",
                "u-1",
                "s-1",
                "view_notification",
                1_767_608_130_123L,
                1_767_608_130_456L,
                new Device("iPhone15,2", "17.2", "3.1.0"),
                new Geo("DE", "Hamburg", "Hamburg"),
                Map.of(
                    "screen",
                    "home",
                    "campaign",
                    "winter",
                    "schema",
                    "7",
                    "beta",
                    "true",
                    "price",
                    "1.10",
                    "note",
                    "n"),
                Dimensions.NONE,
                ORIGIN));
  }

  @Test
  void leavesOutWhatIsAbsent() {
    EventDraft draft = decode("{}");
    assertThat(draft.rejections()).isEmpty();
    TEXTS.forEach((path, text) -> assertThat(text.apply(draft)).as(path).isNull());
    assertThat(draft.timestamp).isEqualTo(Origin.NO_TIME);
    assertThat(draft.receivedAt).isEqualTo(Origin.NO_TIME);
    assertThat(draft.properties()).isEmpty();
    EventDraft named = decode("{\"event_id\":\"e\",\"user_id\":\"u\",\"event_type\":\"t\"}");
    assertThat(named.toEvent(ORIGIN).device()).isSameAs(Device.UNKNOWN);
    assertThat(named.toEvent(ORIGIN).geo()).isSameAs(Geo.UNKNOWN);
  }

  @Test
  void takesNullForAbsentInEveryField() {
    EventDraft draft =
        decode(
            """
            {"event_id":null,"user_id":null,"session_id":null,"event_type":null,"timestamp":null,
             "received_at":null,"device_info":null,"geo_location":null,"properties":null,"x":null}
            """);
    assertThat(draft.rejections()).isEmpty();
    TEXTS.forEach((path, text) -> assertThat(text.apply(draft)).as(path).isNull());
    assertThat(draft.timestamp).isEqualTo(Origin.NO_TIME);
    assertThat(draft.properties()).isEmpty();
    TEXTS.forEach(
        (path, text) -> {
          EventDraft one = decode(record(path, "null"));
          assertThat(one.rejections()).as(path).isEmpty();
          assertThat(text.apply(one)).as(path).isNull();
        });
    assertThat(decode("{\"properties\":{\"a\":null,\"b\":\"x\"}}").properties())
        .isEqualTo(Map.of("b", "x"));
  }

  @Test
  void refusesEveryOtherTypeInEveryTextField() {
    Map<String, String> wrong =
        Map.of(
            "1", "a number",
            "-1.5e3", "a number",
            "true", "a boolean",
            "false", "a boolean",
            "{\"a\":[1]}", "an object",
            "[{\"a\":1}]", "an array");
    TEXTS.forEach(
        (path, text) ->
            wrong.forEach(
                (value, found) -> {
                  EventDraft draft = decode(record(path, value));
                  assertRejected(
                      draft, RejectReason.BAD_TYPE, path, "expected a string, found " + found);
                  assertThat(text.apply(draft)).isNull();
                  assertThat(draft.unreadable()).isFalse();
                }));
  }

  @ParameterizedTest
  @ValueSource(strings = {"device_info", "geo_location", "properties"})
  void refusesWhatIsNoObjectWhereOneIsExpected(String field) {
    assertRejected(
        decode(record(field, "\"x\"")),
        RejectReason.BAD_TYPE,
        field,
        "expected an object, found a string");
    assertRejected(
        decode(record(field, "[{}]")),
        RejectReason.BAD_TYPE,
        field,
        "expected an object, found an array");
  }

  @Test
  void refusesPropertiesThatAreNoStrings() {
    EventDraft draft =
        decode(
            "{\"properties\":{\"n\":1,\"o\":{\"p\":\"q\"},\"a\":[\"x\"],\"b\":true,\"s\":\"t\"}}");
    assertThat(draft.rejections())
        .containsExactly(
            new Rejection(
                RejectReason.BAD_TYPE, "properties.n", "expected a string, found a number"),
            new Rejection(
                RejectReason.BAD_TYPE, "properties.o", "expected a string, found an object"),
            new Rejection(
                RejectReason.BAD_TYPE, "properties.a", "expected a string, found an array"),
            new Rejection(
                RejectReason.BAD_TYPE, "properties.b", "expected a string, found a boolean"));
    assertThat(draft.properties()).isEqualTo(Map.of("s", "t"));
  }

  @Test
  void keepsUnknownFieldsAsPropertiesAsTheyAreWritten() {
    EventDraft draft =
        decode(
            "{\"n\":1e400,\"i\":123456789012345678901234567890,\"t\":true,\"s\":\"a\\nb\","
                + "\"o\": { \"k\" : [1.10, null, \"é\"] } ,\"a\":[],\"none\":null,"
                + "\"properties\":{\"s\":\"mine\"}}");
    assertThat(draft.rejections()).isEmpty();
    assertThat(draft.properties())
        .isEqualTo(
            Map.of(
                "n", "1e400",
                "i", "123456789012345678901234567890",
                "t", "true",
                "s", "mine",
                "o", "{ \"k\" : [1.10, null, \"é\"] }",
                "a", "[]"));
  }

  @Test
  void ignoresUnknownFieldsWhenTheyAreNotKept() {
    EventDraft draft = decodeDroppingUnknown("{\"o\":{\"k\":[1]},\"s\":\"x\",\"event_id\":\"e\"}");
    assertThat(draft.rejections()).isEmpty();
    assertThat(draft.properties()).isEmpty();
    assertThat(draft.eventId).isEqualTo("e");
  }

  @Test
  void leavesOutUnknownFieldsThatExceedALimit() {
    String atLimit = "x".repeat(1024);
    String name = "n".repeat(128);
    assertThat(decode("{\"" + name + "\":\"" + atLimit + "\"}").properties())
        .isEqualTo(Map.of(name, atLimit));
    for (String json :
        new String[] {
          "{\"" + name + "n\":\"x\"}",
          "{\"n\":\"" + atLimit + "x\"}",
          "{\"n\":[\"" + "x".repeat(1021) + "\"]}",
          "{\"n\":[\"" + "x".repeat(5000) + "\"]}",
          "{\"n\":" + "1".repeat(1025) + "}"
        }) {
      EventDraft draft = decode(json);
      assertThat(draft.rejections()).isEmpty();
      assertThat(draft.properties()).isEmpty();
    }
    String array = "[\"" + "é".repeat(1020) + "\"]";
    assertThat(decode("{\"n\":" + array + "}").properties()).isEqualTo(Map.of("n", array));
    StringBuilder many = new StringBuilder("{\"properties\":{\"own\":\"x\"}");
    for (int i = 0; i < 100; i++) {
      many.append(",\"u").append(i).append("\":\"").append(i).append('"');
    }
    EventDraft draft = decode(many.append('}').toString());
    assertThat(draft.rejections()).isEmpty();
    assertThat(draft.properties()).hasSize(64).containsEntry("own", "x").containsEntry("u62", "62");
  }

  @Test
  void takesTheLastOfDuplicateKeys() {
    TEXTS.forEach(
        (path, text) -> {
          String leaf = path.substring(path.indexOf('.') + 1);
          String json = record(path, "\"first\",\"" + leaf + "\":\"last\"");
          assertThat(text.apply(decode(json))).as(json).isEqualTo("last");
          String absent = record(path, "\"first\",\"" + leaf + "\":null");
          assertThat(text.apply(decode(absent))).as(absent).isNull();
        });
    EventDraft draft =
        decode(
            "{\"timestamp\":1,\"timestamp\":2,\"device_info\":{\"os_version\":\"1\"},"
                + "\"device_info\":{\"device_type\":\"t\"},\"properties\":{\"a\":\"1\",\"b\":\"2\"},"
                + "\"properties\":{\"b\":\"x\",\"b\":\"3\",\"c\":\"4\",\"c\":null},"
                + "\"u\":\"1\",\"u\":\"2\",\"v\":\"1\",\"v\":null,\"w\":\"1\",\"w\":["
                + "1,".repeat(2000)
                + "1]}");
    assertThat(draft.rejections()).isEmpty();
    assertThat(draft.timestamp).isEqualTo(2);
    assertThat(draft.deviceType).isEqualTo("t");
    assertThat(draft.osVersion).isNull();
    assertThat(draft.properties()).isEqualTo(Map.of("b", "3", "u", "2"));
  }

  @Test
  void forgetsWhatWasWrongWithAnEarlierDuplicate() {
    assertThat(
            decode(
                    "{\"user_id\":1,\"user_id\":\"u\",\"timestamp\":\"x\",\"timestamp\":5,"
                        + "\"device_info\":{\"os_version\":1},\"device_info\":{},"
                        + "\"geo_location\":[],\"geo_location\":{\"city\":7,\"city\":\"c\"},"
                        + "\"properties\":{\"a\":1},\"properties\":{\"b\":1,\"b\":\"x\"}}")
                .rejections())
        .isEmpty();
    assertThat(decode("{\"properties\":{\"a\":1,\"a.b\":1,\"a\":\"x\"}}").rejections())
        .extracting(Rejection::field)
        .containsExactly("properties.a.b");
  }

  @Test
  void reportsABoundedNumberOfReasonsHoweverOftenAFieldIsRepeated() {
    StringBuilder json = new StringBuilder("{");
    for (int i = 0; i < 20_000; i++) {
      json.append("\"event_id\":1,\"timestamp\":\"x\",\"properties\":{\"p")
          .append(i)
          .append("\":1},");
    }
    assertThat(decode(json.append("\"user_id\":2}").toString()).rejections())
        .extracting(Rejection::field)
        .containsExactlyInAnyOrder("event_id", "timestamp", "properties.p19999", "user_id");
  }

  @Test
  void countsNamesAndValuesInCharacters() {
    String name = "ü".repeat(128);
    String value = "é".repeat(1022) + "😀";
    EventDraft draft = decode("{\"properties\":{\"" + name + "\":\"" + value + "\"}}");
    assertThat(draft.rejections()).isEmpty();
    assertThat(draft.properties()).isEqualTo(Map.of(name, value));
    assertRejected(
        decode("{\"properties\":{\"" + name + "n\":\"x\"}}"),
        RejectReason.FIELD_TOO_LONG,
        "properties",
        "a property name of 129 characters, at most 128");
    assertRejected(
        decode("{\"properties\":{\"n\":\"" + value + "x\"}}"),
        RejectReason.FIELD_TOO_LONG,
        "properties.n",
        "1025 characters, at most 1024 are allowed");
  }

  @Test
  void readsEveryKindOfCharacterAndEscape() {
    EventDraft draft =
        decode(
            "{\"event_id\":\"\\u0065\\u00E9\\u20ac\\ud83d\\ude00\",\"user_id\":\"eé€😀\","
                + "\"session_id\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\",\"ev\\u0065nt_type\":\"a\"}");
    assertThat(draft.rejections()).isEmpty();
    assertThat(draft.eventId).isEqualTo("eé€😀").isEqualTo(draft.userId);
    assertThat(draft.sessionId).isEqualTo("\"\\/\b\f\n\r\t\0");
    assertThat(draft.eventType).isEqualTo("a");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"\\ud800", "\\udc00", "\\ude00\\ud83d", "x\\uD83Dx", "\\ud83d\\ud83d\\ude00"})
  void refusesHalfASurrogatePair(String half) {
    TEXTS.forEach(
        (path, text) -> {
          EventDraft draft = decode(record(path, "\"" + half + "\""));
          assertRejected(
              draft,
              RejectReason.NOT_UTF8,
              path,
              "the text has an escaped half of a surrogate pair");
          assertThat(text.apply(draft)).isNull();
        });
    assertRejected(
        decode("{\"properties\":{\"p\":\"" + half + "\"}}"),
        RejectReason.NOT_UTF8,
        "properties.p",
        "the text has an escaped half of a surrogate pair");
    assertRejected(
        decode("{\"properties\":{\"" + half + "\":\"v\"}}"),
        RejectReason.NOT_UTF8,
        "properties",
        "a property name has an escaped half of a surrogate pair");
    EventDraft unknown = decode("{\"u\":\"" + half + "\",\"" + half + "\":1,\"event_id\":\"e\"}");
    assertThat(unknown.rejections()).isEmpty();
    assertThat(unknown.properties()).isEmpty();
    assertThat(unknown.eventId).isEqualTo("e");
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "-0, 0",
    "1767608130123, 1767608130123",
    "253402300799999, 253402300799999",
    "'\"1970-01-01T00:00:00Z\"', 0",
    "'\"9999-12-31T23:59:59.999Z\"', 253402300799999",
    "'\"2026-01-05T12:15:30.123+02:00\"', 1767608130123"
  })
  void readsTimesOfTheYears1970To9999(String json, long expected) {
    EventDraft draft = decode("{\"timestamp\":" + json + ",\"received_at\":" + json + "}");
    assertThat(draft.rejections()).isEmpty();
    assertThat(draft.timestamp).isEqualTo(expected);
    assertThat(draft.receivedAt).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "-1, -1",
    "253402300800000, 253402300800000",
    "999999999999999999, 999999999999999999",
    "9999999999999999999, 9999999999999999999",
    "1767608130123.0, 1767608130123.0",
    "1.767608130123e12, 1.767608130123e12",
    "1e999999999, 1e999999999",
    "'\"1767608130123\"', 1767608130123",
    "'\"\"', ''",
    "'\"1969-12-31T23:59:59.999Z\"', 1969-12-31T23:59:59.999Z",
    "'\"+10000-01-01T00:00:00Z\"', +10000-01-01T00:00:00Z",
    "'\"+999999999-12-31T23:59:59Z\"', +999999999-12-31T23:59:59Z",
    "'\"2026-01-05T10:15:30\"', 2026-01-05T10:15:30",
    "'\"2026-02-30T10:15:30Z\"', 2026-02-30T10:15:30Z"
  })
  void refusesEveryOtherTime(String json, String shown) {
    for (String field : new String[] {"timestamp", "received_at"}) {
      EventDraft draft = decode(record(field, json));
      assertRejected(
          draft,
          RejectReason.BAD_TIMESTAMP,
          field,
          "'"
              + shown
              + "' is neither ISO-8601 with a zone nor integer epoch milliseconds of 1970..9999");
      assertThat(draft.timestamp).isEqualTo(Origin.NO_TIME);
      assertThat(draft.receivedAt).isEqualTo(Origin.NO_TIME);
    }
  }

  @Test
  void showsOnlyTheStartOfALongWrongTime() {
    assertThat(decode(record("timestamp", "1".repeat(1000))).rejections().get(0).message())
        .startsWith("'" + "1".repeat(40) + "...' is neither");
    assertThat(decode(record("timestamp", "\"" + "2".repeat(1000) + "\"")).rejections())
        .singleElement()
        .satisfies(r -> assertThat(r.message()).startsWith("'" + "2".repeat(40) + "...' is"));
  }

  @ParameterizedTest
  @CsvSource({"true, a boolean", "[1], an array", "{}, an object"})
  void refusesTimesOfOtherTypes(String json, String found) {
    assertRejected(
        decode(record("timestamp", json)),
        RejectReason.BAD_TYPE,
        "timestamp",
        "expected ISO-8601 text or epoch milliseconds, found " + found);
  }

  @Test
  void readsNestingUpToTheLimitAndNoDeeper() {
    String[] before = {"{\"unknown\":", "{\"event_id\":", "{\"properties\":{\"p\":"};
    for (String start : before) {
      int opened = start.length() - start.replace("{", "").length();
      String end = "}".repeat(opened);
      for (String[] bracket : new String[][] {{"[", "]"}, {"{\"a\":", "}"}}) {
        int inner = 32 - opened;
        String atLimit = bracket[0].repeat(inner) + "1" + bracket[1].repeat(inner);
        EventDraft fits = decode(start + atLimit + end);
        assertThat(fits.unreadable()).isFalse();
        assertThat(fits.rejections())
            .extracting(Rejection::reason)
            .doesNotContain(RejectReason.TOO_DEEP);
        EventDraft deeper = decode(start + bracket[0] + atLimit + bracket[1] + end);
        assertThat(deeper.rejections())
            .endsWith(new Rejection(RejectReason.TOO_DEEP, "", "nested deeper than 32 levels"));
        assertThat(deeper.unreadable()).isTrue();
        assertThat(decodeDroppingUnknown(start + bracket[0] + atLimit).rejections())
            .extracting(Rejection::reason)
            .contains(RejectReason.TOO_DEEP);
      }
    }
    String deepest = "[".repeat(500_000);
    assertRejected(
        decode("{\"a\":" + deepest), RejectReason.TOO_DEEP, "", "nested deeper than 32 levels");
    assertRejected(
        decode(deepest), RejectReason.MALFORMED_JSON, "", "expected a JSON object, found an array");
  }

  @Test
  void keepsUnknownFieldsAtEveryConfiguredDepth() {
    byte[] json =
        ("{\"a\":" + "[".repeat(1999) + "]".repeat(1999) + "}").getBytes(StandardCharsets.UTF_8);
    EventDraft draft = decode(json, new Limits(1 << 20, 2000, 64, 8000, 128, true));
    assertThat(draft.rejections()).isEmpty();
    assertThat(draft.properties().get("a")).hasSize(3998);
  }

  @Test
  @Timeout(30)
  void hugeNumbersAreNeverComputed() {
    String digits = "7".repeat(1_000_000);
    String[] values = {digits, "[" + digits + "]", "{\"a\":-" + digits + "}", "1." + digits};
    for (String value : values) {
      EventDraft draft = decode("{\"u\":" + value + ",\"event_id\":\"e\"}");
      assertThat(draft.rejections()).isEmpty();
      assertThat(draft.properties()).isEmpty();
      assertThat(draft.eventId).isEqualTo("e");
      assertThat(decode("{\"event_id\":" + value + "}").rejections())
          .extracting(Rejection::reason)
          .containsExactly(RejectReason.BAD_TYPE);
    }
  }

  @Test
  void aHundredThousandUnknownNamesAreNotFatal() {
    StringBuilder json = new StringBuilder("{");
    for (int i = 0; i < 80_000; i++) {
      json.append("\"f").append(Integer.toString(i * 31, 36)).append("\":1,");
    }
    EventDraft draft = decode(json.append("\"event_id\":\"e\"}").toString());
    assertThat(draft.rejections()).isEmpty();
    assertThat(draft.eventId).isEqualTo("e");
    assertThat(draft.properties()).hasSize(64);
  }

  @ParameterizedTest
  @CsvSource({
    "'', 'expected a JSON object, found nothing'",
    "'  ', 'expected a JSON object, found nothing'",
    "[], 'expected a JSON object, found an array'",
    "'\"x\"', 'expected a JSON object, found a string'",
    "1, 'expected a JSON object, found a number'",
    "true, 'expected a JSON object, found a boolean'",
    "null, 'expected a JSON object, found null'",
    "{}{}, 'text after the object, at byte 2'",
    "'{} []', 'text after the object, at byte 3'"
  })
  void refusesWhatIsNotOneObject(String json, String message) {
    EventDraft draft = decode(json);
    assertRejected(draft, RejectReason.MALFORMED_JSON, "", message);
    assertThat(draft.unreadable()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{",
        "{\"",
        "{\"event_id",
        "{\"event_id\"",
        "{\"event_id\":",
        "{\"event_id\":\"x",
        "{\"event_id\":\"x\"",
        "{\"event_id\":\"x\",",
        "{\"event_id\":\"x\",}",
        "{\"event_id\" \"x\"}",
        "{event_id:\"x\"}",
        "{'event_id':'x'}",
        "{\"event_id\":\"\\x\"}",
        "{\"event_id\":\"\\u12\"}",
        "{\"event_id\":\"a\nb\"}",
        "{\"event_id\":nul}",
        "{\"event_id\":NaN}",
        "{\"event_id\":Infinity}",
        "{\"event_id\":01}",
        "{\"event_id\":+1}",
        "{\"event_id\":.5}",
        "{\"event_id\":1.}",
        "{\"event_id\":1e}",
        "{\"event_id\":0x1}",
        "{\"unknown\":[1,]}",
        "{\"unknown\":[1}",
        "{\"unknown\":{\"a\"}}",
        "{\"unknown\":\"\\q\"}",
        "{\"unknown\":[\"\\q\"]}",
        "{}x",
        "{} }",
        "// comment\n{}",
        "{/* comment */}"
      })
  void refusesMalformedText(String json) {
    for (EventDraft draft : new EventDraft[] {decode(json), decodeDroppingUnknown(json)}) {
      assertThat(draft.unreadable()).isTrue();
      assertThat(draft.rejections())
          .last()
          .satisfies(
              r -> {
                assertThat(r.reason()).isEqualTo(RejectReason.MALFORMED_JSON);
                assertThat(r.field()).isEmpty();
                assertThat(r.message()).isNotBlank().doesNotContain("\n").hasSizeLessThan(500);
              });
    }
  }

  @Test
  void keepsWhatWasReadBeforeTheFault() {
    EventDraft draft = decode("{\"event_id\":7,\"received_at\":5,\"user_id\":\"u\",\"x\":[");
    assertThat(draft.unreadable()).isTrue();
    assertThat(draft.receivedAt).isEqualTo(5);
    assertThat(draft.userId).isEqualTo("u");
    assertThat(draft.rejections())
        .extracting(Rejection::reason)
        .containsExactly(RejectReason.BAD_TYPE, RejectReason.MALFORMED_JSON);
  }

  @ParameterizedTest
  @ValueSource(strings = {"UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE"})
  void refusesOtherEncodings(String charset) {
    byte[] bytes = "{\"event_id\":\"e\"}".getBytes(Charset.forName(charset));
    EventDraft draft = decode(bytes, LIMITS);
    assertRejected(
        draft,
        RejectReason.MALFORMED_JSON,
        "",
        "a NUL byte at " + (charset.endsWith("LE") ? 1 : 0));
    assertThat(draft.eventId).isNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE"})
  void refusesOtherEncodingsWithAByteOrderMark(String charset) {
    byte[] bytes = "\uFEFF{\"event_id\":\"e\"}".getBytes(Charset.forName(charset));
    assertThat(decode(bytes, LIMITS).rejections())
        .extracting(Rejection::reason)
        .containsExactly(RejectReason.NOT_UTF8);
    assertThat(decode(new byte[] {'{', 0}, LIMITS).rejections())
        .extracting(Rejection::reason)
        .containsExactly(RejectReason.MALFORMED_JSON);
  }

  @Test
  void skipsTheByteOrderMarkOfUtf8() {
    EventDraft draft = decode("\uFEFF{\"event_id\":\"e\",\"u\":[1, 2]}");
    assertThat(draft.rejections()).isEmpty();
    assertThat(draft.eventId).isEqualTo("e");
    assertThat(draft.properties()).isEqualTo(Map.of("u", "[1, 2]"));
    assertThat(decode("\uFEFF").rejections())
        .extracting(Rejection::reason)
        .containsExactly(RejectReason.MALFORMED_JSON);
  }

  @Test
  void namesTheFirstByteThatIsNotUtf8() {
    EventDraft draft = decode(new byte[] {'{', '"', (byte) 0xC0, '"', ':', '1', '}'}, LIMITS);
    assertRejected(draft, RejectReason.NOT_UTF8, "", "byte 2 of 7 is not UTF-8");
    assertThat(draft.unreadable()).isTrue();
  }

  @Test
  void aDecoderIsReusableAndSerializable() throws Exception {
    JsonEventDecoder decoder = InstantiationUtil.clone(new JsonEventDecoder(LIMITS));
    EventDraft draft = new EventDraft();
    decoder.decode("{\"properties\":{\"a\":\"\\ud800\"}".getBytes(StandardCharsets.UTF_8), draft);
    assertThat(draft.rejections()).hasSize(2);
    draft.reset();
    decoder.decode(
        "{\"event_id\":\"e\",\"event_type\":\"t\"}".getBytes(StandardCharsets.UTF_8), draft);
    String type = draft.eventType;
    assertThat(draft.rejections()).isEmpty();
    draft.reset();
    assertThat(draft.eventId).isNull();
    decoder.decode("{\"event_type\":\"t\"}".getBytes(StandardCharsets.UTF_8), draft);
    assertThat(draft.eventType).isSameAs(type);
  }
}

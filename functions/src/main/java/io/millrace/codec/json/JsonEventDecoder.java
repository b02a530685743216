package io.millrace.codec.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import io.millrace.event.EventDecoder;
import io.millrace.event.EventDraft;
import io.millrace.event.Origin;
import io.millrace.event.RejectReason;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.annotation.Nullable;

/**
 * Reads one JSON object straight from its bytes into a draft, without a tree in between. Of a field
 * that occurs twice the last value counts.
 */
public final class JsonEventDecoder implements EventDecoder {
  private static final long serialVersionUID = 1L;

  private static final int FOUND_SHOWN = 40;
  private static final int UTF8_BYTES_PER_CHAR = 3;
  private static final String HALF_PAIR = "an escaped half of a surrogate pair";

  private final Limits limits;
  private transient JsonFactory json;
  private transient TextCache texts;
  private transient boolean hasSurrogateEscapes;

  /**
   * What a record may hold.
   *
   * @param maxRecordBytes longest text that the parser takes
   * @param maxDepth deepest nesting; the record's own object is 1
   * @param maxProperties most entries of {@code properties}
   * @param maxPropertyLength longest property value, in characters
   * @param maxPropertyNameLength longest property name, in characters
   * @param keepUnknown whether an unknown field becomes a property; one that fits no limit is left
   *     out
   */
  public record Limits(
      int maxRecordBytes,
      int maxDepth,
      int maxProperties,
      int maxPropertyLength,
      int maxPropertyNameLength,
      boolean keepUnknown)
      implements java.io.Serializable {}

  public JsonEventDecoder(Limits limits) {
    this.limits = limits;
    open();
  }

  private void open() {
    json =
        JsonFactory.builder()
            .streamReadConstraints(
                StreamReadConstraints.builder()
                    .maxNestingDepth(limits.maxDepth())
                    .maxStringLength(limits.maxRecordBytes())
                    .maxNameLength(limits.maxRecordBytes())
                    .maxNumberLength(limits.maxRecordBytes())
                    .build())
            .build();
    texts = new TextCache();
  }

  private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
    in.defaultReadObject();
    open();
  }

  @Override
  public void decode(byte[] value, EventDraft draft) {
    int invalid = Utf8.firstInvalid(value);
    if (invalid >= 0) {
      draft.rejectUnreadable(
          RejectReason.NOT_UTF8, "byte " + invalid + " of " + value.length + " is not UTF-8");
      return;
    }
    // The parser would take these for UTF-16 or UTF-32, which no record may be.
    for (int i = 0; i < Math.min(4, value.length); i++) {
      if (value[i] == 0) {
        draft.rejectUnreadable(RejectReason.MALFORMED_JSON, "a NUL byte at " + i);
        return;
      }
    }
    hasSurrogateEscapes = Utf8.hasSurrogateEscape(value);
    try (JsonParser parser = json.createParser(value)) {
      try {
        read(parser, value, draft);
      } catch (StreamConstraintsException e) {
        boolean tooDeep = parser.getParsingContext().getNestingDepth() > limits.maxDepth();
        draft.rejectUnreadable(
            tooDeep ? RejectReason.TOO_DEEP : RejectReason.MALFORMED_JSON,
            tooDeep ? "nested deeper than " + limits.maxDepth() + " levels" : oneLine(e));
      }
    } catch (JsonProcessingException e) {
      draft.rejectUnreadable(RejectReason.MALFORMED_JSON, oneLine(e));
    } catch (IOException e) {
      // An array of bytes has no I/O: whatever else the parser reports is about the text.
      draft.rejectUnreadable(RejectReason.MALFORMED_JSON, String.valueOf(e.getMessage()));
    }
  }

  private void read(JsonParser parser, byte[] value, EventDraft draft) throws IOException {
    JsonToken first = parser.nextToken();
    if (first != JsonToken.START_OBJECT) {
      draft.rejectUnreadable(
          RejectReason.MALFORMED_JSON,
          "expected a JSON object, found " + (first == null ? "nothing" : describe(first)));
      return;
    }
    Map<String, String> unknown = null;
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      JsonToken token = parser.nextToken();
      switch (name) {
        case "event_id" -> draft.eventId = text(parser, token, "event_id", draft);
        case "user_id" -> draft.userId = text(parser, token, "user_id", draft);
        case "session_id" -> draft.sessionId = text(parser, token, "session_id", draft);
        case "event_type" -> draft.eventType = cached(parser, token, "event_type", draft);
        case "timestamp" -> draft.timestamp = time(parser, token, "timestamp", draft);
        case "received_at" -> draft.receivedAt = time(parser, token, "received_at", draft);
        case "device_info" -> device(parser, token, draft);
        case "geo_location" -> geo(parser, token, draft);
        case "properties" -> properties(parser, token, draft);
        default -> unknown = unknownField(parser, token, name, value, unknown);
      }
    }
    if (parser.nextToken() != null) {
      draft.rejectUnreadable(
          RejectReason.MALFORMED_JSON,
          "text after the object, at byte " + parser.currentTokenLocation().getByteOffset());
      return;
    }
    if (unknown != null) {
      keepUnknown(unknown, draft);
    }
  }

  private void device(JsonParser parser, JsonToken token, EventDraft draft) throws IOException {
    draft.deviceType = null;
    draft.osVersion = null;
    draft.appVersion = null;
    if (!isObject(parser, token, "device_info", draft)) {
      return;
    }
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      switch (name) {
        case "device_type" ->
            draft.deviceType = cached(parser, value, "device_info.device_type", draft);
        case "os_version" ->
            draft.osVersion = cached(parser, value, "device_info.os_version", draft);
        case "app_version" ->
            draft.appVersion = cached(parser, value, "device_info.app_version", draft);
        default -> parser.skipChildren();
      }
    }
  }

  private void geo(JsonParser parser, JsonToken token, EventDraft draft) throws IOException {
    draft.country = null;
    draft.region = null;
    draft.city = null;
    if (!isObject(parser, token, "geo_location", draft)) {
      return;
    }
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      switch (name) {
        case "country" -> draft.country = cached(parser, value, "geo_location.country", draft);
        case "region" -> draft.region = cached(parser, value, "geo_location.region", draft);
        case "city" -> draft.city = cached(parser, value, "geo_location.city", draft);
        default -> parser.skipChildren();
      }
    }
  }

  private void properties(JsonParser parser, JsonToken token, EventDraft draft) throws IOException {
    draft.clearProperties();
    if (!isObject(parser, token, "properties", draft)) {
      return;
    }
    int count = 0;
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      count++;
      if (count > limits.maxProperties()) {
        parser.skipChildren();
        continue;
      }
      if (name.length() > limits.maxPropertyNameLength()) {
        draft.reject(
            RejectReason.FIELD_TOO_LONG,
            "properties",
            "a property name of "
                + name.length()
                + " characters, at most "
                + limits.maxPropertyNameLength());
        parser.skipChildren();
        continue;
      }
      if (!isWhole(name)) {
        draft.reject(RejectReason.NOT_UTF8, "properties", "a property name has " + HALF_PAIR);
        parser.skipChildren();
        continue;
      }
      if (!draft.rejections().isEmpty()) {
        draft.takeBack("properties." + name);
      }
      if (value == JsonToken.VALUE_NULL) {
        draft.removeProperty(name);
        continue;
      }
      if (value != JsonToken.VALUE_STRING) {
        badType("properties." + name, "a string", value, draft);
        parser.skipChildren();
        continue;
      }
      if (parser.getTextLength() > limits.maxPropertyLength()) {
        draft.reject(
            RejectReason.FIELD_TOO_LONG,
            "properties." + name,
            parser.getTextLength()
                + " characters, at most "
                + limits.maxPropertyLength()
                + " are allowed");
        continue;
      }
      // These are too many different ones to be kept.
      String text = whole(parser.getText(), "properties." + name, draft);
      if (text != null) {
        draft.putProperty(name, text);
      }
    }
    if (count > limits.maxProperties()) {
      draft.reject(
          RejectReason.TOO_MANY_PROPERTIES,
          "properties",
          count + " properties, at most " + limits.maxProperties() + " are allowed");
    }
  }

  @Nullable
  private Map<String, String> unknownField(
      JsonParser parser,
      JsonToken token,
      String name,
      byte[] record,
      @Nullable Map<String, String> unknown)
      throws IOException {
    String value = limits.keepUnknown() ? unknownValue(parser, token, record) : null;
    parser.skipChildren();
    if (value == null) {
      if (unknown != null) {
        unknown.remove(name);
      }
      return unknown;
    }
    Map<String, String> fields = unknown == null ? new LinkedHashMap<>() : unknown;
    fields.put(name, value);
    return fields;
  }

  /** The text of an unknown field, an object or array as it is written; null when left out. */
  @Nullable
  private String unknownValue(JsonParser parser, JsonToken token, byte[] record)
      throws IOException {
    if (token == JsonToken.VALUE_NULL) {
      return null;
    }
    if (token.isStructStart()) {
      int start = (int) parser.currentTokenLocation().getByteOffset();
      parser.skipChildren();
      int length = (int) parser.currentLocation().getByteOffset() - start;
      return length <= UTF8_BYTES_PER_CHAR * (long) limits.maxPropertyLength()
          ? new String(record, start, length, StandardCharsets.UTF_8)
          : null;
    }
    return parser.getTextLength() <= limits.maxPropertyLength() ? parser.getText() : null;
  }

  /** Unknown fields never reject a record: what does not fit the limits is left out. */
  private void keepUnknown(Map<String, String> unknown, EventDraft draft) {
    for (Map.Entry<String, String> field : unknown.entrySet()) {
      if (draft.properties().size() < limits.maxProperties()
          && field.getKey().length() <= limits.maxPropertyNameLength()
          && field.getValue().length() <= limits.maxPropertyLength()
          && isWhole(field.getKey())
          && isWhole(field.getValue())
          && !draft.properties().containsKey(field.getKey())) {
        draft.putProperty(field.getKey(), field.getValue());
      }
    }
  }

  private static boolean isObject(
      JsonParser parser, JsonToken token, String field, EventDraft draft) throws IOException {
    draft.takeBackWithin(field);
    if (token == JsonToken.START_OBJECT) {
      return true;
    }
    if (token != JsonToken.VALUE_NULL) {
      badType(field, "an object", token, draft);
      parser.skipChildren();
    }
    return false;
  }

  @Nullable
  private String text(JsonParser parser, JsonToken token, String field, EventDraft draft)
      throws IOException {
    draft.takeBack(field);
    if (token == JsonToken.VALUE_STRING) {
      return whole(parser.getText(), field, draft);
    }
    return notText(parser, token, field, draft);
  }

  @Nullable
  private String cached(JsonParser parser, JsonToken token, String field, EventDraft draft)
      throws IOException {
    draft.takeBack(field);
    if (token == JsonToken.VALUE_STRING) {
      return whole(texts.get(parser), field, draft);
    }
    return notText(parser, token, field, draft);
  }

  /** The text; null, with the reason noted, when UTF-8 could not hold it. */
  @Nullable
  private String whole(String text, String field, EventDraft draft) {
    if (isWhole(text)) {
      return text;
    }
    draft.reject(RejectReason.NOT_UTF8, field, "the text has " + HALF_PAIR);
    return null;
  }

  /** Whether a text survives UTF-8: only an escape can put half a surrogate pair into it. */
  private boolean isWhole(String text) {
    return !hasSurrogateEscapes || StandardCharsets.UTF_8.newEncoder().canEncode(text);
  }

  @Nullable
  private static String notText(JsonParser parser, JsonToken token, String field, EventDraft draft)
      throws IOException {
    if (token != JsonToken.VALUE_NULL) {
      badType(field, "a string", token, draft);
      parser.skipChildren();
    }
    return null;
  }

  private static long time(JsonParser parser, JsonToken token, String field, EventDraft draft)
      throws IOException {
    draft.takeBack(field);
    switch (token) {
      case VALUE_NULL -> {
        return Origin.NO_TIME;
      }
      case VALUE_STRING -> {
        String text = parser.getText();
        long time = text.length() <= 64 ? EventTime.parse(text) : Origin.NO_TIME;
        return isInRange(time) ? time : badTime(text, field, draft);
      }
      case VALUE_NUMBER_INT -> {
        // More digits than a time can have are not worth a big integer.
        boolean isLong = parser.getTextLength() <= 18;
        long time = isLong ? parser.getLongValue() : Origin.NO_TIME;
        return isInRange(time) ? time : badTime(parser.getText(), field, draft);
      }
      case VALUE_NUMBER_FLOAT -> {
        return badTime(parser.getText(), field, draft);
      }
      default -> {
        badType(field, "ISO-8601 text or epoch milliseconds", token, draft);
        parser.skipChildren();
        return Origin.NO_TIME;
      }
    }
  }

  private static boolean isInRange(long time) {
    return time >= 0 && time <= Origin.LAST_TIME;
  }

  private static long badTime(String found, String field, EventDraft draft) {
    draft.reject(
        RejectReason.BAD_TIMESTAMP,
        field,
        "'"
            + shortened(found)
            + "' is neither ISO-8601 with a zone nor integer epoch milliseconds of 1970..9999");
    return Origin.NO_TIME;
  }

  private static void badType(String field, String expected, JsonToken found, EventDraft draft) {
    draft.reject(
        RejectReason.BAD_TYPE, field, "expected " + expected + ", found " + describe(found));
  }

  private static String describe(JsonToken token) {
    return switch (token) {
      case START_OBJECT -> "an object";
      case START_ARRAY -> "an array";
      case VALUE_STRING -> "a string";
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "a number";
      case VALUE_TRUE, VALUE_FALSE -> "a boolean";
      case VALUE_NULL -> "null";
      case END_OBJECT, END_ARRAY, FIELD_NAME, VALUE_EMBEDDED_OBJECT, NOT_AVAILABLE -> "no value";
    };
  }

  private static String shortened(String text) {
    return text.length() <= FOUND_SHOWN ? text : text.substring(0, FOUND_SHOWN) + "...";
  }

  private static String oneLine(JsonProcessingException e) {
    return e.getOriginalMessage().lines().findFirst().orElse("unreadable")
        + " (byte "
        + (e.getLocation() == null ? "unknown" : e.getLocation().getByteOffset())
        + ")";
  }

  /**
   * Texts that occur again and again (event types, devices, countries), so that each is one object
   * instead of one per event. Direct-mapped and bounded.
   */
  private static final class TextCache {
    private static final int SLOTS = 4096;
    private static final int MAX_LENGTH = 32;

    private final String[] slots = new String[SLOTS];

    String get(JsonParser parser) throws IOException {
      int length = parser.getTextLength();
      if (length > MAX_LENGTH) {
        return parser.getText();
      }
      char[] chars = parser.getTextCharacters();
      int offset = parser.getTextOffset();
      int hash = length;
      for (int i = offset; i < offset + length; i++) {
        hash = 31 * hash + chars[i];
      }
      int slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
      String known = slots[slot];
      if (known != null && known.length() == length && same(known, chars, offset)) {
        return known;
      }
      String text = new String(chars, offset, length);
      slots[slot] = text;
      return text;
    }

    private static boolean same(String known, char[] chars, int offset) {
      for (int i = 0; i < known.length(); i++) {
        if (known.charAt(i) != chars[offset + i]) {
          return false;
        }
      }
      return true;
    }
  }
}

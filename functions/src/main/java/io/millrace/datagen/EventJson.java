package io.millrace.datagen;

import java.nio.charset.StandardCharsets;
import javax.annotation.Nullable;
import org.apache.commons.codec.digest.MurmurHash3;

/** Writes one event's JSON, whole or broken in a given way. */
final class EventJson {
  /** Bytes of a value that is longer than any job is set up to read. */
  static final int HUGE_BYTES = 2 << 20;

  private static final byte[] OPEN_EVENT_ID = bytes("{\"event_id\":\"");
  private static final byte[] USER_ID = bytes("\",\"user_id\":\"");
  private static final byte[] SESSION_ID = bytes("\",\"session_id\":\"");
  private static final byte[] EVENT_TYPE = bytes("\",\"event_type\":\"");
  private static final byte[] NO_SESSION = bytes("\",\"session_id\":null,\"event_type\":\"");
  private static final byte[] TIMESTAMP = bytes("\",\"timestamp\":");
  private static final byte[] RECEIVED_AT = bytes(",\"received_at\":");
  private static final byte[] PROPERTIES = bytes(",\"properties\":{");
  private static final byte[][] OFFSETS = {
    bytes("+01:00\""), bytes("-05:00\""), bytes("+05:30\""), bytes("+09:00\"")
  };
  private static final long[] OFFSET_MS = {3_600_000, -18_000_000, 19_800_000, 32_400_000};
  private static final int EPOCH_FORMAT = 16;
  private static final int MAX_ID = 128;
  private static final int MAX_PROPERTY = 1024;
  private static final int MAX_PROPERTIES = 64;
  private static final int DEPTH = 40;

  // The event that is written next.
  long idHigh;
  long idLow;
  byte[] userId;
  @Nullable byte[] sessionId;
  byte[] eventType;
  long timestamp;
  int timeFormat;
  long receivedAt;
  byte[] deviceInfo;
  byte[] geoLocation;
  byte[] property;
  int propertyNumber;

  private final JsonBytes out = new JsonBytes();

  /** A hash of what makes the event the same as another: its user, id and timestamp. */
  long identity() {
    long user = MurmurHash3.hash128x64(userId, 0, userId.length, 0)[0];
    return Dice.of(Dice.of(Dice.of(user, idHigh), idLow), timestamp);
  }

  /** The event as a valid record. */
  byte[] write() {
    out.clear();
    out.raw(OPEN_EVENT_ID).uuid(idHigh, idLow).raw(USER_ID).raw(userId);
    if (sessionId == null) {
      out.raw(NO_SESSION);
    } else {
      out.raw(SESSION_ID).raw(sessionId).raw(EVENT_TYPE);
    }
    out.raw(eventType).raw(TIMESTAMP);
    time();
    out.raw(RECEIVED_AT).decimal(receivedAt).raw(deviceInfo).raw(geoLocation).raw(PROPERTIES);
    out.raw(property).decimal(propertyNumber).put('"').put('}').put('}');
    return out.toBytes();
  }

  private void time() {
    if (timeFormat < EPOCH_FORMAT - 3) {
      out.put('"').dateTime(timestamp).put('Z').put('"');
    } else if (timeFormat < EPOCH_FORMAT) {
      out.decimal(timestamp);
    } else {
      int offset = timeFormat - EPOCH_FORMAT;
      out.put('"').dateTime(timestamp + OFFSET_MS[offset]).raw(OFFSETS[offset]);
    }
  }

  /** The event broken in one way; null for a tombstone. */
  @Nullable
  byte[] write(Malformation malformation) {
    return switch (malformation) {
      case TOMBSTONE -> null;
      case EMPTY -> new byte[0];
      case NOT_JSON -> bytes("event " + Long.toHexString(idHigh) + " was here");
      case ARRAY -> bytes("[" + new String(write(), StandardCharsets.UTF_8) + "]");
      case TRUNCATED -> {
        write();
        // Before the times, so that none can be read.
        yield out.prefix(1 + (int) (idLow & 63));
      }
      case INVALID_UTF8 -> {
        byte[] whole = write();
        whole[OPEN_EVENT_ID.length] = (byte) 0xC3;
        yield whole;
      }
      case HUGE_VALUE -> {
        out.clear();
        out.text("{\"padding\":\"").repeat('x', HUGE_BYTES).text("\"}");
        yield out.toBytes();
      }
      default -> {
        fields(malformation);
        yield out.toBytes();
      }
    };
  }

  /** Field by field, each as the malformation wants it. */
  private void fields(Malformation how) {
    out.clear();
    boolean several = how == Malformation.SEVERAL_PROBLEMS;
    out.text("{\"schema\":1");
    switch (how) {
      case NO_EVENT_ID, SEVERAL_PROBLEMS -> {}
      case NULL_EVENT_ID -> out.text(",\"event_id\":null");
      case NUMERIC_EVENT_ID -> out.text(",\"event_id\":12345");
      case LONG_EVENT_ID -> out.text(",\"event_id\":\"").repeat('e', MAX_ID + 1).put('"');
      default -> out.text(",\"event_id\":\"").uuid(idHigh, idLow).put('"');
    }
    switch (how) {
      case NO_USER_ID -> {}
      case EMPTY_USER_ID -> out.text(",\"user_id\":\"\"");
      case OBJECT_USER_ID -> out.text(",\"user_id\":{\"id\":\"").raw(userId).text("\"}");
      default -> out.text(",\"user_id\":\"").raw(userId).put('"');
    }
    if (several) {
      out.text(",\"session_id\":\"").repeat('s', MAX_ID + 1).put('"');
    }
    switch (how) {
      case NO_EVENT_TYPE -> {}
      case BOOLEAN_EVENT_TYPE -> out.text(",\"event_type\":true");
      case UPPERCASE_EVENT_TYPE, SEVERAL_PROBLEMS -> out.text(",\"event_type\":\"ScreenView\"");
      case LONG_EVENT_TYPE -> out.text(",\"event_type\":\"").repeat('t', 65).put('"');
      case SPACED_EVENT_TYPE -> out.text(",\"event_type\":\"screen view\"");
      default -> out.text(",\"event_type\":\"").raw(eventType).put('"');
    }
    switch (how) {
      case NO_TIMESTAMP -> {}
      case BOOLEAN_TIMESTAMP -> out.text(",\"timestamp\":false");
      case TIMESTAMP_WITHOUT_ZONE -> out.text(",\"timestamp\":\"").dateTime(timestamp).put('"');
      case NUMERIC_STRING_TIMESTAMP -> out.text(",\"timestamp\":\"").decimal(timestamp).put('"');
      case TEXT_TIMESTAMP, SEVERAL_PROBLEMS -> out.text(",\"timestamp\":\"yesterday\"");
      case NEGATIVE_TIMESTAMP -> out.text(",\"timestamp\":-1");
      default -> {
        out.text(",\"timestamp\":");
        time();
      }
    }
    out.raw(RECEIVED_AT).decimal(receivedAt);
    if (how == Malformation.TEXT_DEVICE_INFO) {
      out.text(",\"device_info\":\"phone\"");
    } else {
      out.raw(deviceInfo);
    }
    out.raw(geoLocation);
    switch (how) {
      case LIST_PROPERTIES -> out.text(",\"properties\":[\"screen\"]");
      case NUMERIC_PROPERTY -> out.text(",\"properties\":{\"screen\":7}");
      case LONG_PROPERTY ->
          out.text(",\"properties\":{\"screen\":\"").repeat('p', MAX_PROPERTY + 1).text("\"}");
      case MANY_PROPERTIES -> manyProperties();
      case TOO_DEEP -> out.text(",\"context\":").repeat('[', DEPTH).repeat(']', DEPTH);
      default -> out.raw(PROPERTIES).raw(property).decimal(propertyNumber).text("\"}");
    }
    out.put('}');
  }

  private void manyProperties() {
    out.raw(PROPERTIES);
    for (int i = 0; i <= MAX_PROPERTIES; i++) {
      out.text(i == 0 ? "\"p" : ",\"p").decimal(i).text("\":\"v\"");
    }
    out.put('}');
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}

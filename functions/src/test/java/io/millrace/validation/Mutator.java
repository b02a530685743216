package io.millrace.validation;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.SplittableRandom;
import javax.annotation.Nullable;

/** Records from valid events by seeded damage: the same seed gives the same records. */
final class Mutator {
  private static final String[] KNOWN = {
    "event_id",
    "user_id",
    "session_id",
    "event_type",
    "timestamp",
    "received_at",
    "device_info",
    "geo_location",
    "properties",
    "device_type",
    "country",
    "unknown",
    ""
  };
  private static final String[] VALUES = {
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1.5",
    "1e400",
    "-0",
    "9999999999999999999",
    "\"\"",
    "\"x\"",
    "[]",
    "{}",
    "[1,2]",
    "{\"a\":\"b\"}",
    "\"1767608130123\"",
    "253402300799999",
    "253402300800000",
    "\"2026-01-05T10:15:30Z\"",
    "\"2026-02-30T10:15:30Z\"",
    "\"T\"",
    "\"2026-01-05T10:15:30.123+02:00\"",
    "\"+999999999-12-31T23:59:59Z\"",
    "\"\\ud800\"",
    "\"\\ud83d\\ude00\"",
    "\"\\u0000\"",
    "\"😀\"",
    "NaN",
    "01",
    "\"View\"",
    "'x'",
    "\"a\nb\""
  };
  private static final int[] LENGTHS = {64, 65, 127, 128, 129, 256, 257, 1024, 1025, 4000};
  private static final byte[] INTERESTING = {
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    0,
    '\n',
    '0',
    '-',
    'e',
    'u',
    'd',
    (byte) 0x80,
    (byte) 0xC0,
    (byte) 0xED,
    (byte) 0xEF,
    (byte) 0xF4,
    (byte) 0xFF
  };

  private final SplittableRandom random;
  private final int maxRecord;
  private final byte[][] recent = new byte[100][];

  Mutator(long seed, int maxRecord) {
    this.random = new SplittableRandom(seed);
    this.maxRecord = maxRecord;
  }

  /** A valid event, new or one of the last. */
  byte[] valid(long now) {
    int slot = random.nextInt(recent.length);
    if (recent[slot] == null || random.nextInt(3) > 0) {
      recent[slot] = fresh(now);
    }
    return recent[slot];
  }

  private byte[] fresh(long now) {
    int user = random.nextInt(200);
    StringBuilder json = new StringBuilder(400);
    json.append("{\"event_id\":\"e").append(random.nextInt(3_000));
    json.append("\",\"user_id\":\"user-").append(user).append('"');
    if (random.nextBoolean()) {
      json.append(",\"session_id\":\"s").append(random.nextInt(99)).append('"');
    }
    json.append(",\"event_type\":\"view_notification\",\"timestamp\":");
    json.append(now - random.nextLong(60) * 60_000);
    json.append(",\"received_at\":\"2026-01-05T10:15:30.").append(100 + random.nextInt(900));
    json.append("Z\",\"device_info\":{\"device_type\":\"iPhone15,2\",\"os_version\":\"17.");
    json.append(random.nextInt(9)).append("\",\"app_version\":\"3.1.0\"},\"geo_location\":{");
    json.append("\"country\":\"DE\",\"region\":\"Thüringen\",\"city\":\"Jena\"},");
    json.append("\"properties\":{\"screen\":\"home\",\"n\":\"").append(random.nextInt(9));
    return json.append("\"},\"extra\":[1,{\"a\":null}]}")
        .toString()
        .getBytes(StandardCharsets.UTF_8);
  }

  /** The record with one to three faults; one in five is left as it is. */
  @Nullable
  byte[] damage(byte[] record, byte[] other) {
    if (random.nextInt(5) == 0) {
      return record;
    }
    byte[] damaged = record;
    for (int faults = random.nextInt(1, 4); faults > 0 && damaged != null; faults--) {
      damaged = once(damaged, other);
    }
    return damaged;
  }

  @Nullable
  private byte[] once(byte[] record, byte[] other) {
    int at = random.nextInt(record.length + 1);
    int kind = random.nextInt(100);
    if (kind < 14) {
      return flipped(record);
    }
    if (kind < 24) {
      byte[] one = {INTERESTING[random.nextInt(INTERESTING.length)]};
      return spliced(record, at, one, at);
    }
    if (kind < 32) {
      return spliced(record, at, new byte[0], Math.min(record.length, at + random.nextInt(1, 9)));
    }
    if (kind < 36) {
      return Arrays.copyOf(record, at);
    }
    if (kind < 42) {
      int from = random.nextInt(other.length + 1);
      byte[] tail = Arrays.copyOfRange(other, from, other.length);
      return spliced(record, at, tail, record.length);
    }
    if (kind < 76) {
      return withValue(record, value());
    }
    if (kind < 84) {
      return withValue(
          record, value() + ",\"" + KNOWN[random.nextInt(KNOWN.length)] + "\":" + value());
    }
    if (kind < 90) {
      return withNewField(record, KNOWN[random.nextInt(KNOWN.length)]);
    }
    if (kind < 94) {
      int depth = random.nextInt(28, 36);
      boolean objects = random.nextBoolean();
      String open = (objects ? "{\"a\":" : "[").repeat(depth);
      return withValue(record, open + "1" + (objects ? "}" : "]").repeat(depth));
    }
    if (kind < 96) {
      return withValue(record, properties());
    }
    return rare(record);
  }

  @Nullable
  private byte[] rare(byte[] record) {
    switch (random.nextInt(12)) {
      case 0 -> {
        return null;
      }
      case 1 -> {
        return new byte[0];
      }
      case 2 -> {
        byte[] padded = Arrays.copyOf(record, maxRecord - 1 + random.nextInt(3));
        Arrays.fill(padded, Math.min(record.length, padded.length), padded.length, (byte) ' ');
        return padded;
      }
      case 3 -> {
        return withValue(record, "7".repeat(random.nextInt(20, 8_000)));
      }
      case 4 -> {
        return new String(record, StandardCharsets.UTF_8).getBytes(StandardCharsets.UTF_16LE);
      }
      case 5 -> {
        return withValue(record, "[".repeat(random.nextInt(5_000)));
      }
      default -> {
        byte[] noise = new byte[random.nextInt(1, 600)];
        random.nextBytes(noise);
        return noise;
      }
    }
  }

  private byte[] flipped(byte[] record) {
    byte[] flipped = record.clone();
    for (int flips = random.nextInt(1, 4); flips > 0 && flipped.length > 0; flips--) {
      flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
    }
    return flipped;
  }

  private String value() {
    return random.nextInt(4) == 0
        ? "\"" + "x".repeat(LENGTHS[random.nextInt(LENGTHS.length)]) + "\""
        : VALUES[random.nextInt(VALUES.length)];
  }

  private String properties() {
    StringBuilder json = new StringBuilder("{");
    int count = random.nextInt(60, 70);
    for (int i = 0; i < count; i++) {
      json.append(i == 0 ? "" : ",").append("\"p").append(i).append("\":\"v\"");
    }
    return json.append('}').toString();
  }

  /** Puts other JSON in the place of the value after some colon. */
  private byte[] withValue(byte[] record, String json) {
    int colon = indexFrom(record, random.nextInt(record.length + 1), ':');
    if (colon < 0) {
      return record;
    }
    int end = colon + 1;
    boolean quoted = false;
    int depth = 0;
    for (; end < record.length; end++) {
      byte b = record[end];
      quoted ^= b == '"';
      depth += quoted ? 0 : b == '{' || b == '[' ? 1 : b == '}' || b == ']' ? -1 : 0;
      if (!quoted && (depth < 0 || (depth == 0 && b == ','))) {
        break;
      }
    }
    return spliced(record, colon + 1, json.getBytes(StandardCharsets.UTF_8), end);
  }

  private byte[] withNewField(byte[] record, String name) {
    int comma = indexFrom(record, random.nextInt(record.length + 1), ',');
    String field = "\"" + name + "\":" + value() + ",";
    return comma < 0
        ? record
        : spliced(record, comma + 1, field.getBytes(StandardCharsets.UTF_8), comma + 1);
  }

  private static int indexFrom(byte[] record, int from, char wanted) {
    for (int i = 0; i < record.length; i++) {
      int at = (from + i) % record.length;
      if (record[at] == wanted) {
        return at;
      }
    }
    return -1;
  }

  private static byte[] spliced(byte[] record, int from, byte[] inserted, int to) {
    byte[] result = new byte[from + inserted.length + record.length - to];
    System.arraycopy(record, 0, result, 0, from);
    System.arraycopy(inserted, 0, result, from, inserted.length);
    System.arraycopy(record, to, result, from + inserted.length, record.length - to);
    return result;
  }
}

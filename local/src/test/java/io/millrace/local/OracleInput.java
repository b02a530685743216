package io.millrace.local;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Seeded events that meet the edges of sessions and rollups, in the order of their arrival. Every
 * kind has distances around the gap, equal timestamps, a session_end among them, devices that
 * change within a session, and missing, empty and reserved names.
 */
final class OracleInput {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long SECOND = 1_000;
  private static final long MINUTE = 60 * SECOND;
  private static final long HOUR = 60 * MINUTE;
  private static final long DAY = 24 * HOUR;

  /** A Monday, at midnight. */
  static final Instant START = Instant.parse("2026-01-05T00:00:00Z");

  /** No event but the sentinels is at or after it. */
  static final Instant END = Instant.parse("2026-01-09T00:00:00Z");

  private static final String[] TYPES = {
    "install", "session_start", "view_notification", "view_notification", "open_notification",
    "purchase", "screen_view", "screen_view", "screen_view", "search"
  };
  private static final String[] DEVICES = {
    "iPhone15,2", "Pixel 8", "Galaxy S24", "iPad", "ALL_DEVICES", "", null
  };
  private static final String[] VERSIONS = {"3.0.0", "3.1.0", "3.1.1", null, "UNKNOWN"};
  private static final String[] COUNTRIES = {
    "DE", "US", "FR", "JP", "OTHER", "", null, "ALL_COUNTRIES"
  };

  // Code points order these in one way, UTF-16 units in another.
  private static final String[] ID_PREFIXES = {"e", "E", "\uFB00", "\uD83D\uDE00", "é", "e-"};

  /** How events come. */
  enum Kind {
    /** In the order of their timestamps. */
    IN_ORDER,
    /** Up to 11 minutes late, which is within out-of-orderness and lateness. */
    SHUFFLED,
    /** In order, and some hours later than that. */
    LATE,
    /** Users with very many events, or without a pause for days. */
    BOTS,
    /** Visits around midnight. */
    MIDNIGHT,
    /** Every event three times. */
    FLOODS
  }

  /** One record; {@code arrival} is its Kafka timestamp. */
  record Sent(String user, byte[] json, long arrival) {}

  private final Random random;
  private final List<Arrival> arrivals = new ArrayList<>();
  private final Map<String, Integer> ids = new HashMap<>();
  private final long gap;
  private final Kind kind;
  private long events;

  private record Arrival(String user, ObjectNode event, long at) {}

  private OracleInput(Kind kind, long gap, long seed) {
    this.kind = kind;
    this.gap = gap;
    this.random = new Random(31 * seed + kind.name().hashCode());
  }

  /** The records of a kind, for sessions with a gap. */
  static List<Sent> of(Kind kind, long gapMs, int users, long seed) {
    OracleInput input = new OracleInput(kind, gapMs, seed);
    for (int u = 0; u < users; u++) {
      input.user((u % 7 == 0 ? "usér-" : "user-") + u);
    }
    if (kind == Kind.BOTS) {
      input.bots();
    }
    input.arrivals.sort(Comparator.comparingLong(Arrival::at));
    List<Sent> sent = new ArrayList<>(input.arrivals.size());
    for (Arrival a : input.arrivals) {
      sent.add(new Sent(a.user(), bytes(a.event()), a.at()));
    }
    return sent;
  }

  /** How many distinct events there are in records. */
  static long distinct(List<Sent> sent) {
    // A resend has the same bytes.
    return sent.stream().map(s -> new String(s.json(), StandardCharsets.UTF_8)).distinct().count();
  }

  /** An event long after all others, which lets the watermark pass them. */
  static Sent sentinel(int number) {
    long at = END.toEpochMilli() + 3 * DAY;
    ObjectNode event = JSON.createObjectNode();
    event.put("event_id", "sentinel-" + number).put("user_id", "sentinel-" + number);
    event.put("event_type", "sentinel").put("timestamp", at);
    return new Sent("sentinel-" + number, bytes(event), at);
  }

  private static byte[] bytes(ObjectNode event) {
    try {
      return JSON.writeValueAsBytes(event);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes files for the bounded mode, in two topics and several files of each. */
  static void write(List<Sent> sent, Path folder) throws IOException {
    List<BufferedWriter> files = new ArrayList<>();
    try {
      for (int i = 0; i < 6; i++) {
        Path file = folder.resolve(i % 2 == 0 ? "session" : "install").resolve(i + ".jsonl");
        Files.createDirectories(file.getParent());
        files.add(Files.newBufferedWriter(file));
      }
      for (int i = 0; i < sent.size(); i++) {
        BufferedWriter file = files.get(i % files.size());
        file.write(new String(sent.get(i).json(), StandardCharsets.UTF_8));
        file.newLine();
      }
    } finally {
      for (BufferedWriter file : files) {
        file.close();
      }
    }
  }

  private void user(String user) {
    long at = START.toEpochMilli() + random.nextInt((int) (20 * HOUR));
    int visits = 2 + random.nextInt(6);
    for (int v = 0; v < visits; v++) {
      if (kind == Kind.MIDNIGHT && random.nextInt(3) > 0) {
        at = (at / DAY + 1) * DAY - random.nextInt((int) (20 * MINUTE));
      }
      at = visit(user, at);
      at += pauseAfterVisit();
    }
  }

  /** Around the gap, or well above it. */
  private long pauseAfterVisit() {
    return switch (random.nextInt(8)) {
      case 0 -> gap - 1;
      case 1 -> gap;
      case 2 -> gap + 1;
      case 3 -> 1;
      default -> gap + random.nextInt((int) (9 * HOUR));
    };
  }

  private long visit(String user, long from) {
    int length = random.nextInt(12) == 0 ? 60 + random.nextInt(20) : 1 + random.nextInt(9);
    String device = pick(DEVICES);
    String version = pick(VERSIONS);
    String country = pick(COUNTRIES);
    String session = random.nextInt(4) == 0 ? null : "s" + random.nextInt(1_000_000);
    long at = from;
    for (int i = 0; i < length; i++) {
      if (i > 0) {
        at += distance(length);
      }
      if (random.nextInt(20) == 0) {
        device = pick(DEVICES);
        country = pick(COUNTRIES);
      }
      if (random.nextInt(length > 50 ? 4 : 10) == 0) {
        session = "s" + random.nextInt(1_000_000);
      }
      String type = i == 0 && random.nextBoolean() ? "session_start" : pick(TYPES);
      event(user, type, at, device, version, country, session);
      if (random.nextInt(12) == 0) {
        // Sorts last among its equals, whatever its id.
        event(user, "session_end", at, device, version, country, session);
      }
    }
    if (random.nextInt(3) == 0) {
      event(user, "session_end", at + random.nextInt(2), device, version, country, session);
    }
    return at;
  }

  private long distance(int length) {
    return switch (random.nextInt(6)) {
      case 0 -> 0;
      case 1 -> 1;
      case 2 -> length > 50 ? SECOND : (long) (random.nextDouble() * gap);
      default -> random.nextInt((int) (2 * MINUTE));
    };
  }

  /** Beyond the bounds of a session, by number, by time, and at each edge. */
  private void bots() {
    long begin = START.toEpochMilli() + 7 * HOUR + 123;
    for (int i = 0; i < 24_000; i++) {
      event("bot-fast", "screen_view", begin + 50L * i, "bot", "1", "DE", "b" + i / 3_000);
    }
    for (int i = 0; i < 12_500; i++) {
      // Thousands at one instant: the order among them is that of their ids.
      event("bot-burst", "search", begin + i / 5_000, "bot", "1", "US", null);
    }
    for (int i = 0; i < 200; i++) {
      event("bot-slow", "view_notification", begin + 20 * MINUTE * i, "bot", null, "FR", "c");
    }
    for (long at : new long[] {0, 24 * HOUR, 24 * HOUR + 1, 48 * HOUR + 1, 48 * HOUR + 2}) {
      event("bot-day", "purchase", begin + at, "bot", "2", "JP", null);
    }
    for (long at = 0; at <= 49 * HOUR; at += 30 * MINUTE) {
      event("bot-day", "screen_view", begin + at, "bot", "2", "JP", null);
    }
    for (int i = 0; i < 10_001; i++) {
      String type = i == 10_000 ? "session_end" : "screen_view";
      event("bot-edge", type, begin + 100L * i, "bot", "2", "JP", null);
    }
  }

  private void event(
      String user,
      String type,
      long timestamp,
      String device,
      String version,
      String country,
      String session) {
    if (timestamp >= END.toEpochMilli()) {
      return;
    }
    ObjectNode event = JSON.createObjectNode();
    int number = ids.merge(user, 1, Integer::sum);
    event.put("event_id", pick(ID_PREFIXES) + (number * 7_919) % 100_003);
    event.put("user_id", user).put("event_type", type).put("timestamp", timestamp);
    if (session != null) {
      event.put("session_id", session);
    }
    ObjectNode deviceInfo = event.putObject("device_info");
    put(deviceInfo, "device_type", device);
    put(deviceInfo, "app_version", version);
    if (country != null || random.nextBoolean()) {
      put(event.putObject("geo_location"), "country", country);
    }
    if (type.equals("screen_view") && random.nextInt(4) > 0) {
      event.putObject("properties").put("screen", "screen-" + random.nextInt(20));
    }
    events++;
    switch (kind) {
      case SHUFFLED -> arrive(user, event, timestamp, random.nextInt((int) (11 * MINUTE)));
      case LATE ->
          arrive(
              user,
              event,
              timestamp,
              events % 10 == 0 ? 20 * MINUTE + random.nextInt((int) (3 * HOUR)) : 0);
      case FLOODS -> {
        arrive(user, event, timestamp, 0);
        arrive(user, event, timestamp, random.nextInt((int) (2 * MINUTE)));
        arrive(user, event, timestamp, random.nextInt((int) (20 * HOUR)));
      }
      default -> arrive(user, event, timestamp, 0);
    }
  }

  private void put(ObjectNode object, String field, String value) {
    if (value != null || random.nextBoolean()) {
      object.put(field, value);
    }
  }

  private void arrive(String user, ObjectNode event, long timestamp, long delay) {
    arrivals.add(new Arrival(user, event, timestamp + delay));
  }

  private String pick(String[] from) {
    return from[random.nextInt(from.length)];
  }
}

package io.millrace.event;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Records for tests, from the barest to the fullest. */
public final class Records {
  /** 2026-01-05T10:15:30.123Z. */
  public static final long T = 1_767_608_130_123L;

  private Records() {}

  /** An event with nothing but what is required. */
  public static Event event(String eventId, String userId, long timestamp) {
    return new Event(
        eventId,
        userId,
        null,
        "app_open",
        timestamp,
        Origin.NO_TIME,
        Device.UNKNOWN,
        Geo.UNKNOWN,
        Map.of(),
        Dimensions.NONE,
        origin("events", 0, timestamp));
  }

  /** An event of a device type and a country. */
  public static Event event(String eventId, String deviceType, String country) {
    Event e = event(eventId, "u", T);
    return new Event(
        e.eventId(),
        e.userId(),
        e.sessionId(),
        e.eventType(),
        e.timestamp(),
        e.receivedAt(),
        new Device(deviceType, null, null),
        new Geo(country, null, null),
        e.properties(),
        e.dimensions(),
        e.origin());
  }

  /** An event with every field set, to text of every kind. */
  public static Event full() {
    Map<String, String> properties = new HashMap<>();
    properties.put("screen", "home");
    properties.put("größe", "日本語😀\0\n");
    properties.put("", "");
    return new Event(
        "e-1",
        "ü-😀",
        "s-1",
        "view_notification",
        T,
        T + 1,
        new Device("iPhone15,2", "17.2", "3.1.0"),
        new Geo("DE", "Thüringen", "Jena"),
        properties,
        new Dimensions("phone", "Apple", "Germany", "EMEA", "0f1e2d"),
        new Origin("view_notification", 11, Long.MAX_VALUE, T + 2, T + 3));
  }

  /** A place in Kafka. */
  public static Origin origin(String topic, int partition, long offset) {
    return new Origin(topic, partition, offset, T, T + 5);
  }

  /** A record that became this event. */
  public static Received accepted(Event event) {
    return new Received(
        event.origin(),
        new byte[] {1},
        List.of(),
        new byte[] {2},
        event.ledgerTime(),
        event,
        List.of());
  }

  /** A record that was rejected for these reasons. */
  public static Received rejected(Origin origin, List<Header> headers, RejectReason... reasons) {
    return new Received(
        origin,
        null,
        headers,
        new byte[] {3},
        origin.kafkaTimestamp(),
        null,
        List.of(reasons).stream().map(r -> new Rejection(r, "", r.code())).toList());
  }
}

package io.millrace.event;

import java.util.Map;
import java.util.Objects;
import javax.annotation.Nullable;
import org.apache.flink.api.common.typeinfo.TypeInfo;

/**
 * One valid application event. Times are epoch milliseconds, UTC.
 *
 * @param eventId 1-128 characters; with user and timestamp the identity for deduplication
 * @param userId 1-128 characters; its pseudonym when a pseudonym key is configured
 * @param sessionId the client's own session id
 * @param eventType {@code [a-z][a-z0-9_]{0,63}}
 * @param timestamp when it happened, by the client's clock
 * @param receivedAt when the collector got it; {@link Origin#NO_TIME} when not told
 * @param properties at most {@code validation.max-properties}, never null
 */
@TypeInfo(EventTypeInfo.ForEvent.class)
public record Event(
    String eventId,
    String userId,
    @Nullable String sessionId,
    String eventType,
    long timestamp,
    long receivedAt,
    Device device,
    Geo geo,
    Map<String, String> properties,
    Dimensions dimensions,
    Origin origin) {
  /** A type that no valid event has. */
  private static final String ERASURE = "!erasure";

  public Event {
    Objects.requireNonNull(eventId, "eventId");
    Objects.requireNonNull(userId, "userId");
    Objects.requireNonNull(eventType, "eventType");
    Objects.requireNonNull(device, "device");
    Objects.requireNonNull(geo, "geo");
    Objects.requireNonNull(properties, "properties");
    Objects.requireNonNull(dimensions, "dimensions");
    Objects.requireNonNull(origin, "origin");
  }

  /** No event, but the word to forget a user. */
  public static Event erasure(String userId, Origin origin) {
    return new Event(
        ERASURE,
        userId,
        null,
        ERASURE,
        0,
        Origin.NO_TIME,
        Device.UNKNOWN,
        Geo.UNKNOWN,
        Map.of(),
        Dimensions.NONE,
        origin);
  }

  /** Whether this is the word to forget the user. */
  public boolean isErasure() {
    return eventType.equals(ERASURE);
  }

  /** The same event under another user id. */
  public Event withUserId(String id) {
    return new Event(
        eventId,
        id,
        sessionId,
        eventType,
        timestamp,
        receivedAt,
        device,
        geo,
        properties,
        dimensions,
        origin);
  }

  /** The same event with the dimension's columns. */
  public Event withDimensions(Dimensions looked) {
    return new Event(
        eventId,
        userId,
        sessionId,
        eventType,
        timestamp,
        receivedAt,
        device,
        geo,
        properties,
        looked,
        origin);
  }

  /**
   * The time under which the ledger and the raw tables file the record: the Kafka timestamp, in
   * bounded mode {@code received_at}, else the event's own.
   */
  public long ledgerTime() {
    if (origin.kafkaTimestamp() != Origin.NO_TIME) {
      return origin.kafkaTimestamp();
    }
    return receivedAt != Origin.NO_TIME ? receivedAt : timestamp;
  }
}

package io.millrace.event;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;

/**
 * An event while it is being read: mutable, reused from record to record, owned by one thread.
 * Decoding fills it, validation judges it.
 */
public final class EventDraft {
  @Nullable public String eventId;
  @Nullable public String userId;
  @Nullable public String sessionId;
  @Nullable public String eventType;

  /** Epoch ms; {@link Origin#NO_TIME} while not read. */
  public long timestamp;

  /** Epoch ms; {@link Origin#NO_TIME} while not read. */
  public long receivedAt;

  @Nullable public String deviceType;
  @Nullable public String osVersion;
  @Nullable public String appVersion;
  @Nullable public String country;
  @Nullable public String region;
  @Nullable public String city;

  private Map<String, String> properties = Map.of();
  private List<Rejection> rejections = List.of();
  private boolean unreadable;

  public EventDraft() {
    reset();
  }

  /** Empties the draft for the next record. */
  public void reset() {
    eventId = null;
    userId = null;
    sessionId = null;
    eventType = null;
    timestamp = Origin.NO_TIME;
    receivedAt = Origin.NO_TIME;
    deviceType = null;
    osVersion = null;
    appVersion = null;
    country = null;
    region = null;
    city = null;
    properties = Map.of();
    rejections = List.of();
    unreadable = false;
  }

  /** Adds a property; a later value of the same name wins. */
  public void putProperty(String name, String value) {
    if (properties.isEmpty()) {
      properties = new HashMap<>(8);
    }
    properties.put(name, value);
  }

  /** Takes a property back. */
  public void removeProperty(String name) {
    if (!properties.isEmpty()) {
      properties.remove(name);
    }
  }

  /** Forgets the properties read so far. */
  public void clearProperties() {
    properties = Map.of();
  }

  public Map<String, String> properties() {
    return properties;
  }

  /** Notes a reason against the record. */
  public void reject(RejectReason reason, String field, String message) {
    if (rejections.isEmpty()) {
      rejections = new ArrayList<>(2);
    }
    rejections.add(new Rejection(reason, field, message));
  }

  /**
   * Takes back what was noted against a field: it occurs again, and only its last value counts.
   * This bounds the reasons, however often a record repeats a field.
   */
  public void takeBack(String field) {
    if (!rejections.isEmpty()) {
      rejections.removeIf(r -> r.field().equals(field));
    }
  }

  /** Takes back what was noted against an object and the fields within it. */
  public void takeBackWithin(String object) {
    if (!rejections.isEmpty()) {
      takeBack(object);
      rejections.removeIf(r -> r.field().startsWith(object + "."));
    }
  }

  /**
   * Notes that reading stopped before the end, so that an absent field says nothing: only the
   * reasons found so far are reported.
   */
  public void rejectUnreadable(RejectReason reason, String message) {
    unreadable = true;
    reject(reason, "", message);
  }

  public boolean unreadable() {
    return unreadable;
  }

  /** The reasons so far, in the order found. */
  public List<Rejection> rejections() {
    return rejections;
  }

  /** The finished event; only for a draft without rejections. */
  public Event toEvent(Origin origin) {
    Device device =
        deviceType == null && osVersion == null && appVersion == null
            ? Device.UNKNOWN
            : new Device(deviceType, osVersion, appVersion);
    Geo geo =
        country == null && region == null && city == null
            ? Geo.UNKNOWN
            : new Geo(country, region, city);
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
        Dimensions.NONE,
        origin);
  }
}

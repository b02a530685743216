package io.millrace.validation;

import io.millrace.event.Event;
import io.millrace.event.EventDecoder;
import io.millrace.event.EventDraft;
import io.millrace.event.Header;
import io.millrace.event.Origin;
import io.millrace.event.Received;
import io.millrace.event.RejectReason;
import io.millrace.event.Rejection;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.Serializable;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import javax.annotation.Nullable;

/**
 * Turns a record into an event, or into every reason why it is none. Never throws for any input. An
 * instance is used by one thread.
 */
public final class Validate implements Serializable {
  private static final long serialVersionUID = 1L;

  private final ValidationRules rules;
  private final EventDecoder decoder;
  private transient EventDraft draft;

  public Validate(ValidationRules rules, EventDecoder decoder) {
    this.rules = rules;
    this.decoder = decoder;
    this.draft = new EventDraft();
  }

  private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
    in.defaultReadObject();
    draft = new EventDraft();
  }

  /** Judges one record. */
  // A fault of ours in a rule must cost one record its acceptance, not the job its life.
  public Received validate(
      Origin origin, @Nullable byte[] key, List<Header> headers, @Nullable byte[] value) {
    draft.reset();
    try {
      judge(origin, value);
    } catch (RuntimeException e) {
      draft.reject(RejectReason.INTERNAL_ERROR, "", e.toString().lines().findFirst().orElse(""));
    }
    if (draft.rejections().isEmpty()) {
      Event event = draft.toEvent(origin);
      return new Received(origin, key, headers, value, event.ledgerTime(), event, List.of());
    }
    Origin filed = filed(origin);
    return new Received(
        filed, key, headers, value, ledgerTime(filed), null, List.copyOf(draft.rejections()));
  }

  /** No table can hold a Kafka timestamp after the year 9999: it stands in the message alone. */
  private static Origin filed(Origin origin) {
    return origin.kafkaTimestamp() <= Origin.LAST_TIME
        ? origin
        : new Origin(
            origin.topic(),
            origin.partition(),
            origin.offset(),
            Origin.NO_TIME,
            origin.ingestedAt());
  }

  private void judge(Origin origin, @Nullable byte[] value) {
    if (value == null) {
      draft.rejectUnreadable(RejectReason.NULL_VALUE, "the record has no value");
    } else if (value.length > rules.maxRecordBytes()) {
      draft.rejectUnreadable(
          RejectReason.TOO_LARGE,
          value.length + " bytes, at most " + rules.maxRecordBytes() + " are allowed");
    } else {
      decoder.decode(value, draft);
    }
    checkKafkaClock(origin);
    if (draft.unreadable()) {
      return;
    }
    checkId("event_id", draft.eventId);
    checkId("user_id", draft.userId);
    if (draft.sessionId != null) {
      if (draft.sessionId.isEmpty()) {
        draft.sessionId = null;
      } else {
        checkLength("session_id", draft.sessionId, rules.maxIdLength());
      }
    }
    checkType(origin.topic());
    checkTime(origin);
    checkLength("device_info.device_type", draft.deviceType, rules.maxTextLength());
    checkLength("device_info.os_version", draft.osVersion, rules.maxTextLength());
    checkLength("device_info.app_version", draft.appVersion, rules.maxTextLength());
    checkLength("geo_location.country", draft.country, rules.maxTextLength());
    checkLength("geo_location.region", draft.region, rules.maxTextLength());
    checkLength("geo_location.city", draft.city, rules.maxTextLength());
  }

  private void checkId(String field, @Nullable String id) {
    if (id == null) {
      missing(field);
    } else if (id.isEmpty()) {
      draft.reject(RejectReason.MISSING_FIELD, field, "is empty");
    } else {
      checkLength(field, id, rules.maxIdLength());
    }
  }

  private void checkLength(String field, @Nullable String text, int max) {
    if (text != null && text.length() > max) {
      draft.reject(
          RejectReason.FIELD_TOO_LONG,
          field,
          text.length() + " characters, at most " + max + " are allowed");
    }
  }

  private void checkType(String topic) {
    String type = draft.eventType;
    if (type == null) {
      missing("event_type");
      return;
    }
    if (!isEventType(type)) {
      draft.reject(
          RejectReason.BAD_EVENT_TYPE,
          "event_type",
          "'"
              + (type.length() <= 64 ? type : type.substring(0, 64) + "...")
              + "' does not match [a-z][a-z0-9_]{0,63}");
      return;
    }
    Set<String> allowed = rules.allowedTypes().get(topic);
    if (allowed != null && !allowed.contains(type)) {
      draft.reject(
          RejectReason.TYPE_NOT_ALLOWED_ON_TOPIC,
          "event_type",
          "'"
              + type
              + "' on topic "
              + topic
              + ", which takes "
              + allowed.stream().sorted().toList());
    }
  }

  /** Whether a text matches {@code [a-z][a-z0-9_]{0,63}}. */
  private static boolean isEventType(String type) {
    if (type.isEmpty() || type.length() > 64) {
      return false;
    }
    for (int i = 0; i < type.length(); i++) {
      char c = type.charAt(i);
      boolean letter = c >= 'a' && c <= 'z';
      boolean later = (c >= '0' && c <= '9') || c == '_';
      if (!letter && !(i > 0 && later)) {
        return false;
      }
    }
    return true;
  }

  private void checkTime(Origin origin) {
    if (draft.timestamp == Origin.NO_TIME) {
      if (!rejected("timestamp")) {
        missing("timestamp");
      }
      return;
    }
    long reference =
        origin.kafkaTimestamp() != Origin.NO_TIME ? origin.kafkaTimestamp() : draft.receivedAt;
    if (reference == Origin.NO_TIME) {
      return;
    }
    if (draft.timestamp - reference > rules.maxAhead().toMillis()) {
      draft.reject(
          RejectReason.TIMESTAMP_IN_FUTURE,
          "timestamp",
          Instant.ofEpochMilli(draft.timestamp)
              + " is more than "
              + rules.maxAhead()
              + " ahead of "
              + Instant.ofEpochMilli(reference));
    }
    if (rules.maxAge() != null && reference - draft.timestamp > rules.maxAge().toMillis()) {
      draft.reject(
          RejectReason.TIMESTAMP_TOO_OLD,
          "timestamp",
          Instant.ofEpochMilli(draft.timestamp)
              + " is more than "
              + rules.maxAge()
              + " behind "
              + Instant.ofEpochMilli(reference));
    }
  }

  /** A producer's own Kafka timestamp (CreateTime) can be wrong too, and would drag watermarks. */
  private void checkKafkaClock(Origin origin) {
    if (origin.kafkaTimestamp() != Origin.NO_TIME
        && origin.kafkaTimestamp() - origin.ingestedAt() > rules.maxAhead().toMillis()) {
      draft.reject(
          RejectReason.TIMESTAMP_IN_FUTURE,
          "",
          "the Kafka timestamp "
              + Instant.ofEpochMilli(origin.kafkaTimestamp())
              + " is more than "
              + rules.maxAhead()
              + " ahead of the clock, "
              + Instant.ofEpochMilli(origin.ingestedAt()));
    }
  }

  /** An absent field is reported as missing only when nothing worse was said of it already. */
  private void missing(String field) {
    if (!rejected(field)) {
      draft.reject(RejectReason.MISSING_FIELD, field, "is required");
    }
  }

  private boolean rejected(String field) {
    for (Rejection r : draft.rejections()) {
      if (r.field().equals(field)) {
        return true;
      }
    }
    return false;
  }

  private long ledgerTime(Origin origin) {
    if (origin.kafkaTimestamp() != Origin.NO_TIME) {
      return origin.kafkaTimestamp();
    }
    if (draft.receivedAt != Origin.NO_TIME) {
      return draft.receivedAt;
    }
    return draft.timestamp != Origin.NO_TIME ? draft.timestamp : 0;
  }
}

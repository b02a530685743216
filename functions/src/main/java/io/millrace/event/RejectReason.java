package io.millrace.event;

/**
 * Why a record was rejected. The code is a contract: it stands in dead letters, tables and metrics,
 * and is never renamed or reused.
 */
public enum RejectReason {
  /** The Kafka value is null (a tombstone on a topic of events). */
  NULL_VALUE("null_value", Owner.PRODUCER),
  /** The value has more bytes than {@code validation.max-record-size}. */
  TOO_LARGE("too_large", Owner.PRODUCER),
  /** The bytes are not well-formed UTF-8, or an escape stands for half a surrogate pair. */
  NOT_UTF8("not_utf8", Owner.PRODUCER),
  /** The text is not one JSON object. */
  MALFORMED_JSON("malformed_json", Owner.PRODUCER),
  /** The JSON is nested deeper than {@code validation.max-depth}. */
  TOO_DEEP("too_deep", Owner.PRODUCER),
  /** A required field is absent, null or empty. */
  MISSING_FIELD("missing_field", Owner.PRODUCER),
  /** A field holds a JSON type that it may not hold. */
  BAD_TYPE("bad_type", Owner.PRODUCER),
  /** A time is neither ISO-8601 with a zone nor epoch milliseconds, or lies outside 1970..9999. */
  BAD_TIMESTAMP("bad_timestamp", Owner.PRODUCER),
  /** The event is further ahead of its reference time than {@code validation.max-ahead}. */
  TIMESTAMP_IN_FUTURE("timestamp_in_future", Owner.PRODUCER),
  /** The event is older than {@code validation.max-age}; off unless that is set. */
  TIMESTAMP_TOO_OLD("timestamp_too_old", Owner.PRODUCER),
  /** The event type does not match {@code [a-z][a-z0-9_]{0,63}}. */
  BAD_EVENT_TYPE("bad_event_type", Owner.PRODUCER),
  /** The event type is not one that its topic carries; off unless configured. */
  TYPE_NOT_ALLOWED_ON_TOPIC("type_not_allowed_on_topic", Owner.PRODUCER),
  /** A string is longer than its field allows. */
  FIELD_TOO_LONG("field_too_long", Owner.PRODUCER),
  /** There are more properties than {@code validation.max-properties}. */
  TOO_MANY_PROPERTIES("too_many_properties", Owner.PRODUCER),
  /**
   * A rule of ours failed on the record in a way that it should not: our bug, the record is kept.
   */
  INTERNAL_ERROR("internal_error", Owner.MILLRACE);

  /** Who has to act for a rejection to stop. */
  public enum Owner {
    /** Whoever writes the events. */
    PRODUCER,
    /** Whoever runs the broker, the store or the catalog. */
    EXTERNAL,
    /** Millrace itself. */
    MILLRACE
  }

  private final String code;
  private final Owner owner;

  RejectReason(String code, Owner owner) {
    this.code = code;
    this.owner = owner;
  }

  /** The stable name in tables, topics and metrics. */
  public String code() {
    return code;
  }

  public Owner owner() {
    return owner;
  }
}

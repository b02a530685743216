package io.millrace.event;

/**
 * Why a record was rejected. The code is a contract: it stands in dead letters, tables and metrics,
 * and is never renamed or reused.
 */
public enum RejectReason {
  NULL_VALUE("null_value", Owner.PRODUCER, "the Kafka value is null (a tombstone)"),
  TOO_LARGE(
      "too_large", Owner.PRODUCER, "the value has more bytes than `validation.max-record-size`"),
  NOT_UTF8(
      "not_utf8",
      Owner.PRODUCER,
      "the bytes are not well-formed UTF-8, or an escape stands for half a surrogate pair"),
  MALFORMED_JSON("malformed_json", Owner.PRODUCER, "the text is not one JSON object"),
  TOO_DEEP("too_deep", Owner.PRODUCER, "the JSON is nested deeper than `validation.max-depth`"),
  MISSING_FIELD("missing_field", Owner.PRODUCER, "a required field is absent, null or empty"),
  BAD_TYPE("bad_type", Owner.PRODUCER, "a field holds a JSON type that it may not hold"),
  BAD_TIMESTAMP(
      "bad_timestamp",
      Owner.PRODUCER,
      "a time is neither ISO-8601 with a zone nor epoch milliseconds, or lies outside 1970 to"
          + " 9999"),
  TIMESTAMP_IN_FUTURE(
      "timestamp_in_future",
      Owner.PRODUCER,
      "the event is further ahead of its reference time than `validation.max-ahead`, or its Kafka"
          + " timestamp is that far ahead of the clock"),
  TIMESTAMP_TOO_OLD(
      "timestamp_too_old",
      Owner.PRODUCER,
      "the event is older than `validation.max-age`; off unless that is set"),
  BAD_EVENT_TYPE(
      "bad_event_type", Owner.PRODUCER, "the event type does not match `[a-z][a-z0-9_]{0,63}`"),
  TYPE_NOT_ALLOWED_ON_TOPIC(
      "type_not_allowed_on_topic",
      Owner.PRODUCER,
      "the event type is not one that its topic carries; off unless"
          + " `validation.types-per-topic` is set"),
  FIELD_TOO_LONG("field_too_long", Owner.PRODUCER, "a string is longer than its field allows"),
  TOO_MANY_PROPERTIES(
      "too_many_properties",
      Owner.PRODUCER,
      "there are more properties than `validation.max-properties`"),
  INTERNAL_ERROR(
      "internal_error",
      Owner.MILLRACE,
      "a rule failed in a way that it should not: a bug of Millrace, the record is kept");

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
  private final String meaning;

  RejectReason(String code, Owner owner, String meaning) {
    this.code = code;
    this.owner = owner;
    this.meaning = meaning;
  }

  /** The stable name in tables, topics and metrics. */
  public String code() {
    return code;
  }

  public Owner owner() {
    return owner;
  }

  /** What is wrong with the record, in one line of Markdown: shown in docs/tables.md. */
  public String meaning() {
    return meaning;
  }
}

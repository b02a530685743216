package io.millrace.codec.arrow;

import java.util.Objects;

/**
 * Why a record of Arrow data was not read, as a whole.
 *
 * @param detail what was found and what is allowed, in one line
 */
public record ArrowRejection(Reason reason, String detail) {

  /** What is wrong; the code is a contract, and is the same where a reason of events is meant. */
  public enum Reason {
    /** There are no bytes at all: a tombstone. */
    NULL_VALUE("null_value"),
    /** A limit on bytes, rows or fields is exceeded. */
    TOO_LARGE("too_large"),
    /** A column is nested deeper than allowed. */
    TOO_DEEP("too_deep"),
    /** The bytes are not a whole and sound stream of Arrow IPC messages. */
    MALFORMED("malformed_arrow"),
    /** A column holds what the wanted type cannot. */
    BAD_TYPE("bad_type"),
    /** Sound, but of a kind that is not read. */
    UNSUPPORTED("unsupported_arrow");

    private final String code;

    Reason(String code) {
      this.code = code;
    }

    /** The stable name in dead letters and metrics. */
    public String code() {
      return code;
    }
  }

  public ArrowRejection {
    Objects.requireNonNull(reason, "reason");
    Objects.requireNonNull(detail, "detail");
  }

  @Override
  public String toString() {
    return reason.code() + ": " + detail;
  }
}

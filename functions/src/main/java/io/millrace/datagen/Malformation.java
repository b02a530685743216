package io.millrace.datagen;

import io.millrace.event.RejectReason;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;

/**
 * The ways in which a simulated record is broken, each with the reasons it must be rejected for.
 */
public enum Malformation {
  NOT_JSON(Times.UNREAD, RejectReason.MALFORMED_JSON),
  TRUNCATED(Times.UNREAD, RejectReason.MALFORMED_JSON),
  ARRAY(Times.UNREAD, RejectReason.MALFORMED_JSON),
  EMPTY(Times.UNREAD, RejectReason.MALFORMED_JSON),
  INVALID_UTF8(Times.UNREAD, RejectReason.NOT_UTF8),
  TOMBSTONE(Times.UNREAD, RejectReason.NULL_VALUE),
  TOO_DEEP(Times.READ, RejectReason.TOO_DEEP),
  NO_EVENT_ID(Times.READ, RejectReason.MISSING_FIELD),
  NO_USER_ID(Times.READ, RejectReason.MISSING_FIELD),
  NO_EVENT_TYPE(Times.READ, RejectReason.MISSING_FIELD),
  NO_TIMESTAMP(Times.READ, RejectReason.MISSING_FIELD),
  NULL_EVENT_ID(Times.READ, RejectReason.MISSING_FIELD),
  EMPTY_USER_ID(Times.READ, RejectReason.MISSING_FIELD),
  NUMERIC_EVENT_ID(Times.READ, RejectReason.BAD_TYPE),
  OBJECT_USER_ID(Times.READ, RejectReason.BAD_TYPE),
  BOOLEAN_EVENT_TYPE(Times.READ, RejectReason.BAD_TYPE),
  BOOLEAN_TIMESTAMP(Times.READ, RejectReason.BAD_TYPE),
  TEXT_DEVICE_INFO(Times.READ, RejectReason.BAD_TYPE),
  LIST_PROPERTIES(Times.READ, RejectReason.BAD_TYPE),
  NUMERIC_PROPERTY(Times.READ, RejectReason.BAD_TYPE),
  TIMESTAMP_WITHOUT_ZONE(Times.READ, RejectReason.BAD_TIMESTAMP),
  NUMERIC_STRING_TIMESTAMP(Times.READ, RejectReason.BAD_TIMESTAMP),
  TEXT_TIMESTAMP(Times.READ, RejectReason.BAD_TIMESTAMP),
  NEGATIVE_TIMESTAMP(Times.READ, RejectReason.BAD_TIMESTAMP),
  UPPERCASE_EVENT_TYPE(Times.READ, RejectReason.BAD_EVENT_TYPE),
  LONG_EVENT_TYPE(Times.READ, RejectReason.BAD_EVENT_TYPE),
  SPACED_EVENT_TYPE(Times.READ, RejectReason.BAD_EVENT_TYPE),
  LONG_EVENT_ID(Times.READ, RejectReason.FIELD_TOO_LONG),
  LONG_PROPERTY(Times.READ, RejectReason.FIELD_TOO_LONG),
  MANY_PROPERTIES(Times.READ, RejectReason.TOO_MANY_PROPERTIES),
  SEVERAL_PROBLEMS(
      Times.READ,
      RejectReason.MISSING_FIELD,
      RejectReason.BAD_EVENT_TYPE,
      RejectReason.BAD_TIMESTAMP,
      RejectReason.FIELD_TOO_LONG),
  HUGE_VALUE(Times.UNREAD, RejectReason.TOO_LARGE);

  /** Whether {@code received_at} can be read before the record turns out to be broken. */
  private enum Times {
    READ,
    UNREAD
  }

  private final boolean timesRead;

  // Set.copyOf is immutable, which the checker cannot see.
  @SuppressWarnings("ImmutableEnumChecker")
  private final Set<RejectReason> reasons;

  Malformation(Times times, RejectReason... reasons) {
    this.timesRead = times == Times.READ;
    EnumSet<RejectReason> set = EnumSet.noneOf(RejectReason.class);
    set.addAll(Arrays.asList(reasons));
    this.reasons = Set.copyOf(set);
  }

  /** Every reason that such a record is rejected for. */
  public Set<RejectReason> reasons() {
    return reasons;
  }

  boolean timesRead() {
    return timesRead;
  }
}

package io.millrace.event;

import java.util.Objects;

/**
 * One reason why a record was rejected.
 *
 * @param reason what rule it broke
 * @param field the field's path, as {@code geo_location.country}; empty when it is the whole record
 * @param message what was found and what is allowed, in one line
 */
public record Rejection(RejectReason reason, String field, String message) {
  public Rejection {
    Objects.requireNonNull(reason, "reason");
    Objects.requireNonNull(field, "field");
    Objects.requireNonNull(message, "message");
  }
}

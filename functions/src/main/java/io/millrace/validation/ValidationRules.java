package io.millrace.validation;

import java.io.Serializable;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import javax.annotation.Nullable;

/**
 * The limits that validation holds a record against.
 *
 * @param maxRecordBytes a larger value is {@code too_large} and is not read
 * @param maxIdLength longest event, user and session id, in characters
 * @param maxTextLength longest device and geo field, in characters
 * @param maxAhead how far an event may be ahead of its reference time
 * @param maxAge how far it may be behind; null switches the rule off
 * @param allowedTypes per topic the event types that it carries; a topic that is absent takes any
 */
public record ValidationRules(
    int maxRecordBytes,
    int maxIdLength,
    int maxTextLength,
    Duration maxAhead,
    @Nullable Duration maxAge,
    Map<String, Set<String>> allowedTypes)
    implements Serializable {

  /** The defaults of the documentation, with no rule on types per topic. */
  public static final ValidationRules DEFAULTS =
      new ValidationRules(1 << 20, 128, 256, Duration.ofMinutes(10), null, Map.of());

  public ValidationRules {
    allowedTypes = Map.copyOf(allowedTypes);
  }
}

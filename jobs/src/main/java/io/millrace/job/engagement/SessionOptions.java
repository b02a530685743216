package io.millrace.job.engagement;

import static org.apache.flink.configuration.ConfigOptions.key;

import io.millrace.config.Check;
import io.millrace.config.OptionSet;
import io.millrace.config.Settings;
import io.millrace.session.SessionRules;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import org.apache.flink.configuration.ConfigOption;

/** The options of sessions, and what is made of them. */
final class SessionOptions {
  static final ConfigOption<Boolean> ENABLED =
      key("sessions.enabled")
          .booleanType()
          .defaultValue(true)
          .withDescription(
              "Group each user's events into sessions and write processed/sessions. Without it the "
                  + "columns of rollups that count ended sessions are 0.");
  static final ConfigOption<Duration> GAP =
      key("sessions.gap")
          .durationType()
          .defaultValue(Duration.ofMinutes(30))
          .withDescription(
              "Two events of a user belong to one session when they are at most this apart. Final "
                  + "rows of sessions and rollups wait for it.");
  static final ConfigOption<Duration> MAX_DURATION =
      key("sessions.max-duration")
          .durationType()
          .defaultValue(Duration.ofHours(24))
          .withDescription(
              "An event that is further than this from a session's first one begins another.");
  static final ConfigOption<Integer> MAX_EVENTS =
      key("sessions.max-events")
          .intType()
          .defaultValue(10_000)
          .withDescription("Most events of a session; the next one begins another.");
  static final ConfigOption<Boolean> SPLIT_AT_MIDNIGHT =
      key("sessions.split-at-midnight")
          .booleanType()
          .defaultValue(false)
          .withDescription("End sessions with the UTC day.");
  static final ConfigOption<Integer> PATH_LENGTH =
      key("sessions.path-length")
          .intType()
          .defaultValue(50)
          .withDescription("Most steps of a session's path; path_truncated says when it was more.");
  static final ConfigOption<String> PATH_PROPERTY =
      key("sessions.path-property")
          .stringType()
          .noDefaultValue()
          .withDescription(
              "A property, such as screen, whose value stands in the path instead of the event's "
                  + "type, where an event has it.");
  static final ConfigOption<String> TOPIC =
      key("sessions.topic")
          .stringType()
          .defaultValue("sessions")
          .withDescription(
              "Topic that ended sessions are sent to, in transactions; it has to exist. Empty: "
                  + "none. With source files there is none.");
  static final ConfigOption<String> INPUT_ENDS_AT =
      key("time.input-ends-at")
          .stringType()
          .noDefaultValue()
          .withDescription(
              "For input that ends: the instant up to which it is whole, as 2026-03-01T00:00:00Z. A "
                  + "session whose gap had passed by then ended by gap, another by end_of_input. Not "
                  + "set: every session that is open at the end of input ends by it.");

  static final OptionSet OPTIONS =
      OptionSet.builder()
          .option(INPUT_ENDS_AT)
          .option(ENABLED)
          .option(GAP, Check.between(Duration.ofMillis(1), Duration.ofDays(7)))
          .option(MAX_DURATION, Check.between(Duration.ofMillis(1), Duration.ofDays(30)))
          .option(MAX_EVENTS, Check.between(1, 1_000_000))
          .option(SPLIT_AT_MIDNIGHT)
          .option(PATH_LENGTH, Check.between(0, 10_000))
          .option(PATH_PROPERTY)
          .option(TOPIC, RollupOptions.TOPIC_NAME)
          .build();

  private SessionOptions() {}

  static EngagementConfig.Sessions from(Settings s, boolean topics) {
    SessionRules rules =
        new SessionRules(
            s.get(GAP),
            s.get(MAX_DURATION),
            s.get(MAX_EVENTS),
            s.get(SPLIT_AT_MIDNIGHT),
            s.get(PATH_LENGTH),
            s.find(PATH_PROPERTY).filter(p -> !p.isBlank()).orElse(null),
            inputEndsAt(s));
    boolean enabled = s.get(ENABLED);
    String topic = s.get(TOPIC);
    return new EngagementConfig.Sessions(
        enabled, rules, enabled && topics && !topic.isEmpty() ? topic : null);
  }

  private static long inputEndsAt(Settings s) {
    String given = s.find(INPUT_ENDS_AT).orElse("");
    if (given.isBlank()) {
      return SessionRules.DEFAULTS.inputEndsAt();
    }
    try {
      return Instant.parse(given.strip()).toEpochMilli();
    } catch (DateTimeException e) {
      s.require(
          false, INPUT_ENDS_AT, "must be an instant in UTC, for example 2026-03-01T00:00:00Z");
      return SessionRules.DEFAULTS.inputEndsAt();
    }
  }
}

package io.millrace.validation;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.event.Header;
import io.millrace.event.Origin;
import io.millrace.event.Records;
import io.millrace.event.RejectReason;
import io.millrace.event.Rejection;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.Logger;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Configurator;
import org.apache.logging.log4j.core.config.Property;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the log tells of rejected records. */
class RejectionLogTest {
  private static final Origin ORIGIN = Records.origin("session", 3, 41);
  private static final List<Rejection> REASONS =
      List.of(
          new Rejection(RejectReason.MISSING_FIELD, "user_id", "is required, not 'secret'"),
          new Rejection(RejectReason.TOO_DEEP, "", "nested"),
          new Rejection(RejectReason.TOO_DEEP, "", "nested again"));

  private final Lines lines = new Lines();
  private final Logger logger = (Logger) LogManager.getLogger(RejectionLog.class);
  private long now = 5;
  private final RejectionLog log = new RejectionLog("batch", () -> now);

  private static final class Lines extends AbstractAppender {
    private final List<LogEvent> events = new ArrayList<>();

    Lines() {
      super("lines", null, null, false, Property.EMPTY_ARRAY);
    }

    @Override
    public void append(LogEvent event) {
      events.add(event.toImmutable());
    }
  }

  @BeforeEach
  void listen() {
    lines.start();
    Configurator.setLevel(logger.getName(), Level.WARN);
    logger.addAppender(lines);
  }

  @AfterEach
  void leave() {
    logger.removeAppender(lines);
    Configurator.setLevel(logger.getName(), (Level) null);
  }

  private static Header header(String key, String value) {
    return new Header(key, value == null ? null : value.getBytes(UTF_8));
  }

  @Test
  void aLineNamesThePlaceTheReasonsAndTheBatch() {
    log.rejected(
        ORIGIN,
        List.of(header("other", "x"), header("batch", "b-1"), header("batch", "b-2")),
        REASONS);
    assertThat(lines.events).hasSize(1);
    LogEvent line = lines.events.get(0);
    assertThat(line.getMessage().getFormattedMessage())
        .isEqualTo(
            "1 records of topic session were rejected since the last such line; the latest is"
                + " offset 41 of partition 3: missing_field in user_id, too_deep");
    assertThat(line.getContextData().<String>getValue("correlation-id")).isEqualTo("b-2");
  }

  @Test
  void thereIsOneLineAMinuteAndItCounts() {
    for (int i = 0; i < 100; i++) {
      log.rejected(ORIGIN, List.of(), REASONS);
    }
    now += TimeUnit.SECONDS.toNanos(60);
    log.rejected(ORIGIN, List.of(), REASONS);
    assertThat(lines.events)
        .extracting(e -> e.getMessage().getFormattedMessage().replaceFirst(" .*", ""))
        .containsExactly("1", "100");
    assertThat(lines.events)
        .allSatisfy(e -> assertThat(e.getContextData().containsKey("correlation-id")).isFalse());
  }

  @Test
  void anIdIsOneShortLine() {
    log.rejected(ORIGIN, List.of(header("batch", "a\nb\u0000" + "c".repeat(500))), REASONS);
    now += TimeUnit.SECONDS.toNanos(60);
    log.rejected(ORIGIN, List.of(header("batch", null)), REASONS);
    assertThat(lines.events)
        .extracting(e -> e.getContextData().<String>getValue("correlation-id"))
        .containsExactly("a?b?" + "c".repeat(124), null);
  }
}

package io.millrace.lake.publish;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Hours as they are written on a command line. */
class HourRangeTest {

  @Test
  void bothHoursAreIncluded() {
    HourRange hours = HourRange.parse("2026-01-05T23..2026-01-06T00");
    assertThat(Instant.ofEpochMilli(hours.from())).isEqualTo("2026-01-05T23:00:00Z");
    assertThat(Instant.ofEpochMilli(hours.end())).isEqualTo("2026-01-06T01:00:00Z");
    assertThat(hours).hasToString("2026-01-05T23..2026-01-06T00");
    assertThat(HourRange.parse("2026-01-05T23..2026-01-05T23"))
        .hasToString("2026-01-05T23..2026-01-05T23");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "2026-01-05T10",
        "2026-01-05T10..2026-01-05T09",
        "2026-01-05T10..2026-01-05T24",
        "2026-02-30T10..2026-03-01T10",
        "2026-01-05T10:00..2026-01-05T11:00",
        ""
      })
  void anythingElseIsRefused(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> HourRange.parse(text))
        .withMessage(
            "'%s', but must be FIRST..LAST of hours in UTC, as 2026-01-05T10..2026-01-05T12", text);
  }
}

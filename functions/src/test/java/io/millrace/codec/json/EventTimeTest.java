package io.millrace.codec.json;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.event.Origin;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** ISO-8601 text to epoch milliseconds. */
class EventTimeTest {
  private static final String[] OFFSETS = {
    "Z", "z", "+00:00", "-00:00", "+02", "+0200", "+02:00", "-03:30", "+05:45", "+18:00", "-18:00"
  };

  @ParameterizedTest
  @CsvSource({
    "1970-01-01T00:00:00Z, 0",
    "1970-01-01T00:00:00.001Z, 1",
    "2026-01-05T10:15:30Z, 1767608130000",
    "2026-01-05T10:15:30.123Z, 1767608130123",
    "2026-01-05T10:15Z, 1767608100000",
    "2026-01-05T10:15:30.1Z, 1767608130100",
    "2026-01-05T10:15:30.123999999Z, 1767608130123",
    "2026-01-05t10:15:30z, 1767608130000",
    "2026-01-05T12:15:30+02, 1767608130000",
    "2026-01-05T12:15:30+0200, 1767608130000",
    "2026-01-05T12:15:30+02:00, 1767608130000",
    "2026-01-05T06:45:30.123-03:30, 1767608130123",
    "2024-02-29T00:00:00Z, 1709164800000",
    "2000-02-29T23:59:59.999Z, 951868799999",
    "9999-12-31T23:59:59.999Z, 253402300799999",
    "1969-12-31T23:59:59.999Z, -1",
    "+10000-01-01T00:00:00Z, 253402300800000",
  })
  void readsEveryFormWithAZone(String text, long expected) {
    assertThat(EventTime.parse(text)).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "Z",
        "T",
        "now",
        "1767608130000",
        "2026-01-05",
        "2026-01-05Z",
        "2026-01-05T10:15:30",
        "2026-01-05 10:15:30Z",
        "2026-01-05T10:15:30ZZ",
        "2026-01-05T10:15:30Z ",
        " 2026-01-05T10:15:30Z",
        "2026-01-05T10:15:30+02:00+02:00",
        "2026-01-05T10:15:30+0000Z",
        "2026-01-05T10:15:30+2",
        "2026-01-05T10:15:30+02:00:30",
        "2026-01-05T10:15:30+19:00",
        "2026-01-05T10:15:30+02:60",
        "2026-01-05T10:15:30[Europe/Berlin]",
        "2026-01-05T10:15:30+01:00[Europe/Berlin]",
        "2026-01-05T24:00:00Z",
        "2026-01-05T24:00:00+00:00",
        "2026-01-05T23:59:60Z",
        "2026-01-05T23:60:00Z",
        "2026-13-05T10:15:30Z",
        "2026-00-05T10:15:30Z",
        "2026-01-00T10:15:30Z",
        "2026-01-32T10:15:30Z",
        "2026-02-29T10:15:30Z",
        "2026-02-30T10:15:30.000Z",
        "1900-02-29T10:15:30Z",
        "2026-04-31T10:15:30Z",
        "2026-1-5T10:15:30Z",
        "2026-01-05T10:15:30,123Z",
        "2026-01-05T10:15:30.12aZ",
        "20260105T101530Z",
        "2026-W02-1T10:15:30Z",
        "٢٠٢٦-01-05T10:15:30Z",
        "10000-01-01T00:00:00Z",
        "+999999999-12-31T23:59:59Z",
        "-999999999-01-01T00:00:00Z",
        "+9999999999-12-31T23:59:59Z"
      })
  void refusesWhatIsNoDateTimeWithAZone(String text) {
    assertThat(EventTime.parse(text)).isEqualTo(Origin.NO_TIME);
  }

  @Test
  void agreesWithTheCalendarOnEveryDayOfFourCenturies() {
    for (LocalDate day = LocalDate.of(1970, 1, 1); day.getYear() < 2370; day = day.plusDays(1)) {
      assertThat(EventTime.parse(day + "T00:00:00Z")).isEqualTo(day.toEpochDay() * 86_400_000L);
    }
  }

  @Test
  void agreesWithJavaTimeOnRandomInstantsInEveryForm() {
    SplittableRandom random = new SplittableRandom(20260105);
    for (int i = 0; i < 200_000; i++) {
      Instant instant = Instant.ofEpochMilli(random.nextLong(Origin.LAST_TIME + 1));
      String zone = OFFSETS[random.nextInt(OFFSETS.length)];
      ZoneOffset offset = ZoneOffset.of(zone.toUpperCase(Locale.ROOT));
      LocalDateTime local = LocalDateTime.ofInstant(instant, offset);
      if (local.getYear() < 1970 || local.getYear() > 9999) {
        continue;
      }
      int digits = random.nextInt(10);
      int nanos =
          (int) (instant.toEpochMilli() % 1_000) * 1_000_000
              + (digits > 3 ? random.nextInt(1_000_000) : 0);
      String fraction = digits == 0 ? "" : "." + String.format("%09d", nanos).substring(0, digits);
      String text = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss").format(local) + fraction;
      long expected =
          OffsetDateTime.of(LocalDateTime.parse(text), offset).toInstant().toEpochMilli();
      assertThat(EventTime.parse(text + zone)).as(text + zone).isEqualTo(expected);
    }
  }

  @Test
  void neverThrowsOnDamagedText() {
    SplittableRandom random = new SplittableRandom(7);
    String alphabet = "0123456789-:.+TZz\u0660 ";
    int read = 0;
    for (int i = 0; i < 200_000; i++) {
      StringBuilder text = new StringBuilder("2026-01-05T10:15:30.123+02:00");
      for (int change = random.nextInt(1, 4); change > 0; change--) {
        int at = random.nextInt(text.length());
        char c = alphabet.charAt(random.nextInt(alphabet.length()));
        switch (random.nextInt(3)) {
          case 0 -> text.setCharAt(at, c);
          case 1 -> text.insert(at, c);
          default -> text.deleteCharAt(at);
        }
      }
      if (EventTime.parse(text.toString()) != Origin.NO_TIME) {
        read++;
      }
    }
    assertThat(read).isBetween(1_000, 150_000);
  }
}

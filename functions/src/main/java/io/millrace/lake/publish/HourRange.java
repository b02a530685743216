package io.millrace.lake.publish;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whole hours in UTC, the first and the last one included: {@code 2026-01-05T10..2026-01-05T12}.
 *
 * @param from start of the first hour, epoch ms
 * @param end first instant after the last hour, epoch ms
 */
public record HourRange(long from, long end) {
  private static final String HOUR = "(\\d{4}-\\d\\d-\\d\\dT(?:[01]\\d|2[0-3]))";
  private static final Pattern HOURS = Pattern.compile(HOUR + "\\.\\." + HOUR);
  private static final long HOUR_MS = Duration.ofHours(1).toMillis();

  public HourRange {
    if (Math.floorMod(from, HOUR_MS) != 0 || Math.floorMod(end, HOUR_MS) != 0 || end <= from) {
      throw new IllegalArgumentException("not a range of whole hours: " + from + " to " + end);
    }
  }

  /**
   * The reverse of {@link #toString()}.
   *
   * @throws IllegalArgumentException in one line, which does not tell where the text came from
   */
  public static HourRange parse(String text) {
    Matcher m = HOURS.matcher(text);
    if (!m.matches()) {
      throw refusal(text, null);
    }
    try {
      long from = hour(m.group(1));
      long last = hour(m.group(2));
      if (last < from) {
        throw refusal(text, null);
      }
      return new HourRange(from, last + HOUR_MS);
    } catch (DateTimeException e) {
      throw refusal(text, e);
    }
  }

  private static long hour(String text) {
    return Instant.parse(text + ":00:00Z").toEpochMilli();
  }

  private static IllegalArgumentException refusal(String text, Throwable cause) {
    return new IllegalArgumentException(
        "'" + text + "', but must be FIRST..LAST of hours in UTC, as 2026-01-05T10..2026-01-05T12",
        cause);
  }

  @Override
  public String toString() {
    return name(from) + ".." + name(end - HOUR_MS);
  }

  private static String name(long hour) {
    return Instant.ofEpochMilli(hour).toString().substring(0, "2026-01-05T10".length());
  }
}

package io.millrace.codec.json;

import io.millrace.event.Origin;
import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.Locale;

/**
 * Reads ISO-8601 date-times with a zone offset (Z, +hh, +hhmm, +hh:mm), to epoch milliseconds;
 * finer digits are cut. A date that the calendar does not have is refused, not moved.
 */
final class EventTime {
  private static final long DAY_MS = 86_400_000L;
  private static final int DATE_AND_T = 11;
  private static final int NO_OFFSET = Integer.MIN_VALUE;

  private EventTime() {}

  /** Epoch ms, or {@link Origin#NO_TIME} when the text is not such a date-time. */
  static long parse(String text) {
    long fast = parseCommon(text);
    if (fast != Origin.NO_TIME) {
      return fast;
    }
    int zone = zoneStart(text);
    if (zone < 0) {
      return Origin.NO_TIME;
    }
    try {
      ZoneOffset offset = ZoneOffset.of(text.substring(zone).toUpperCase(Locale.ROOT));
      return LocalDateTime.parse(text.substring(0, zone)).toInstant(offset).toEpochMilli();
    } catch (DateTimeException | ArithmeticException e) {
      return Origin.NO_TIME;
    }
  }

  /** Where the zone offset starts; -1 when it is missing or of no form that is read. */
  private static int zoneStart(String text) {
    int length = text.length();
    for (int i = DATE_AND_T; i < length; i++) {
      char c = text.charAt(i);
      if (c == 'Z' || c == 'z') {
        return i == length - 1 ? i : -1;
      }
      if (c == '+' || c == '-') {
        int size = length - i;
        return size == 3 || size == 5 || size == 6 ? i : -1;
      }
    }
    return -1;
  }

  /** The commonest forms: to the second or millisecond, with Z or an offset such as +02:00. */
  private static long parseCommon(String s) {
    int length = s.length();
    boolean isUtc = length == 20 || length == 24;
    if ((!isUtc && length != 25 && length != 29)
        || s.charAt(4) != '-'
        || s.charAt(7) != '-'
        || s.charAt(10) != 'T'
        || s.charAt(13) != ':'
        || s.charAt(16) != ':'
        || (isUtc && s.charAt(length - 1) != 'Z')) {
      return Origin.NO_TIME;
    }
    int year = digits(s, 0, 4);
    int month = digits(s, 5, 2);
    int day = digits(s, 8, 2);
    int hour = digits(s, 11, 2);
    int minute = digits(s, 14, 2);
    int second = digits(s, 17, 2);
    boolean hasMillis = length == 24 || length == 29;
    int millis = hasMillis ? (s.charAt(19) == '.' ? digits(s, 20, 3) : -1) : 0;
    int offset = isUtc ? 0 : offsetMinutes(s, length - 6);
    // Days 29-31 are left to the calendar of java.time.
    if (year < 0 || month < 1 || month > 12 || day < 1 || day > 28) {
      return Origin.NO_TIME;
    }
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) {
      return Origin.NO_TIME;
    }
    if (millis < 0 || offset == NO_OFFSET) {
      return Origin.NO_TIME;
    }
    return epochDay(year, month, day) * DAY_MS
        + hour * 3_600_000L
        + (minute - offset) * 60_000L
        + second * 1000L
        + millis;
  }

  /** Minutes ahead of UTC by an offset of the form +hh:mm. */
  private static int offsetMinutes(String s, int at) {
    char sign = s.charAt(at);
    int hours = digits(s, at + 1, 2);
    int minutes = digits(s, at + 4, 2);
    if ((sign != '+' && sign != '-') || s.charAt(at + 3) != ':') {
      return NO_OFFSET;
    }
    // Whether an offset of 18 hours and more exists is left to java.time.
    if (hours < 0 || hours > 17 || minutes < 0 || minutes > 59) {
      return NO_OFFSET;
    }
    return sign == '+' ? 60 * hours + minutes : -(60 * hours + minutes);
  }

  /** Days since 1970-01-01 in the proleptic Gregorian calendar, with March as first month. */
  private static long epochDay(int year, int month, int day) {
    int y = month <= 2 ? year - 1 : year;
    int era = Math.floorDiv(y, 400);
    int yearOfEra = y - era * 400;
    int dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear;
    return era * 146_097L + dayOfEra - 719_468L;
  }

  private static int digits(String s, int from, int count) {
    int value = 0;
    for (int i = from; i < from + count; i++) {
      int d = s.charAt(i) - '0';
      if (d < 0 || d > 9) {
        return -1;
      }
      value = value * 10 + d;
    }
    return value;
  }
}

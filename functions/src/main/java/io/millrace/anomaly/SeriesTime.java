package io.millrace.anomaly;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.format.SignStyle;
import java.time.temporal.ChronoField;
import java.time.temporal.TemporalAccessor;
import java.util.Locale;
import javax.annotation.Nullable;

/** Times as files of series have them. */
public final class SeriesTime {
  /** Epoch numbers from here on are milliseconds: as seconds they would be in the year 5138. */
  private static final double FIRST_MILLIS = 1e11;

  private static final DateTimeFormatter TEXT =
      new DateTimeFormatterBuilder()
          .append(DateTimeFormatter.ISO_LOCAL_DATE)
          .optionalStart()
          .appendPattern("[ ]['T']")
          .appendValue(ChronoField.HOUR_OF_DAY, 1, 2, SignStyle.NOT_NEGATIVE)
          .appendPattern(":mm")
          .optionalStart()
          .appendPattern(":ss")
          .optionalStart()
          .appendFraction(ChronoField.NANO_OF_SECOND, 0, 9, true)
          .optionalEnd()
          .optionalEnd()
          .appendPattern("[ ][XXX][XX][X]")
          .optionalEnd()
          .toFormatter(Locale.ROOT);

  private SeriesTime() {}

  /** Epoch ms; null when the text is no time. */
  @Nullable
  public static Long parse(String text) {
    try {
      double number = Double.parseDouble(text);
      return Double.isNaN(number) || Double.isInfinite(number)
          ? null
          : Long.valueOf(Math.round(Math.abs(number) < FIRST_MILLIS ? number * 1000 : number));
    } catch (NumberFormatException notANumber) {
      return ofText(text);
    }
  }

  @Nullable
  private static Long ofText(String text) {
    try {
      TemporalAccessor time =
          TEXT.parseBest(text, OffsetDateTime::from, LocalDateTime::from, LocalDate::from);
      Instant instant;
      if (time instanceof OffsetDateTime zoned) {
        instant = zoned.toInstant();
      } else if (time instanceof LocalDateTime local) {
        instant = local.toInstant(ZoneOffset.UTC);
      } else {
        instant = LocalDate.from(time).atStartOfDay().toInstant(ZoneOffset.UTC);
      }
      return instant.toEpochMilli();
    } catch (DateTimeException e) {
      return null;
    }
  }
}

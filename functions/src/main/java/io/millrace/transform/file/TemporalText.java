package io.millrace.transform.file;

import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoField;
import javax.annotation.Nullable;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.logical.LogicalType;

/** Dates, times and decimals as text, the way pandas writes them. */
final class TemporalText {
  private static final DateTimeFormatter TIME =
      new DateTimeFormatterBuilder()
          .appendPattern("HH:mm:ss")
          .appendFraction(ChronoField.NANO_OF_SECOND, 0, 9, true)
          .toFormatter(java.util.Locale.ROOT);
  private static final long NANOS_PER_MILLI = 1_000_000;

  private TemporalText() {}

  /**
   * {@code 2026-01-31}, {@code 10:00:00.5}, {@code 2026-01-31 10:00:00}, an instant with {@code
   * +00:00}, {@code 12.50}.
   *
   * @param value in Flink's internal form
   */
  static String of(@Nullable Object value, LogicalType type) {
    return switch (type.getTypeRoot()) {
      case DATE -> LocalDate.ofEpochDay((Integer) value).toString();
      case TIME_WITHOUT_TIME_ZONE ->
          TIME.format(LocalTime.ofNanoOfDay((Integer) value * NANOS_PER_MILLI));
      case TIMESTAMP_WITHOUT_TIME_ZONE -> dateTime((TimestampData) value);
      case TIMESTAMP_WITH_LOCAL_TIME_ZONE -> dateTime((TimestampData) value) + "+00:00";
      case DECIMAL -> ((DecimalData) value).toBigDecimal().toPlainString();
      default -> throw new IllegalArgumentException("no text for " + type.asSummaryString());
    };
  }

  private static String dateTime(TimestampData value) {
    LocalDateTime dateTime = value.toLocalDateTime();
    return dateTime.toLocalDate() + " " + TIME.format(dateTime.toLocalTime());
  }
}

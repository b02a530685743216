package io.millrace.transform.function;

import io.millrace.anomaly.SeriesTime;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import javax.annotation.Nullable;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.functions.ScalarFunction;

/**
 * {@code EPOCH_MILLIS(time)}: milliseconds since 1970 in UTC, of a time, a date, epoch seconds or
 * milliseconds, or a text that is one of these; null where it is none. A time without a zone is
 * UTC. Numbers from 1e11 on are milliseconds.
 */
public final class EpochMillis extends ScalarFunction {
  private static final long serialVersionUID = 1L;

  @Nullable
  public Long eval(@Nullable String text) {
    return text == null ? null : SeriesTime.parse(text.strip());
  }

  @Nullable
  public Long eval(@Nullable Long number) {
    return number == null ? null : SeriesTime.parse(number.toString());
  }

  @Nullable
  public Long eval(@Nullable Double number) {
    return number == null ? null : SeriesTime.parse(number.toString());
  }

  @Nullable
  public Long eval(@DataTypeHint("TIMESTAMP(9)") @Nullable LocalDateTime time) {
    return time == null ? null : Long.valueOf(time.toInstant(ZoneOffset.UTC).toEpochMilli());
  }

  @Nullable
  public Long eval(@DataTypeHint("TIMESTAMP_LTZ(9)") @Nullable Instant time) {
    return time == null ? null : Long.valueOf(time.toEpochMilli());
  }

  @Nullable
  public Long eval(@Nullable LocalDate day) {
    return day == null
        ? null
        : Long.valueOf(day.atStartOfDay().toInstant(ZoneOffset.UTC).toEpochMilli());
  }
}

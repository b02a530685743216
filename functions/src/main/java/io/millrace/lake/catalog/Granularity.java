package io.millrace.lake.catalog;

import java.time.Duration;
import java.util.List;

/** How much time a partition of a table spans; calendar units of UTC. */
public enum Granularity {
  /** {@code year=2026/month=01/day=31/hour=07}. */
  HOUR(Duration.ofHours(1)),
  /** {@code year=2026/month=01/day=31}. */
  DAY(Duration.ofDays(1));

  private static final List<String> HOUR_COLUMNS = List.of("year", "month", "day", "hour");
  private static final List<String> DAY_COLUMNS = HOUR_COLUMNS.subList(0, 3);

  private final long millis;

  Granularity(Duration span) {
    this.millis = span.toMillis();
  }

  /** Length of a partition, in ms: a day of UTC is always as long. */
  public long millis() {
    return millis;
  }

  /** The partition columns, all zero-padded strings. */
  public List<String> columns() {
    return switch (this) {
      case HOUR -> HOUR_COLUMNS;
      case DAY -> DAY_COLUMNS;
    };
  }
}

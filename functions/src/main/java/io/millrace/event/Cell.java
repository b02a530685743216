package io.millrace.event;

import java.util.List;
import org.apache.flink.api.common.typeinfo.TypeInfo;

/**
 * One cell of the rollups: a window, and a value per dimension. In a dimension that is rolled up
 * the value is its {@code ALL_...} name.
 *
 * @param daily true for a UTC day, false for an hour
 * @param start start of the window, epoch ms
 * @param kept bit d is set when dimension d is not rolled up; 0 is the grand total
 * @param values one per dimension, in the configured order, never null
 */
@TypeInfo(EventTypeInfo.ForCell.class)
public record Cell(boolean daily, long start, int kept, List<String> values) {
  private static final long HOUR_MS = 3_600_000L;
  private static final long DAY_MS = 24 * HOUR_MS;

  public Cell {
    values = List.copyOf(values);
  }

  /** It chooses the key group, so it must be the same on every JVM. */
  @Override
  public int hashCode() {
    int hash = Boolean.hashCode(daily);
    hash = 31 * hash + Long.hashCode(start);
    hash = 31 * hash + kept;
    return 31 * hash + values.hashCode();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Cell c
        && c.daily == daily
        && c.start == start
        && c.kept == kept
        && c.values.equals(values);
  }

  /** First instant after the window, epoch ms. */
  public long end() {
    return start + (daily ? DAY_MS : HOUR_MS);
  }
}

package io.millrace.lake.catalog;

import java.io.Serializable;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One UTC hour or day of a table: {@code year=2026/month=01/day=31/hour=07}, or the same without
 * the hour.
 *
 * @param start epoch ms, a whole hour or day
 */
public record TimePartition(long start, Granularity granularity) implements Serializable {
  private static final Pattern PATH =
      Pattern.compile("year=(\\d{4})/month=(\\d{2})/day=(\\d{2})(?:/hour=(\\d{2}))?/?");

  public TimePartition {
    Objects.requireNonNull(granularity, "granularity");
    if (Math.floorMod(start, granularity.millis()) != 0) {
      throw new IllegalArgumentException(
          "not a whole " + granularity.name().toLowerCase(Locale.ROOT) + ": " + start);
    }
  }

  /** The hour or day that holds an instant. */
  public static TimePartition of(long epochMillis, Granularity granularity) {
    return new TimePartition(
        Math.floorDiv(epochMillis, granularity.millis()) * granularity.millis(), granularity);
  }

  /** The hour that holds an instant. */
  public static TimePartition hour(long epochMillis) {
    return of(epochMillis, Granularity.HOUR);
  }

  /** The day that holds an instant. */
  public static TimePartition day(long epochMillis) {
    return of(epochMillis, Granularity.DAY);
  }

  /**
   * The reverse of {@link #path()}.
   *
   * @param granularity that of the table: a path of the other one is refused
   */
  public static TimePartition parse(String path, Granularity granularity) {
    Matcher m = PATH.matcher(path);
    if (!m.matches() || (m.group(4) == null) != (granularity == Granularity.DAY)) {
      throw refusal(path, granularity, null);
    }
    try {
      LocalDateTime time =
          LocalDateTime.of(
              Integer.parseInt(m.group(1)),
              Integer.parseInt(m.group(2)),
              Integer.parseInt(m.group(3)),
              m.group(4) == null ? 0 : Integer.parseInt(m.group(4)),
              0);
      return new TimePartition(time.toEpochSecond(ZoneOffset.UTC) * 1000L, granularity);
    } catch (DateTimeException e) {
      throw refusal(path, granularity, e);
    }
  }

  private static IllegalArgumentException refusal(
      String path, Granularity granularity, Throwable cause) {
    return new IllegalArgumentException(
        "not a partition path: '"
            + path
            + "', expected year=YYYY/month=MM/day=DD"
            + (granularity == Granularity.HOUR ? "/hour=HH" : ""),
        cause);
  }

  /** First instant after the partition, epoch ms. */
  public long end() {
    return start + granularity.millis();
  }

  /** The values of the granularity's columns, in order. */
  public List<String> values() {
    LocalDateTime t = LocalDateTime.ofInstant(Instant.ofEpochMilli(start), ZoneOffset.UTC);
    List<String> values = new ArrayList<>(granularity.columns().size());
    values.add(String.format(Locale.ROOT, "%04d", t.getYear()));
    values.add(String.format(Locale.ROOT, "%02d", t.getMonthValue()));
    values.add(String.format(Locale.ROOT, "%02d", t.getDayOfMonth()));
    if (granularity == Granularity.HOUR) {
      values.add(String.format(Locale.ROOT, "%02d", t.getHour()));
    }
    return List.copyOf(values);
  }

  /** The folder below the table's own. */
  public String path() {
    List<String> values = values();
    StringBuilder path = new StringBuilder();
    for (int i = 0; i < values.size(); i++) {
      path.append(i == 0 ? "" : "/").append(granularity.columns().get(i));
      path.append('=').append(values.get(i));
    }
    return path.toString();
  }
}

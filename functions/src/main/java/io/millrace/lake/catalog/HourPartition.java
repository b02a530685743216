package io.millrace.lake.catalog;

import java.io.Serializable;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One UTC hour of a table: {@code year=2026/month=01/day=31/hour=07}.
 *
 * @param start epoch ms, a whole hour
 */
public record HourPartition(long start) implements Serializable {
  /** The partition columns, all zero-padded strings. */
  public static final List<String> COLUMNS = List.of("year", "month", "day", "hour");

  private static final long HOUR_MS = 3_600_000L;
  private static final Pattern PATH =
      Pattern.compile("year=(\\d{4})/month=(\\d{2})/day=(\\d{2})/hour=(\\d{2})/?");

  public HourPartition {
    if (Math.floorMod(start, HOUR_MS) != 0) {
      throw new IllegalArgumentException("not a whole hour: " + start);
    }
  }

  /** The hour that holds an instant. */
  public static HourPartition of(long epochMillis) {
    return new HourPartition(Math.floorDiv(epochMillis, HOUR_MS) * HOUR_MS);
  }

  /** The reverse of {@link #path()}. */
  public static HourPartition parse(String path) {
    Matcher m = PATH.matcher(path);
    if (!m.matches()) {
      throw new IllegalArgumentException(
          "not a partition path: '" + path + "', expected year=YYYY/month=MM/day=DD/hour=HH");
    }
    return of(
        LocalDateTime.of(
                    Integer.parseInt(m.group(1)),
                    Integer.parseInt(m.group(2)),
                    Integer.parseInt(m.group(3)),
                    Integer.parseInt(m.group(4)),
                    0)
                .toEpochSecond(ZoneOffset.UTC)
            * 1000L);
  }

  /** First instant after the hour, epoch ms. */
  public long end() {
    return start + HOUR_MS;
  }

  /** The values of {@link #COLUMNS}, in order. */
  public List<String> values() {
    LocalDateTime t = LocalDateTime.ofInstant(Instant.ofEpochMilli(start), ZoneOffset.UTC);
    return List.of(
        String.format(Locale.ROOT, "%04d", t.getYear()),
        String.format(Locale.ROOT, "%02d", t.getMonthValue()),
        String.format(Locale.ROOT, "%02d", t.getDayOfMonth()),
        String.format(Locale.ROOT, "%02d", t.truncatedTo(ChronoUnit.HOURS).getHour()));
  }

  /** The folder below the table's own. */
  public String path() {
    List<String> v = values();
    return "year=" + v.get(0) + "/month=" + v.get(1) + "/day=" + v.get(2) + "/hour=" + v.get(3);
  }
}

package io.millrace.local;

import io.millrace.lake.catalog.CatalogException;
import io.millrace.lake.publish.HourRange;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongPredicate;
import java.util.stream.Collectors;

/**
 * Takes the hours beside those of a backfill in, whose sessions are not what was published. What
 * cannot be published on one side ends the widening on that side, behind what can.
 */
final class Widening {
  private static final long HOUR_MS = Duration.ofHours(1).toMillis();

  /** Finds the hours beside others that would have to be published with them. */
  interface Border {
    NavigableSet<Long> touched(HourRange hours) throws IOException;
  }

  /** Tells why hours cannot be published, a line for each reason. */
  interface Obstacles {
    List<String> of(HourRange hours) throws IOException, CatalogException;
  }

  private final HourRange asked;
  private final Border border;
  private final Obstacles obstacles;
  private final Set<String> reasons = new LinkedHashSet<>();
  private HourRange range;
  private long first;
  private long end;

  /**
   * A widening.
   *
   * @param asked the hours that are published in any case
   * @param first start of the first hour that may be published, epoch ms
   * @param end hours that end later may not, epoch ms
   */
  Widening(HourRange asked, long first, long end, Border border, Obstacles obstacles) {
    this.asked = asked;
    this.range = asked;
    this.first = first;
    this.end = end;
    this.border = border;
    this.obstacles = obstacles;
  }

  /**
   * What came out.
   *
   * @param asked the hours that were asked for
   * @param published those, with the hours beside
   * @param reasons why it was not more
   * @param left starts of the hours that are published and would have to be others, epoch ms
   */
  record Widened(
      HourRange asked, HourRange published, List<String> reasons, NavigableSet<Long> left) {
    Widened {
      reasons = List.copyOf(reasons);
      left = new TreeSet<>(left);
    }

    void tell(PrintStream print) {
      if (!published.equals(asked)) {
        print.printf("Sessions go on across %s: %s are published.%n", asked, published);
      }
      for (String reason : reasons) {
        print.printf("More hours beside %s cannot be published: %s%n", published, reason);
      }
      if (!left.isEmpty()) {
        print.printf(
            "Warning: sessions go on across %s, and those that are published in %s have events of"
                + " others, or lack some: recompute these hours, too.%n",
            published, left.stream().map(Widened::hour).collect(Collectors.joining(", ")));
      }
    }

    private static String hour(long start) {
      String range = new HourRange(start, start + HOUR_MS).toString();
      return range.substring(0, range.indexOf('.'));
    }
  }

  Widened run() throws IOException, CatalogException {
    while (true) {
      NavigableSet<Long> touched = border.touched(range);
      NavigableSet<Long> before = some(touched, hour -> hour < range.from() && hour >= first);
      NavigableSet<Long> behind =
          some(touched, hour -> hour >= range.end() && hour + HOUR_MS <= end).descendingSet();
      if (before.isEmpty() && behind.isEmpty()) {
        return new Widened(asked, range, List.copyOf(reasons), touched);
      }
      if (!takeIn(before)) {
        first = range.from();
      }
      if (!takeIn(behind)) {
        end = range.end();
      }
    }
  }

  private static NavigableSet<Long> some(NavigableSet<Long> hours, LongPredicate wanted) {
    return hours.stream().filter(wanted::test).collect(Collectors.toCollection(TreeSet::new));
  }

  /** Up to the farthest that can be published; whether that is all of them. */
  private boolean takeIn(NavigableSet<Long> farthestFirst) throws IOException, CatalogException {
    String reason = null;
    for (long hour : farthestFirst) {
      HourRange wider =
          new HourRange(Math.min(range.from(), hour), Math.max(range.end(), hour + HOUR_MS));
      List<String> found = obstacles.of(wider);
      if (found.isEmpty()) {
        range = wider;
        break;
      }
      reason = found.get(0);
    }
    if (reason != null) {
      reasons.add(reason);
    }
    return reason == null;
  }
}

package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.lake.publish.HourRange;
import io.millrace.local.Widening.Widened;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Hours beside 10 and 11 of a day that is over by 20:30. */
class WideningTest {
  private static final long DAY = Instant.parse("2026-03-01T00:00:00Z").toEpochMilli();
  private static final long HOUR = 3_600_000L;

  /** Hours that an hour that is published touches. */
  private final Map<Integer, List<Integer>> touched = new HashMap<>();

  private final Map<Integer, String> obstacles = new HashMap<>();

  private static HourRange hours(int first, int last) {
    return new HourRange(DAY + first * HOUR, DAY + (last + 1) * HOUR);
  }

  private static IntStream in(HourRange range) {
    return IntStream.range((int) ((range.from() - DAY) / HOUR), (int) ((range.end() - DAY) / HOUR));
  }

  private NavigableSet<Long> border(HourRange range) {
    NavigableSet<Long> found = new TreeSet<>();
    in(range)
        .flatMap(h -> touched.getOrDefault(h, List.of()).stream().mapToInt(Integer::intValue))
        .mapToLong(h -> DAY + h * HOUR)
        .filter(h -> h < range.from() || h >= range.end())
        .forEach(found::add);
    return found;
  }

  private List<String> obstacles(HourRange range) {
    List<String> found = new ArrayList<>();
    in(range).filter(obstacles::containsKey).forEach(h -> found.add(obstacles.get(h)));
    return found;
  }

  private Widened widened() throws Exception {
    return new Widening(
            hours(10, 11), DAY, DAY + 20 * HOUR + HOUR / 2, this::border, this::obstacles)
        .run();
  }

  private static List<String> told(Widened widened) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    widened.tell(new PrintStream(out, true, StandardCharsets.UTF_8));
    return out.toString(StandardCharsets.UTF_8).lines().toList();
  }

  private static String warning(String published, String left) {
    return "Warning: sessions go on across "
        + published
        + ", and those that are published in "
        + left
        + " have events of others, or lack some: recompute these hours, too.";
  }

  @Test
  void nothingIsSaidWhereNothingIsTouched() throws Exception {
    assertThat(widened().published()).isEqualTo(hours(10, 11));
    assertThat(told(widened())).isEmpty();
  }

  @Test
  void hoursAreTakenInOnBothSidesAndWhatTheyTouchToo() throws Exception {
    touched.put(10, List.of(8));
    touched.put(11, List.of(13, 14));
    touched.put(8, List.of(5));
    touched.put(13, List.of(16));
    assertThat(widened().published()).isEqualTo(hours(5, 16));
    assertThat(told(widened()))
        .containsExactly(
            "Sessions go on across 2026-03-01T10..2026-03-01T11:"
                + " 2026-03-01T05..2026-03-01T16 are published.");
  }

  @Test
  void anObstacleBeforeEndsTheWideningThereOnly() throws Exception {
    touched.put(10, List.of(9));
    touched.put(11, List.of(12));
    touched.put(12, List.of(14));
    obstacles.put(9, "9 is not complete");
    assertThat(widened().published()).isEqualTo(hours(10, 14));
    assertThat(told(widened()))
        .containsExactly(
            "Sessions go on across 2026-03-01T10..2026-03-01T11:"
                + " 2026-03-01T10..2026-03-01T14 are published.",
            "More hours beside 2026-03-01T10..2026-03-01T14 cannot be published: 9 is not complete",
            warning("2026-03-01T10..2026-03-01T14", "2026-03-01T09"));
  }

  @Test
  void anObstacleBehindEndsTheWideningThereOnly() throws Exception {
    touched.put(10, List.of(9));
    touched.put(9, List.of(7));
    touched.put(11, List.of(12));
    obstacles.put(12, "12 is not complete");
    assertThat(widened().published()).isEqualTo(hours(7, 11));
    assertThat(widened().reasons()).containsExactly("12 is not complete");
    assertThat(widened().left()).containsExactly(DAY + 12 * HOUR);
  }

  @Test
  void hoursBeforeAnObstacleAreTakenIn() throws Exception {
    touched.put(10, List.of(5, 7, 9));
    touched.put(11, List.of(12, 15));
    obstacles.put(5, "5 is not complete");
    obstacles.put(6, "6 is not complete");
    obstacles.put(14, "14 was recomputed");
    assertThat(widened().published()).isEqualTo(hours(7, 12));
    assertThat(told(widened()))
        .containsExactly(
            "Sessions go on across 2026-03-01T10..2026-03-01T11:"
                + " 2026-03-01T07..2026-03-01T12 are published.",
            "More hours beside 2026-03-01T07..2026-03-01T12 cannot be published: 5 is not complete",
            "More hours beside 2026-03-01T07..2026-03-01T12 cannot be published: 14 was recomputed",
            warning("2026-03-01T07..2026-03-01T12", "2026-03-01T05, 2026-03-01T15"));
  }

  @Test
  void whatKeepsEverythingFromBeingPublishedIsToldOnce() throws Exception {
    touched.put(10, List.of(9));
    touched.put(11, List.of(12));
    obstacles.put(10, "an erasure has not ended");
    assertThat(told(widened()))
        .containsExactly(
            "More hours beside 2026-03-01T10..2026-03-01T11 cannot be published:"
                + " an erasure has not ended",
            warning("2026-03-01T10..2026-03-01T11", "2026-03-01T09, 2026-03-01T12"));
  }

  @Test
  void anotherDayAndHoursThatAreNotOverAreLeft() throws Exception {
    touched.put(10, List.of(-1));
    touched.put(11, List.of(19, 20, 24));
    assertThat(widened().published()).isEqualTo(hours(10, 19));
    assertThat(told(widened()))
        .containsExactly(
            "Sessions go on across 2026-03-01T10..2026-03-01T11:"
                + " 2026-03-01T10..2026-03-01T19 are published.",
            warning("2026-03-01T10..2026-03-01T19", "2026-02-28T23, 2026-03-01T20, 2026-03-02T00"));
  }
}

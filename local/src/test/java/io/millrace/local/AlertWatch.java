package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;

/** Waits for alerts to fire in a fault and to clear after it, and keeps how long each took. */
final class AlertWatch {
  /** Rules are evaluated every two seconds. */
  private static final long LOOK_NANOS = Duration.ofMillis(500).toNanos();

  private final PrometheusClient prometheus;
  private final PrintStream print;
  private final Map<String, Course> courses = new LinkedHashMap<>();
  private Set<String> firing = Set.of();
  private long lookedAt;

  /** What an alert did; times in ns, and 0 for not yet. */
  private static final class Course {
    private final long begun;
    private long fired;
    private long mended;
    private long cleared;

    private Course(long begun) {
      this.begun = begun;
    }

    private static String seconds(long from, long to) {
      return from == 0 || to == 0 ? "-" : Long.toString((to - from) / 1_000_000_000);
    }
  }

  AlertWatch(PrometheusClient prometheus, PrintStream print) {
    this.prometheus = prometheus;
    this.print = print;
  }

  /**
   * Waits until none of them fires, so that a fault may begin.
   *
   * @param alerts by their names, or as NAME of TABLE
   */
  void begin(Duration patience, String... alerts) {
    awaitCleared(patience, alerts);
    for (String alert : alerts) {
      courses.put(alert, new Course(System.nanoTime()));
    }
  }

  /** Waits until each of them fires, or has fired since the fault began. */
  void awaitFiring(Duration patience, String... alerts) {
    await(
        Arrays.toString(alerts) + " to fire",
        patience,
        () -> Arrays.stream(alerts).allMatch(alert -> courses.get(alert).fired > 0));
  }

  /** Their fault has ended. */
  void mended(String... alerts) {
    for (String alert : alerts) {
      Course course = courses.get(alert);
      assertThat(course.fired).as("%s in its fault", alert).isPositive();
      course.mended = System.nanoTime();
    }
  }

  /** Waits until these do not fire. */
  void awaitCleared(Duration patience, String... alerts) {
    await(
        Arrays.toString(alerts) + " to clear",
        patience,
        () -> Arrays.stream(alerts).noneMatch(this::isFiring));
  }

  /** Waits until no alert fires, and something else holds. */
  void awaitQuiet(Duration patience, BooleanSupplier also) {
    await("no alert to fire", patience, () -> firing.isEmpty() && also.getAsBoolean());
  }

  /** The names of the alerts that have fired in their fault and cleared after it. */
  Set<String> seen() {
    Set<String> seen = new TreeSet<>();
    courses.forEach(
        (alert, course) -> {
          if (course.cleared > 0) {
            seen.add(alert.split(" ", 2)[0]);
          }
        });
    return seen;
  }

  /** Shows for each alert the seconds from its fault, and from the end of that. */
  void report() {
    List<List<String>> rows = new ArrayList<>();
    courses.forEach(
        (alert, course) ->
            rows.add(
                List.of(
                    alert,
                    Course.seconds(course.begun, course.fired),
                    Course.seconds(course.mended, course.cleared))));
    TextTable.print(
        print, new LakeReader.Rows(List.of("alert", "fires after s", "clears after s"), rows));
  }

  private void await(String what, Duration patience, BooleanSupplier condition) {
    Await.until(
        () -> what + "; firing " + firing + ", pending " + prometheus.pending(),
        patience,
        () -> {
          look();
          return condition.getAsBoolean();
        });
  }

  private boolean isFiring(String alert) {
    return firing.stream().anyMatch(name -> name.equals(alert) || name.startsWith(alert + " of "));
  }

  private void look() {
    long now = System.nanoTime();
    if (lookedAt != 0 && now - lookedAt < LOOK_NANOS) {
      return;
    }
    lookedAt = now;
    firing = prometheus.firing();
    courses.forEach(
        (alert, course) -> {
          boolean fires = isFiring(alert);
          if (fires && course.fired == 0) {
            course.fired = now;
          }
          if (!fires && course.mended > 0 && course.cleared == 0) {
            course.cleared = now;
          }
        });
  }
}

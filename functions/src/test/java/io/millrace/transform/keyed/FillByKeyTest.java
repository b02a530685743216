package io.millrace.transform.keyed;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.transform.keyed.FillByKey.With;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

@SuppressWarnings("try") // close() of Flink's harness declares Exception
class FillByKeyTest {
  private static final Scope HOUR = new Scope(3_600_000);

  private static KeyedHarness harness(With with, Scope scope) throws Exception {
    return KeyedHarness.of(operator(with, scope), KeyedHarness.TYPE);
  }

  private static FillByKey operator(With with, Scope scope) {
    return new FillByKey(with, scope, new int[] {1}, KeyedHarness.TYPE, KeyedHarness.TYPE);
  }

  @Test
  void rowsAreTakenInTheOrderOfEventTime() throws Exception {
    try (KeyedHarness harness = harness(With.MEAN, Scope.ALL)) {
      harness.row(3, "a", null);
      harness.row(1, "a", 10.0);
      harness.row(4, "a", 100.0);
      harness.row(2, "a", 20.0);
      harness.row(0, "b", null);
      assertThat(harness.output()).isEmpty();
      harness.watermark(3);
      assertThat(harness.output()).containsExactly("b null", "a 10.0", "a 20.0", "a 15.0");
      harness.watermark(9);
      assertThat(harness.output()).containsExactly("a 100.0");
      // Late: filled with what is known, and it is passed on at once.
      harness.row(2, "a", null);
      harness.row(3, "a", 30.0);
      harness.row(10, "a", null);
      assertThat(harness.output()).containsExactly("a 43.333333333333336", "a 30.0");
      harness.watermark(10);
      assertThat(harness.output()).containsExactly("a 40.0");
      assertThat(harness.harness.numEventTimeTimers()).isZero();
    }
  }

  @Test
  void aRangeForgetsWhatIsOlder() throws Exception {
    try (KeyedHarness harness = harness(With.MEAN, HOUR)) {
      harness.row(0, "a", 10.0);
      harness.row(60, "a", null);
      harness.row(64, "a", 20.0);
      harness.row(68, "a", null);
      harness.row(140, "a", null);
      harness.watermark(200);
      // Panes are of 3.75 minutes: that of 10:00 ends with that of 11:00.
      assertThat(harness.output())
          .containsExactly("a 10.0", "a 10.0", "a 20.0", "a 20.0", "a null");
      harness.assertEmptyAfterAll();
    }
  }

  @Test
  void theMedianIsTheMiddleOne() throws Exception {
    try (KeyedHarness harness = harness(With.MEDIAN, Scope.ALL)) {
      harness.row(1, "a", 10.0);
      harness.row(2, "a", null);
      harness.row(3, "a", 40.0);
      harness.row(4, "a", null);
      harness.row(5, "a", 30.0);
      harness.row(6, "a", null);
      harness.watermark(6);
      assertThat(harness.output())
          .containsExactly("a 10.0", "a 10.0", "a 40.0", "a 25.0", "a 30.0", "a 30.0");
    }
  }

  @Test
  void theMedianOfManyValuesIsWithinTheStatedRank() throws Exception {
    int n = 5_000;
    Random random = new Random(7);
    try (KeyedHarness harness = harness(With.MEDIAN, Scope.ALL)) {
      // 0 to n - 1, each once.
      int[] values = random.ints(0, Integer.MAX_VALUE).limit(n).toArray();
      Integer[] order = new Integer[n];
      for (int i = 0; i < n; i++) {
        order[i] = i;
      }
      Arrays.sort(order, Comparator.comparing(i -> values[i]));
      for (int i = 0; i < n; i++) {
        harness.row(i, "a", (double) order[i]);
      }
      harness.watermark(n);
      harness.output();
      harness.row(n + 1, "a", null);
      harness.watermark(n + 1);
      double median = Double.parseDouble(harness.output().get(0).substring(2));
      // Twice the error that 99 of 100 sketches keep.
      assertThat(median).isBetween(n * (0.5 - 0.0266), n * (0.5 + 0.0266));
    }
  }

  @Test
  void ofSeveralModesTheLeastFills() throws Exception {
    try (KeyedHarness harness = harness(With.MODE, Scope.ALL)) {
      harness.row(1, "a", 9.0);
      harness.row(2, "a", 10.0);
      harness.row(3, "a", null);
      harness.row(4, "a", 10.0);
      harness.row(5, "a", null);
      harness.watermark(5);
      assertThat(harness.output()).containsExactly("a 9.0", "a 10.0", "a 9.0", "a 10.0", "a 10.0");
    }
  }

  @Test
  void wholeNumbersBecomeDoubles() throws Exception {
    FillByKey operator =
        new FillByKey(With.MEAN, Scope.ALL, new int[] {1}, KeyedHarness.WHOLE, KeyedHarness.TYPE);
    try (KeyedHarness harness = KeyedHarness.of(operator, KeyedHarness.TYPE)) {
      harness.row(1, "a", 1L);
      harness.row(2, "a", 2L);
      harness.row(3, "a", null);
      harness.watermark(3);
      assertThat(harness.output()).containsExactly("a 1.0", "a 2.0", "a 1.5");
    }
  }

  /** What the first release wrote is read by every later one. */
  @Test
  void theSnapshotsOfTheFirstReleaseRestore() throws Exception {
    for (With with : With.values()) {
      try (KeyedHarness harness =
          KeyedHarness.restored(operator(with, HOUR), KeyedHarness.TYPE, fixture(with))) {
        harness.row(22, "a", null);
        harness.row(23, "b", null);
        harness.watermark(23);
        String filled =
            switch (with) {
              case MEAN -> "a 4.0";
              case MEDIAN -> "a 3.0";
              case MODE -> "a 1.0";
            };
        assertThat(harness.output()).containsExactly("a 9.0", filled, "b 5.0");
        harness.assertEmptyAfterAll();
      }
    }
  }

  private static String fixture(With with) {
    return "fill-by-key-" + with.name().toLowerCase(Locale.ROOT) + "-v1";
  }

  @Test
  @EnabledIfSystemProperty(named = "millrace.fixtures.write", matches = "true")
  void writeTheSnapshots() throws Exception {
    for (With with : With.values()) {
      try (KeyedHarness harness = harness(with, HOUR)) {
        harness.row(0, "a", 1.0);
        harness.row(10, "a", 1.0);
        harness.row(12, "a", 5.0);
        harness.row(12, "b", 5.0);
        harness.watermark(20);
        harness.row(21, "a", 9.0);
        harness.snapshot(fixture(with));
      }
    }
  }
}

package io.millrace.transform.keyed;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

@SuppressWarnings("try") // close() of Flink's harness declares Exception
class CarryForwardTest {
  private static final Scope HOUR = new Scope(3_600_000);
  private static final String FIXTURE = "carry-forward-v1";

  private static CarryForward operator(Scope scope) {
    return new CarryForward(scope, new int[] {1}, KeyedHarness.WHOLE);
  }

  @Test
  void theLastValueOfTheKeyFills() throws Exception {
    try (KeyedHarness harness = KeyedHarness.of(operator(Scope.ALL), KeyedHarness.WHOLE)) {
      harness.row(3, "a", null);
      harness.row(2, "a", 7L);
      harness.row(1, "a", null);
      harness.row(0, "b", 8L);
      harness.watermark(3);
      assertThat(harness.output()).containsExactly("b 8", "a null", "a 7", "a 7");
      harness.row(1, "a", null);
      harness.row(2, "a", 9L);
      harness.row(5_000_000, "a", null);
      harness.watermark(5_000_000);
      // A late row is filled, but nothing is filled with it.
      assertThat(harness.output()).containsExactly("a 7", "a 9", "a 7");
      assertThat(harness.harness.numEventTimeTimers()).isZero();
    }
  }

  @Test
  void aRangeEndsWithItsLastMillisecond() throws Exception {
    try (KeyedHarness harness = KeyedHarness.of(operator(HOUR), KeyedHarness.WHOLE)) {
      harness.row(0, "a", 7L);
      harness.row(60, "a", null);
      harness.row(61, "a", null);
      harness.watermark(61);
      assertThat(harness.output()).containsExactly("a 7", "a 7", "a null");
      assertThat(harness.harness.numKeyedStateEntries()).isZero();
      harness.assertEmptyAfterAll();
    }
  }

  /** What the first release wrote is read by every later one. */
  @Test
  void theSnapshotOfTheFirstReleaseRestores() throws Exception {
    try (KeyedHarness harness =
        KeyedHarness.restored(operator(HOUR), KeyedHarness.WHOLE, FIXTURE)) {
      harness.row(55, "a", null);
      harness.watermark(55);
      assertThat(harness.output()).containsExactly("a 1", "a 1");
      harness.assertEmptyAfterAll();
    }
  }

  @Test
  @EnabledIfSystemProperty(named = "millrace.fixtures.write", matches = "true")
  void writeTheSnapshot() throws Exception {
    try (KeyedHarness harness = KeyedHarness.of(operator(HOUR), KeyedHarness.WHOLE)) {
      harness.row(0, "a", 1L);
      harness.watermark(20);
      harness.row(21, "a", null);
      harness.snapshot(FIXTURE);
    }
  }
}

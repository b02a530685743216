package io.millrace.rollup;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.event.Cell;
import io.millrace.event.CellCounts;
import io.millrace.event.LiveRollup;
import io.millrace.event.Rollup;
import java.time.Duration;
import java.util.List;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.Test;

class OrderLiveValuesTest {
  private static final long HOUR = 3_600_000L;
  private static final long T0 = 1_767_571_200_000L;
  private static final Duration FINAL = Duration.ofMinutes(40);
  private static final long FINAL_AT = T0 + HOUR + FINAL.toMillis();
  private static final RollupTimes TIMES =
      new RollupTimes(FINAL, null, Duration.ofSeconds(5), Duration.ofHours(24));

  private static LiveRollup value(
      boolean daily, String country, long events, boolean last, boolean retired) {
    Cell cell = new Cell(daily, T0, 4, List.of("ALL_DEVICES", "ALL_VERSIONS", country));
    CellCounts counts = new CellCounts(new long[] {events, 0, 0, 0, 0}, 1, 0, 0, 0, null);
    return new LiveRollup(new Rollup(cell, counts, false), last, retired);
  }

  private static List<String> told(OneInputStreamOperatorTestHarness<?, LiveRollup> harness) {
    return harness.extractOutputValues().stream()
        .map(
            l ->
                l.rollup().cell().values().get(2)
                    + l.rollup().counts().events()[0]
                    + (l.isFinal() ? " final" : "")
                    + (l.retired() ? " retired" : ""))
        .toList();
  }

  /** The present values come by another way than the final ones, and may be behind them. */
  @Test
  void noPresentValueFollowsTheLastOne() throws Exception {
    try (OneInputStreamOperatorTestHarness<LiveRollup, LiveRollup> harness =
        new OneInputStreamOperatorTestHarness<>(new OrderLiveValues(TIMES))) {
      harness.open();
      harness.processElement(value(false, "DE", 1, false, false), T0);
      harness.processElement(value(false, "DE", 3, true, false), FINAL_AT);
      harness.processElement(value(false, "FR", 3, false, true), FINAL_AT);
      harness.processElement(value(false, "DE", 2, false, false), T0);
      harness.processElement(value(false, "FR", 2, false, false), T0);
      harness.processElement(value(false, "IT", 5, false, false), T0);
      // The same values in the day go on.
      harness.processElement(value(true, "DE", 4, false, false), T0);
      harness.processWatermark(FINAL_AT);
      harness.processElement(value(false, "DE", 0, true, true), FINAL_AT + 24 * HOUR);
      assertThat(told(harness))
          .containsExactly("DE1", "DE3 final", "FR3 retired", "IT5", "DE4", "DE0 final retired");
    }
  }

  @Test
  void whatIsBehindTheWatermarkIsForgotten() throws Exception {
    OrderLiveValues operator = new OrderLiveValues(TIMES);
    try (OneInputStreamOperatorTestHarness<LiveRollup, LiveRollup> harness =
        new OneInputStreamOperatorTestHarness<>(operator)) {
      harness.open();
      harness.processElement(value(false, "DE", 3, true, false), FINAL_AT);
      harness.processElement(value(true, "DE", 3, true, false), FINAL_AT);
      harness.processWatermark(FINAL_AT - 1);
      assertThat(operator.closed()).isEqualTo(2);
      harness.processWatermark(FINAL_AT);
      assertThat(operator.closed()).isEqualTo(1);
      harness.processWatermark(FINAL_AT + 23 * HOUR);
      assertThat(operator.closed()).isZero();
    }
  }
}

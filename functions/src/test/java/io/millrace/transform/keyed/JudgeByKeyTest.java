package io.millrace.transform.keyed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.transform.keyed.JudgeByKey.Check;
import io.millrace.transform.keyed.JudgeByKey.Of;
import io.millrace.transform.keyed.Violations.OnFail;
import java.util.Arrays;
import java.util.List;
import javax.annotation.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

@SuppressWarnings("try") // close() of Flink's harness declares Exception
class JudgeByKeyTest {
  private static final Scope HOUR = new Scope(3_600_000);
  private static final String FIXTURE = "judge-by-key-v1";

  private static Check check(Of of, @Nullable Double min, @Nullable Double max) {
    return new Check(of + " of x", of, of == Of.NULL_RATIO ? -1 : 1, 0.9, min, max);
  }

  private static JudgeByKey operator(OnFail onFail, Check... checks) {
    return new JudgeByKey(
        new Violations(onFail, IllegalStateException::new),
        HOUR,
        List.of(checks),
        KeyedHarness.TYPE);
  }

  private static KeyedHarness harness(OnFail onFail, Check... checks) throws Exception {
    return KeyedHarness.of(operator(onFail, checks), KeyedHarness.TYPE);
  }

  /** The rows of one key that pass one check, of 1, null, 2, 9 and 2. */
  private static List<String> passing(Check check) throws Exception {
    try (KeyedHarness harness = harness(OnFail.DROP, check)) {
      int minute = 0;
      for (Double x : Arrays.asList(1.0, null, 2.0, 9.0, 2.0)) {
        harness.row(minute++, "a", x);
      }
      harness.row(minute, "b", null);
      harness.watermark(minute);
      List<String> passed = harness.output();
      harness.assertEmptyAfterAll();
      return passed;
    }
  }

  @Test
  void rowsAreJudgedByWhatTheirKeyHasUpToThem() throws Exception {
    // Means 1, 1, 1.5, 4, 3.5.
    assertThat(passing(check(Of.MEAN, null, 3.5)))
        .containsExactly("a 1.0", "a null", "a 2.0", "a 2.0", "b null");
    // Deviations of none, none, 0.71, 4.36, 3.70.
    assertThat(passing(check(Of.STDEV, null, 4.0)))
        .containsExactly("a 1.0", "a null", "a 2.0", "a 2.0", "b null");
    // 1.15 deviations of the 9 from its mean, 0.4 of the last 2.
    assertThat(passing(check(Of.Z_SCORE, null, 1.0)))
        .containsExactly("a 1.0", "a null", "a 2.0", "a 2.0", "b null");
    // Medians 1, 1, 1.5, 2, 2.
    assertThat(passing(check(Of.MEDIAN, 1.2, null)))
        .containsExactly("a 2.0", "a 9.0", "a 2.0", "b null");
    // Of 90 % of values: 1, 1, 2, 9, 9.
    assertThat(passing(check(Of.QUANTILE, null, 5.0)))
        .containsExactly("a 1.0", "a null", "a 2.0", "b null");
    // One of two cells, of none, half of a row, and so on: 0, 1/4, 1/6, 1/8, 1/10; b 1/2.
    assertThat(passing(check(Of.NULL_RATIO, null, 0.2)))
        .containsExactly("a 1.0", "a 2.0", "a 9.0", "a 2.0");
  }

  @Test
  void aRowMayEndTheJobOrPass() throws Exception {
    try (KeyedHarness harness =
        harness(OnFail.FAIL, check(Of.MEAN, null, 3.0), check(Of.MEDIAN, null, 3.0))) {
      harness.row(1, "a", 9.0);
      assertThatThrownBy(() -> harness.watermark(1))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("MEAN of x, MEDIAN of x");
    }
    try (KeyedHarness harness = harness(OnFail.WARN, check(Of.MEAN, null, 3.0))) {
      harness.row(1, "a", 9.0);
      harness.watermark(1);
      assertThat(harness.output()).containsExactly("a 9.0");
    }
  }

  private static final Check[] KEPT = {check(Of.MEAN, null, 4.0), check(Of.MEDIAN, null, 4.0)};

  /** What the first release wrote is read by every later one. */
  @Test
  void theSnapshotOfTheFirstReleaseRestores() throws Exception {
    try (KeyedHarness harness =
        KeyedHarness.restored(operator(OnFail.DROP, KEPT), KeyedHarness.TYPE, FIXTURE)) {
      // Means 3, 4.5, 3.8; medians 3, 4, 3.
      harness.row(22, "a", 9.0);
      harness.row(23, "a", 1.0);
      harness.watermark(23);
      assertThat(harness.output()).containsExactly("a 5.0", "a 1.0");
      harness.assertEmptyAfterAll();
    }
  }

  @Test
  @EnabledIfSystemProperty(named = "millrace.fixtures.write", matches = "true")
  void writeTheSnapshot() throws Exception {
    try (KeyedHarness harness = harness(OnFail.DROP, KEPT)) {
      harness.row(0, "a", 1.0);
      harness.row(10, "a", 3.0);
      harness.watermark(20);
      harness.row(21, "a", 5.0);
      harness.snapshot(FIXTURE);
    }
  }
}

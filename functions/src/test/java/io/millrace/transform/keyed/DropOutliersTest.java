package io.millrace.transform.keyed;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.types.logical.DoubleType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.VarCharType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

@SuppressWarnings("try") // close() of Flink's harness declares Exception
class DropOutliersTest {
  private static final Scope HOUR = new Scope(3_600_000);
  private static final String FIXTURE = "drop-outliers-v1";

  /** The number is beside the columns that are kept. */
  private static final RowType INPUT =
      RowType.of(
          false,
          new LogicalType[] {
            new VarCharType(VarCharType.MAX_LENGTH), new DoubleType(), new DoubleType()
          },
          new String[] {"key", "x", "__number"});

  private static KeyedHarness harness(Scope scope) throws Exception {
    return KeyedHarness.of(new DropOutliers(scope, 2, INPUT), KeyedHarness.TYPE);
  }

  private static void row(KeyedHarness harness, int minute, String key, Double x) throws Exception {
    RowData row = GenericRowData.of(StringData.fromString(key), x, x);
    harness.harness.processElement(row, KeyedHarness.at(minute));
  }

  @Test
  void rowsFarFromTheMeanOfTheirKeyAreDropped() throws Exception {
    try (KeyedHarness harness = harness(Scope.ALL)) {
      for (int minute = 0; minute < 10; minute++) {
        row(harness, minute, "a", minute % 2 == 0 ? 10.0 : 11.0);
      }
      row(harness, 10, "b", 1000.0);
      row(harness, 10, "a", 1000.0);
      row(harness, 11, "a", null);
      row(harness, 12, "a", 12.0);
      harness.watermark(12);
      List<String> output = harness.output();
      assertThat(output.subList(10, output.size())).containsExactly("b 1000.0", "a null", "a 12.0");
    }
  }

  /** The same by brute force, over panes of a 16th of the range. */
  @Test
  void aRangeCoversItsPanes() throws Exception {
    Random random = new Random(11);
    int n = 600;
    double[] values = new double[n];
    List<String> expected = new ArrayList<>();
    try (KeyedHarness harness = harness(new Scope(16 * 60_000L * 5))) {
      for (int minute = 0; minute < n; minute++) {
        values[minute] = Math.rint(100 * (random.nextGaussian() + minute / 100.0)) / 100;
        row(harness, minute, "a", values[minute]);
        // 10:00 is a multiple of five minutes.
        int from = Math.max(0, (minute / 5 - 16) * 5);
        int count = minute - from + 1;
        double mean = 0;
        for (int i = from; i <= minute; i++) {
          mean += values[i] / count;
        }
        double squares = 0;
        for (int i = from; i <= minute; i++) {
          squares += (values[i] - mean) * (values[i] - mean);
        }
        double deviation = Math.sqrt(squares / (count - 1));
        if (count < 2 || Math.abs(values[minute] - mean) / deviation <= 2) {
          expected.add("a " + values[minute]);
        }
      }
      harness.watermark(n);
      assertThat(expected).hasSizeBetween(n * 9 / 10, n - 10);
      assertThat(harness.output()).isEqualTo(expected);
      harness.assertEmptyAfterAll();
    }
  }

  /** What the first release wrote is read by every later one. */
  @Test
  void theSnapshotOfTheFirstReleaseRestores() throws Exception {
    try (KeyedHarness harness =
        KeyedHarness.restored(new DropOutliers(HOUR, 2, INPUT), KeyedHarness.TYPE, FIXTURE)) {
      row(harness, 22, "a", 30.0);
      row(harness, 23, "a", 11.0);
      harness.watermark(23);
      assertThat(harness.output()).containsExactly("a 10.5", "a 11.0");
      harness.assertEmptyAfterAll();
    }
  }

  @Test
  @EnabledIfSystemProperty(named = "millrace.fixtures.write", matches = "true")
  void writeTheSnapshot() throws Exception {
    try (KeyedHarness harness = harness(HOUR)) {
      for (int minute = 0; minute < 10; minute++) {
        row(harness, minute, "a", minute % 2 == 0 ? 10.0 : 11.0);
      }
      harness.watermark(20);
      row(harness, 21, "a", 10.5);
      harness.snapshot(FIXTURE);
    }
  }
}

package io.millrace.transform.clean;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.transform.keyed.KeyOfRow;
import java.util.List;
import javax.annotation.Nullable;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.streaming.util.OperatorSnapshotUtil;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.VarCharType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** What {@code deduplicate} remembers of unbounded rows. */
@SuppressWarnings("try") // close() of Flink's harness declares Exception
class DropDuplicatesTest {
  private static final String FIXTURE = "src/test/resources/state/drop-duplicates-v1.snapshot";
  private static final long RANGE = 1_000;
  private static final RowType TYPE =
      RowType.of(
          false,
          new LogicalType[] {new VarCharType(VarCharType.MAX_LENGTH), new BigIntType()},
          new String[] {"key", "n"});

  private static KeyedOneInputStreamOperatorTestHarness<RowData, RowData, RowData> harness(
      @Nullable OperatorSubtaskState restored) throws Exception {
    KeyedOneInputStreamOperatorTestHarness<RowData, RowData, RowData> harness =
        new KeyedOneInputStreamOperatorTestHarness<>(
            new KeyedProcessOperator<>(new DropDuplicates(RANGE)),
            new KeyOfRow(new int[] {0}, TYPE),
            InternalTypeInfo.ofFields(TYPE.getTypeAt(0)));
    harness.setup(InternalTypeInfo.of(TYPE).toRowSerializer());
    if (restored != null) {
      harness.initializeState(restored);
    }
    harness.open();
    return harness;
  }

  private static RowData row(@Nullable String key, long n) {
    return GenericRowData.of(key == null ? null : StringData.fromString(key), n);
  }

  private static List<Long> numbers(
      KeyedOneInputStreamOperatorTestHarness<RowData, RowData, RowData> harness) {
    return harness.extractOutputValues().stream().map(row -> row.getLong(1)).toList();
  }

  @Test
  void aKeyIsForgottenWhenItsRangeHasPassed() throws Exception {
    try (var harness = harness(null)) {
      harness.processElement(row("a", 1), 0);
      harness.processElement(row(null, 2), 0);
      harness.processElement(row(null, 3), 1);
      harness.processElement(row("a", 4), RANGE - 1);
      harness.processElement(row("a", 5), RANGE);
      assertThat(harness.numKeyedStateEntries()).isEqualTo(2);
      harness.processWatermark(2 * RANGE);
      assertThat(numbers(harness)).containsExactly(1L, 2L, 5L);
      assertThat(harness.numKeyedStateEntries()).isZero();
      assertThat(harness.numEventTimeTimers()).isZero();
    }
  }

  /** What the first release wrote is read by every later one. */
  @Test
  void theSnapshotOfTheFirstReleaseRestores() throws Exception {
    try (var harness = harness(OperatorSnapshotUtil.readStateHandle(FIXTURE))) {
      harness.processElement(row("a", 1), 1_500);
      harness.processElement(row("b", 2), 1_500);
      harness.processElement(row(null, 3), 2_500);
      assertThat(numbers(harness)).containsExactly(2L);
      harness.processWatermark(Long.MAX_VALUE);
      assertThat(harness.numKeyedStateEntries()).isZero();
    }
  }

  @Test
  @EnabledIfSystemProperty(named = "millrace.fixtures.write", matches = "true")
  void writeTheSnapshot() throws Exception {
    try (var harness = harness(null)) {
      harness.processElement(row("a", 1), 1_000);
      harness.processElement(row(null, 2), 2_000);
      OperatorSnapshotUtil.writeStateHandle(harness.snapshot(1, 0), FIXTURE);
    }
  }
}

package io.millrace.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.event.CrossCheck;
import io.millrace.event.LedgerEntry;
import io.millrace.event.Origin;
import io.millrace.event.SessionBalance;
import java.util.List;
import javax.annotation.Nullable;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.streaming.util.OperatorSnapshotUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** Events of sessions against accepted events, checkpoint by checkpoint. */
@SuppressWarnings("try") // close() of Flink's harness declares Exception
class CheckSessionsTest {
  private static final String FIXTURE = "src/test/resources/state/check-sessions-v1.snapshot";

  private static OneInputStreamOperatorTestHarness<SessionBalance, CrossCheck> harness(
      @Nullable OperatorSubtaskState restored) throws Exception {
    OneInputStreamOperatorTestHarness<SessionBalance, CrossCheck> harness =
        new OneInputStreamOperatorTestHarness<>(new CheckSessions("run-2", "streaming"));
    harness.setup();
    if (restored != null) {
      harness.initializeState(restored);
    }
    harness.open();
    return harness;
  }

  private static SessionBalance balance(long checkpoint, long onTime, long closed, long open) {
    return new SessionBalance("run-2", "streaming", checkpoint, onTime, closed, open);
  }

  private static CrossCheck check(long checkpoint, long found, long expected) {
    return new CrossCheck(
        "run-2",
        "streaming",
        0,
        checkpoint,
        CrossCheck.SESSION_EVENTS,
        "sessions",
        Origin.NO_TIME,
        found,
        expected,
        found == expected);
  }

  @Test
  void closedSoFarAndOpenNowAreTheAcceptedOnes() throws Exception {
    try (var harness = harness(null)) {
      harness.processElement(balance(1, 10, 4, 6), 0);
      harness.processElement(balance(1, 5, 0, 5), 0);
      harness.prepareSnapshotPreBarrier(1);
      harness.processElement(balance(2, 3, 9, 0), 0);
      harness.processElement(balance(2, 0, 5, 0), 0);
      harness.prepareSnapshotPreBarrier(2);
      harness.processElement(balance(3, 2, 1, 0), 0);
      harness.prepareSnapshotPreBarrier(3);
      assertThat(harness.extractOutputValues())
          .containsExactly(check(1, 15, 15), check(2, 18, 18), check(3, 19, 20));
    }
  }

  /** Its barrier does not come, or not from every subtask; the differences it told stay true. */
  @Test
  void whatAnAbortedCheckpointToldAsOpenIsForgotten() throws Exception {
    try (var harness = harness(null)) {
      harness.processElement(balance(1, 10, 0, 10), 0);
      harness.processElement(balance(2, 2, 0, 12), 0);
      harness.processElement(balance(1, 7, 1, 6), 0);
      harness.processElement(balance(2, 0, 2, 4), 0);
      harness.prepareSnapshotPreBarrier(2);
      harness.processElement(balance(3, 0, 0, 12), 0);
      harness.processElement(balance(LedgerEntry.END_OF_INPUT, 0, 4, 0), 0);
      harness.prepareSnapshotPreBarrier(3);
      assertThat(harness.extractOutputValues()).containsExactly(check(2, 19, 19), check(3, 19, 19));
    }
  }

  @Test
  void theEndOfInputIsCheckedToo() throws Exception {
    try (var harness = harness(null)) {
      harness.processElement(balance(LedgerEntry.END_OF_INPUT, 10, 10, 0), 0);
      harness.endInput();
      harness.getOneInputOperator().finish();
      assertThat(harness.extractOutputValues())
          .isEqualTo(List.of(check(LedgerEntry.END_OF_INPUT, 10, 10)));
    }
  }

  /** What the first release wrote is read by every later one. */
  @Test
  void theSnapshotOfTheFirstReleaseRestores() throws Exception {
    try (var harness = harness(OperatorSnapshotUtil.readStateHandle(FIXTURE))) {
      harness.processElement(balance(8, 1, 5, 3), 0);
      harness.prepareSnapshotPreBarrier(8);
      assertThat(harness.extractOutputValues()).containsExactly(check(8, 12, 12));
    }
  }

  @Test
  @EnabledIfSystemProperty(named = "millrace.fixtures.write", matches = "true")
  void writeTheSnapshot() throws Exception {
    try (var harness = harness(null)) {
      harness.processElement(balance(7, 11, 4, 7), 0);
      harness.prepareSnapshotPreBarrier(7);
      OperatorSnapshotUtil.writeStateHandle(harness.snapshot(7, 0), FIXTURE);
    }
  }
}

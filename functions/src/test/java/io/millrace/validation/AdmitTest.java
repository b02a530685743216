package io.millrace.validation;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.event.DeadLetter;
import io.millrace.event.Event;
import io.millrace.event.Header;
import io.millrace.event.LedgerEntry;
import io.millrace.event.Origin;
import io.millrace.event.Received;
import io.millrace.event.Records;
import io.millrace.event.RejectReason;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.util.OutputTag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which output a record takes, and how it is counted. */
@SuppressWarnings("try") // close() of Flink's harness declares Exception
class AdmitTest {
  private static final long T = Records.T;
  private static final long HOUR = 3_600_000L;
  private static final long T_HOUR = T / HOUR * HOUR;

  private static OneInputStreamOperatorTestHarness<Received, Event> harness(boolean keepRaw)
      throws Exception {
    OneInputStreamOperatorTestHarness<Received, Event> harness =
        new OneInputStreamOperatorTestHarness<>(new Admit(keepRaw, "1.0", "run-1", "streaming"));
    harness.open();
    return harness;
  }

  /** Takes what stands in a side output. */
  private static <T> List<T> side(
      OneInputStreamOperatorTestHarness<Received, Event> harness, OutputTag<T> tag) {
    Queue<StreamRecord<T>> output = harness.getSideOutput(tag);
    List<T> values = new ArrayList<>();
    if (output != null) {
      output.forEach(r -> values.add(r.getValue()));
      output.clear();
    }
    return values;
  }

  private static LedgerEntry counted(
      long checkpoint, String topic, long hour, long received, long rejected) {
    return new LedgerEntry(
        "run-1", "streaming", checkpoint, topic, hour, received, 0, rejected, 0, 0);
  }

  private static Received at(String topic, long kafkaTimestamp, RejectReason... reasons) {
    return Records.rejected(
        new Origin(topic, 0, 1, kafkaTimestamp, kafkaTimestamp), List.of(), reasons);
  }

  @Test
  void validEventsPassWithTheTimestampTheyCameWith() throws Exception {
    try (var harness = harness(false)) {
      Event event = Records.full();
      harness.processElement(Records.accepted(event), 77);
      assertThat(harness.extractOutputStreamRecords())
          .singleElement()
          .satisfies(
              r -> {
                assertThat(r.getValue()).isSameAs(event);
                assertThat(r.getTimestamp()).isEqualTo(77);
              });
      assertThat(side(harness, Admit.DEAD_LETTERS)).isEmpty();
      assertThat(side(harness, Admit.RAW)).isEmpty();
    }
  }

  @Test
  void rejectedRecordsGoToTheDeadLettersWhole() throws Exception {
    try (var harness = harness(false)) {
      List<Header> headers = List.of(new Header("h", new byte[] {1}));
      Received received =
          Records.rejected(
              Records.origin("session", 3, 42),
              headers,
              RejectReason.BAD_TYPE,
              RejectReason.MISSING_FIELD);
      harness.processElement(received, 5);
      assertThat(harness.extractOutputValues()).isEmpty();
      assertThat(side(harness, Admit.DEAD_LETTERS))
          .containsExactly(
              new DeadLetter(
                  received.origin(),
                  received.ledgerTime(),
                  received.rejections(),
                  received.key(),
                  headers,
                  received.value(),
                  "1.0",
                  1));
    }
  }

  @Test
  void everyRecordIsRawWhenRawIsKept() throws Exception {
    try (var harness = harness(true)) {
      Received accepted = Records.accepted(Records.full());
      Received rejected = at("session", T, RejectReason.TOO_DEEP);
      harness.processElement(accepted, 1);
      harness.processElement(rejected, 2);
      assertThat(side(harness, Admit.RAW)).containsExactly(accepted, rejected);
      assertThat(harness.extractOutputValues()).hasSize(1);
      assertThat(side(harness, Admit.DEAD_LETTERS)).hasSize(1);
    }
  }

  @Test
  void countsPerTopicAndHourAreEmittedBeforeTheBarrierAndStartAgain() throws Exception {
    try (var harness = harness(false)) {
      harness.processElement(Records.accepted(Records.event("e", "u", T)), T);
      harness.processElement(at("events", T_HOUR, RejectReason.TOO_DEEP), T);
      harness.processElement(
          at("events", T_HOUR + HOUR - 1, RejectReason.BAD_TYPE, RejectReason.BAD_TYPE), T);
      harness.processElement(at("events", T_HOUR + HOUR, RejectReason.TOO_DEEP), T);
      harness.processElement(at("events", T_HOUR - 1, RejectReason.TOO_DEEP), T);
      harness.processElement(at("session", T_HOUR, RejectReason.TOO_DEEP), T);
      harness.processElement(at("events", 0, RejectReason.TOO_DEEP), T);
      assertThat(side(harness, Admit.LEDGER)).isEmpty();

      harness.prepareSnapshotPreBarrier(7);
      assertThat(side(harness, Admit.LEDGER))
          .containsExactlyInAnyOrder(
              counted(7, "events", T_HOUR, 3, 2),
              counted(7, "events", T_HOUR + HOUR, 1, 1),
              counted(7, "events", T_HOUR - HOUR, 1, 1),
              counted(7, "session", T_HOUR, 1, 1),
              counted(7, "events", 0, 1, 1));

      harness.prepareSnapshotPreBarrier(8);
      assertThat(side(harness, Admit.LEDGER)).isEmpty();
      harness.processElement(Records.accepted(Records.event("e", "u", T)), T);
      harness.prepareSnapshotPreBarrier(9);
      assertThat(side(harness, Admit.LEDGER)).containsExactly(counted(9, "events", T_HOUR, 1, 0));
    }
  }

  @Test
  void whatWasCountedSinceTheLastBarrierIsEmittedAtTheEndOfInput() throws Exception {
    try (var harness = harness(false)) {
      harness.processElement(Records.accepted(Records.event("e", "u", T)), T);
      harness.prepareSnapshotPreBarrier(1);
      harness.processElement(at("events", T, RejectReason.TOO_DEEP), T);
      side(harness, Admit.LEDGER);
      harness.getOperator().finish();
      assertThat(side(harness, Admit.LEDGER))
          .containsExactly(counted(LedgerEntry.END_OF_INPUT, "events", T_HOUR, 1, 1));
      harness.prepareSnapshotPreBarrier(2);
      assertThat(side(harness, Admit.LEDGER)).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1",
    "2, 2",
    "003, 3",
    "999999999, 999999999",
    "0, 1",
    "'', 1",
    "1000000000, 1",
    "99999999999999999999, 1",
    "-2, 1",
    "+2, 1",
    "2.0, 1",
    "' 2', 1",
    "two, 1",
    "٢, 1"
  })
  void theAttemptIsWhatAReplayWroteAndOtherwiseTheFirst(String header, int attempt)
      throws Exception {
    assertThat(attempt(new Header(Admit.ATTEMPT_HEADER, header.getBytes(StandardCharsets.UTF_8))))
        .isEqualTo(attempt);
  }

  @Test
  void theLastAttemptHeaderThatCanBeReadCounts() throws Exception {
    Header two = new Header(Admit.ATTEMPT_HEADER, new byte[] {'2'});
    Header three = new Header(Admit.ATTEMPT_HEADER, new byte[] {'3'});
    Header none = new Header(Admit.ATTEMPT_HEADER, null);
    Header other = new Header("attempt", new byte[] {'9'});
    assertThat(attempt()).isEqualTo(1);
    assertThat(attempt(none)).isEqualTo(1);
    assertThat(attempt(other)).isEqualTo(1);
    assertThat(attempt(two, other, three, none)).isEqualTo(3);
  }

  private static int attempt(Header... headers) throws Exception {
    try (var harness = harness(false)) {
      harness.processElement(
          Records.rejected(Records.origin("t", 0, 0), List.of(headers), RejectReason.NULL_VALUE),
          0);
      return side(harness, Admit.DEAD_LETTERS).get(0).attempt();
    }
  }
}

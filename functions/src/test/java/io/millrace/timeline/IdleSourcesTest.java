package io.millrace.timeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.event.AppEvent;
import io.millrace.event.Cell;
import io.millrace.event.CellCounts;
import io.millrace.event.Event;
import io.millrace.event.Records;
import io.millrace.event.Rollup;
import io.millrace.identity.Deduplicate;
import io.millrace.rollup.RollUp;
import io.millrace.rollup.RollupSpec;
import io.millrace.rollup.RollupTimes;
import io.millrace.session.SessionRules;
import io.millrace.session.Sessionize;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.event.WatermarkEvent;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.io.PushingAsyncDataInput.DataOutput;
import org.apache.flink.streaming.runtime.streamrecord.LatencyMarker;
import org.apache.flink.streaming.runtime.streamrecord.RecordAttributes;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.StatusWatermarkValve;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two timelines before one roll-up, joined as Flink joins channels. */
class IdleSourcesTest {
  private static final long HOUR = 3_600_000L;
  private static final long T0 = 1_767_571_200_000L;
  private static final Duration FINAL = Duration.ofMinutes(40);

  private final List<KeyedOneInputStreamOperatorTestHarness<String, Event, AppEvent>> timelines =
      new ArrayList<>();
  private KeyedOneInputStreamOperatorTestHarness<Cell, Rollup, Rollup> rollUp;
  private StatusWatermarkValve valve;
  private final IntoRollUp input = new IntoRollUp();

  @BeforeEach
  void start() throws Exception {
    for (int i = 0; i < 2; i++) {
      TimelineOptions options =
          new TimelineOptions(
              Duration.ofMinutes(10),
              new Deduplicate(Duration.ofHours(24)),
              new Sessionize(SessionRules.DEFAULTS),
              RollupSpec.defaults(),
              FINAL,
              Duration.ofSeconds(5),
              100,
              1 << 20,
              "run-1",
              false);
      var timeline =
          new KeyedOneInputStreamOperatorTestHarness<>(
              new UserTimeline(options), Event::userId, Types.STRING, 16, 1, 0);
      timeline.open();
      timelines.add(timeline);
    }
    rollUp =
        new KeyedOneInputStreamOperatorTestHarness<>(
            new RollUp(RollupSpec.defaults(), RollupTimes.finalAfter(FINAL)),
            Rollup::cell,
            TypeInformation.of(Cell.class));
    rollUp.open();
    valve = new StatusWatermarkValve(2);
  }

  @AfterEach
  void close() throws Exception {
    for (var timeline : timelines) {
      timeline.close();
    }
    rollUp.close();
  }

  /** Hands on what a timeline has emitted, in the order of its channel: parts, then the rest. */
  private void pass(int channel) throws Exception {
    var timeline = timelines.get(channel);
    Queue<StreamRecord<Rollup>> parts = timeline.getSideOutput(UserTimeline.CELLS);
    while (parts != null && !parts.isEmpty()) {
      rollUp.processElement(parts.remove());
    }
    Object next = timeline.getOutput().poll();
    while (next != null) {
      if (next instanceof Watermark mark) {
        valve.inputWatermark(mark, channel, input);
      } else if (next instanceof WatermarkStatus status) {
        valve.inputWatermarkStatus(status, channel, input);
      }
      next = timeline.getOutput().poll();
    }
  }

  private final class IntoRollUp implements DataOutput<Rollup> {
    @Override
    public void emitRecord(StreamRecord<Rollup> record) throws Exception {
      rollUp.processElement(record);
    }

    @Override
    public void emitWatermark(Watermark mark) throws Exception {
      rollUp.processWatermark(mark);
    }

    @Override
    public void emitWatermarkStatus(WatermarkStatus status) throws Exception {
      rollUp.processWatermarkStatus(status);
    }

    @Override
    public void emitLatencyMarker(LatencyMarker marker) {
      throw new IllegalStateException("no latency marker is sent");
    }

    @Override
    public void emitRecordAttributes(RecordAttributes attributes) {
      throw new IllegalStateException("no attributes are sent");
    }

    @Override
    public void emitWatermark(WatermarkEvent mark) {
      throw new IllegalStateException("no general watermark is sent");
    }
  }

  /** What is on time at a timeline is in the final row, however far ahead the other one is. */
  @Test
  void aBacklogAfterAPauseOfAllSourcesIsCounted() throws Exception {
    for (int i = 0; i < 2; i++) {
      timelines.get(i).processWatermark(T0);
      timelines.get(i).processWatermarkStatus(WatermarkStatus.IDLE);
      pass(i);
    }
    // Then come ten hours at once, to each timeline. The first is through them at once.
    timelines.get(0).processWatermarkStatus(WatermarkStatus.ACTIVE);
    timelines.get(0).processElement(Records.event("e1", "ann", T0 + 1), T0 + 1);
    timelines.get(0).processWatermark(T0 + 10 * HOUR);
    pass(0);
    // The second begins only now.
    timelines.get(1).processWatermarkStatus(WatermarkStatus.ACTIVE);
    timelines.get(1).processElement(Records.event("e2", "bob", T0 + 2), T0 + 2);
    assertThat(timelines.get(1).extractOutputValues())
        .extracting(AppEvent::late)
        .containsExactly(false);
    timelines.get(1).processWatermark(T0 + 10 * HOUR);
    pass(1);

    assertThat(rollUp.extractOutputValues())
        .filteredOn(row -> row.cell().kept() == 0 && !row.cell().daily())
        .singleElement()
        .satisfies(
            row -> {
              assertThat(row.cell().start()).isEqualTo(T0);
              assertThat(row.counts().events()[CellCounts.ALL]).isEqualTo(2);
              assertThat(row.counts().activeUsers()).isEqualTo(2);
              assertThat(row.counts().sessionsEnded()).isEqualTo(2);
            });
  }
}

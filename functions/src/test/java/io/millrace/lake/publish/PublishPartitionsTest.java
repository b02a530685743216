package io.millrace.lake.publish;

import static io.millrace.lake.publish.Lakes.LATENESS;
import static io.millrace.lake.publish.Lakes.LINES;
import static io.millrace.lake.publish.Lakes.TABLE;
import static io.millrace.lake.publish.Lakes.await;
import static io.millrace.lake.publish.Lakes.flink;
import static io.millrace.lake.publish.Lakes.hour;
import static io.millrace.lake.publish.Lakes.passed;
import static io.millrace.lake.publish.Lakes.success;
import static io.millrace.lake.publish.Lakes.write;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.lake.catalog.TimePartition;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.file.sink.FileSinkCommittable;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.connector.sink2.CommittableMessage;
import org.apache.flink.streaming.api.connector.sink2.CommittableSummary;
import org.apache.flink.streaming.api.connector.sink2.CommittableWithLineage;
import org.apache.flink.streaming.api.functions.sink.filesystem.InProgressFileWriter;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.streaming.util.OperatorSnapshotUtil;
import org.apache.flink.types.PojoTestUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

class PublishPartitionsTest {
  private static final InProgressFileWriter.PendingFileRecoverable PENDING =
      new InProgressFileWriter.PendingFileRecoverable() {
        @Override
        public org.apache.flink.core.fs.Path getPath() {
          return null;
        }

        @Override
        public long getSize() {
          return 0;
        }
      };

  @TempDir private Path base;
  private final MemoryCatalog catalog = new MemoryCatalog();

  private PublishPartitions operator() {
    return new PublishPartitions(
        TABLE,
        flink(base),
        base.toString(),
        () -> catalog,
        LINES,
        PublishSettings.completeAfter(LATENESS)
            .withRetry(Duration.ofMillis(1), Duration.ofMillis(5))
            .withCloseTimeout(Duration.ofMillis(500)));
  }

  private OneInputStreamOperatorTestHarness<CommitReport, Void> publisher() throws Exception {
    return new OneInputStreamOperatorTestHarness<>(operator());
  }

  private static StreamRecord<CommitReport> report(
      int subtask, long watermark, TimePartition... hours) {
    List<String> folders = Stream.of(hours).map(TimePartition::path).toList();
    return new StreamRecord<>(new CommitReport(subtask, 2, 1, true, folders, watermark, false));
  }

  private static StreamRecord<CommitReport> idle(int subtask, long watermark) {
    return new StreamRecord<>(new CommitReport(subtask, 2, 1, true, List.of(), watermark, true));
  }

  @Test
  void reportsTheWatermarkThatPassedBeforeTheBarrier() throws Exception {
    try (OneInputStreamOperatorTestHarness<CommittableMessage<FileSinkCommittable>, CommitReport>
        commits = new OneInputStreamOperatorTestHarness<>(new ReportCommits())) {
      commits.open();
      commits.processWatermark(new Watermark(100));
      // Recovered: committed again before any barrier was seen.
      commits.processElement(summary(3, 1));
      commits.processElement(committed(3, hour(0)));
      commits.snapshot(4, 0);
      commits.processWatermark(new Watermark(200));
      commits.processElement(summary(4, 2));
      commits.processElement(committed(4, hour(1)));
      commits.processElement(committed(4, hour(1)));
      commits.snapshot(5, 0);
      commits.processWatermark(new Watermark(300));
      // Checkpoint 6 was given up before its barrier came here, so 300 is not covered by it.
      commits.snapshot(7, 0);
      commits.processElement(summary(5, 0));
      commits.processElement(summary(6, 1));
      commits.processElement(committed(6, hour(2)));
      commits.processElement(summary(7, 0));
      commits.processWatermarkStatus(WatermarkStatus.IDLE);
      commits.snapshot(8, 0);
      commits.processElement(summary(8, 0));

      assertThat(commits.extractOutputValues())
          .containsExactly(
              new CommitReport(0, 1, 3, true, List.of(hour(0).path()), Long.MIN_VALUE, false),
              new CommitReport(0, 1, 4, true, List.of(hour(1).path()), 100, false),
              new CommitReport(0, 1, 5, true, List.of(), 200, false),
              new CommitReport(0, 1, 6, true, List.of(hour(2).path()), 200, false),
              new CommitReport(0, 1, 7, true, List.of(), 300, false),
              new CommitReport(0, 1, 8, true, List.of(), 300, true));
    }
  }

  private static StreamRecord<CommittableMessage<FileSinkCommittable>> summary(
      long checkpoint, int committables) {
    return new StreamRecord<>(new CommittableSummary<>(0, 1, checkpoint, committables, 0));
  }

  private static StreamRecord<CommittableMessage<FileSinkCommittable>> committed(
      long checkpoint, TimePartition hour) {
    return new StreamRecord<>(
        new CommittableWithLineage<>(new FileSinkCommittable(hour.path(), PENDING), checkpoint, 0));
  }

  @Test
  void theSlowestSubtaskDecides() throws Exception {
    write(base, hour(0), "part-a", 1);
    try (OneInputStreamOperatorTestHarness<CommitReport, Void> publish = publisher()) {
      publish.open();
      publish.processElement(report(0, Long.MAX_VALUE, hour(0)));
      await("registered", () -> catalog.paths().size() == 1);
      publish.processElement(report(1, passed(hour(0)) - 1));
      publish.processElement(report(1, passed(hour(0)) - 1));
      assertThat(success(base, hour(0))).isNull();
      assertThat(publish.snapshot(1, 0)).isNotNull();

      publish.processElement(report(1, passed(hour(0))));
      await("complete", () -> catalog.properties(hour(0)).containsKey("millrace.complete"));
      assertThat(success(base, hour(0)).watermark()).isEqualTo(passed(hour(0)));
    }
  }

  @Test
  void anIdleSubtaskHoldsNobodyBack() throws Exception {
    write(base, hour(0), "part-a", 1);
    try (OneInputStreamOperatorTestHarness<CommitReport, Void> publish = publisher()) {
      publish.open();
      publish.processElement(report(0, passed(hour(0)), hour(0)));
      publish.processElement(idle(1, Long.MIN_VALUE));
      await("complete", () -> catalog.properties(hour(0)).containsKey("millrace.complete"));
    }
  }

  /** A watermark and the idleness after it can be before one and the same barrier. */
  @Test
  void whatAPauseOfAllSubtasksBeganWithIsComplete() throws Exception {
    write(base, hour(0), "part-a", 1);
    try (OneInputStreamOperatorTestHarness<CommitReport, Void> publish = publisher()) {
      publish.open();
      publish.processElement(report(0, 0, hour(0)));
      publish.processElement(report(1, 0));
      await("registered", () -> catalog.paths().size() == 1);
      publish.processElement(idle(0, passed(hour(0))));
      publish.processElement(idle(1, passed(hour(0)) - 1));
      assertThat(publish.snapshot(1, 0)).isNotNull();
      assertThat(success(base, hour(0))).isNull();
      publish.processElement(idle(1, passed(hour(0)) + 1));
      await("complete", () -> catalog.properties(hour(0)).containsKey("millrace.complete"));
      assertThat(success(base, hour(0)).watermark()).isEqualTo(passed(hour(0)));
    }
  }

  @Test
  void pendingAndIncompletePartitionsSurviveARestart() throws Exception {
    write(base, hour(0), "part-a", 1);
    write(base, hour(1), "part-b", 2);
    OperatorSubtaskState state;
    try (OneInputStreamOperatorTestHarness<CommitReport, Void> publish = publisher()) {
      publish.open();
      publish.processElement(report(0, 0, hour(0)));
      await("registered", () -> catalog.paths().size() == 1);
      catalog.down(true);
      publish.processElement(report(0, 0, hour(1)));
      publish.processElement(report(1, 0));
      state = publish.snapshot(1, 0);
    }
    assertThat(catalog.paths()).hasSize(1);

    catalog.down(false);
    try (OneInputStreamOperatorTestHarness<CommitReport, Void> publish = publisher()) {
      publish.initializeState(state);
      publish.open();
      await("registered", () -> catalog.paths().size() == 2);
      // One subtask alone tells nothing of the other.
      publish.processElement(report(0, Long.MAX_VALUE));
      assertThat(success(base, hour(0))).isNull();

      publish.processElement(report(1, passed(hour(1))));
      await("complete", () -> catalog.properties(hour(1)).containsKey("millrace.complete"));
      assertThat(success(base, hour(0)).generation()).isEqualTo(1);
      // The committer's own recovery: what was committed before comes again.
      publish.processElement(report(0, Long.MAX_VALUE, hour(0), hour(1)));
    }
    assertThat(success(base, hour(0)).generation()).isEqualTo(1);
    assertThat(success(base, hour(1)).generation()).isEqualTo(1);
  }

  @Test
  void announcesFoldersBeforeTheyAreCommitted() throws Exception {
    try (OneInputStreamOperatorTestHarness<CommittableMessage<FileSinkCommittable>, CommitReport>
        commits = new OneInputStreamOperatorTestHarness<>(new AnnounceCommits())) {
      commits.open();
      commits.processElement(summary(3, 0));
      commits.processElement(summary(4, 2));
      commits.processElement(committed(4, hour(1)));
      commits.processElement(committed(4, hour(0)));
      assertThat(commits.extractOutputValues())
          .containsExactly(
              new CommitReport(
                  0, 1, 4, false, List.of(hour(0).path(), hour(1).path()), Long.MIN_VALUE, false));
    }
  }

  private static StreamRecord<CommitReport> announcement(long checkpoint, TimePartition hour) {
    return new StreamRecord<>(
        new CommitReport(0, 2, checkpoint, false, List.of(hour.path()), Long.MIN_VALUE, false));
  }

  @Test
  void theEndOfInputPublishesWhatWasAnnounced() throws Exception {
    write(base, hour(0), "part-a", 1);
    write(base, hour(1), "part-b", 1);
    try (OneInputStreamOperatorTestHarness<CommitReport, Void> publish = publisher()) {
      publish.open();
      publish.processElement(announcement(1, hour(0)));
      publish.processElement(announcement(2, hour(1)));
      publish.processElement(report(0, Long.MIN_VALUE, hour(0)));
      assertThat(publish.snapshot(1, 0)).isNotNull();
      await("registered", () -> !catalog.paths().isEmpty());
      assertThat(catalog.paths()).containsExactly(hour(0).path());
      publish.endInput();
    }
    assertThat(success(base, hour(0)).watermark()).isEqualTo(Long.MAX_VALUE);
    assertThat(catalog.properties(hour(0))).containsEntry("millrace.complete", "true");
    assertThat(catalog.properties(hour(1))).containsEntry("millrace.complete", "true");
  }

  @Test
  void aStopBeforeTheEndPublishesNothingThatWasOnlyAnnounced() throws Exception {
    try (OneInputStreamOperatorTestHarness<CommitReport, Void> publish = publisher()) {
      publish.open();
      publish.processElement(announcement(1, hour(0)));
    }
    assertThat(catalog.calls()).isZero();
  }

  @Test
  void aStopWithoutEndOfInputRegistersAndCompletesNothing() throws Exception {
    write(base, hour(0), "part-a", 1);
    try (OneInputStreamOperatorTestHarness<CommitReport, Void> publish = publisher()) {
      publish.open();
      publish.processElement(report(0, 0, hour(0)));
      publish.processElement(report(1, 0));
    }
    assertThat(catalog.paths()).containsExactly(hour(0).path());
    assertThat(success(base, hour(0))).isNull();
  }

  @Test
  void itsRecordsNeedNoKryo() {
    PojoTestUtils.assertSerializedAsPojoWithoutKryo(CommitReport.class);
    PojoTestUtils.assertSerializedAsPojoWithoutKryo(OpenPartition.class);
    assertThat(TypeInformation.of(OpenPartition.class).getTotalFields()).isEqualTo(3);
  }

  private static final String FIXTURE = "src/test/resources/state/publish-partitions-v1.snapshot";

  /** What the first release wrote is read by every later one: open partitions are registered. */
  @Test
  void theSnapshotOfTheFirstReleaseRestores() throws Exception {
    write(base, hour(0), "part-a", 2);
    write(base, hour(1), "part-b", 3);
    try (OneInputStreamOperatorTestHarness<CommitReport, Void> harness = publisher()) {
      harness.initializeState(OperatorSnapshotUtil.readStateHandle(FIXTURE));
      harness.open();
      await("registered", () -> catalog.paths().size() == 2);
      assertThat(catalog.paths()).containsExactly(hour(0).path(), hour(1).path());
    }
  }

  @Test
  @EnabledIfSystemProperty(named = "millrace.fixtures.write", matches = "true")
  void writeTheSnapshot() throws Exception {
    catalog.down(true);
    try (OneInputStreamOperatorTestHarness<CommitReport, Void> harness = publisher()) {
      harness.open();
      harness.processElement(report(0, 0, hour(0), hour(1)));
      OperatorSnapshotUtil.writeStateHandle(harness.snapshot(1, 1), FIXTURE);
    }
  }
}

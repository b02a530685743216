package io.millrace.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.event.LedgerEntry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.JobID;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Metric;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.clusterframework.types.ResourceID;
import org.apache.flink.runtime.executiongraph.ExecutionGraphTestUtils;
import org.apache.flink.runtime.metrics.NoOpMetricRegistry;
import org.apache.flink.runtime.metrics.groups.AbstractMetricGroup;
import org.apache.flink.runtime.metrics.groups.TaskManagerMetricGroup;
import org.apache.flink.runtime.metrics.groups.TaskMetricGroup;
import org.apache.flink.runtime.operators.testutils.MockEnvironment;
import org.apache.flink.runtime.operators.testutils.MockEnvironmentBuilder;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.streaming.util.OperatorSnapshotUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** The counts of all subtasks, added up per checkpoint. */
@SuppressWarnings("try") // close() of Flink's harness declares Exception
class ReconcileTest {
  private static final long HOUR = 3_600_000L;

  private static OneInputStreamOperatorTestHarness<LedgerEntry, LedgerEntry> harness()
      throws Exception {
    return new OneInputStreamOperatorTestHarness<>(new Reconcile());
  }

  private static LedgerEntry entry(
      long checkpoint, String topic, long hour, long received, long accepted, long rejected) {
    return new LedgerEntry(
        "run", "streaming", checkpoint, topic, hour * HOUR, received, accepted, rejected, 0, 0);
  }

  private static List<LedgerEntry> taken(
      OneInputStreamOperatorTestHarness<LedgerEntry, LedgerEntry> harness) {
    List<LedgerEntry> values = new ArrayList<>(harness.extractOutputValues());
    harness.getOutput().clear();
    return values;
  }

  @Test
  void addsTheCountsOfAllSubtasksUpPerTopicAndHour() throws Exception {
    try (var harness = harness()) {
      harness.open();
      harness.processElement(entry(3, "b", 1, 5, 0, 1), 0);
      harness.processElement(entry(3, "a", 2, 10, 0, 2), 0);
      harness.processElement(entry(3, "b", 1, 0, 4, 0), 0);
      harness.processElement(entry(3, "a", 1, 7, 0, 0), 0);
      harness.processElement(
          new LedgerEntry("run", "streaming", 3, "a", 2 * HOUR, 0, 5, 0, 3, 1), 0);
      assertThat(taken(harness)).isEmpty();
      harness.prepareSnapshotPreBarrier(3);
      assertThat(taken(harness))
          .containsExactly(
              entry(3, "a", 1, 7, 0, 0),
              new LedgerEntry("run", "streaming", 3, "a", 2 * HOUR, 10, 5, 2, 3, 1),
              entry(3, "b", 1, 5, 4, 1));
      harness.prepareSnapshotPreBarrier(4);
      assertThat(taken(harness)).isEmpty();
    }
  }

  @Test
  void theRowCarriesTheCheckpointItBecomesPartOf() throws Exception {
    try (var harness = harness()) {
      harness.open();
      harness.processElement(entry(LedgerEntry.END_OF_INPUT, "a", 1, 1, 0, 0), 0);
      harness.processElement(entry(5, "a", 1, 1, 2, 0), 0);
      harness.prepareSnapshotPreBarrier(5);
      assertThat(taken(harness)).containsExactly(entry(5, "a", 1, 2, 2, 0));
      harness.processElement(entry(6, "a", 1, 1, 1, 0), 0);
      harness.getOperator().finish();
      assertThat(taken(harness)).containsExactly(entry(LedgerEntry.END_OF_INPUT, "a", 1, 1, 1, 0));
    }
  }

  @Test
  void totalsSurviveARestoreAndUnfinishedCountsDoNot() throws Exception {
    OperatorSubtaskState state;
    try (var harness = harness()) {
      harness.open();
      harness.processElement(entry(1, "a", 1, 10, 7, 1), 0);
      harness.processElement(entry(1, "b", 1, 1, 1, 0), 0);
      harness.prepareSnapshotPreBarrier(1);
      state = harness.snapshot(1, 1);
      // Counted after the barrier: it comes again with the records of the failed checkpoint.
      harness.processElement(entry(2, "a", 1, 100, 0, 0), 0);
    }
    try (GaugedHarness gauged = new GaugedHarness()) {
      gauged.harness.initializeState(state);
      gauged.harness.open();
      assertThat(gauged.values("a"))
          .isEqualTo(
              Map.of(
                  "ledger_discrepancy", 2L,
                  "ledger_received", 10L,
                  "ledger_accepted", 7L,
                  "ledger_rejected", 1L,
                  "ledger_duplicates", 0L,
                  "ledger_late", 0L));
      gauged.harness.processElement(
          new LedgerEntry("run", "streaming", 2, "a", HOUR, 1, 1, 0, 2, 1), 0);
      assertThat(gauged.values("a")).containsEntry("ledger_discrepancy", 2L);
      gauged.harness.prepareSnapshotPreBarrier(2);
      assertThat(gauged.values("a"))
          .isEqualTo(
              Map.of(
                  "ledger_discrepancy", 0L,
                  "ledger_received", 11L,
                  "ledger_accepted", 8L,
                  "ledger_rejected", 1L,
                  "ledger_duplicates", 2L,
                  "ledger_late", 1L));
      assertThat(gauged.values("b")).containsEntry("ledger_received", 1L);
      gauged.harness.processElement(entry(3, "c", 1, 4, 4, 0), 0);
      gauged.harness.prepareSnapshotPreBarrier(3);
      assertThat(gauged.values("c")).containsEntry("ledger_received", 4L);
      assertThat(taken(gauged.harness)).hasSize(2);
    }
  }

  /** A harness that keeps the operator's gauges by topic and name. */
  private static final class GaugedHarness implements AutoCloseable {
    final Map<String, Gauge<?>> gauges = new HashMap<>();
    final MockEnvironment environment;
    final OneInputStreamOperatorTestHarness<LedgerEntry, LedgerEntry> harness;

    GaugedHarness() throws Exception {
      NoOpMetricRegistry registry =
          new NoOpMetricRegistry() {
            @Override
            public void register(Metric metric, String name, AbstractMetricGroup<?> group) {
              String topic = group.getAllVariables().get("<topic>");
              if (topic != null && metric instanceof Gauge<?> gauge) {
                gauges.put(topic + " " + name, gauge);
              }
            }
          };
      TaskMetricGroup metrics =
          TaskManagerMetricGroup.createTaskManagerMetricGroup(
                  registry, "localhost", ResourceID.generate())
              .addJob(new JobID(), "job")
              .addTask(ExecutionGraphTestUtils.createExecutionAttemptId(), "reconcile");
      environment = new MockEnvironmentBuilder().setMetricGroup(metrics).build();
      harness = new OneInputStreamOperatorTestHarness<>(new Reconcile(), environment);
    }

    Map<String, Object> values(String topic) {
      Map<String, Object> values = new HashMap<>();
      gauges.forEach(
          (name, gauge) -> {
            if (name.startsWith(topic + " ")) {
              values.put(name.substring(topic.length() + 1), gauge.getValue());
            }
          });
      return values;
    }

    @Override
    public void close() throws Exception {
      harness.close();
      environment.close();
    }
  }

  private static final String FIXTURE = "src/test/resources/state/reconcile-v1.snapshot";

  /** What the first release wrote is read by every later one. */
  @Test
  void theSnapshotOfTheFirstReleaseRestores() throws Exception {
    try (GaugedHarness gauged = new GaugedHarness()) {
      gauged.harness.initializeState(OperatorSnapshotUtil.readStateHandle(FIXTURE));
      gauged.harness.open();
      assertThat(gauged.values("a"))
          .isEqualTo(
              Map.of(
                  "ledger_discrepancy", 5L,
                  "ledger_received", 20L,
                  "ledger_accepted", 9L,
                  "ledger_rejected", 2L,
                  "ledger_duplicates", 4L,
                  "ledger_late", 3L));
    }
  }

  @Test
  @EnabledIfSystemProperty(named = "millrace.fixtures.write", matches = "true")
  void writeTheSnapshot() throws Exception {
    try (var harness = harness()) {
      harness.open();
      harness.processElement(new LedgerEntry("run", "streaming", 1, "a", HOUR, 20, 9, 2, 4, 3), 0);
      harness.prepareSnapshotPreBarrier(1);
      OperatorSnapshotUtil.writeStateHandle(harness.snapshot(1, 1), FIXTURE);
    }
  }
}

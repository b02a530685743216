package io.millrace.ledger;

import io.millrace.event.LedgerEntry;
import io.millrace.telemetry.Metrics;
import java.util.ArrayList;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Adds the counts of all subtasks up to one row per checkpoint, topic and hour, and compares both
 * sides. Runs at parallelism 1.
 *
 * <p>Barriers are aligned, so when one arrives every count of its checkpoint has arrived, from both
 * ends of the heavy shuffle: received must then equal accepted + rejected + duplicates.
 */
public final class Reconcile extends AbstractStreamOperator<LedgerEntry>
    implements OneInputStreamOperator<LedgerEntry, LedgerEntry> {
  private static final long serialVersionUID = 1L;
  private static final Logger LOG = LoggerFactory.getLogger(Reconcile.class);

  private static final ListStateDescriptor<LedgerTotals> TOTALS =
      new ListStateDescriptor<>("ledger-totals", TypeInformation.of(LedgerTotals.class));

  private transient Map<String, Map<Long, LedgerEntry>> sinceBarrier;
  private transient Map<String, LedgerTotals> totals;
  private transient ListState<LedgerTotals> savedTotals;
  private transient volatile long lastCheckpoint;

  @Override
  public void initializeState(StateInitializationContext context) throws Exception {
    super.initializeState(context);
    savedTotals = context.getOperatorStateStore().getListState(TOTALS);
    // Reporters read the gauges from threads of their own.
    totals = new ConcurrentHashMap<>();
    for (LedgerTotals t : savedTotals.get()) {
      totals.put(t.topic(), t);
    }
  }

  @Override
  public void open() throws Exception {
    super.open();
    sinceBarrier = new TreeMap<>();
    for (String topic : totals.keySet()) {
      register(topic);
    }
    lastCheckpoint = System.currentTimeMillis();
    getMetricGroup()
        .addGroup(Metrics.GROUP)
        .<Double, Gauge<Double>>gauge(
            Metrics.CHECKPOINT_AGE,
            () -> Metrics.secondsSince(lastCheckpoint, System.currentTimeMillis()));
  }

  @Override
  public void notifyCheckpointComplete(long checkpointId) throws Exception {
    super.notifyCheckpointComplete(checkpointId);
    lastCheckpoint = System.currentTimeMillis();
  }

  @Override
  public void processElement(StreamRecord<LedgerEntry> element) {
    LedgerEntry entry = element.getValue();
    sinceBarrier
        .computeIfAbsent(entry.topic(), t -> new TreeMap<>())
        .merge(entry.hour(), entry, LedgerEntry::plus);
  }

  @Override
  public void prepareSnapshotPreBarrier(long checkpointId) {
    emit(checkpointId);
  }

  @Override
  public void snapshotState(StateSnapshotContext context) throws Exception {
    super.snapshotState(context);
    savedTotals.update(new ArrayList<>(totals.values()));
  }

  @Override
  public void finish() throws Exception {
    emit(LedgerEntry.END_OF_INPUT);
    for (LedgerTotals t : totals.values()) {
      if (discrepancy(t) != 0) {
        LOG.error("The ledger of topic {} does not balance: {}", t.topic(), t);
      }
    }
    super.finish();
  }

  private void emit(long checkpoint) {
    for (Map<Long, LedgerEntry> hours : sinceBarrier.values()) {
      for (LedgerEntry e : hours.values()) {
        output.collect(
            new StreamRecord<>(
                new LedgerEntry(
                    e.runId(),
                    e.mode(),
                    checkpoint,
                    e.topic(),
                    e.hour(),
                    e.received(),
                    e.accepted(),
                    e.rejected(),
                    e.duplicates(),
                    e.late())));
        add(e);
      }
    }
    sinceBarrier.clear();
  }

  private void add(LedgerEntry e) {
    LedgerTotals t = totals.get(e.topic());
    if (t == null) {
      t = new LedgerTotals(e.topic(), 0, 0, 0, 0, 0);
      register(e.topic());
    }
    totals.put(
        e.topic(),
        new LedgerTotals(
            e.topic(),
            t.received() + e.received(),
            t.accepted() + e.accepted(),
            t.rejected() + e.rejected(),
            t.duplicates() + e.duplicates(),
            t.late() + e.late()));
  }

  private void register(String topic) {
    MetricGroup metrics = getMetricGroup().addGroup(Metrics.GROUP).addGroup(Metrics.TOPIC, topic);
    metrics.gauge(Metrics.LEDGER_DISCREPANCY, () -> discrepancy(total(topic)));
    metrics.gauge(Metrics.LEDGER + Metrics.RECEIVED, () -> total(topic).received());
    metrics.gauge(Metrics.LEDGER + Metrics.ACCEPTED, () -> total(topic).accepted());
    metrics.gauge(Metrics.LEDGER + Metrics.REJECTED, () -> total(topic).rejected());
    metrics.gauge(Metrics.LEDGER + Metrics.DUPLICATES, () -> total(topic).duplicates());
    metrics.gauge(Metrics.LEDGER + Metrics.LATE, () -> total(topic).late());
  }

  private LedgerTotals total(String topic) {
    return totals.getOrDefault(topic, new LedgerTotals(topic, 0, 0, 0, 0, 0));
  }

  private static long discrepancy(LedgerTotals t) {
    return t.received() - t.accepted() - t.rejected() - t.duplicates();
  }
}

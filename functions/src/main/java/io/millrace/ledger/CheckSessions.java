package io.millrace.ledger;

import io.millrace.event.CrossCheck;
import io.millrace.event.LedgerEntry;
import io.millrace.event.Origin;
import io.millrace.event.SessionBalance;
import io.millrace.telemetry.Metrics;
import java.util.List;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeutils.base.LongSerializer;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Holds the events of closed and open sessions against those that were accepted and not late, at
 * each checkpoint and at the end of input. Runs at parallelism 1: barriers are aligned, so when one
 * arrives every subtask has told its part.
 */
public final class CheckSessions extends AbstractStreamOperator<CrossCheck>
    implements OneInputStreamOperator<SessionBalance, CrossCheck> {
  private static final long serialVersionUID = 1L;
  private static final Logger LOG = LoggerFactory.getLogger(CheckSessions.class);

  private static final ListStateDescriptor<Long> TOTALS =
      new ListStateDescriptor<>("session-totals", LongSerializer.INSTANCE);

  private final String runId;
  private final String mode;

  private transient ListState<Long> savedTotals;
  private transient Counter violations;
  private transient long onTime;
  private transient long closed;
  private transient long openOf;
  private transient long open;
  private transient long openAtEnd;

  public CheckSessions(String runId, String mode) {
    this.runId = runId;
    this.mode = mode;
  }

  @Override
  public void initializeState(StateInitializationContext context) throws Exception {
    super.initializeState(context);
    savedTotals = context.getOperatorStateStore().getListState(TOTALS);
    long[] saved = new long[2];
    int i = 0;
    for (Long total : savedTotals.get()) {
      saved[i++] = total;
    }
    onTime = saved[0];
    closed = saved[1];
  }

  @Override
  public void open() throws Exception {
    super.open();
    MetricGroup metrics = getMetricGroup().addGroup(Metrics.GROUP);
    violations = metrics.counter(Metrics.CROSS_CHECK_VIOLATIONS);
  }

  @Override
  public void processElement(StreamRecord<SessionBalance> element) {
    SessionBalance part = element.getValue();
    onTime += part.onTime();
    closed += part.closed();
    if (part.checkpoint() == LedgerEntry.END_OF_INPUT) {
      openAtEnd += part.open();
      return;
    }
    // What is open is no difference to add up: a checkpoint that was aborted told it before.
    if (part.checkpoint() > openOf) {
      openOf = part.checkpoint();
      open = 0;
    }
    if (part.checkpoint() == openOf) {
      open += part.open();
    }
  }

  @Override
  public void prepareSnapshotPreBarrier(long checkpointId) {
    check(checkpointId);
  }

  @Override
  public void snapshotState(StateSnapshotContext context) throws Exception {
    super.snapshotState(context);
    savedTotals.update(List.of(onTime, closed));
  }

  @Override
  public void finish() throws Exception {
    check(LedgerEntry.END_OF_INPUT);
    super.finish();
  }

  private void check(long checkpoint) {
    long held = (checkpoint == openOf ? open : 0) + openAtEnd;
    CrossCheck check =
        new CrossCheck(
            runId,
            mode,
            getProcessingTimeService().getCurrentProcessingTime(),
            checkpoint,
            CrossCheck.SESSION_EVENTS,
            "sessions",
            Origin.NO_TIME,
            closed + held,
            onTime,
            closed + held == onTime);
    if (!check.holds()) {
      violations.inc();
      LOG.error("A cross-check does not hold: {}", check);
    }
    output.collect(new StreamRecord<>(check));
  }
}

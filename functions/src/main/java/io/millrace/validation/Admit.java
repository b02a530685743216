package io.millrace.validation;

import io.millrace.event.DeadLetter;
import io.millrace.event.Event;
import io.millrace.event.Header;
import io.millrace.event.LedgerEntry;
import io.millrace.event.Origin;
import io.millrace.event.Received;
import io.millrace.event.RejectReason;
import io.millrace.event.Rejection;
import io.millrace.ledger.LedgerCounter;
import io.millrace.telemetry.Metrics;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.util.OutputTag;

/**
 * Lets valid events in and sends the rest to the dead letters; counts both.
 *
 * <pre>
 * Received --valid----> Event       main output
 *         \--rejected-> DeadLetter  side output
 *         \--every one> Received    side output, when raw is on
 *  counts before each barrier -> LedgerEntry side output
 * </pre>
 */
public final class Admit extends AbstractStreamOperator<Event>
    implements OneInputStreamOperator<Received, Event> {
  private static final long serialVersionUID = 1L;

  /** Rejected records, with their reasons. */
  public static final OutputTag<DeadLetter> DEAD_LETTERS =
      new OutputTag<>("dead-letters", TypeInformation.of(DeadLetter.class));

  /** Every record as received. */
  public static final OutputTag<Received> RAW =
      new OutputTag<>("raw", TypeInformation.of(Received.class));

  /** What was counted, before each barrier. */
  public static final OutputTag<LedgerEntry> LEDGER =
      new OutputTag<>("admit-ledger", TypeInformation.of(LedgerEntry.class));

  /** Kafka header that a replayed record carries: which delivery this is, as decimal text. */
  public static final String ATTEMPT_HEADER = "millrace-attempt";

  /** The Kafka header that names a record's batch, unless told otherwise. */
  public static final String CORRELATION_HEADER = "correlation-id";

  private final boolean keepRaw;
  private final String jobVersion;
  private final String runId;
  private final String mode;
  private String correlationHeader = CORRELATION_HEADER;

  private transient RejectionLog log;
  private transient LedgerCounter ledger;
  private transient StreamRecord<Event> out;
  private transient Counter received;
  private transient Counter rejectedRecords;
  private transient Map<RejectReason, Counter> rejected;

  /**
   * Creates the operator.
   *
   * @param keepRaw whether every record goes to {@link #RAW}
   * @param jobVersion stands in each dead letter
   * @param runId names the run in the ledger
   * @param mode {@code streaming} or {@code bounded}, for the ledger
   */
  public Admit(boolean keepRaw, String jobVersion, String runId, String mode) {
    this.keepRaw = keepRaw;
    this.jobVersion = jobVersion;
    this.runId = runId;
    this.mode = mode;
  }

  /** The same, with another Kafka header that names a record's batch, for the log. */
  public Admit correlatedBy(String header) {
    correlationHeader = header;
    return this;
  }

  @Override
  public void open() throws Exception {
    super.open();
    log = new RejectionLog(correlationHeader, System::nanoTime);
    ledger = new LedgerCounter(runId, mode);
    out = new StreamRecord<>(null);
    MetricGroup metrics = getMetricGroup().addGroup(Metrics.GROUP);
    received = metrics.counter(Metrics.RECEIVED);
    rejectedRecords = metrics.counter(Metrics.REJECTED_RECORDS);
    rejected = new EnumMap<>(RejectReason.class);
    for (RejectReason reason : RejectReason.values()) {
      rejected.put(
          reason, metrics.addGroup(Metrics.REASON, reason.code()).counter(Metrics.REJECTED));
    }
  }

  @Override
  public void processElement(StreamRecord<Received> element) {
    Received record = element.getValue();
    Origin origin = record.origin();
    ledger.received(origin.topic(), record.ledgerTime());
    received.inc();
    if (keepRaw) {
      output.collect(RAW, new StreamRecord<>(record));
    }
    if (record.accepted()) {
      // The record's timestamp is what its partition's watermark was made from.
      output.collect(out.replace(record.event(), element.getTimestamp()));
      return;
    }
    ledger.rejected(origin.topic(), record.ledgerTime());
    rejectedRecords.inc();
    for (Rejection r : record.rejections()) {
      rejected.get(r.reason()).inc();
    }
    log.rejected(origin, record.headers(), record.rejections());
    DeadLetter letter =
        new DeadLetter(
            origin,
            record.ledgerTime(),
            record.rejections(),
            record.key(),
            record.headers(),
            record.value(),
            jobVersion,
            attempt(record.headers()));
    output.collect(DEAD_LETTERS, new StreamRecord<>(letter));
  }

  @Override
  public void prepareSnapshotPreBarrier(long checkpointId) {
    emitCounts(checkpointId);
  }

  @Override
  public void finish() throws Exception {
    emitCounts(LedgerEntry.END_OF_INPUT);
    super.finish();
  }

  private void emitCounts(long checkpoint) {
    ledger.drain(checkpoint, e -> output.collect(LEDGER, new StreamRecord<>(e)));
  }

  /** The delivery that a replay wrote into the header; 1 when there is none that can be read. */
  private static int attempt(List<Header> headers) {
    int attempt = 1;
    for (Header h : headers) {
      if (h.key().equals(ATTEMPT_HEADER) && h.value() != null && h.value().length <= 9) {
        String text = new String(h.value(), StandardCharsets.US_ASCII);
        if (!text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9')) {
          attempt = Math.max(1, Integer.parseInt(text));
        }
      }
    }
    return attempt;
  }
}

package io.millrace.event;

import java.util.Objects;

/**
 * What one checkpoint added to the count of a topic and hour: a row of {@code quality/ledger}. Rows
 * are only ever added up; {@code received = accepted + rejected + duplicates} holds per run.
 *
 * @param runId the run that counted; a backfill is a run of its own
 * @param mode {@code streaming} or {@code bounded}
 * @param checkpoint the checkpoint that the counts became part of; -1 for the end of input
 * @param hour start of the hour, epoch ms, by {@link Event#ledgerTime()}
 * @param late the part of {@code accepted} that was late
 */
public record LedgerEntry(
    String runId,
    String mode,
    long checkpoint,
    String topic,
    long hour,
    long received,
    long accepted,
    long rejected,
    long duplicates,
    long late) {

  /** The checkpoint of counts that the end of input closed. */
  public static final long END_OF_INPUT = -1;

  public LedgerEntry {
    Objects.requireNonNull(runId, "runId");
    Objects.requireNonNull(mode, "mode");
    Objects.requireNonNull(topic, "topic");
  }

  /** Zero when everything that was received is accounted for. */
  public long discrepancy() {
    return received - accepted - rejected - duplicates;
  }

  /** Both counts together; the other must be of the same run, checkpoint, topic and hour. */
  public LedgerEntry plus(LedgerEntry other) {
    return new LedgerEntry(
        runId,
        mode,
        checkpoint,
        topic,
        hour,
        received + other.received,
        accepted + other.accepted,
        rejected + other.rejected,
        duplicates + other.duplicates,
        late + other.late);
  }
}

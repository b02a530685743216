package io.millrace.datagen;

import io.millrace.event.RejectReason;
import java.util.Set;
import javax.annotation.Nullable;

/**
 * One record as it is to be sent, and what must become of it.
 *
 * @param key the user id's bytes, null for a few malformed records
 * @param value null for a tombstone
 * @param timestamp the Kafka timestamp: when it arrives, epoch ms
 */
public record SimulatedRecord(
    String topic, @Nullable byte[] key, @Nullable byte[] value, long timestamp, Fate fate) {

  /** What the ledger must count a record as. */
  public enum Verdict {
    ACCEPTED,
    REJECTED,
    DUPLICATE
  }

  /**
   * What must become of a record.
   *
   * @param identity a hash of a valid record's user, event id and timestamp; 0 for a rejected one
   * @param eventTime the event's own time, epoch ms; 0 for a rejected record
   * @param boundedTime the time that files it when there is no Kafka timestamp, epoch ms; 0 when
   *     the record does not tell
   * @param sentLate it arrives 20 min or more after its event; whether it is late is for watermarks
   *     to decide
   * @param malformation how it is broken; null unless it is
   * @param reasons every reason to reject it for, empty unless it is rejected
   */
  public record Fate(
      Verdict verdict,
      long identity,
      long eventTime,
      long boundedTime,
      boolean sentLate,
      @Nullable Malformation malformation,
      Set<RejectReason> reasons) {}
}

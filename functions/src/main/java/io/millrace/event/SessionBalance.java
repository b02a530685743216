package io.millrace.event;

import java.util.Objects;

/**
 * What one subtask of the timeline tells of events and sessions before a barrier.
 *
 * @param checkpoint as in {@link LedgerEntry}
 * @param onTime events accepted and not late, since the last barrier
 * @param closed events in sessions that were closed since the last barrier
 * @param open events in no closed session, now
 */
public record SessionBalance(
    String runId, String mode, long checkpoint, long onTime, long closed, long open) {
  public SessionBalance {
    Objects.requireNonNull(runId, "runId");
    Objects.requireNonNull(mode, "mode");
  }
}

package io.millrace.timeline;

import io.millrace.identity.Deduplicate;
import io.millrace.rollup.RollupSpec;
import io.millrace.session.Sessionize;
import java.io.Serializable;
import java.time.Duration;
import javax.annotation.Nullable;

/**
 * How the timeline decides.
 *
 * @param allowedLateness how far behind the watermark an event is still on time
 * @param deduplicate recognises resends
 * @param sessionize makes sessions; null for none
 * @param rollups what is counted; null for nothing
 * @param flushDelay how long after its end a window's counts are asked for first: they are handed
 *     on before a watermark that passes this
 * @param flushInterval how often counts are handed on while no window becomes final, and how long
 *     an event may wait for others
 * @param cacheUsers most users that a subtask keeps on the heap
 * @param cacheBytes most bytes that it spends on them
 * @param runId names the run in the ledger
 * @param bounded whether the input is sorted by user and time, and has no watermark but its end
 */
public record TimelineOptions(
    Duration allowedLateness,
    Deduplicate deduplicate,
    @Nullable Sessionize sessionize,
    @Nullable RollupSpec rollups,
    Duration flushDelay,
    Duration flushInterval,
    int cacheUsers,
    long cacheBytes,
    String runId,
    boolean bounded)
    implements Serializable {

  /** The mode's name in the ledger. */
  public String mode() {
    return bounded ? "bounded" : "streaming";
  }
}

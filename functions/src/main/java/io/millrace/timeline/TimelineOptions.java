package io.millrace.timeline;

import io.millrace.identity.Deduplicate;
import java.io.Serializable;
import java.time.Duration;

/**
 * How the timeline decides.
 *
 * @param allowedLateness how far behind the watermark an event is still on time
 * @param deduplicate recognises resends
 * @param cacheUsers most users that a subtask keeps on the heap
 * @param cacheBytes most bytes that it spends on them
 * @param runId names the run in the ledger
 * @param mode {@code streaming} or {@code bounded}, for the ledger
 */
public record TimelineOptions(
    Duration allowedLateness,
    Deduplicate deduplicate,
    int cacheUsers,
    long cacheBytes,
    String runId,
    String mode)
    implements Serializable {}

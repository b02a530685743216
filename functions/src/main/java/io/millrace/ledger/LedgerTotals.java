package io.millrace.ledger;

/**
 * What a run has counted so far on one topic, as of a checkpoint: state of {@link Reconcile}.
 * Components are only ever added, at the end.
 */
public record LedgerTotals(
    String topic, long received, long accepted, long rejected, long duplicates, long late) {}

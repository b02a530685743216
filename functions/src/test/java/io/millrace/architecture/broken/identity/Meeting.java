package io.millrace.architecture.broken.identity;

import io.millrace.architecture.broken.ledger.Counting;

/** Breaks: siblings do not meet. */
public record Meeting(Counting counting) {}

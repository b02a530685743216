package io.millrace.architecture.broken.event;

import io.millrace.architecture.broken.ledger.Counting;

/** Breaks: event imports nothing of ours. */
public record Leaking(Counting counting) {}

package io.millrace.architecture.broken.ledger;

import io.millrace.architecture.broken.event.Leaking;
import javax.annotation.Nullable;

/** Breaks, with {@link Leaking}: no cycles. */
public record Counting(@Nullable Leaking leaking) {}

package io.millrace.architecture.broken.transform.shape;

import io.millrace.architecture.broken.transform.clean.Mended;

/** Breaks: kinds of entries do not meet. */
public record Borrowing(Mended mended) {}

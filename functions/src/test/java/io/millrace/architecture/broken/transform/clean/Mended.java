package io.millrace.architecture.broken.transform.clean;

/** What an entry of another kind must not use. */
public record Mended(int rows) {}

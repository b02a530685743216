package io.millrace.architecture.broken.util;

/** Breaks: a package is named by its concept. */
public record Anything(String text) {}

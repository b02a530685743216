package io.millrace.architecture.broken.kafka;

/** Stands for a class of a connector. */
public record Client(String servers) {}

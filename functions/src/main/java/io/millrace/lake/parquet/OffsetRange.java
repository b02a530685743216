package io.millrace.lake.parquet;

/** The least and the greatest offset of one source partition among a file's rows. */
public record OffsetRange(long first, long last) {}

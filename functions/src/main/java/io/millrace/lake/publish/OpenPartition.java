package io.millrace.lake.publish;

/**
 * A partition that still has to be registered or completed, as operator state. A savepoint holds
 * these names and types: components are only ever added.
 *
 * @param start epoch ms; the table tells whether it is an hour or a day
 * @param registered known to be in the catalog
 * @param since epoch ms, when the first file that waits for publishing was reported
 */
public record OpenPartition(long start, boolean registered, long since) {}

package io.millrace.event;

import java.util.List;
import java.util.Objects;
import javax.annotation.Nullable;
import org.apache.flink.api.common.typeinfo.TypeInfo;

/**
 * A rejected record, with every reason: a row of {@code quarantine/dead_letters} and a message of
 * {@code <topic>.dlq}.
 *
 * @param ledgerTime the hour's time, epoch ms; 0 when the record has none
 * @param value all bytes as received, null for a tombstone
 * @param jobVersion the version of the job that rejected it
 * @param attempt 1 for the first delivery, one more for each replay
 */
@TypeInfo(EventTypeInfo.ForDeadLetter.class)
public record DeadLetter(
    Origin origin,
    long ledgerTime,
    List<Rejection> rejections,
    @Nullable byte[] key,
    List<Header> headers,
    @Nullable byte[] value,
    String jobVersion,
    int attempt) {
  public DeadLetter {
    Objects.requireNonNull(origin, "origin");
    Objects.requireNonNull(rejections, "rejections");
    Objects.requireNonNull(headers, "headers");
    Objects.requireNonNull(jobVersion, "jobVersion");
  }
}

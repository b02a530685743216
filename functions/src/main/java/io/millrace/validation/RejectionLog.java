package io.millrace.validation;

import io.millrace.event.Header;
import io.millrace.event.Origin;
import io.millrace.event.Rejection;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import javax.annotation.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/**
 * Tells of rejected records in the log: at most one line in a minute, with the place and the
 * reasons of the last one and the correlation id of its batch, and with nothing of what it holds.
 */
final class RejectionLog {
  /** The key of the correlation id among what a line of the log knows beside its message. */
  static final String CORRELATION_ID = "correlation-id";

  private static final Logger LOG = LoggerFactory.getLogger(RejectionLog.class);
  private static final long EVERY_NANOS = TimeUnit.MINUTES.toNanos(1);
  private static final int MAX_ID = 128;

  private final String header;
  private final LongSupplier nanos;
  private long count;
  private long last;
  private boolean said;

  /**
   * Such a log.
   *
   * @param header the Kafka header that names a record's batch
   * @param nanos a clock
   */
  RejectionLog(String header, LongSupplier nanos) {
    this.header = header;
    this.nanos = nanos;
  }

  void rejected(Origin origin, List<Header> headers, List<Rejection> rejections) {
    count++;
    long now = nanos.getAsLong();
    if (said && now - last < EVERY_NANOS) {
      return;
    }
    String id = correlationId(headers);
    try (MDC.MDCCloseable unused = id == null ? null : MDC.putCloseable(CORRELATION_ID, id)) {
      LOG.warn(
          "{} records of topic {} were rejected since the last such line; the latest is offset {}"
              + " of partition {}: {}",
          count,
          origin.topic(),
          origin.offset(),
          origin.partition(),
          rejections.stream()
              .map(r -> r.reason().code() + (r.field().isEmpty() ? "" : " in " + r.field()))
              .distinct()
              .collect(Collectors.joining(", ")));
    }
    said = true;
    last = now;
    count = 0;
  }

  /** The last header of that name: letters and what else can be printed of the first 128. */
  @Nullable
  private String correlationId(List<Header> headers) {
    String id = null;
    for (Header h : headers) {
      if (h.key().equals(header) && h.value() != null) {
        String text = new String(h.value(), StandardCharsets.UTF_8);
        id =
            (text.length() > MAX_ID ? text.substring(0, MAX_ID) : text)
                .replaceAll("[\\p{Cntrl}\\x{FFFD}]", "?");
      }
    }
    return id;
  }
}

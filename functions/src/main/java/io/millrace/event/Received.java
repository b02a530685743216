package io.millrace.event;

import java.util.List;
import java.util.Objects;
import javax.annotation.Nullable;
import org.apache.flink.api.common.typeinfo.TypeInfo;

/**
 * A record as it was received, with what validation made of it: an event, or the reasons against
 * it.
 *
 * @param key the Kafka key, null when there was none
 * @param value the Kafka value, null for a tombstone
 * @param ledgerTime the time under which the ledger and the raw tables file it, epoch ms; 0 for a
 *     rejected record that has no time at all
 * @param event null exactly when {@code rejections} is not empty
 */
@TypeInfo(EventTypeInfo.ForReceived.class)
public record Received(
    Origin origin,
    @Nullable byte[] key,
    List<Header> headers,
    @Nullable byte[] value,
    long ledgerTime,
    @Nullable Event event,
    List<Rejection> rejections) {
  public Received {
    Objects.requireNonNull(origin, "origin");
    Objects.requireNonNull(headers, "headers");
    if ((event == null) == rejections.isEmpty()) {
      throw new IllegalArgumentException("either an event or rejections, not both and not neither");
    }
  }

  public boolean accepted() {
    return event != null;
  }
}

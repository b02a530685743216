package io.millrace.event;

import java.util.Objects;
import org.apache.flink.api.common.typeinfo.TypeInfo;

/**
 * An accepted event: a row of {@code processed/app_events}.
 *
 * @param late its timestamp was at or before watermark - allowed lateness, so it is in no final row
 * @param dedupChecked false when it is older than the deduplication TTL, so that a resend of it
 *     could not be recognised
 */
@TypeInfo(EventTypeInfo.ForAppEvent.class)
public record AppEvent(Event event, boolean late, boolean dedupChecked) {
  public AppEvent {
    Objects.requireNonNull(event, "event");
  }
}

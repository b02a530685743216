package io.millrace.event;

import java.util.List;
import java.util.Objects;
import javax.annotation.Nullable;
import org.apache.flink.api.common.typeinfo.TypeInfo;

/**
 * A session that has ended: a row of {@code processed/sessions}. It is a function of the set of the
 * user's events that were not late, in the order (timestamp, {@code session_end} last, event id).
 * Times are epoch milliseconds, UTC.
 *
 * @param sessionId 32 hexadecimal digits, from user and first event
 * @param start timestamp of the first event
 * @param end timestamp of the last event
 * @param eventCount its events of any type
 * @param engagementCount those of a type other than session_start and session_end
 * @param installs its events of type install; the next four likewise
 * @param path the first events' types, or screens, in order
 * @param pathTruncated whether there were more events than the path holds
 * @param entryEvent type of the first event
 * @param exitEvent type of the last event
 * @param endReason why it ended
 * @param deviceType as the first event told it; app version and country likewise
 * @param clientSessionIds distinct session ids of the client, in the order first seen, bounded
 */
@TypeInfo(EventTypeInfo.ForSession.class)
public record Session(
    String sessionId,
    String userId,
    long start,
    long end,
    long eventCount,
    long engagementCount,
    long installs,
    long sessionStarts,
    long sessionEnds,
    long views,
    long opens,
    List<String> path,
    boolean pathTruncated,
    String entryEvent,
    String exitEvent,
    EndReason endReason,
    @Nullable String deviceType,
    @Nullable String appVersion,
    @Nullable String country,
    List<String> clientSessionIds) {

  /** Why a session ended. */
  public enum EndReason {
    /** No event came within the gap. */
    GAP("gap"),
    /** Its last event is a session_end. */
    EXPLICIT("explicit"),
    /** The next event would have made it longer than allowed. */
    MAX_DURATION("max_duration"),
    /** The next event would have been one too many. */
    MAX_EVENTS("max_events"),
    /** The next event belongs to another UTC day, and sessions are split there. */
    MIDNIGHT("midnight"),
    /** The input ended before the gap had passed. */
    END_OF_INPUT("end_of_input");

    private final String code;

    EndReason(String code) {
      this.code = code;
    }

    /** The stable name in tables and topics. */
    public String code() {
      return code;
    }

    /** The reverse of {@link #code()}. */
    public static EndReason ofCode(String code) {
      for (EndReason reason : values()) {
        if (reason.code.equals(code)) {
          return reason;
        }
      }
      throw new IllegalArgumentException("no such end reason: '" + code + "'");
    }
  }

  public Session {
    Objects.requireNonNull(sessionId, "sessionId");
    Objects.requireNonNull(userId, "userId");
    path = List.copyOf(path);
    Objects.requireNonNull(entryEvent, "entryEvent");
    Objects.requireNonNull(exitEvent, "exitEvent");
    Objects.requireNonNull(endReason, "endReason");
    clientSessionIds = List.copyOf(clientSessionIds);
  }

  /** From the first event to the last, in milliseconds. */
  public long durationMs() {
    return end - start;
  }

  /** Whether the user did one thing only. */
  public boolean isBounce() {
    return engagementCount == 1;
  }
}

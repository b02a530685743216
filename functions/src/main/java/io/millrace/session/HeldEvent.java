package io.millrace.session;

import java.util.List;
import javax.annotation.Nullable;

/**
 * What sessions need of an event that is not late, while an older one may still come.
 *
 * @param timestamp epoch ms
 * @param step what it adds to the path
 * @param cell its values in the dimensions of the rollups; empty without rollups
 */
public record HeldEvent(
    long timestamp,
    String eventId,
    String eventType,
    String step,
    @Nullable String clientSessionId,
    @Nullable String deviceType,
    @Nullable String appVersion,
    @Nullable String country,
    List<String> cell)
    implements Comparable<HeldEvent> {

  static final String INSTALL = "install";
  static final String SESSION_START = "session_start";
  static final String SESSION_END = "session_end";
  static final String VIEW = "view_notification";
  static final String OPEN = "open_notification";

  /** The order of the fold: by time; at the same time session_end last, then by event id. */
  @Override
  public int compareTo(HeldEvent other) {
    if (timestamp != other.timestamp) {
      return Long.compare(timestamp, other.timestamp);
    }
    boolean ends = eventType.equals(SESSION_END);
    if (ends != other.eventType.equals(SESSION_END)) {
      return ends ? 1 : -1;
    }
    return compareCodePoints(eventId, other.eventId);
  }

  /** As the UTF-8 bytes compare, so that SQL engines sort the same way. */
  private static int compareCodePoints(String one, String other) {
    int common = Math.min(one.length(), other.length());
    for (int i = 0; i < common; i++) {
      char a = one.charAt(i);
      char b = other.charAt(i);
      if (a != b) {
        boolean surrogates = Character.isSurrogate(a) && Character.isSurrogate(b);
        if (surrogates || (!Character.isSurrogate(a) && !Character.isSurrogate(b))) {
          return Character.compare(a, b);
        }
        return Character.isSurrogate(a) ? 1 : -1;
      }
    }
    return Integer.compare(one.length(), other.length());
  }
}

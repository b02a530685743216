package io.millrace.session;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** The definition of sessions, said as simply as possible: sort, then cut. */
public final class ReferenceSessions {
  private ReferenceSessions() {}

  /** The events of each session of one user, in order. */
  public static List<List<HeldEvent>> cut(List<HeldEvent> events, SessionRules rules) {
    List<HeldEvent> sorted = new ArrayList<>(events);
    sorted.sort(
        Comparator.comparingLong(HeldEvent::timestamp)
            .thenComparing(e -> e.eventType().equals("session_end"))
            .thenComparing(HeldEvent::eventId));
    List<List<HeldEvent>> sessions = new ArrayList<>();
    for (HeldEvent e : sorted) {
      List<HeldEvent> open = sessions.isEmpty() ? null : sessions.get(sessions.size() - 1);
      if (open == null
          || open.get(open.size() - 1).eventType().equals("session_end")
          || e.timestamp() - open.get(open.size() - 1).timestamp() > rules.gap().toMillis()
          || e.timestamp() - open.get(0).timestamp() > rules.maxDuration().toMillis()
          || open.size() >= rules.maxEvents()) {
        open = new ArrayList<>();
        sessions.add(open);
      }
      open.add(e);
    }
    return sessions;
  }
}

package io.millrace.session;

import static io.millrace.session.HeldEvent.INSTALL;
import static io.millrace.session.HeldEvent.OPEN;
import static io.millrace.session.HeldEvent.SESSION_END;
import static io.millrace.session.HeldEvent.SESSION_START;
import static io.millrace.session.HeldEvent.VIEW;

import io.millrace.event.Session;
import java.util.ArrayList;
import java.util.List;
import javax.annotation.Nullable;

/** A session that has not ended: the fold of its events so far, of bounded size. */
final class OpenSession {
  final long start;
  final String firstEventId;
  final String entryEvent;
  @Nullable final String deviceType;
  @Nullable final String appVersion;
  @Nullable final String country;
  final List<String> cell;

  long last;
  String exitEvent;
  long events;
  long engagements;
  long installs;
  long starts;
  long ends;
  long views;
  long opens;
  final List<String> path;
  boolean pathTruncated;
  final List<String> clientIds;

  OpenSession(HeldEvent first) {
    this(
        first.timestamp(),
        first.eventId(),
        first.eventType(),
        first.deviceType(),
        first.appVersion(),
        first.country(),
        first.cell(),
        new ArrayList<>(4),
        new ArrayList<>(1));
  }

  OpenSession(
      long start,
      String firstEventId,
      String entryEvent,
      @Nullable String deviceType,
      @Nullable String appVersion,
      @Nullable String country,
      List<String> cell,
      List<String> path,
      List<String> clientIds) {
    this.start = start;
    this.last = start;
    this.firstEventId = firstEventId;
    this.entryEvent = entryEvent;
    this.exitEvent = entryEvent;
    this.deviceType = deviceType;
    this.appVersion = appVersion;
    this.country = country;
    this.cell = cell;
    this.path = path;
    this.clientIds = clientIds;
  }

  void add(HeldEvent e, int pathLength) {
    last = e.timestamp();
    exitEvent = e.eventType();
    events++;
    boolean engagement = true;
    switch (e.eventType()) {
      case INSTALL -> installs++;
      case VIEW -> views++;
      case OPEN -> opens++;
      case SESSION_START -> {
        starts++;
        engagement = false;
      }
      case SESSION_END -> {
        ends++;
        engagement = false;
      }
      default -> {}
    }
    if (engagement) {
      engagements++;
    }
    if (path.size() < pathLength) {
      path.add(e.step());
    } else {
      pathTruncated = true;
    }
    String client = e.clientSessionId();
    if (client != null
        && clientIds.size() < SessionRules.MAX_CLIENT_IDS
        && !clientIds.contains(client)) {
      clientIds.add(client);
    }
  }

  Session end(String userId, Session.EndReason reason) {
    return new Session(
        SessionId.of(userId, start, firstEventId),
        userId,
        start,
        last,
        events,
        engagements,
        installs,
        starts,
        ends,
        views,
        opens,
        path,
        pathTruncated,
        entryEvent,
        exitEvent,
        reason,
        deviceType,
        appVersion,
        country,
        clientIds);
  }

  OpenSession copy() {
    OpenSession copy =
        new OpenSession(
            start,
            firstEventId,
            entryEvent,
            deviceType,
            appVersion,
            country,
            cell,
            new ArrayList<>(path),
            new ArrayList<>(clientIds));
    copy.last = last;
    copy.exitEvent = exitEvent;
    copy.events = events;
    copy.engagements = engagements;
    copy.installs = installs;
    copy.starts = starts;
    copy.ends = ends;
    copy.views = views;
    copy.opens = opens;
    copy.pathTruncated = pathTruncated;
    return copy;
  }

  /** See {@link UserSessions#lookAhead}. */
  int lookAhead(int depth) {
    return switch (depth) {
      case 1 -> path.size() + clientIds.size();
      case 2 -> firstEventId.length();
      default -> 0;
    };
  }

  /** About how much heap it takes. */
  int weight() {
    return 300 + 8 * path.size() + 100 * clientIds.size();
  }
}

package io.millrace.session;

import io.millrace.event.Event;
import io.millrace.event.Session;
import io.millrace.event.Session.EndReason;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import javax.annotation.Nullable;

/**
 * Makes sessions of a user's events that are not late. The result is a function of the set of
 * events: they are folded in the order (timestamp, {@code session_end} last, event id), and none
 * before the frontier has passed it.
 *
 * <p>The frontier is the time at or before which no further event comes that is not late: watermark
 * - allowed lateness. A session is closed by the first event that does not belong to it, by a
 * {@code session_end}, or when the frontier has passed its last event by the gap.
 */
public final class Sessionize implements Serializable {
  private static final long serialVersionUID = 1L;

  private static final long DAY_MS = 86_400_000L;

  /** Events of a user that are held before folding is worth a look. */
  private static final int FOLD_FROM = 3;

  private final SessionRules rules;
  private final int maxHeld;

  /** Takes the sessions that are closed, with the first event's cell of the rollups. */
  public interface Closed {
    /** One session; {@code cell} is as in {@link HeldEvent}. */
    void accept(Session session, List<String> cell);
  }

  public Sessionize(SessionRules rules) {
    this(rules, 4_096);
  }

  /**
   * The same, with another bound on the user's value.
   *
   * @param maxHeld events held in the value; beyond, they go to the overflow
   */
  public Sessionize(SessionRules rules, int maxHeld) {
    this.rules = Objects.requireNonNull(rules, "rules");
    if (maxHeld < 1) {
      throw new IllegalArgumentException("maxHeld must be at least 1, was " + maxHeld);
    }
    this.maxHeld = maxHeld;
  }

  public SessionRules rules() {
    return rules;
  }

  /**
   * What is held of an event.
   *
   * @param cell its values in the dimensions of the rollups
   */
  public HeldEvent held(Event event, List<String> cell) {
    String property = rules.pathProperty();
    String step = property == null ? null : event.properties().get(property);
    return new HeldEvent(
        event.timestamp(),
        event.eventId(),
        event.eventType(),
        step == null ? event.eventType() : step,
        event.sessionId(),
        event.device().deviceType(),
        event.device().appVersion(),
        event.geo().country(),
        cell);
  }

  /**
   * Takes an event that is not late.
   *
   * @param frontier as above; {@link Long#MIN_VALUE} before the first watermark
   */
  public void add(
      String user,
      HeldEvent event,
      UserSessions sessions,
      long frontier,
      UserSessions.Overflow overflow,
      Closed closed)
      throws IOException {
    sessions.held.add(event);
    if (sessions.held.size() > maxHeld) {
      fold(user, sessions, frontier, overflow, closed);
      spill(sessions, overflow);
    } else if (sessions.held.size() >= FOLD_FROM
        && sessions.chunks == 0
        && sessions.held.first() <= frontier) {
      foldHeld(user, sessions, frontier, closed);
    }
  }

  /**
   * Folds what the frontier has passed, and closes a session whose gap it has passed. At the end of
   * the input the frontier is {@link Long#MAX_VALUE}.
   *
   * @param known the greatest frontier that was a time: a session that is closed by the end of the
   *     input alone says so
   */
  public void advance(
      String user,
      UserSessions sessions,
      long frontier,
      long known,
      UserSessions.Overflow overflow,
      Closed closed)
      throws IOException {
    fold(user, sessions, frontier, overflow, closed);
    spill(sessions, overflow);
    OpenSession open = sessions.open;
    if (open != null && passed(open, frontier)) {
      boolean byGap = passed(open, known) || passed(open, rules.inputEndsAt());
      close(user, sessions, byGap ? EndReason.GAP : EndReason.END_OF_INPUT, closed);
    }
  }

  private boolean passed(OpenSession open, long frontier) {
    return frontier != Long.MIN_VALUE && open.last <= frontier - rules.gap().toMillis();
  }

  /** The frontier at which something may have to be closed; {@link Long#MAX_VALUE} for never. */
  public long nextClose(UserSessions sessions) {
    long first = sessions.overflowFrom;
    if (sessions.open != null) {
      first = Math.min(first, sessions.open.last);
    }
    first = Math.min(first, sessions.held.first());
    return first == Long.MAX_VALUE ? first : first + rules.gap().toMillis();
  }

  private void fold(
      String user,
      UserSessions sessions,
      long frontier,
      UserSessions.Overflow overflow,
      Closed closed)
      throws IOException {
    if (sessions.chunks == 0 || sessions.overflowFrom > frontier) {
      foldHeld(user, sessions, frontier, closed);
      return;
    }
    // Chunks overlap in time: an event is folded when every chunk that begins before it is read.
    List<HeldEvent> pending = sessions.held.takeAll();
    byte[] chunk;
    while ((chunk = overflow.take(frontier)) != null) {
      List<HeldEvent> events = SessionFormat.readChunk(chunk);
      sessions.chunks--;
      sessions.overflowed -= events.size();
      pending = foldBefore(user, sessions, pending, events.get(0).timestamp() - 1, closed);
      pending.addAll(events);
      Collections.sort(pending);
    }
    sessions.overflowFrom = overflow.first();
    for (HeldEvent e : foldBefore(user, sessions, pending, frontier, closed)) {
      sessions.held.add(e);
    }
  }

  private List<HeldEvent> foldBefore(
      String user, UserSessions sessions, List<HeldEvent> pending, long limit, Closed closed) {
    int i = 0;
    while (i < pending.size() && pending.get(i).timestamp() <= limit) {
      foldOne(user, sessions, pending.get(i), closed);
      i++;
    }
    return new ArrayList<>(pending.subList(i, pending.size()));
  }

  private void foldHeld(String user, UserSessions sessions, long frontier, Closed closed) {
    HeldEvent event;
    while ((event = sessions.held.takeUpTo(frontier)) != null) {
      foldOne(user, sessions, event, closed);
    }
  }

  private void spill(UserSessions sessions, UserSessions.Overflow overflow) throws IOException {
    if (sessions.held.size() <= maxHeld) {
      return;
    }
    List<HeldEvent> all = sessions.held.takeAll();
    for (int from = 0; from < all.size(); from += maxHeld) {
      List<HeldEvent> events = all.subList(from, Math.min(from + maxHeld, all.size()));
      long first = events.get(0).timestamp();
      overflow.put(first, sessions.nextChunk, SessionFormat.writeChunk(events));
      sessions.nextChunk++;
      sessions.chunks++;
      sessions.overflowed += events.size();
      sessions.overflowFrom = Math.min(sessions.overflowFrom, first);
    }
  }

  private void foldOne(String user, UserSessions sessions, HeldEvent event, Closed closed) {
    OpenSession open = sessions.open;
    EndReason reason = open == null ? null : endBefore(open, event);
    if (reason != null) {
      close(user, sessions, reason, closed);
    }
    if (sessions.open == null) {
      sessions.open = new OpenSession(event);
    }
    sessions.open.add(event, rules.pathLength());
    if (event.eventType().equals(HeldEvent.SESSION_END)) {
      close(user, sessions, EndReason.EXPLICIT, closed);
    } else {
      sessions.weighOpen();
    }
  }

  /** Why an event begins another session, or null when it belongs to the open one. */
  @Nullable
  private EndReason endBefore(OpenSession open, HeldEvent event) {
    long time = event.timestamp();
    if (time - open.last > rules.gap().toMillis()) {
      return EndReason.GAP;
    }
    if (rules.splitAtMidnight()
        && Math.floorDiv(time, DAY_MS) != Math.floorDiv(open.start, DAY_MS)) {
      return EndReason.MIDNIGHT;
    }
    if (time - open.start > rules.maxDuration().toMillis()) {
      return EndReason.MAX_DURATION;
    }
    return open.events >= rules.maxEvents() ? EndReason.MAX_EVENTS : null;
  }

  private static void close(String user, UserSessions sessions, EndReason reason, Closed closed) {
    OpenSession ended = sessions.open;
    sessions.open = null;
    closed.accept(ended.end(user, reason), ended.cell);
  }
}

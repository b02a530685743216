package io.millrace.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.event.Records;
import io.millrace.event.Session;
import io.millrace.event.Session.EndReason;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SessionizeTest {
  private static final long T0 = Instant.parse("2026-03-01T10:00:00Z").toEpochMilli();
  private static final long GAP = Duration.ofMinutes(30).toMillis();
  private static final long HOUR = Duration.ofHours(1).toMillis();

  /** A user, its value, and what came out. */
  private static final class User {
    final Sessionize sessionize;
    UserSessions sessions = new UserSessions();
    final List<Session> closed = new ArrayList<>();
    final TreeMap<Long, byte[]> chunks = new TreeMap<>();
    long added;

    private final UserSessions.Overflow overflow =
        new UserSessions.Overflow() {
          @Override
          public void put(long firstTimestamp, int number, byte[] events) {
            assertThat(chunks.put(firstTimestamp * 1000 + number, events)).isNull();
          }

          @Override
          public byte[] take(long limit) {
            return chunks.isEmpty() || chunks.firstKey() / 1000 > limit
                ? null
                : chunks.pollFirstEntry().getValue();
          }

          @Override
          public long first() {
            return chunks.isEmpty() ? Long.MAX_VALUE : chunks.firstKey() / 1000;
          }
        };

    User(SessionRules rules, int maxHeld) {
      this.sessionize = new Sessionize(rules, maxHeld);
    }

    User(SessionRules rules) {
      this.sessionize = new Sessionize(rules);
    }

    User() {
      this(SessionRules.DEFAULTS);
    }

    User add(HeldEvent event, long frontier) throws IOException {
      added++;
      sessionize.add("ann", event, sessions, frontier, overflow, this::close);
      assertNothingIsLost();
      return this;
    }

    User add(HeldEvent event) throws IOException {
      return add(event, Long.MIN_VALUE);
    }

    User advance(long frontier) throws IOException {
      sessionize.advance("ann", sessions, frontier, frontier, overflow, this::close);
      assertNothingIsLost();
      return this;
    }

    List<Session> end() throws IOException {
      sessionize.advance("ann", sessions, Long.MAX_VALUE, Long.MIN_VALUE, overflow, this::close);
      assertThat(sessions.isEmpty()).isTrue();
      assertThat(chunks).isEmpty();
      assertThat(sessionize.nextClose(sessions)).isEqualTo(Long.MAX_VALUE);
      assertNothingIsLost();
      return closed;
    }

    void restart() throws IOException {
      DataOutputSerializer out = new DataOutputSerializer(64);
      new SessionFormat().write(sessions, out);
      sessions = SessionFormat.read(new DataInputDeserializer(out.getCopyOfBuffer()));
    }

    private void close(Session session, List<String> cell) {
      assertThat(cell).containsExactly("phone");
      closed.add(session);
    }

    private void assertNothingIsLost() {
      long inRows = closed.stream().mapToLong(Session::eventCount).sum();
      assertThat(inRows + sessions.openEvents()).isEqualTo(added);
    }
  }

  private static HeldEvent event(long timestamp, String id, String type) {
    return new HeldEvent(timestamp, id, type, type, null, "phone", "1.0", "DE", List.of("phone"));
  }

  private static HeldEvent tap(long timestamp) {
    return event(timestamp, "e" + timestamp, "tap");
  }

  private static List<Long> starts(List<Session> sessions) {
    return sessions.stream().map(Session::start).toList();
  }

  private static List<EndReason> reasons(List<Session> sessions) {
    return sessions.stream().map(Session::endReason).toList();
  }

  @ParameterizedTest
  @CsvSource({"-1, 1", "0, 1", "1, 2"})
  void twoEventsBelongTogetherWhenTheirDistanceIsAtMostTheGap(long more, int sessions)
      throws IOException {
    User inOrder = new User().add(tap(T0)).add(tap(T0 + GAP + more));
    User outOfOrder = new User().add(tap(T0 + GAP + more)).add(tap(T0));
    assertThat(inOrder.end()).hasSize(sessions).isEqualTo(outOfOrder.end());
  }

  @ParameterizedTest
  @CsvSource({"-1, 0", "0, 1"})
  void aSessionClosesWhenTheFrontierHasPassedItsLastEventByTheGap(long more, int sessions)
      throws IOException {
    User user = new User().add(tap(T0)).add(tap(T0 + 60_000));
    assertThat(user.sessionize.nextClose(user.sessions)).isEqualTo(T0 + GAP);
    user.advance(T0 + GAP);
    assertThat(user.closed).isEmpty();
    assertThat(user.sessionize.nextClose(user.sessions)).isEqualTo(T0 + 60_000 + GAP);
    user.advance(T0 + 60_000 + GAP + more);
    assertThat(user.closed).hasSize(sessions);
    assertThat(user.sessions.isEmpty()).isEqualTo(sessions == 1);
  }

  @Test
  void theRowTellsWhatHappened() throws IOException {
    User user = new User();
    user.add(
        new HeldEvent(
            T0 + 2,
            "b",
            "open_notification",
            "open_notification",
            "c1",
            "tv",
            null,
            "FR",
            List.of("phone")));
    user.add(
        new HeldEvent(
            T0,
            "a",
            "session_start",
            "session_start",
            "c2",
            "phone",
            "1.0",
            null,
            List.of("phone")));
    user.add(event(T0 + 3, "c", "install"));
    user.add(event(T0 + 4, "d", "view_notification"));
    user.add(
        new HeldEvent(
            T0 + 5, "e", "screen_view", "home", "c2", "phone", "1.0", null, List.of("phone")));
    user.add(event(T0 + 60_000, "f", "session_end"));
    Session row = user.end().get(0);
    assertThat(user.closed).hasSize(1);
    assertThat(row.sessionId()).matches("[0-9a-f]{32}");
    assertThat(row.userId()).isEqualTo("ann");
    assertThat(row.start()).isEqualTo(T0);
    assertThat(row.end()).isEqualTo(T0 + 60_000);
    assertThat(row.durationMs()).isEqualTo(60_000);
    assertThat(row.eventCount()).isEqualTo(6);
    assertThat(row.engagementCount()).isEqualTo(4);
    assertThat(row.installs()).isEqualTo(1);
    assertThat(row.sessionStarts()).isEqualTo(1);
    assertThat(row.sessionEnds()).isEqualTo(1);
    assertThat(row.views()).isEqualTo(1);
    assertThat(row.opens()).isEqualTo(1);
    assertThat(row.path())
        .containsExactly(
            "session_start",
            "open_notification",
            "install",
            "view_notification",
            "home",
            "session_end");
    assertThat(row.pathTruncated()).isFalse();
    assertThat(row.entryEvent()).isEqualTo("session_start");
    assertThat(row.exitEvent()).isEqualTo("session_end");
    assertThat(row.endReason()).isEqualTo(EndReason.EXPLICIT);
    assertThat(row.isBounce()).isFalse();
    assertThat(row.deviceType()).isEqualTo("phone");
    assertThat(row.appVersion()).isEqualTo("1.0");
    assertThat(row.country()).isNull();
    assertThat(row.clientSessionIds()).containsExactly("c2", "c1");
  }

  @Test
  void sessionEndIsTheLastOfEqualTimestampsAndEndsItsSession() throws IOException {
    User user = new User();
    user.add(event(T0, "0", "session_end"));
    user.add(event(T0, "z", "tap"));
    user.add(event(T0 + 1, "a", "tap"));
    List<Session> sessions = user.end();
    assertThat(starts(sessions)).containsExactly(T0, T0 + 1);
    assertThat(reasons(sessions)).containsExactly(EndReason.EXPLICIT, EndReason.END_OF_INPUT);
    assertThat(sessions.get(0).path()).containsExactly("tap", "session_end");
    assertThat(sessions.get(0).isBounce()).isTrue();
  }

  @Test
  void sessionStartDoesNotSplit() throws IOException {
    User user = new User();
    user.add(event(T0, "a", "session_start")).add(event(T0 + 1, "b", "session_start"));
    assertThat(user.end()).hasSize(1);
    assertThat(user.closed.get(0).isBounce()).isFalse();
  }

  @Test
  void anEventAtExactlyTheMaximumDurationStays() throws IOException {
    User user = new User();
    long last = T0;
    for (long t = T0; t <= T0 + 24 * HOUR; t += GAP) {
      user.add(tap(t));
      last = t;
    }
    assertThat(last).isEqualTo(T0 + 24 * HOUR);
    user.add(tap(last + 1));
    List<Session> sessions = user.end();
    assertThat(starts(sessions)).containsExactly(T0, last + 1);
    assertThat(reasons(sessions)).containsExactly(EndReason.MAX_DURATION, EndReason.END_OF_INPUT);
  }

  @Test
  void theTenThousandthEventIsTheLast() throws IOException {
    User user = new User();
    for (int i = 0; i < 10_000; i++) {
      user.add(tap(T0 + i));
    }
    user.advance(T0 + 9_999);
    assertThat(user.closed).isEmpty();
    user.add(tap(T0 + 10_000));
    List<Session> sessions = user.end();
    assertThat(sessions.get(0).eventCount()).isEqualTo(10_000);
    assertThat(sessions.get(0).path()).hasSize(50);
    assertThat(sessions.get(0).pathTruncated()).isTrue();
    assertThat(reasons(sessions)).containsExactly(EndReason.MAX_EVENTS, EndReason.END_OF_INPUT);
    assertThat(sessions.get(1).eventCount()).isEqualTo(1);
  }

  @Test
  void midnightSplitsOnlyWhenAsked() throws IOException {
    long midnight = Instant.parse("2026-03-02T00:00:00Z").toEpochMilli();
    assertThat(new User().add(tap(midnight - 1)).add(tap(midnight)).end()).hasSize(1);
    SessionRules splitting =
        new SessionRules(Duration.ofMinutes(30), Duration.ofHours(24), 10_000, true, 50, null, T0);
    User user = new User(splitting).add(tap(midnight - 1)).add(tap(midnight));
    assertThat(starts(user.end())).containsExactly(midnight - 1, midnight);
    assertThat(reasons(user.closed)).containsExactly(EndReason.MIDNIGHT, EndReason.END_OF_INPUT);
  }

  @Test
  void longPathsAndManyTextsSurviveTheState() throws IOException {
    SessionRules rules =
        new SessionRules(
            Duration.ofMinutes(30), Duration.ofHours(24), 10_000, false, 10_000, "screen", T0);
    User user = new User(rules);
    for (int i = 0; i < 9_000; i++) {
      String step = "screen-" + i + (i == 7 ? "x".repeat(70_000) : "");
      user.add(
          new HeldEvent(T0 + i, "e" + i, "tap", step, "c" + i, null, null, null, List.of("phone")),
          T0 + i / 2);
      if (i % 1_000 == 999) {
        user.restart();
      }
    }
    Session row = user.end().get(0);
    assertThat(row.path()).hasSize(9_000);
    assertThat(row.path().get(8_999)).isEqualTo("screen-8999");
    assertThat(row.path().get(7)).hasSize(70_008);
  }

  @Test
  void anEventBetweenBridgesTwoSessions() throws IOException {
    User user = new User().add(tap(T0)).add(tap(T0 + 2 * GAP));
    user.advance(T0 + GAP - 1);
    user.add(tap(T0 + GAP), T0 + GAP - 1);
    assertThat(user.end()).hasSize(1);
    assertThat(user.closed.get(0).eventCount()).isEqualTo(3);
  }

  @Test
  void inputThatIsKnownToBeWholeEndsSessionsByTheirGap() throws IOException {
    SessionRules known =
        new SessionRules(
            Duration.ofMinutes(30), Duration.ofHours(24), 10_000, false, 50, null, T0 + GAP);
    assertThat(reasons(new User(known).add(tap(T0)).end())).containsExactly(EndReason.GAP);
    assertThat(reasons(new User(known).add(tap(T0 + 1)).end()))
        .containsExactly(EndReason.END_OF_INPUT);
  }

  @Test
  void thePathCanFollowAProperty() {
    SessionRules screens =
        new SessionRules(
            Duration.ofMinutes(30), Duration.ofHours(24), 10_000, false, 50, "screen", T0);
    Sessionize sessionize = new Sessionize(screens);
    assertThat(sessionize.held(Records.full(), List.of()).step()).isEqualTo("home");
    assertThat(sessionize.held(Records.event("e", "ann", T0), List.of()).step())
        .isEqualTo("app_open");
  }

  private static List<HeldEvent> randomEvents(Random random) {
    List<HeldEvent> events = new ArrayList<>();
    long time = T0;
    int count = 1 + random.nextInt(120);
    for (int i = 0; i < count; i++) {
      time += random.nextInt(12) == 0 ? random.nextLong(2 * GAP) : random.nextLong(GAP / 6);
      if (random.nextInt(5) == 0) {
        time -= time % 1000;
      }
      String type = random.nextInt(15) == 0 ? "session_end" : "tap";
      events.add(event(time, String.valueOf((char) ('a' + random.nextInt(26))) + i, type));
      if (random.nextInt(10) == 0) {
        events.add(event(time, "same" + i, "tap"));
      }
    }
    return events;
  }

  /**
   * Events arrive out of order within lateness, the frontier moves at any time as far as it may,
   * the value is written and read in between, and holds only a few events: the sessions are those
   * of the sorted set. Folding up to any frontier, then on, is folding at once.
   */
  @Property(tries = 400)
  void orderOfArrivalAndOfFoldingNeverChangeTheResult(@ForAll long seed) throws IOException {
    Random random = new Random(seed);
    SessionRules rules =
        new SessionRules(
            Duration.ofMinutes(30),
            Duration.ofHours(2 + random.nextInt(3)),
            5 + random.nextInt(30),
            false,
            5,
            null,
            Long.MIN_VALUE);
    List<HeldEvent> events = randomEvents(random);
    List<HeldEvent> arrivals = new ArrayList<>(events);
    long lateness = random.nextLong(4 * GAP);
    if (random.nextBoolean()) {
      Collections.shuffle(arrivals, random);
      lateness = Long.MAX_VALUE / 4;
    }
    User user = new User(rules, 1 + random.nextInt(8));
    long seen = Long.MIN_VALUE / 2;
    for (int i = 0; i < arrivals.size(); i++) {
      // The frontier stays before everything that is still to come.
      long bound =
          arrivals.subList(i, arrivals.size()).stream()
              .mapToLong(HeldEvent::timestamp)
              .min()
              .getAsLong();
      long frontier = Math.min(bound - 1, seen - lateness);
      user.add(arrivals.get(i), frontier);
      seen = Math.max(seen, arrivals.get(i).timestamp());
      if (random.nextInt(4) == 0) {
        user.restart();
      }
      if (random.nextInt(6) == 0) {
        user.advance(frontier);
      }
    }
    List<List<HeldEvent>> expected = ReferenceSessions.cut(events, rules);
    List<Session> found = user.end();
    assertThat(starts(found)).isEqualTo(expected.stream().map(s -> s.get(0).timestamp()).toList());
    for (int i = 0; i < found.size(); i++) {
      List<HeldEvent> of = expected.get(i);
      assertThat(found.get(i).eventCount()).isEqualTo(of.size());
      assertThat(found.get(i).end()).isEqualTo(of.get(of.size() - 1).timestamp());
      assertThat(found.get(i).path()).isEqualTo(of.stream().limit(5).map(HeldEvent::step).toList());
      assertThat(found.get(i).sessionId())
          .isEqualTo(SessionId.of("ann", of.get(0).timestamp(), of.get(0).eventId()));
    }
  }

  @Test
  void eventIdsSortAsTheirUtf8BytesDo() {
    HeldEvent bmp = event(T0, "\uffee", "tap");
    HeldEvent beyond = event(T0, "\ud83d\ude00", "tap");
    assertThat(bmp.compareTo(beyond)).isNegative();
    assertThat(beyond.compareTo(bmp)).isPositive();
    assertThat(bmp.compareTo(event(T0, "\uffeea", "tap"))).isNegative();
  }
}

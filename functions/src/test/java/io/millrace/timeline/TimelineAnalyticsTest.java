package io.millrace.timeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.event.AppEvent;
import io.millrace.event.Cell;
import io.millrace.event.CellCounts;
import io.millrace.event.Device;
import io.millrace.event.Dimensions;
import io.millrace.event.Event;
import io.millrace.event.Geo;
import io.millrace.event.Origin;
import io.millrace.event.Rollup;
import io.millrace.event.Session;
import io.millrace.event.SessionBalance;
import io.millrace.identity.Deduplicate;
import io.millrace.rollup.RollupSpec;
import io.millrace.session.HeldEvent;
import io.millrace.session.ReferenceSessions;
import io.millrace.session.SessionRules;
import io.millrace.session.Sessionize;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import javax.annotation.Nullable;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.common.typeutils.base.LongSerializer;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.StateBackend;
import org.apache.flink.runtime.state.VoidNamespace;
import org.apache.flink.runtime.state.hashmap.HashMapStateBackend;
import org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackend;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.streaming.util.OperatorSnapshotUtil;
import org.apache.flink.util.OutputTag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Sessions and cells of the timeline, against the events that it let on. */
class TimelineAnalyticsTest {
  private static final long SECOND = 1_000;
  private static final long MINUTE = 60 * SECOND;
  private static final long HOUR = 60 * MINUTE;
  private static final long DAY = 24 * HOUR;
  // 2026-01-05T22:00:00Z: midnight is near.
  private static final long T0 = 1_767_650_400_000L;
  private static final long LATENESS = 10 * MINUTE;
  private static final Duration FINAL = Duration.ofMinutes(40);

  enum Backend {
    HEAP(50_000),
    ROCKSDB(50_000),
    ROCKSDB_CACHE_OF_TWO(2);

    final int cacheUsers;

    Backend(int cacheUsers) {
      this.cacheUsers = cacheUsers;
    }

    StateBackend open() {
      return this == HEAP ? new HashMapStateBackend() : new EmbeddedRocksDBStateBackend();
    }

    /** State of the release that first had sessions and cells. */
    Path fixture() {
      String backend = this == HEAP ? "heap" : "rocksdb";
      return Path.of("src/test/resources/state/user-timeline-v2-" + backend + ".snapshot");
    }
  }

  /** What has come out, of one operator after the other. */
  private static final class Result {
    final List<AppEvent> events = new ArrayList<>();
    final List<Session> sessions = new ArrayList<>();
    final Map<Cell, long[]> cells = new TreeMap<>((a, b) -> a.toString().compareTo(b.toString()));
    final List<SessionBalance> balances = new ArrayList<>();

    void take(KeyedOneInputStreamOperatorTestHarness<String, Event, AppEvent> harness) {
      events.addAll(harness.extractOutputValues());
      sessions.addAll(side(harness, UserTimeline.SESSIONS));
      balances.addAll(side(harness, UserTimeline.BALANCE));
      for (Rollup part : side(harness, UserTimeline.CELLS)) {
        CellCounts c = part.counts();
        cells.merge(
            part.cell(),
            new long[] {
              c.events()[CellCounts.ALL],
              c.activeUsers(),
              c.sessionsEnded(),
              c.bouncedSessions(),
              c.sessionMs()
            },
            (a, b) -> {
              long[] sum = a.clone();
              for (int i = 0; i < sum.length; i++) {
                sum[i] += b[i];
              }
              return sum;
            });
      }
    }

    private static <T> List<T> side(
        KeyedOneInputStreamOperatorTestHarness<?, ?, ?> harness, OutputTag<T> tag) {
      Collection<StreamRecord<T>> found = harness.getSideOutput(tag);
      return found == null ? List.of() : found.stream().map(StreamRecord::getValue).toList();
    }
  }

  private static KeyedOneInputStreamOperatorTestHarness<String, Event, AppEvent> start(
      Backend backend, @Nullable OperatorSubtaskState restored, int parallelism, int subtask)
      throws Exception {
    TimelineOptions options =
        new TimelineOptions(
            Duration.ofMillis(LATENESS),
            new Deduplicate(Duration.ofHours(24)),
            new Sessionize(SessionRules.DEFAULTS, 6),
            RollupSpec.defaults(),
            FINAL,
            Duration.ofSeconds(5),
            backend.cacheUsers,
            64 << 20,
            "run-1",
            false);
    KeyedOneInputStreamOperatorTestHarness<String, Event, AppEvent> harness =
        new KeyedOneInputStreamOperatorTestHarness<>(
            new UserTimeline(options), Event::userId, Types.STRING, 16, parallelism, subtask);
    harness.setStateBackend(backend.open());
    harness.setup();
    if (restored != null) {
      harness.initializeState(restored);
    }
    harness.open();
    return harness;
  }

  private static Event event(String user, String id, long time, String type, String device) {
    return new Event(
        id,
        user,
        "c-" + user,
        type,
        time,
        Origin.NO_TIME,
        new Device(device, "17", "1.0"),
        new Geo("DE", null, null),
        Map.of(),
        Dimensions.NONE,
        new Origin("session", 0, 7, time, time));
  }

  /** A day of a few users, one of them very busy; arrivals are out of order, some late. */
  private static List<Event> arrivals(long seed) {
    Random random = new Random(seed);
    Map<Long, Event> byArrival = new TreeMap<>();
    for (int i = 0; i < 2_000; i++) {
      String user = random.nextInt(3) == 0 ? "bot" : "u" + random.nextInt(8);
      long time = T0 + random.nextLong(DAY) / 16 * (user.equals("bot") ? 1 : 16);
      String type = random.nextInt(20) == 0 ? "session_end" : "tap";
      long delay = random.nextInt(20) == 0 ? random.nextLong(HOUR) : random.nextLong(8 * MINUTE);
      byArrival.put(
          (time + delay) * 4096 + i,
          event(user, "e" + i, time, type, "d" + random.nextInt(100) / 98));
    }
    return new ArrayList<>(byArrival.values());
  }

  /** Runs them with a watermark that follows; restarts now and then. */
  private static Result run(Backend backend, List<Event> arrivals, int restartEvery)
      throws Exception {
    Result result = new Result();
    var harness = start(backend, null, 1, 0);
    long max = Long.MIN_VALUE;
    for (int i = 0; i < arrivals.size(); i++) {
      Event e = arrivals.get(i);
      harness.processElement(e, e.timestamp());
      max = Math.max(max, e.timestamp());
      if (i % 7 == 0) {
        harness.processWatermark(max - 2 * MINUTE);
      }
      if (i % restartEvery == restartEvery - 1) {
        harness.prepareSnapshotPreBarrier(i);
        OperatorSubtaskState state = harness.snapshot(i, 0);
        result.take(harness);
        harness.close();
        harness = start(backend, state, 1, 0);
      }
    }
    harness.processWatermark(Long.MAX_VALUE);
    harness.getOneInputOperator().finish();
    result.take(harness);
    harness.close();
    return result;
  }

  /** More timers than wait for each other, and the session of each user in the state before. */
  @ParameterizedTest
  @EnumSource(Backend.class)
  void theSessionsOfManyUsersCloseAtOneWatermark(Backend backend) throws Exception {
    List<Event> arrivals = new ArrayList<>();
    for (int i = 0; i < 301; i++) {
      String user = "u" + i % 100;
      arrivals.add(event(user, "e" + i, T0 + i * 1_000L, "tap", "phone"));
    }
    // Its watermark comes with every seventh event.
    assertThat(arrivals.size() % 7).isZero();
    arrivals.add(event("last", "e", T0 + 3 * HOUR, "tap", "phone"));

    Result result = run(backend, arrivals, 301);

    assertThat(result.sessions).hasSize(101);
    assertRight(result);
  }

  private static void assertRight(Result result) {
    Map<String, List<HeldEvent>> byUser = new TreeMap<>();
    Map<String, long[]> expectedCells = new TreeMap<>();
    Map<String, Set<String>> expectedUsers = new TreeMap<>();
    long onTime = 0;
    for (AppEvent a : result.events) {
      if (a.late()) {
        continue;
      }
      onTime++;
      Event e = a.event();
      byUser
          .computeIfAbsent(e.userId(), u -> new ArrayList<>())
          .add(new Sessionize(SessionRules.DEFAULTS).held(e, List.of()));
      String hour = hour(e.timestamp(), e.device().deviceType());
      expectedCells.computeIfAbsent(hour, h -> new long[5])[0]++;
      expectedUsers.computeIfAbsent(hour, h -> new HashSet<>()).add(e.userId());
    }
    Set<String> expected = new TreeSet<>();
    byUser.forEach(
        (user, events) -> {
          for (List<HeldEvent> s : ReferenceSessions.cut(events, SessionRules.DEFAULTS)) {
            long start = s.get(0).timestamp();
            long end = s.get(s.size() - 1).timestamp();
            expected.add(user + " " + start + " " + end + " " + s.size());
            long[] cell =
                expectedCells.computeIfAbsent(hour(end, s.get(0).deviceType()), h -> new long[5]);
            cell[2]++;
            cell[3] +=
                s.stream().filter(e -> !e.eventType().startsWith("session_")).count() == 1 ? 1 : 0;
            cell[4] += end - start;
          }
        });
    Set<String> found = new TreeSet<>();
    for (Session s : result.sessions) {
      found.add(s.userId() + " " + s.start() + " " + s.end() + " " + s.eventCount());
    }
    assertThat(found).isEqualTo(expected).hasSameSizeAs(result.sessions);
    expectedUsers.forEach((hour, users) -> expectedCells.get(hour)[1] = users.size());
    Map<String, long[]> foundCells = new TreeMap<>();
    result.cells.forEach(
        (cell, counts) -> {
          if (!cell.daily() && cell.kept() == 1) {
            foundCells.put(hour(cell.start(), cell.values().get(0)), counts);
          }
        });
    assertThat(foundCells.keySet()).isEqualTo(expectedCells.keySet());
    expectedCells.forEach((hour, counts) -> assertThat(foundCells.get(hour)).isEqualTo(counts));

    SessionBalance last = result.balances.get(result.balances.size() - 1);
    assertThat(last.open()).isZero();
    assertThat(result.balances.stream().mapToLong(SessionBalance::onTime).sum()).isEqualTo(onTime);
    assertThat(result.balances.stream().mapToLong(SessionBalance::closed).sum()).isEqualTo(onTime);
    long balance = 0;
    for (SessionBalance b : result.balances) {
      balance += b.onTime() - b.closed();
      assertThat(b.open()).isEqualTo(balance);
    }
  }

  private static String hour(long time, @Nullable String device) {
    return time / HOUR + " " + device;
  }

  @ParameterizedTest
  @CsvSource({
    "HEAP, 100000",
    "HEAP, 250",
    "ROCKSDB, 100000",
    "ROCKSDB, 250",
    "ROCKSDB_CACHE_OF_TWO, 333"
  })
  void sessionsAndCellsAreThoseOfTheEventsThatWereNotLate(Backend backend, int restartEvery)
      throws Exception {
    List<Event> arrivals = arrivals(7);
    Result result = run(backend, arrivals, restartEvery);
    assertThat(result.events).hasSize(arrivals.size());
    assertThat(result.events.stream().filter(AppEvent::late).count()).isBetween(20L, 200L);
    assertThat(result.sessions).hasSizeGreaterThan(100);
    assertRight(result);
  }

  /** A window's parts leave before the watermark that makes the window final. */
  @Test
  void noPartComesAfterItsWindowIsFinal() throws Exception {
    var harness = start(Backend.HEAP, null, 1, 0);
    harness.processElement(event("ann", "a", T0 + MINUTE, "tap", "d"), T0 + MINUTE);
    harness.processWatermark(T0 + HOUR + FINAL.toMillis() - 1);
    assertThat(Result.side(harness, UserTimeline.CELLS)).isEmpty();
    harness.processWatermark(T0 + HOUR + FINAL.toMillis());
    List<Rollup> parts = Result.side(harness, UserTimeline.CELLS);
    assertThat(parts).hasSize(16);
    assertThat(parts)
        .allSatisfy(part -> assertThat(part.counts().sessionsEnded()).isEqualTo(1))
        .allSatisfy(part -> assertThat(part.counts().activeUsers()).isEqualTo(1));
    harness.close();
  }

  @Test
  void countsAreHandedOnEveryFewSeconds() throws Exception {
    var harness = start(Backend.HEAP, null, 1, 0);
    harness.processElement(event("ann", "a", T0 + MINUTE, "tap", "d"), T0 + MINUTE);
    harness.setProcessingTime(4_999);
    assertThat(Result.side(harness, UserTimeline.CELLS)).isEmpty();
    harness.setProcessingTime(5_000);
    assertThat(Result.side(harness, UserTimeline.CELLS)).hasSize(16);
    harness.close();
  }

  /** The bot has events held in chunks, folded ones, and more than one timer. */
  @ParameterizedTest
  @EnumSource(Backend.class)
  void ofAnErasedUserNothingIsLeftAndTheOthersAreAsTheyWere(Backend backend) throws Exception {
    var harness = start(backend, null, 1, 0);
    for (int i = 0; i < 60; i++) {
      String user = i % 2 == 0 ? "bot" : "u" + i % 6;
      harness.processElement(event(user, "e" + i, T0 + i * MINUTE / 2, "tap", "d"), T0 + i);
      if (i == 40) {
        harness.processWatermark(T0 + 15 * MINUTE);
      }
    }
    harness.prepareSnapshotPreBarrier(1);
    OperatorSubtaskState state = harness.snapshot(1, 0);
    Result result = new Result();
    result.take(harness);
    harness.close();
    assertThat(result.balances).last().extracting(SessionBalance::open).isEqualTo(60L);

    harness = start(backend, state, 1, 0);
    harness.processElement(Event.erasure("bot", new Origin("erasures", 0, 0, 0, 0)), 0);
    harness.processElement(Event.erasure("nobody", new Origin("erasures", 0, 1, 0, 0)), 0);
    harness.prepareSnapshotPreBarrier(2);
    state = harness.snapshot(2, 0);
    result.take(harness);
    harness.close();
    assertThat(result.balances).last().extracting(SessionBalance::open).isEqualTo(30L);

    harness = start(backend, state, 1, 0);
    assertThat(harness.extractOutputValues()).isEmpty();
    // The id was free to come again: it is not a duplicate of what was forgotten.
    harness.processElement(event("bot", "e58", T0 + 29 * MINUTE, "tap", "d"), T0);
    harness.processWatermark(T0 + 3 * HOUR);
    harness.prepareSnapshotPreBarrier(3);
    result.take(harness);
    assertThat(result.events).hasSize(61);
    assertThat(result.sessions)
        .extracting(s -> s.userId() + " " + s.eventCount())
        .containsExactlyInAnyOrder("bot 1", "u1 10", "u3 10", "u5 10");
    assertThat(result.balances).last().extracting(SessionBalance::open).isEqualTo(0L);
    assertThat(result.balances.stream().mapToLong(SessionBalance::closed).sum()).isEqualTo(61);
    harness.close();
  }

  /** The states that have anything of anyone. */
  private static List<String> statesOf(
      KeyedOneInputStreamOperatorTestHarness<String, Event, AppEvent> harness) {
    return Stream.of("user", "held-events", "spilled-fingerprints", "archived-fingerprints")
        .filter(
            state ->
                harness
                    .getOperator()
                    .<String>getKeyedStateBackend()
                    .getKeys(state, VoidNamespace.INSTANCE)
                    .findAny()
                    .isPresent())
        .toList();
  }

  /** As of the last snapshot. */
  private static Iterable<Long> openSessions(
      KeyedOneInputStreamOperatorTestHarness<String, Event, AppEvent> harness) throws Exception {
    return harness
        .getOperator()
        .getOperatorStateBackend()
        .getListState(new ListStateDescriptor<>("open-sessions", LongSerializer.INSTANCE))
        .get();
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void anErasureLeavesNeitherStateNorTimers(Backend backend) throws Exception {
    var harness = start(backend, null, 1, 0);
    for (int i = 0; i < 100; i++) {
      harness.processElement(event("bot", "e" + i, T0 + 5L * i * MINUTE, "tap", "d"), T0);
    }
    harness.prepareSnapshotPreBarrier(1);
    harness.snapshot(1, 0);
    assertThat(statesOf(harness)).contains("user", "archived-fingerprints", "held-events");
    assertThat(openSessions(harness)).containsExactly(1L);
    harness.processElement(Event.erasure("bot", new Origin("erasures", 0, 0, 0, 0)), 0);
    harness.prepareSnapshotPreBarrier(2);
    harness.snapshot(2, 0);
    assertThat(statesOf(harness)).isEmpty();
    assertThat(openSessions(harness)).containsExactly(0L);
    harness.processWatermark(T0 + 2 * DAY);
    assertThat(harness.numEventTimeTimers()).isZero();
    assertThat(Result.side(harness, UserTimeline.SESSIONS)).isEmpty();
    harness.close();
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void stateAndTimersReturnToNothing(Backend backend) throws Exception {
    var harness = start(backend, null, 1, 0);
    for (int i = 0; i < 100; i++) {
      String user = i % 2 == 0 ? "bot" : "u" + i;
      harness.processElement(event(user, "e" + i, T0 + i * SECOND, "tap", "d"), T0 + i * SECOND);
    }
    harness.processWatermark(T0 + 30 * MINUTE);
    harness.prepareSnapshotPreBarrier(1);
    harness.snapshot(1, 0);
    assertThat(Result.side(harness, UserTimeline.SESSIONS)).isEmpty();
    harness.processWatermark(T0 + 42 * MINUTE);
    harness.prepareSnapshotPreBarrier(2);
    harness.snapshot(2, 0);
    assertThat(Result.side(harness, UserTimeline.SESSIONS)).hasSize(51);
    assertThat(
            harness
                .getOperator()
                .<String>getKeyedStateBackend()
                .getKeys("held-events", VoidNamespace.INSTANCE))
        .isEmpty();
    harness.processWatermark(T0 + 26 * HOUR);
    harness.prepareSnapshotPreBarrier(3);
    harness.snapshot(3, 0);
    assertThat(harness.numEventTimeTimers()).isZero();
    assertThat(
            harness
                .getOperator()
                .<String>getKeyedStateBackend()
                .getKeys("user", VoidNamespace.INSTANCE))
        .isEmpty();
    harness.close();
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void aRescaleKeepsOpenSessions(Backend backend) throws Exception {
    List<Event> arrivals = arrivals(8);
    Result result = new Result();
    var harness = start(backend, null, 1, 0);
    List<Event> before = arrivals.subList(0, 1_000);
    long max = 0;
    for (Event e : before) {
      harness.processElement(e, e.timestamp());
      max = Math.max(max, e.timestamp());
      harness.processWatermark(max - 2 * MINUTE);
    }
    harness.prepareSnapshotPreBarrier(1);
    OperatorSubtaskState state = harness.snapshot(1, 0);
    result.take(harness);
    harness.close();
    long open = result.balances.get(result.balances.size() - 1).open();
    long openAfter = 0;
    for (int subtask = 0; subtask < 2; subtask++) {
      OperatorSubtaskState part =
          AbstractStreamOperatorTestHarness.repartitionOperatorState(state, 16, 1, 2, subtask);
      harness = start(backend, part, 2, subtask);
      harness.prepareSnapshotPreBarrier(2);
      openAfter += Result.side(harness, UserTimeline.BALANCE).get(0).open();
      harness.processWatermark(Long.MAX_VALUE);
      harness.getOneInputOperator().finish();
      result.sessions.addAll(Result.side(harness, UserTimeline.SESSIONS));
      harness.close();
    }
    assertThat(openAfter).isEqualTo(open).isPositive();
    assertThat(result.sessions.stream().mapToLong(Session::eventCount).sum())
        .isEqualTo(result.events.stream().filter(e -> !e.late()).count());
  }

  private static List<Event> fixtureEvents() {
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      String user = List.of("ann", "bob", "bot", "bot", "bot").get(i % 5);
      String type = List.of("session_start", "tap", "view_notification").get(i % 3);
      events.add(event(user, "e" + i, T0 + i * 30L * SECOND, type, "d" + i % 2));
    }
    return events;
  }

  /** What the release wrote that first had sessions is read by every later one. */
  @ParameterizedTest
  @EnumSource(Backend.class)
  void theSnapshotWithOpenSessionsRestores(Backend backend) throws Exception {
    var harness =
        start(backend, OperatorSnapshotUtil.readStateHandle(backend.fixture().toString()), 1, 0);
    for (Event e : fixtureEvents()) {
      harness.processElement(e, e.timestamp());
    }
    assertThat(harness.extractOutputValues()).isEmpty();
    harness.processElement(event("ann", "next", T0 + 20 * MINUTE, "tap", "d0"), T0 + 20 * MINUTE);
    harness.processWatermark(T0 + 3 * HOUR);
    Map<String, Session> sessions = new TreeMap<>();
    for (Session s : Result.side(harness, UserTimeline.SESSIONS)) {
      sessions.put(s.userId(), s);
    }
    assertThat(sessions.keySet()).containsExactly("ann", "bob", "bot");
    assertThat(sessions.get("ann").eventCount()).isEqualTo(7);
    assertThat(sessions.get("ann").path())
        .containsExactly(
            "session_start",
            "view_notification",
            "tap",
            "session_start",
            "view_notification",
            "tap",
            "tap");
    assertThat(sessions.get("bob").views()).isEqualTo(2);
    assertThat(sessions.get("bob").deviceType()).isEqualTo("d1");
    assertThat(sessions.get("bot").eventCount()).isEqualTo(18);
    assertThat(sessions.get("bot").sessionStarts()).isEqualTo(6);
    assertThat(sessions.get("bot").start()).isEqualTo(T0 + 60 * SECOND);
    assertThat(sessions.get("bot").clientSessionIds()).containsExactly("c-bot");
    Result after = new Result();
    after.take(harness);
    // Each user was counted in its hour before the snapshot.
    after.cells.forEach((cell, counts) -> assertThat(counts[1]).isZero());
    harness.close();
  }

  /** That release did not count them yet; what it left open would be taken off all the same. */
  @ParameterizedTest
  @EnumSource(Backend.class)
  void openSessionsAreCountedWhenTheStateDoesNotTell(Backend backend) throws Exception {
    var harness =
        start(backend, OperatorSnapshotUtil.readStateHandle(backend.fixture().toString()), 1, 0);
    OperatorSubtaskState counted = harness.snapshot(1, 0);
    assertThat(openSessions(harness)).containsExactly(3L);
    harness.close();

    harness = start(backend, counted, 1, 0);
    harness.processElement(event("zoe", "z", T0 + 25 * MINUTE, "tap", "d0"), T0 + 25 * MINUTE);
    harness.prepareSnapshotPreBarrier(2);
    harness.snapshot(2, 0);
    assertThat(openSessions(harness)).containsExactly(4L);
    harness.processWatermark(T0 + 3 * HOUR);
    harness.snapshot(3, 0);
    assertThat(openSessions(harness)).containsExactly(0L);
    harness.close();
  }

  @ParameterizedTest
  @EnumSource(names = {"HEAP", "ROCKSDB"})
  @EnabledIfSystemProperty(named = "millrace.fixtures.write", matches = "true")
  void writeTheSnapshotWithOpenSessions(Backend backend) throws Exception {
    var harness = start(backend, null, 1, 0);
    for (Event e : fixtureEvents()) {
      harness.processElement(e, e.timestamp());
    }
    harness.processWatermark(T0 + 18 * MINUTE);
    harness.prepareSnapshotPreBarrier(1);
    OperatorSnapshotUtil.writeStateHandle(harness.snapshot(1, 0), backend.fixture().toString());
    harness.close();
  }
}

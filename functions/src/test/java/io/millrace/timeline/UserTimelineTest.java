package io.millrace.timeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.event.AppEvent;
import io.millrace.event.Device;
import io.millrace.event.Dimensions;
import io.millrace.event.Event;
import io.millrace.event.Geo;
import io.millrace.event.LedgerEntry;
import io.millrace.event.Origin;
import io.millrace.identity.Deduplicate;
import io.millrace.telemetry.Metrics;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Metric;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.clusterframework.types.ResourceID;
import org.apache.flink.runtime.executiongraph.ExecutionGraphTestUtils;
import org.apache.flink.runtime.metrics.NoOpMetricRegistry;
import org.apache.flink.runtime.metrics.groups.AbstractMetricGroup;
import org.apache.flink.runtime.metrics.groups.TaskManagerMetricGroup;
import org.apache.flink.runtime.operators.testutils.MockEnvironment;
import org.apache.flink.runtime.operators.testutils.MockEnvironmentBuilder;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.runtime.state.StateBackend;
import org.apache.flink.runtime.state.VoidNamespace;
import org.apache.flink.runtime.state.hashmap.HashMapStateBackend;
import org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackend;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.streaming.util.OperatorSnapshotUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class UserTimelineTest {
  private static final long T0 = 1_767_225_600_000L; // 2026-01-01T00:00:00Z
  private static final long SECOND = 1_000L;
  private static final long MINUTE = 60 * SECOND;
  private static final long HOUR = 60 * MINUTE;
  private static final Duration FLUSH_INTERVAL = Duration.ofSeconds(5);
  private static final int MAX_PARALLELISM = 8;
  private static final int SPILLED_EVENTS = 4_200;

  /** Where the state is, and how much of it fits the cache. */
  enum Backend {
    HEAP(50_000),
    ROCKSDB(50_000),
    ROCKSDB_CACHE_OF_ONE(1);

    final int cacheUsers;

    Backend(int cacheUsers) {
      this.cacheUsers = cacheUsers;
    }

    /** State of the first release; a checkpoint is read only by the backend that wrote it. */
    Path fixture() {
      return fixture("user-timeline-v1");
    }

    /** The same for one user, of whom more was seen than a value holds. */
    Path spilledFixture() {
      return fixture("user-timeline-spilled-v1");
    }

    private Path fixture(String name) {
      String backend = this == HEAP ? "heap" : "rocksdb";
      return Path.of("src/test/resources/state/" + name + "-" + backend + ".snapshot");
    }

    StateBackend open() {
      return this == HEAP ? new HashMapStateBackend() : new EmbeddedRocksDBStateBackend();
    }
  }

  /** The operator under test, with what it emitted in readable form. */
  private static final class Timeline implements AutoCloseable {
    final Map<String, Counter> counters = new HashMap<>();
    final MockEnvironment environment;
    final KeyedOneInputStreamOperatorTestHarness<String, Event, AppEvent> harness;

    Timeline(Backend backend, OperatorSubtaskState restored, int parallelism, int subtask)
        throws Exception {
      TimelineOptions options =
          new TimelineOptions(
              Duration.ofMinutes(10),
              new Deduplicate(Duration.ofHours(24)),
              null,
              null,
              Duration.ofMinutes(40),
              FLUSH_INTERVAL,
              backend.cacheUsers,
              64 << 20,
              "run-1",
              false);
      NoOpMetricRegistry registry =
          new NoOpMetricRegistry() {
            @Override
            public void register(Metric metric, String name, AbstractMetricGroup<?> group) {
              if (metric instanceof Counter counter) {
                counters.put(name, counter);
              }
            }
          };
      environment =
          new MockEnvironmentBuilder()
              .setManagedMemorySize(3 << 20)
              .setMaxParallelism(MAX_PARALLELISM)
              .setParallelism(parallelism)
              .setSubtaskIndex(subtask)
              .setMetricGroup(
                  TaskManagerMetricGroup.createTaskManagerMetricGroup(
                          registry, "localhost", ResourceID.generate())
                      .addJob(new JobID(), "job")
                      .addTask(ExecutionGraphTestUtils.createExecutionAttemptId(), "timeline"))
              .build();
      harness =
          new KeyedOneInputStreamOperatorTestHarness<>(
              new UserTimeline(options), Event::userId, Types.STRING, environment);
      harness.setStateBackend(backend.open());
      harness.setup();
      if (restored != null) {
        harness.initializeState(restored);
      }
      harness.open();
    }

    static Timeline fresh(Backend backend) throws Exception {
      return new Timeline(backend, null, 1, 0);
    }

    /** Sends an event, and lets the time pass that it may wait for others. */
    void send(Event event) throws Exception {
      harness.processElement(event, event.timestamp());
      harness.setProcessingTime(harness.getProcessingTime() + FLUSH_INTERVAL.toMillis());
    }

    void watermark(long time) throws Exception {
      harness.processWatermark(time);
    }

    OperatorSubtaskState checkpoint(long id) throws Exception {
      harness.prepareSnapshotPreBarrier(id);
      return harness.snapshot(id, 0);
    }

    /** Accepted since the start, as {@code id}, {@code id late} or {@code id unchecked}. */
    List<String> accepted() {
      List<String> shown = new ArrayList<>();
      for (AppEvent e : harness.extractOutputValues()) {
        shown.add(
            e.event().eventId()
                + (e.late() ? " late" : "")
                + (e.dedupChecked() ? "" : " unchecked"));
      }
      return shown;
    }

    List<LedgerEntry> ledger() {
      List<LedgerEntry> entries = new ArrayList<>();
      var side = harness.getSideOutput(UserTimeline.LEDGER);
      if (side != null) {
        for (StreamRecord<LedgerEntry> r : side) {
          entries.add(r.getValue());
        }
      }
      return entries;
    }

    long count(String counter) {
      return counters.get(counter).getCount();
    }

    /** The users with fingerprints outside their value. */
    List<String> spilledUsers() {
      return usersWith("spilled-fingerprints");
    }

    List<String> usersWith(String mapState) {
      return harness
          .getOperator()
          .<String>getKeyedStateBackend()
          .getKeys(mapState, VoidNamespace.INSTANCE)
          .distinct()
          .toList();
    }

    int timers() {
      return harness.numEventTimeTimers();
    }

    @Override
    public void close() throws Exception {
      harness.close();
      environment.close();
    }
  }

  private static Event event(String user, String id, long timestamp) {
    return new Event(
        id,
        user,
        null,
        "purchase",
        timestamp,
        Origin.NO_TIME,
        Device.UNKNOWN,
        Geo.UNKNOWN,
        Map.of(),
        Dimensions.NONE,
        new Origin("session", 0, 7, timestamp + SECOND, timestamp + 2 * SECOND));
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void aResendIsCountedAndNotStored(Backend backend) throws Exception {
    try (Timeline t = Timeline.fresh(backend)) {
      t.send(event("ann", "a", T0));
      t.send(event("bob", "a", T0));
      t.send(event("ann", "a", T0));
      t.send(event("ann", "b", T0 + 1));
      t.send(event("bob", "a", T0));
      assertThat(t.accepted()).containsExactly("a", "a", "b");
      t.checkpoint(3);
      assertThat(t.ledger())
          .containsExactly(new LedgerEntry("run-1", "streaming", 3, "session", T0, 0, 3, 0, 2, 0));
    }
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void eventsWaitForOthersButNotBeyondAWatermarkABarrierAnIntervalOrTheEnd(Backend backend)
      throws Exception {
    try (Timeline t = Timeline.fresh(backend)) {
      arrive(t, event("ann", "a", T0));
      arrive(t, event("ann", "a", T0));
      t.watermark(T0);
      assertThat(t.accepted()).containsExactly("a");
      arrive(t, event("ann", "b", T0));
      t.checkpoint(1);
      assertThat(t.accepted()).containsExactly("a", "b");
      assertThat(t.ledger().stream().mapToLong(LedgerEntry::accepted).sum()).isEqualTo(2);
      t.send(event("ann", "c", T0));
      assertThat(t.accepted()).containsExactly("a", "b", "c");
      // Late by a watermark that came after it, and not by those before.
      arrive(t, event("bob", "d", T0));
      t.watermark(T0 + HOUR);
      arrive(t, event("bob", "e", T0));
      t.harness.getOneInputOperator().finish();
      assertThat(t.accepted()).containsExactly("a", "b", "c", "d", "e late");
      int many = 3 * UserCache.LOOK_AHEAD + 1;
      for (int i = 0; i < many; i++) {
        arrive(t, event("user-" + i % 7, "m" + i, T0 + HOUR));
      }
      assertThat(t.accepted()).hasSizeGreaterThanOrEqualTo(5 + many - 1);
      t.watermark(T0 + HOUR);
      assertThat(t.accepted()).hasSize(5 + many).endsWith("m" + (many - 2), "m" + (many - 1));
    }
  }

  /** Without time that passes. */
  private static void arrive(Timeline t, Event event) throws Exception {
    t.harness.processElement(event, event.timestamp());
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void theSameIdAtAnotherTimestampIsAnotherEvent(Backend backend) throws Exception {
    try (Timeline t = Timeline.fresh(backend)) {
      t.send(event("ann", "a", T0));
      t.send(event("ann", "a", T0 + 1));
      t.send(event("ann", "a", T0 + HOUR));
      assertThat(t.accepted()).containsExactly("a", "a", "a");
    }
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void lateIsAtOrBeforeTheWatermarkMinusLateness(Backend backend) throws Exception {
    try (Timeline t = Timeline.fresh(backend)) {
      t.send(event("ann", "before-any-watermark", T0 - 100 * HOUR));
      t.watermark(T0);
      t.send(event("ann", "on-time", T0 - 10 * MINUTE + 1));
      t.send(event("ann", "late", T0 - 10 * MINUTE));
      t.send(event("ann", "later", T0 - 11 * MINUTE));
      assertThat(t.accepted())
          .containsExactly("before-any-watermark", "on-time", "late late", "later late");
      t.checkpoint(1);
      assertThat(t.ledger().stream().mapToLong(LedgerEntry::late).sum()).isEqualTo(2);
    }
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void anEventOlderThanTheTtlIsAcceptedUnchecked(Backend backend) throws Exception {
    try (Timeline t = Timeline.fresh(backend)) {
      t.watermark(T0);
      long edge = T0 - 24 * HOUR;
      t.send(event("ann", "checked", edge + 1));
      t.send(event("ann", "checked", edge + 1));
      t.send(event("ann", "old", edge));
      t.send(event("ann", "old", edge));
      assertThat(t.accepted())
          .containsExactly("checked late", "old late unchecked", "old late unchecked");
    }
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void aResendIsRecognisedUntilTheTtlHasPassed(Backend backend) throws Exception {
    try (Timeline t = Timeline.fresh(backend)) {
      t.send(event("ann", "a", T0));
      t.watermark(T0 + 24 * HOUR - 1);
      t.send(event("ann", "a", T0));
      assertThat(t.accepted()).containsExactly("a");
      t.watermark(T0 + 24 * HOUR);
      t.send(event("ann", "a", T0));
      assertThat(t.accepted()).containsExactly("a", "a late unchecked");
    }
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void stateAndTimersReturnToNothing(Backend backend) throws Exception {
    try (Timeline t = Timeline.fresh(backend)) {
      for (int i = 0; i < 100; i++) {
        t.send(event("user-" + i % 10, "e" + i, T0 + i * MINUTE));
      }
      assertThat(t.timers()).isEqualTo(10);
      t.checkpoint(1);
      t.watermark(T0 + 24 * HOUR);
      assertThat(t.timers()).isEqualTo(10);
      t.watermark(T0 + 26 * HOUR);
      t.checkpoint(2);
      assertThat(t.timers()).isZero();
      if (backend == Backend.HEAP) {
        assertThat(t.harness.numKeyedStateEntries()).isZero();
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void theEndOfInputFiresEveryTimerOnce(Backend backend) throws Exception {
    try (Timeline t = Timeline.fresh(backend)) {
      t.send(event("ann", "a", T0));
      t.send(event("ann", "b", T0 + 5 * HOUR));
      t.watermark(Long.MAX_VALUE);
      assertThat(t.timers()).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void aRestoreKeepsWhatWasSeenAndTheWatermark(Backend backend) throws Exception {
    OperatorSubtaskState state;
    try (Timeline t = Timeline.fresh(backend)) {
      t.send(event("ann", "a", T0));
      t.watermark(T0 + HOUR);
      state = t.checkpoint(1);
    }
    try (Timeline t = new Timeline(backend, state, 1, 0)) {
      t.send(event("ann", "a", T0));
      // No watermark has arrived since the restore: the restored one decides.
      t.send(event("ann", "late", T0 + 50 * MINUTE));
      t.send(event("ann", "on-time", T0 + 50 * MINUTE + 1));
      assertThat(t.accepted()).containsExactly("late late", "on-time");
      assertThat(t.timers()).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void aDrainedJobCanStartAgainWithoutEverythingBeingLate(Backend backend) throws Exception {
    OperatorSubtaskState state;
    try (Timeline t = Timeline.fresh(backend)) {
      t.watermark(T0);
      t.watermark(Long.MAX_VALUE);
      state = t.checkpoint(1);
    }
    try (Timeline t = new Timeline(backend, state, 1, 0)) {
      t.send(event("ann", "on-time", T0));
      t.send(event("ann", "late", T0 - 10 * MINUTE));
      assertThat(t.accepted()).containsExactly("on-time", "late late");
    }
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void aRescaleKeepsWhatWasSeenAndTheHighestWatermark(Backend backend) throws Exception {
    OperatorSubtaskState state;
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      events.add(event("user-" + i, "e", T0 + i));
    }
    try (Timeline t = Timeline.fresh(backend)) {
      for (Event e : events) {
        t.send(e);
      }
      t.watermark(T0 + HOUR);
      state = t.checkpoint(1);
    }
    int seen = 0;
    for (int subtask = 0; subtask < 2; subtask++) {
      OperatorSubtaskState part =
          AbstractStreamOperatorTestHarness.repartitionOperatorState(
              state, MAX_PARALLELISM, 1, 2, subtask);
      String last = null;
      try (Timeline t = new Timeline(backend, part, 2, subtask)) {
        for (Event e : events) {
          if (subtaskOf(e.userId()) == subtask) {
            t.send(e);
            last = e.userId();
            seen++;
          }
        }
        assertThat(t.accepted()).isEmpty();
        t.send(event(last, "late", T0 + 50 * MINUTE));
        assertThat(t.accepted()).containsExactly("late late");
      }
    }
    assertThat(seen).isEqualTo(200);
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void mergedSubtasksKeepTheHighestOfTheirWatermarks(Backend backend) throws Exception {
    for (int ahead = 0; ahead < 2; ahead++) {
      OperatorSubtaskState[] parts = new OperatorSubtaskState[2];
      List<Event> events = new ArrayList<>();
      for (int subtask = 0; subtask < 2; subtask++) {
        try (Timeline t = new Timeline(backend, null, 2, subtask)) {
          for (int i = 0; i < 100; i++) {
            Event e = event("user-" + i, "e", T0 + i);
            if (subtaskOf(e.userId()) == subtask) {
              t.send(e);
              events.add(e);
            }
          }
          t.watermark(T0 + (subtask == ahead ? 2 : 1) * HOUR);
          parts[subtask] = t.checkpoint(1);
        }
      }
      assertThat(events).hasSize(100);
      OperatorSubtaskState merged =
          AbstractStreamOperatorTestHarness.repartitionOperatorState(
              AbstractStreamOperatorTestHarness.repackageState(parts), MAX_PARALLELISM, 2, 1, 0);
      try (Timeline t = new Timeline(backend, merged, 1, 0)) {
        events.forEach(e -> sendQuietly(t, e));
        t.send(event("ann", "late", T0 + 110 * MINUTE));
        t.send(event("ann", "on-time", T0 + 110 * MINUTE + 1));
        assertThat(t.accepted()).containsExactly("late late", "on-time");
        assertThat(t.timers()).isEqualTo(101);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void onlyRocksDbHasACacheBeforeIt(Backend backend) throws Exception {
    try (Timeline t = Timeline.fresh(backend)) {
      t.send(event("ann", "a", T0));
      t.send(event("ann", "b", T0));
      t.send(event("bob", "a", T0));
      t.send(event("ann", "a", T0));
      t.send(event("ann", "c", T0));
      assertThat(t.accepted()).containsExactly("a", "b", "a", "c");
      List<Long> hitsAndMisses =
          List.of(t.count(Metrics.CACHE_HITS), t.count(Metrics.CACHE_MISSES));
      assertThat(hitsAndMisses)
          .isEqualTo(
              switch (backend) {
                case HEAP -> List.of(0L, 0L);
                case ROCKSDB -> List.of(3L, 2L);
                case ROCKSDB_CACHE_OF_ONE -> List.of(2L, 3L);
              });
    }
  }

  private static int subtaskOf(String user) {
    return KeyGroupRangeAssignment.assignKeyToParallelOperator(user, MAX_PARALLELISM, 2);
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void aHotUserSpillsAndStaysExact(Backend backend) throws Exception {
    Random random = new Random(7);
    Set<String> expected = new HashSet<>();
    int accepted = 0;
    try (Timeline t = Timeline.fresh(backend)) {
      for (int i = 0; i < 20_000; i++) {
        String id = "e" + random.nextInt(12_000);
        long time = T0 + (id.hashCode() & 3) * 16L * MINUTE;
        if (expected.add(id)) {
          accepted++;
        }
        t.send(event("bot", id, time));
      }
      assertThat(t.accepted()).hasSize(accepted);
      OperatorSubtaskState state = t.checkpoint(1);
      t.watermark(T0 + 30 * HOUR);
      t.checkpoint(2);
      assertThat(t.timers()).isZero();
      if (backend == Backend.HEAP) {
        assertThat(t.harness.numKeyedStateEntries()).isZero();
      }
      try (Timeline again = new Timeline(backend, state, 1, 0)) {
        for (String id : expected) {
          again.send(event("bot", id, T0 + (id.hashCode() & 3) * 16L * MINUTE));
        }
        assertThat(again.accepted()).isEmpty();
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void eventsOfEarlierHoursAreArchivedAndStayKnownUntilTheyExpire(Backend backend)
      throws Exception {
    OperatorSubtaskState state;
    try (Timeline t = Timeline.fresh(backend)) {
      for (int i = 0; i < 30; i++) {
        t.send(event("ann", "e" + i, T0 + i * 30L * MINUTE));
      }
      assertThat(t.usersWith("archived-fingerprints")).containsExactly("ann");
      state = t.checkpoint(1);
    }
    try (Timeline t = new Timeline(backend, state, 1, 0)) {
      for (int i = 0; i < 30; i++) {
        t.send(event("ann", "e" + i, T0 + i * 30L * MINUTE));
      }
      assertThat(t.accepted()).isEmpty();
      t.watermark(T0 + 60 * HOUR);
      t.checkpoint(2);
      assertThat(t.usersWith("archived-fingerprints")).isEmpty();
      assertThat(t.timers()).isZero();
      if (backend == Backend.HEAP) {
        assertThat(t.harness.numKeyedStateEntries()).isZero();
      }
    }
  }

  /** The cache, whatever its size, changes nothing; nor does a restore in the middle. */
  @Test
  void everyBackendGivesTheSame() throws Exception {
    Map<Backend, List<String>> results = new TreeMap<>();
    for (Backend backend : Backend.values()) {
      Random random = new Random(42);
      List<String> accepted = new ArrayList<>();
      OperatorSubtaskState state = null;
      for (int part = 0; part < 3; part++) {
        try (Timeline t = new Timeline(backend, state, 1, 0)) {
          for (int i = 0; i < 3_000; i++) {
            long time = T0 + part * 10L * HOUR + (long) (random.nextDouble() * 5 * HOUR);
            t.send(
                event("u" + random.nextInt(50), "e" + random.nextInt(400), time / 60_000 * 60_000));
            if (i % 500 == 499) {
              t.watermark(T0 + part * 10L * HOUR + i * SECOND);
            }
          }
          accepted.addAll(t.accepted());
          state = t.checkpoint(part + 1);
        }
      }
      results.put(backend, accepted);
    }
    assertThat(results.get(Backend.HEAP)).hasSizeGreaterThan(1000).contains("e7");
    assertThat(results.get(Backend.ROCKSDB)).isEqualTo(results.get(Backend.HEAP));
    assertThat(results.get(Backend.ROCKSDB_CACHE_OF_ONE)).isEqualTo(results.get(Backend.HEAP));
  }

  /** What the first release wrote is read by every later one, on either backend. */
  @ParameterizedTest
  @EnumSource(Backend.class)
  void theSnapshotOfTheFirstReleaseRestores(Backend backend) throws Exception {
    OperatorSubtaskState state = OperatorSnapshotUtil.readStateHandle(backend.fixture().toString());
    try (Timeline t = new Timeline(backend, state, 1, 0)) {
      fixtureEvents().forEach(e -> sendQuietly(t, e));
      t.send(event("ann", "late", T0 + 50 * MINUTE));
      assertThat(t.accepted()).containsExactly("late late");
      assertThat(t.timers()).isEqualTo(3);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"HEAP", "ROCKSDB"})
  @EnabledIfSystemProperty(named = "millrace.fixtures.write", matches = "true")
  void writeTheSnapshot(Backend backend) throws Exception {
    try (Timeline t = Timeline.fresh(backend)) {
      fixtureEvents().forEach(e -> sendQuietly(t, e));
      t.watermark(T0 + HOUR);
      Files.createDirectories(backend.fixture().getParent());
      OperatorSnapshotUtil.writeStateHandle(t.checkpoint(1), backend.fixture().toString());
    }
  }

  /** So is the state of a user with fingerprints outside the value. */
  @ParameterizedTest
  @EnumSource(Backend.class)
  void theSpilledSnapshotOfTheFirstReleaseRestores(Backend backend) throws Exception {
    OperatorSubtaskState state =
        OperatorSnapshotUtil.readStateHandle(backend.spilledFixture().toString());
    try (Timeline t = new Timeline(backend, state, 1, 0)) {
      assertThat(t.spilledUsers()).containsExactly("bot");
      spilledEvents().forEach(e -> sendQuietly(t, e));
      assertThat(t.accepted()).isEmpty();
      assertThat(t.count(Metrics.DUPLICATES)).isEqualTo(SPILLED_EVENTS);
      assertThat(t.timers()).isEqualTo(1);
      t.send(event("bot", "e0", T0 + 1));
      assertThat(t.accepted()).containsExactly("e0 late");
      t.watermark(T0 + 30 * HOUR);
      assertThat(t.spilledUsers()).isEmpty();
      assertThat(t.timers()).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"HEAP", "ROCKSDB"})
  @EnabledIfSystemProperty(named = "millrace.fixtures.write", matches = "true")
  void writeTheSpilledSnapshot(Backend backend) throws Exception {
    try (Timeline t = Timeline.fresh(backend)) {
      spilledEvents().forEach(e -> sendQuietly(t, e));
      t.watermark(T0 + HOUR);
      OperatorSnapshotUtil.writeStateHandle(t.checkpoint(1), backend.spilledFixture().toString());
    }
  }

  private static List<Event> spilledEvents() {
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < SPILLED_EVENTS; i++) {
      events.add(event("bot", "e" + i, T0 + i % 4 * 16L * MINUTE));
    }
    return events;
  }

  private static List<Event> fixtureEvents() {
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      events.add(event(List.of("ann", "bob", "eve").get(i % 3), "e" + i, T0 + i * 10L * MINUTE));
    }
    return events;
  }

  private static void sendQuietly(Timeline t, Event e) {
    try {
      t.send(e);
    } catch (Exception failure) {
      throw new AssertionError(failure);
    }
  }
}

package io.millrace.rollup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.event.Cell;
import io.millrace.event.CellCounts;
import io.millrace.event.CrossCheck;
import io.millrace.event.LiveRollup;
import io.millrace.event.Rollup;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.StateBackend;
import org.apache.flink.runtime.state.hashmap.HashMapStateBackend;
import org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackend;
import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.streaming.util.OperatorSnapshotUtil;
import org.apache.flink.util.OutputTag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RollUpTest {
  private static final long HOUR = 3_600_000L;
  // 2026-01-05T00:00:00Z
  private static final long T0 = 1_767_571_200_000L;
  private static final Duration FINAL = Duration.ofMinutes(40);
  private static final long FINAL_AT = T0 + HOUR + FINAL.toMillis();
  private static final RollupTimes LIVE =
      new RollupTimes(FINAL, Duration.ofMinutes(10), Duration.ofSeconds(5), Duration.ofHours(24));
  private static final RollupSpec SPEC =
      RollupSpec.cube(RollupSpec.DEFAULT_DIMENSIONS, Map.of("total_taps", "tap"), Map.of());
  private static final List<String> ALL = List.of("ALL_DEVICES", "ALL_VERSIONS", "ALL_COUNTRIES");

  enum Backend {
    HEAP,
    ROCKSDB;

    StateBackend open() {
      return this == HEAP ? new HashMapStateBackend() : new EmbeddedRocksDBStateBackend();
    }

    Path fixture(String operator) {
      return Path.of(
          "src/test/resources/state/"
              + operator
              + "-v1-"
              + (this == HEAP ? "heap" : "rocksdb")
              + ".snapshot");
    }
  }

  private static KeyedOneInputStreamOperatorTestHarness<Cell, Rollup, Rollup> rollUp(
      Backend backend, RollupSpec spec, RollupTimes times, @Nullable OperatorSubtaskState restored)
      throws Exception {
    var harness =
        new KeyedOneInputStreamOperatorTestHarness<>(
            new RollUp(spec, times), Rollup::cell, TypeInformation.of(Cell.class));
    harness.setStateBackend(backend.open());
    harness.setup();
    if (restored != null) {
      harness.initializeState(restored);
    }
    harness.open();
    return harness;
  }

  private static KeyedOneInputStreamOperatorTestHarness<Long, Rollup, Rollup> closeWindow(
      Backend backend, int maxCells, @Nullable OperatorSubtaskState restored) throws Exception {
    var harness =
        new KeyedOneInputStreamOperatorTestHarness<>(
            new KeyedProcessOperator<>(new CloseWindow(SPEC, maxCells, LIVE, "run-1", "streaming")),
            CloseWindow::windowOf,
            Types.LONG);
    harness.setStateBackend(backend.open());
    harness.setup();
    if (restored != null) {
      harness.initializeState(restored);
    }
    harness.open();
    return harness;
  }

  private static Rollup part(Cell cell, long events, long users, String... names) {
    UserSketch sketch = new UserSketch();
    for (String name : names) {
      sketch.add(name.getBytes(StandardCharsets.UTF_8));
    }
    return new Rollup(
        cell,
        new CellCounts(
            new long[] {events, 1, 2, 3, 4, 5},
            users,
            2,
            1,
            1_500,
            names.length == 0 ? null : sketch.toBytes()),
        false);
  }

  private static Cell hour(String country) {
    return new Cell(false, T0, 4, List.of("ALL_DEVICES", "ALL_VERSIONS", country));
  }

  private static <T> List<T> side(
      KeyedOneInputStreamOperatorTestHarness<?, ?, ?> harness, OutputTag<T> tag) {
    Collection<StreamRecord<T>> found = harness.getSideOutput(tag);
    return found == null ? List.of() : found.stream().map(StreamRecord::getValue).toList();
  }

  private static void assertSum(Rollup row) {
    assertThat(row.cell()).isEqualTo(hour("DE"));
    assertThat(row.counts().events()).containsExactly(30, 2, 4, 6, 8, 10);
    assertThat(row.counts().activeUsers()).isEqualTo(3);
    assertThat(row.counts().sessionsEnded()).isEqualTo(4);
    assertThat(row.counts().bouncedSessions()).isEqualTo(2);
    assertThat(row.counts().sessionMs()).isEqualTo(3_000);
    assertThat(UserSketch.estimate(row.counts().activeUsersHll())).isEqualTo(3);
    assertThat(row.distinctApproximate()).isFalse();
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void partsBecomeOneFinalRowAcrossARestore(Backend backend) throws Exception {
    var harness = rollUp(backend, SPEC, LIVE, null);
    harness.processElement(part(hour("DE"), 10, 2, "ann", "bob"), T0);
    harness.prepareSnapshotPreBarrier(1);
    OperatorSubtaskState state = harness.snapshot(1, 1);
    harness.close();

    harness = rollUp(backend, SPEC, LIVE, state);
    harness.processElement(part(hour("DE"), 20, 1, "bob", "eve"), T0);
    harness.processWatermark(FINAL_AT - 1);
    assertThat(harness.extractOutputValues()).isEmpty();
    harness.processWatermark(FINAL_AT);
    assertThat(harness.extractOutputValues()).hasSize(1);
    assertSum(harness.extractOutputValues().get(0));
    assertThat(side(harness, RollUp.EARLY)).hasSize(1);

    // What the live values end with is not told here, and nothing is left of the cell.
    harness.processWatermark(FINAL_AT + 24 * HOUR);
    assertThat(side(harness, RollUp.LIVE)).isEmpty();
    assertThat(harness.numEventTimeTimers()).isZero();
    harness.prepareSnapshotPreBarrier(2);
    assertThat(harness.snapshot(2, 2).getManagedKeyedState()).isNotNull();
    harness.close();
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void cellsThatChangeAreToldEveryFewSeconds(Backend backend) throws Exception {
    var harness = rollUp(backend, SPEC, LIVE, null);
    harness.processElement(part(hour("DE"), 10, 2, "ann", "bob"), T0);
    harness.processElement(part(hour("FR"), 10, 2), T0);
    assertThat(side(harness, RollUp.LIVE)).isEmpty();
    harness.setProcessingTime(5_000);
    assertThat(side(harness, RollUp.LIVE)).hasSize(2);
    harness.setProcessingTime(10_000);
    assertThat(side(harness, RollUp.LIVE)).hasSize(2);
    harness.processElement(part(hour("DE"), 20, 1, "bob", "eve"), T0);
    harness.setProcessingTime(15_000);
    assertThat(side(harness, RollUp.LIVE)).hasSize(3);
    LiveRollup last = side(harness, RollUp.LIVE).get(2);
    assertThat(last.isFinal()).isFalse();
    assertSum(last.rollup());
    harness.close();
  }

  @Test
  void earlyRowsAreAskedFor() throws Exception {
    var harness = rollUp(Backend.HEAP, SPEC, LIVE, null);
    harness.processElement(part(hour("DE"), 10, 2), T0);
    harness.processWatermark(T0 + HOUR + 10 * 60_000 - 1);
    assertThat(side(harness, RollUp.EARLY)).isEmpty();
    harness.processWatermark(T0 + HOUR + 10 * 60_000);
    assertThat(side(harness, RollUp.EARLY)).hasSize(1);
    assertThat(harness.extractOutputValues()).isEmpty();
    harness.close();
  }

  /** Such a cell has sessions that ended late, and no event: its early row would come too late. */
  @ParameterizedTest
  @EnumSource(Backend.class)
  void aCellThatBeginsAfterItsEarlyTimeHasNoEarlyRow(Backend backend) throws Exception {
    var harness = rollUp(backend, SPEC, LIVE, null);
    harness.processElement(part(hour("FR"), 10, 2), T0);
    harness.processWatermark(T0 + HOUR + 10 * 60_000);
    harness.processElement(part(hour("DE"), 10, 2), T0);
    harness.processElement(part(hour("FR"), 10, 2), T0);
    harness.processWatermark(FINAL_AT);
    assertThat(side(harness, RollUp.EARLY))
        .extracting(row -> row.cell().values().get(2))
        .containsExactly("FR");
    assertThat(harness.extractOutputValues())
        .extracting(row -> row.cell().values().get(2) + row.counts().events()[CellCounts.ALL])
        .containsExactlyInAnyOrder("DE10", "FR20");
    harness.close();
  }

  @Test
  void theEndOfTheInputIsFinalAndRetiresNothing() throws Exception {
    var harness = rollUp(Backend.ROCKSDB, SPEC, LIVE, null);
    harness.processElement(part(hour("DE"), 10, 2), T0);
    harness.processWatermark(Long.MAX_VALUE);
    assertThat(harness.extractOutputValues()).hasSize(1);
    harness.close();
    var windows = closeWindow(Backend.ROCKSDB, 10, null);
    for (Rollup row : window(10)) {
      windows.processElement(row, FINAL_AT);
    }
    windows.processWatermark(Long.MAX_VALUE);
    assertThat(live(windows))
        .containsExactly("ALL_COUNTRIES final", "DE final", "FR final", "IT final");
    windows.close();
  }

  @Test
  void aCounterCanBeAddedAndTakenAwayWhileWindowsAreOpen() throws Exception {
    var harness = rollUp(Backend.ROCKSDB, SPEC, LIVE, null);
    harness.processElement(part(hour("DE"), 10, 2), T0);
    harness.prepareSnapshotPreBarrier(1);
    OperatorSubtaskState state = harness.snapshot(1, 1);
    harness.close();
    RollupSpec more =
        RollupSpec.cube(
            RollupSpec.DEFAULT_DIMENSIONS,
            Map.of("total_buys", "buy", "total_taps", "tap"),
            Map.of());
    harness = rollUp(Backend.ROCKSDB, more, LIVE, state);
    harness.processWatermark(FINAL_AT);
    assertThat(harness.extractOutputValues().get(0).counts().events())
        .containsExactly(10, 1, 2, 3, 4, 0, 5);
    harness.close();
    harness = rollUp(Backend.ROCKSDB, RollupSpec.defaults(), LIVE, state);
    harness.processWatermark(FINAL_AT);
    assertThat(harness.extractOutputValues().get(0).counts().events())
        .containsExactly(10, 1, 2, 3, 4);
    harness.close();
  }

  @Test
  void otherDimensionsAreRefused() throws Exception {
    var harness = rollUp(Backend.HEAP, SPEC, LIVE, null);
    harness.processElement(part(hour("DE"), 10, 2), T0);
    OperatorSubtaskState state = harness.snapshot(1, 1);
    harness.close();
    for (List<String> dimensions :
        List.of(List.of("country"), List.of("device_type", "app_version"))) {
      RollupSpec other = RollupSpec.cube(dimensions, Map.of(), Map.of());
      assertThatThrownBy(() -> rollUp(Backend.HEAP, other, LIVE, state))
          .hasStackTraceContaining(
              "the rollups' dimensions were [device_type, app_version, country] when the state was"
                  + " written and are "
                  + dimensions);
    }
  }

  /** A window's rows: the total and two countries, of which DE has more events. */
  private static List<Rollup> window(long total) {
    List<Rollup> rows = new ArrayList<>();
    rows.add(part(new Cell(false, T0, 0, ALL), total, 3, "a", "b", "c"));
    for (String country : new String[] {"DE", "FR", "IT"}) {
      Cell leaf = new Cell(false, T0, 7, List.of("d", "v", country));
      rows.add(part(leaf, country.equals("DE") ? 8 : 1, 1, country));
    }
    return rows;
  }

  private static CrossCheck check(List<CrossCheck> checks, String name, String subject) {
    return checks.stream()
        .filter(c -> c.name().equals(name) && c.subject().equals(subject))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void aWindowIsCheckedAndLeavesAsItCame() throws Exception {
    var harness = closeWindow(Backend.HEAP, 10, null);
    for (Rollup row : window(10)) {
      harness.processElement(row, FINAL_AT);
    }
    harness.processWatermark(FINAL_AT - 1);
    assertThat(harness.extractOutputValues()).isEmpty();
    harness.processWatermark(FINAL_AT);
    assertThat(harness.extractOutputValues()).hasSize(4);
    List<CrossCheck> checks = side(harness, CloseWindow.CHECKS);
    assertThat(checks).hasSize(10);
    CrossCheck events = check(checks, CrossCheck.LEAVES_EQUAL_ALL, "hourly.total_events");
    assertThat(events.found()).isEqualTo(10);
    assertThat(events.expected()).isEqualTo(10);
    assertThat(events.holds()).isTrue();
    assertThat(events.windowStart()).isEqualTo(T0);
    // Three leaves of one install each against one: the figures above are made up.
    CrossCheck installs = check(checks, CrossCheck.LEAVES_EQUAL_ALL, "hourly.total_installs");
    assertThat(installs.holds()).isFalse();
    CrossCheck users = check(checks, CrossCheck.USERS_AT_MOST_LEAVES, "hourly.active_users");
    assertThat(users.found()).isEqualTo(3);
    assertThat(users.expected()).isEqualTo(3);
    assertThat(users.holds()).isTrue();
    // Each row is the last live value of its key, and retired a day later; then nothing is left.
    List<LiveRollup> live = side(harness, CloseWindow.LIVE);
    assertThat(live).extracting(LiveRollup::rollup).isEqualTo(harness.extractOutputValues());
    assertThat(live).allMatch(l -> l.isFinal() && !l.retired());
    harness.processWatermark(FINAL_AT + 24 * HOUR - 1);
    assertThat(live(harness)).hasSize(4);
    harness.processWatermark(FINAL_AT + 24 * HOUR);
    assertThat(live(harness).subList(4, 8))
        .containsExactly(
            "ALL_COUNTRIES final retired",
            "DE final retired",
            "FR final retired",
            "IT final retired");
    // A counter per configured one: the database's statement has a value for each.
    assertThat(side(harness, CloseWindow.LIVE).get(7).rollup().counts().events()).hasSize(6);
    assertThat(harness.numEventTimeTimers()).isZero();
    assertThat(harness.numKeyedStateEntries()).isZero();
    harness.close();
  }

  @Test
  void aMissingEventIsAViolation() throws Exception {
    var harness = closeWindow(Backend.HEAP, 10, null);
    for (Rollup row : window(11)) {
      harness.processElement(row, FINAL_AT);
    }
    harness.processWatermark(FINAL_AT);
    CrossCheck events =
        check(
            side(harness, CloseWindow.CHECKS), CrossCheck.LEAVES_EQUAL_ALL, "hourly.total_events");
    assertThat(events.holds()).isFalse();
    assertThat(events.found()).isEqualTo(10);
    assertThat(events.expected()).isEqualTo(11);
    harness.close();
  }

  @Test
  void theSmallestCellsAreFoldedBeyondTheCap() throws Exception {
    var harness = closeWindow(Backend.HEAP, 3, null);
    for (Rollup row : window(10)) {
      harness.processElement(row, FINAL_AT);
    }
    harness.processWatermark(FINAL_AT);
    List<Rollup> rows = harness.extractOutputValues();
    assertThat(rows)
        .extracting(r -> r.cell().values().get(2))
        .containsExactly("ALL_COUNTRIES", "DE", "OTHER");
    assertThat(rows.get(2).counts().events()[CellCounts.ALL]).isEqualTo(2);
    assertThat(rows.get(2).counts().activeUsers()).isEqualTo(2);
    assertThat(rows).extracting(Rollup::distinctApproximate).containsExactly(false, false, true);
    // The live values are those of the rows: what went into OTHER is retired at once.
    assertThat(live(harness))
        .containsExactly(
            "ALL_COUNTRIES final", "DE final", "OTHER final", "FR retired", "IT retired");
    assertThat(side(harness, CloseWindow.LIVE).get(2).rollup()).isEqualTo(rows.get(2));
    harness.processWatermark(FINAL_AT + 24 * HOUR);
    assertThat(live(harness).subList(5, 8))
        .containsExactly("ALL_COUNTRIES final retired", "DE final retired", "OTHER final retired");
    assertThat(harness.numEventTimeTimers()).isZero();
    assertThat(harness.numKeyedStateEntries()).isZero();
    harness.close();
  }

  /** What is to be retired outlives a restart. */
  @ParameterizedTest
  @EnumSource(Backend.class)
  void keysAreRetiredAfterARestore(Backend backend) throws Exception {
    var harness = closeWindow(backend, 3, null);
    for (Rollup row : window(10)) {
      harness.processElement(row, FINAL_AT);
    }
    harness.processWatermark(FINAL_AT);
    OperatorSubtaskState state = harness.snapshot(1, 1);
    harness.close();
    harness = closeWindow(backend, 3, state);
    harness.processWatermark(FINAL_AT + 24 * HOUR);
    assertThat(live(harness))
        .containsExactly("ALL_COUNTRIES final retired", "DE final retired", "OTHER final retired");
    assertThat(harness.extractOutputValues()).isEmpty();
    harness.close();
  }

  private static List<String> live(KeyedOneInputStreamOperatorTestHarness<?, ?, ?> harness) {
    return side(harness, CloseWindow.LIVE).stream()
        .map(
            l ->
                l.rollup().cell().values().get(2)
                    + (l.isFinal() ? " final" : "")
                    + (l.retired() ? " retired" : ""))
        .toList();
  }

  /** A savepoint may be started with another gap or lateness. */
  @ParameterizedTest
  @EnumSource(Backend.class)
  void aCellIsFinalOnceWhateverDelayItsTimerWasMadeWith(Backend backend) throws Exception {
    for (Duration delay : new Duration[] {Duration.ofMinutes(20), Duration.ofMinutes(60)}) {
      var harness = rollUp(backend, SPEC, RollupTimes.finalAfter(FINAL), null);
      harness.processElement(part(hour("DE"), 10, 2, "ann", "bob"), T0);
      harness.prepareSnapshotPreBarrier(1);
      OperatorSubtaskState state = harness.snapshot(1, 1);
      harness.close();
      harness = rollUp(backend, SPEC, RollupTimes.finalAfter(delay), state);
      harness.processWatermark(FINAL_AT - 1);
      assertThat(harness.extractOutputValues()).isEmpty();
      harness.processElement(part(hour("DE"), 20, 1, "bob", "eve"), T0);
      harness.processWatermark(T0 + HOUR + 60 * 60_000);
      assertThat(harness.extractOutputValues()).hasSize(1);
      assertSum(harness.extractOutputValues().get(0));
      harness.processWatermark(T0 + 24 * HOUR);
      assertThat(harness.extractOutputValues()).hasSize(1);
      assertThat(harness.numEventTimeTimers()).isZero();
      harness.close();
    }
  }

  /** What the first release wrote is read by every later one. */
  @ParameterizedTest
  @EnumSource(Backend.class)
  void theSnapshotsOfTheFirstReleaseRestore(Backend backend) throws Exception {
    var cells =
        rollUp(
            backend,
            SPEC,
            LIVE,
            OperatorSnapshotUtil.readStateHandle(backend.fixture("roll-up").toString()));
    cells.processElement(part(hour("DE"), 20, 1, "bob", "eve"), T0);
    cells.processWatermark(FINAL_AT);
    assertThat(cells.extractOutputValues()).hasSize(1);
    assertSum(cells.extractOutputValues().get(0));
    cells.close();

    var windows =
        closeWindow(
            backend,
            10,
            OperatorSnapshotUtil.readStateHandle(backend.fixture("close-window").toString()));
    windows.processWatermark(FINAL_AT);
    assertThat(windows.extractOutputValues())
        .extracting(Rollup::cell)
        .containsExactlyElementsOf(window(10).stream().map(Rollup::cell).toList());
    windows.close();
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  @EnabledIfSystemProperty(named = "millrace.fixtures.write", matches = "true")
  void writeTheSnapshots(Backend backend) throws Exception {
    var cells = rollUp(backend, SPEC, LIVE, null);
    cells.processElement(part(hour("DE"), 10, 2, "ann", "bob"), T0);
    cells.prepareSnapshotPreBarrier(1);
    OperatorSnapshotUtil.writeStateHandle(
        cells.snapshot(1, 1), backend.fixture("roll-up").toString());
    cells.close();
    var windows = closeWindow(backend, 10, null);
    for (Rollup row : window(10)) {
      windows.processElement(row, FINAL_AT);
    }
    OperatorSnapshotUtil.writeStateHandle(
        windows.snapshot(1, 1), backend.fixture("close-window").toString());
    windows.close();
  }
}

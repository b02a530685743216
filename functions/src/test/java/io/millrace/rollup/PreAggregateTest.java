package io.millrace.rollup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.millrace.event.Cell;
import io.millrace.event.CellCounts;
import io.millrace.event.Device;
import io.millrace.event.Dimensions;
import io.millrace.event.Event;
import io.millrace.event.Geo;
import io.millrace.event.Origin;
import io.millrace.event.Rollup;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.apache.datasketches.hll.HllSketch;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.junit.jupiter.api.Test;

class PreAggregateTest {
  private static final long HOUR = 3_600_000L;
  private static final long DAY = 24 * HOUR;
  // 2026-01-05T00:00:00Z
  private static final long T0 = 1_767_571_200_000L;

  private static Event event(
      String user, long time, String type, String device, String version, String country) {
    return new Event(
        "e",
        user,
        null,
        type,
        time,
        Origin.NO_TIME,
        new Device(device, "17", version),
        new Geo(country, null, null),
        Map.of("plan", "free"),
        Dimensions.NONE,
        new Origin("session", 0, 0, Origin.NO_TIME, 0));
  }

  private static Map<Cell, CellCounts> flush(PreAggregate cells) {
    Map<Cell, CellCounts> parts = new HashMap<>();
    cells.flush(part -> assertThat(parts.put(part.cell(), part.counts())).isNull());
    return parts;
  }

  /** Random events of a few users, against sets and sums by brute force, over several flushes. */
  @Property(tries = 60)
  void everyCellOfTheCubeIsExact(@ForAll long seed) throws IOException {
    Random random = new Random(seed);
    RollupSpec spec =
        RollupSpec.cube(RollupSpec.DEFAULT_DIMENSIONS, Map.of("total_taps", "tap"), Map.of());
    PreAggregate cells = new PreAggregate(spec);
    Map<String, ActiveWindows> users = new HashMap<>();
    Map<Cell, Set<String>> expectedUsers = new HashMap<>();
    Map<Cell, long[]> expected = new HashMap<>();
    Map<Cell, Long> foundUsers = new HashMap<>();
    Map<Cell, long[]> found = new HashMap<>();
    String[] types = {"tap", "install", "session_start", "view_notification", "swipe"};
    for (int i = 0; i < 400; i++) {
      String user = "u" + random.nextInt(6);
      long time = T0 + random.nextLong(2 * DAY);
      String[] values = {
        "d" + random.nextInt(3), "v" + random.nextInt(2), random.nextInt(4) == 0 ? null : "DE"
      };
      String type = types[random.nextInt(types.length)];
      cells.add(
          event(user, time, type, values[0], values[1], values[2]),
          users.computeIfAbsent(user, u -> new ActiveWindows()));
      values[2] = values[2] == null ? "UNKNOWN" : values[2];
      for (int kept = 0; kept < 8; kept++) {
        String[] names = {"ALL_DEVICES", "ALL_VERSIONS", "ALL_COUNTRIES"};
        for (int d = 0; d < 3; d++) {
          names[d] = (kept >> d & 1) == 1 ? values[d] : names[d];
        }
        for (boolean daily : new boolean[] {false, true}) {
          long width = daily ? DAY : HOUR;
          Cell cell = new Cell(daily, time / width * width, kept, List.of(names));
          expectedUsers.computeIfAbsent(cell, c -> new HashSet<>()).add(user);
          long[] counts = expected.computeIfAbsent(cell, c -> new long[6]);
          counts[0]++;
          counts[1] += type.equals("install") ? 1 : 0;
          counts[2] += type.equals("session_start") ? 1 : 0;
          counts[3] += type.equals("view_notification") ? 1 : 0;
          counts[5] += type.equals("tap") ? 1 : 0;
        }
      }
      if (random.nextInt(50) == 0) {
        collect(cells, found, foundUsers);
      }
      if (random.nextInt(20) == 0) {
        users.put(user, restored(users.get(user)));
      }
    }
    collect(cells, found, foundUsers);
    assertThat(found.keySet()).isEqualTo(expected.keySet());
    expected.forEach((cell, counts) -> assertThat(found.get(cell)).isEqualTo(counts));
    expectedUsers.forEach(
        (cell, ids) -> assertThat(foundUsers.get(cell)).as("%s", cell).isEqualTo(ids.size()));
  }

  private static void collect(
      PreAggregate cells, Map<Cell, long[]> found, Map<Cell, Long> foundUsers) {
    flush(cells)
        .forEach(
            (cell, counts) -> {
              found.merge(
                  cell,
                  counts.events(),
                  (a, b) -> {
                    long[] sum = a.clone();
                    for (int i = 0; i < sum.length; i++) {
                      sum[i] += b[i];
                    }
                    return sum;
                  });
              foundUsers.merge(cell, counts.activeUsers(), Long::sum);
            });
    assertThat(cells.firstEnd()).isEqualTo(Long.MAX_VALUE);
  }

  private static ActiveWindows restored(ActiveWindows active) throws IOException {
    DataOutputSerializer out = new DataOutputSerializer(64);
    active.write(out);
    return ActiveWindows.read(new DataInputDeserializer(out.getCopyOfBuffer()));
  }

  @Test
  void missingAndReservedAndUnlistedValuesHaveNamesOfTheirOwn() {
    RollupSpec spec =
        RollupSpec.cube(
            List.of("device_type", "properties.plan"),
            Map.of(),
            Map.of("device_type", Set.of("phone")));
    PreAggregate cells = new PreAggregate(spec);
    ActiveWindows ann = new ActiveWindows();
    List<List<String>> values = new ArrayList<>();
    for (String device : new String[] {"phone", null, "", "ALL_DEVICES", "OTHER", "fridge"}) {
      values.add(cells.add(event("ann", T0, "tap", device, "1", "DE"), ann));
    }
    assertThat(values)
        .containsExactly(
            List.of("phone", "free"),
            List.of("UNKNOWN", "free"),
            List.of("UNKNOWN", "free"),
            List.of("UNKNOWN", "free"),
            List.of("OTHER", "free"),
            List.of("OTHER", "free"));
    Map<Cell, CellCounts> parts = flush(cells);
    CellCounts all = parts.get(new Cell(false, T0, 0, List.of("ALL_DEVICES", "ALL_PLAN")));
    assertThat(all.events()[CellCounts.ALL]).isEqualTo(6);
    assertThat(all.activeUsers()).isEqualTo(1);
  }

  @Test
  void theSketchTellsUsersOfHoursTogether() {
    PreAggregate cells = new PreAggregate(RollupSpec.defaults());
    for (int i = 0; i < 3_000; i++) {
      ActiveWindows user = new ActiveWindows();
      cells.add(event("u" + i, T0, "tap", "d", "v", "DE"), user);
      cells.add(event("u" + i, T0 + HOUR, "tap", "d", "v", "DE"), user);
    }
    Map<Cell, CellCounts> parts = flush(cells);
    List<String> all = List.of("ALL_DEVICES", "ALL_VERSIONS", "ALL_COUNTRIES");
    byte[] first = parts.get(new Cell(false, T0, 0, all)).activeUsersHll();
    byte[] second = parts.get(new Cell(false, T0 + HOUR, 0, all)).activeUsersHll();
    CellCounts day = parts.get(new Cell(true, T0, 0, all));
    assertThat(day.activeUsers()).isEqualTo(3_000);
    // Three standard errors of 1.04 / sqrt(4096).
    double bound = 3_000 * 3 * 1.04 / 64;
    byte[] union = UserSketch.union(first, second);
    assertThat(HllSketch.heapify(union).getEstimate()).isCloseTo(3_000, within(bound));
    assertThat(HllSketch.heapify(day.activeUsersHll()).getEstimate())
        .isCloseTo(3_000, within(bound));
    assertThat(UserSketch.union(null, first)).isSameAs(first);
  }

  @Test
  void windowsAreForgottenWhenNothingCanFallIntoThem() {
    ActiveWindows ann = new ActiveWindows();
    new PreAggregate(RollupSpec.defaults()).add(event("ann", T0, "tap", "d", "v", "DE"), ann);
    assertThat(ann.nextExpiry()).isEqualTo(T0 + HOUR);
    ann.expire(T0 + HOUR - 1);
    assertThat(ann.nextExpiry()).isEqualTo(T0 + HOUR);
    ann.expire(T0 + HOUR);
    assertThat(ann.nextExpiry()).isEqualTo(T0 + DAY);
    ann.expire(T0 + DAY);
    assertThat(ann.isEmpty()).isTrue();
  }

  /** A client that invents values fills no memory: beyond some, they are one. */
  @Test
  void aUserHasSoManyCombinationsAndNoMore() throws IOException {
    PreAggregate cells = new PreAggregate(RollupSpec.defaults());
    ActiveWindows bot = new ActiveWindows();
    for (int i = 0; i < 1_000; i++) {
      cells.add(event("bot", T0 + i, "tap", "d" + i, "v", "DE"), bot);
    }
    assertThat(cells.add(event("bot", T0, "tap", "d1", "v", "DE"), bot).get(0)).isEqualTo("d1");
    assertThat(restored(bot).windows.get(0).seen).hasSize(DistinctUsers.MAX_COMBINATIONS + 1);
    Map<Cell, CellCounts> parts = flush(cells);
    List<String> all = List.of("ALL_DEVICES", "ALL_VERSIONS", "ALL_COUNTRIES");
    assertThat(parts.get(new Cell(false, T0, 0, all)).events()[CellCounts.ALL]).isEqualTo(1_001);
    assertThat(parts.get(new Cell(false, T0, 0, all)).activeUsers()).isEqualTo(1);
    Cell others = new Cell(false, T0, 7, List.of("OTHER", "OTHER", "OTHER"));
    assertThat(parts.get(others).events()[CellCounts.ALL])
        .isEqualTo(1_000 - DistinctUsers.MAX_COMBINATIONS);
    assertThat(parts.get(others).activeUsers()).isEqualTo(1);
  }

  @Test
  void aSpecIsHeldAgainstWhatIsAllowed() {
    assertThatThrownBy(() -> RollupSpec.cube(List.of("planet"), Map.of(), Map.of()))
        .hasMessageContaining("not a dimension: 'planet', allowed are [device_type");
    assertThatThrownBy(() -> RollupSpec.cube(List.of(), Map.of(), Map.of()))
        .hasMessageContaining("1 to 8 dimensions");
    assertThat(new RollupSpec(RollupSpec.DEFAULT_DIMENSIONS, List.of(2), Map.of(), Map.of()).sets())
        .containsExactly(7, 2, 0);
  }

  /** Folding whole values keeps every level's sum, and never exceeds the cap. */
  @Property(tries = 40)
  void theCapKeepsTheSums(@ForAll long seed) {
    Random random = new Random(seed);
    RollupSpec spec = RollupSpec.defaults();
    PreAggregate cells = new PreAggregate(spec);
    for (int i = 0; i < 500; i++) {
      int device = (int) Math.abs(random.nextGaussian() * 8);
      cells.add(
          event("u" + random.nextInt(100), T0, "tap", "d" + device, "v" + i % 3, "c" + i % 4),
          new ActiveWindows());
    }
    List<Rollup> rows = new ArrayList<>();
    cells.flush(
        row -> {
          if (!row.cell().daily()) {
            rows.add(row);
          }
        });
    int cap = 30 + random.nextInt(100);
    List<Rollup> capped = new CellCap(spec, cap).apply(rows);
    assertThat(capped).hasSizeLessThanOrEqualTo(cap);
    for (int kept : spec.sets()) {
      assertThat(
              capped.stream()
                  .filter(r -> r.cell().kept() == kept)
                  .mapToLong(r -> r.counts().events()[CellCounts.ALL])
                  .sum())
          .isEqualTo(500);
    }
    assertThat(capped).anyMatch(Rollup::distinctApproximate);
    assertThat(capped)
        .filteredOn(Rollup::distinctApproximate)
        .allMatch(r -> r.cell().values().contains(Rollup.OTHER));
    assertThat(new CellCap(spec, rows.size()).apply(rows)).isSameAs(rows);
  }
}

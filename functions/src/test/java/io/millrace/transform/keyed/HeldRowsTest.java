package io.millrace.transform.keyed;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import javax.annotation.Nullable;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.RowDataSerializer;
import org.apache.flink.table.types.logical.IntType;
import org.junit.jupiter.api.Test;

class HeldRowsTest {
  private static final RowDataSerializer SERIALIZER = new RowDataSerializer(new IntType());

  /** Gives and takes whole values, as a state backend on disk does, and counts their rows. */
  private static final class Rewritten implements MapState<Long, List<RowData>> {
    private final Map<Long, List<RowData>> lists = new HashMap<>();
    private long rows;

    @Override
    @Nullable
    public List<RowData> get(Long key) {
      List<RowData> list = lists.get(key);
      if (list == null) {
        return null;
      }
      rows += list.size();
      return new ArrayList<>(list);
    }

    @Override
    public void put(Long key, List<RowData> list) {
      rows += list.size();
      lists.put(key, List.copyOf(list));
    }

    @Override
    public void putAll(Map<Long, List<RowData>> map) {
      map.forEach(this::put);
    }

    @Override
    public void remove(Long key) {
      lists.remove(key);
    }

    @Override
    public boolean contains(Long key) {
      return lists.containsKey(key);
    }

    @Override
    public Iterable<Map.Entry<Long, List<RowData>>> entries() {
      return lists.entrySet();
    }

    @Override
    public Iterable<Long> keys() {
      return lists.keySet();
    }

    @Override
    public Iterable<List<RowData>> values() {
      return lists.values();
    }

    @Override
    public Iterator<Map.Entry<Long, List<RowData>>> iterator() {
      return lists.entrySet().iterator();
    }

    @Override
    public boolean isEmpty() {
      return lists.isEmpty();
    }

    @Override
    public void clear() {
      lists.clear();
    }
  }

  private static RowData row(int i) {
    return GenericRowData.of(i);
  }

  private static List<Integer> numbers(List<RowData> rows) {
    return rows.stream().map(row -> row.getInt(0)).toList();
  }

  private static List<Integer> upTo(int n) {
    return IntStream.range(0, n).boxed().toList();
  }

  @Test
  void manyRowsOfOneTimeCostLittleEach() throws Exception {
    Rewritten state = new Rewritten();
    HeldRows held = new HeldRows(state, SERIALIZER);
    int n = 50_000;
    for (int i = 0; i < n; i++) {
      assertThat(held.add(row(i), 7)).isEqualTo(i > 0);
    }
    // Four levels, at each of which a row is read and written 8 times or so; one list has n / 2.
    assertThat(state.rows).isLessThan(100L * n);
    assertThat(numbers(held.take(7))).isEqualTo(upTo(n));
    assertThat(state.isEmpty()).isTrue();
    assertThat(held.take(7)).isEmpty();
  }

  @Test
  void anyNumberOfRowsKeepsItsOrder() throws Exception {
    for (int n : new int[] {0, 1, 15, 16, 17, 32, 33, 255, 256, 272, 273, 300, 4_400, 4_700}) {
      Rewritten state = new Rewritten();
      HeldRows held = new HeldRows(state, SERIALIZER);
      for (int i = 0; i < n; i++) {
        held.add(row(i), -1);
      }
      assertThat(numbers(held.take(-1))).isEqualTo(upTo(n));
      assertThat(state.isEmpty()).isTrue();
    }
  }

  @Test
  void timesDoNotMeet() throws Exception {
    List<Long> times = List.of(-62_135_596_800_000L, -1L, 0L, 1L, 253_402_300_799_999L);
    Rewritten state = new Rewritten();
    HeldRows held = new HeldRows(state, SERIALIZER);
    int n = 1_000;
    for (int i = 0; i < n; i++) {
      for (long time : times) {
        held.add(row(i), time);
      }
    }
    for (long time : times) {
      assertThat(numbers(held.take(time))).isEqualTo(upTo(n));
    }
    assertThat(state.isEmpty()).isTrue();
  }

  /** As a state has it that was written when a time had one list. */
  @Test
  void aLongListIsGoneOnWith() throws Exception {
    Rewritten state = new Rewritten();
    state.put(7L, upTo(5_000).stream().map(HeldRowsTest::row).toList());
    HeldRows held = new HeldRows(state, SERIALIZER);
    for (int i = 5_000; i < 6_000; i++) {
      held.add(row(i), 7);
    }
    assertThat(numbers(held.take(7))).isEqualTo(upTo(6_000));
    assertThat(state.isEmpty()).isTrue();
  }

  @Test
  @SuppressWarnings("try") // close() of Flink's harness declares Exception
  void allLevelsAreRestored() throws Exception {
    List<String> expected = new ArrayList<>();
    OperatorSubtaskState snapshot;
    try (KeyedHarness harness = harness(null)) {
      for (long i = 0; i < 700; i++) {
        harness.row(3, "a", i);
        expected.add("a " + i);
      }
      snapshot = harness.harness.snapshot(1, 0);
    }
    try (KeyedHarness harness = harness(snapshot)) {
      for (long i = 700; i < 1_400; i++) {
        harness.row(3, "a", i);
        expected.add("a " + i);
      }
      harness.watermark(2);
      assertThat(harness.output()).isEmpty();
      harness.watermark(3);
      assertThat(harness.output()).isEqualTo(expected);
      harness.assertEmptyAfterAll();
    }
  }

  private static KeyedHarness harness(@Nullable OperatorSubtaskState state) throws Exception {
    CarryForward operator =
        new CarryForward(new Scope(3_600_000), new int[] {1}, KeyedHarness.WHOLE);
    return KeyedHarness.of(operator, KeyedHarness.WHOLE, state);
  }
}

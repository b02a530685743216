package io.millrace.transform.keyed;

import java.util.Comparator;
import java.util.function.Function;
import javax.annotation.Nullable;
import org.apache.datasketches.common.ArrayOfStringsSerDe;
import org.apache.datasketches.frequencies.ErrorType;
import org.apache.datasketches.frequencies.ItemsSketch;
import org.apache.datasketches.memory.Memory;

/**
 * How often values came, in bounded memory: exact for up to 192 distinct values, beyond that a
 * count is at most 1.4 % of all values too low.
 */
final class ValueCounts {
  private static final int MAP_SIZE = 256;

  private final ItemsSketch<String> sketch;

  ValueCounts() {
    this(new ItemsSketch<>(MAP_SIZE));
  }

  private ValueCounts(ItemsSketch<String> sketch) {
    this.sketch = sketch;
  }

  void add(String value) {
    sketch.update(value);
  }

  void merge(ValueCounts other) {
    sketch.merge(other.sketch);
  }

  /** The most frequent value, of several the least; null of nothing. */
  @Nullable
  <T> T mode(Function<String, T> read, Comparator<? super T> order) {
    T best = null;
    long most = 0;
    for (ItemsSketch.Row<String> row : sketch.getFrequentItems(0, ErrorType.NO_FALSE_NEGATIVES)) {
      T value = read.apply(row.getItem());
      boolean wins =
          best == null
              || row.getEstimate() > most
              || (row.getEstimate() == most && order.compare(value, best) < 0);
      if (wins) {
        best = value;
        most = row.getEstimate();
      }
    }
    return best;
  }

  byte[] toBytes() {
    return sketch.toByteArray(new ArrayOfStringsSerDe());
  }

  static ValueCounts of(byte[] bytes) {
    return new ValueCounts(ItemsSketch.getInstance(Memory.wrap(bytes), new ArrayOfStringsSerDe()));
  }
}

package io.millrace.transform.function;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.flink.table.api.dataview.MapView;
import org.apache.flink.table.functions.AggregateFunction;

/**
 * {@code MEDIAN(x)}: the exact median, of an even number of values the midpoint of the middle two;
 * null of none. It keeps each distinct value once, on the heap in batch mode and in state
 * otherwise, and sorts them for each result: for many distinct values take {@code PERCENTILE} or
 * {@code KLL_QUANTILE}. Nulls and NaN do not count.
 */
public final class Median extends AggregateFunction<Double, Median.Frequencies> {
  private static final long serialVersionUID = 1L;

  /** How often each value came. */
  public static final class Frequencies {
    public MapView<Double, Long> counts = new MapView<>();
    public long n;
  }

  @Override
  public Frequencies createAccumulator() {
    return new Frequencies();
  }

  public void accumulate(Frequencies frequencies, @Nullable Double value) throws Exception {
    add(frequencies, value, 1);
  }

  public void retract(Frequencies frequencies, @Nullable Double value) throws Exception {
    add(frequencies, value, -1);
  }

  public void merge(Frequencies frequencies, Iterable<Frequencies> others) throws Exception {
    for (Frequencies other : others) {
      for (Map.Entry<Double, Long> entry : other.counts.entries()) {
        add(frequencies, entry.getKey(), entry.getValue());
      }
    }
  }

  private static void add(Frequencies frequencies, @Nullable Double value, long change)
      throws Exception {
    if (value == null || value.isNaN()) {
      return;
    }
    Long before = frequencies.counts.get(value);
    long count = (before == null ? 0 : before) + change;
    if (count == 0) {
      frequencies.counts.remove(value);
    } else {
      frequencies.counts.put(value, count);
    }
    frequencies.n += change;
  }

  @Override
  @Nullable
  public Double getValue(Frequencies frequencies) {
    long n = frequencies.n;
    if (n <= 0) {
      return null;
    }
    List<Map.Entry<Double, Long>> sorted = new ArrayList<>();
    try {
      for (Map.Entry<Double, Long> entry : frequencies.counts.entries()) {
        sorted.add(Map.entry(entry.getKey(), entry.getValue()));
      }
    } catch (Exception e) {
      throw new IllegalStateException("the values cannot be read", e);
    }
    sorted.sort(Comparator.comparing(Map.Entry::getKey));
    double low = at(sorted, (n - 1) / 2);
    double high = at(sorted, n / 2);
    return low == high ? low : low + (high - low) / 2;
  }

  private static double at(List<Map.Entry<Double, Long>> sorted, long place) {
    long upTo = 0;
    for (Map.Entry<Double, Long> entry : sorted) {
      upTo += entry.getValue();
      if (place < upTo) {
        return entry.getKey();
      }
    }
    throw new IllegalStateException("no value at place " + place);
  }
}

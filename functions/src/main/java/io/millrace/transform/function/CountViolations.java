package io.millrace.transform.function;

import java.util.Arrays;
import javax.annotation.Nullable;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.functions.AggregateFunction;

/** How many rows violate each rule, from what {@link FindViolations} says of every row. */
public final class CountViolations extends AggregateFunction<Long[], CountViolations.Counts> {
  private static final long serialVersionUID = 1L;

  /** Rows by rule; as long as the highest rule violated needs. */
  public static final class Counts {
    public @DataTypeHint("ARRAY<BIGINT NOT NULL>") long[] rows = new long[0];
  }

  @Override
  public Counts createAccumulator() {
    return new Counts();
  }

  public void accumulate(Counts counts, @Nullable Integer[] violated) {
    if (violated == null) {
      return;
    }
    for (int rule : violated) {
      grow(counts, rule + 1);
      counts.rows[rule]++;
    }
  }

  public void merge(Counts counts, Iterable<Counts> others) {
    for (Counts other : others) {
      grow(counts, other.rows.length);
      for (int i = 0; i < other.rows.length; i++) {
        counts.rows[i] += other.rows[i];
      }
    }
  }

  private static void grow(Counts counts, int length) {
    if (counts.rows.length < length) {
      counts.rows = Arrays.copyOf(counts.rows, length);
    }
  }

  @Override
  public Long[] getValue(Counts counts) {
    return Arrays.stream(counts.rows).boxed().toArray(Long[]::new);
  }
}

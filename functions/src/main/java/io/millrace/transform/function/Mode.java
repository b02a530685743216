package io.millrace.transform.function;

import java.util.Map;
import java.util.Optional;
import javax.annotation.Nullable;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.dataview.MapView;
import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.functions.AggregateFunction;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.inference.InputTypeStrategies;
import org.apache.flink.table.types.inference.TypeInference;

/**
 * {@code MODE(x)}: the most frequent value, of several the smallest; null of none. It keeps each
 * distinct value once, on the heap in batch mode and in state otherwise. Nulls do not count.
 */
public final class Mode extends AggregateFunction<Object, Mode.Frequencies> {
  private static final long serialVersionUID = 1L;

  /** How often each value came; values are of the argument's type, which has an order. */
  public static final class Frequencies {
    public MapView<Object, Long> counts = new MapView<>();
  }

  @Override
  public Frequencies createAccumulator() {
    return new Frequencies();
  }

  public void accumulate(Frequencies frequencies, @Nullable Object value) throws Exception {
    add(frequencies, value, 1);
  }

  public void retract(Frequencies frequencies, @Nullable Object value) throws Exception {
    add(frequencies, value, -1);
  }

  public void merge(Frequencies frequencies, Iterable<Frequencies> others) throws Exception {
    for (Frequencies other : others) {
      for (Map.Entry<Object, Long> entry : other.counts.entries()) {
        add(frequencies, entry.getKey(), entry.getValue());
      }
    }
  }

  private static void add(Frequencies frequencies, @Nullable Object value, long change)
      throws Exception {
    if (value == null) {
      return;
    }
    Long before = frequencies.counts.get(value);
    long count = (before == null ? 0 : before) + change;
    if (count == 0) {
      frequencies.counts.remove(value);
    } else {
      frequencies.counts.put(value, count);
    }
  }

  @Override
  @Nullable
  public Object getValue(Frequencies frequencies) {
    Object mode = null;
    long most = 0;
    try {
      for (Map.Entry<Object, Long> entry : frequencies.counts.entries()) {
        long count = entry.getValue();
        if (count > most || (count == most && compare(entry.getKey(), mode) < 0)) {
          mode = entry.getKey();
          most = count;
        }
      }
    } catch (Exception e) {
      throw new IllegalStateException("the values cannot be read", e);
    }
    return mode;
  }

  @SuppressWarnings("unchecked")
  private static int compare(Object one, @Nullable Object other) {
    return ((Comparable<Object>) one).compareTo(other);
  }

  @Override
  public TypeInference getTypeInference(DataTypeFactory types) {
    return TypeInference.newBuilder()
        .inputTypeStrategy(
            InputTypeStrategies.comparable(
                org.apache.flink.table.types.inference.ConstantArgumentCount.of(1),
                org.apache.flink.table.types.logical.StructuredType.StructuredComparison.FULL))
        .accumulatorTypeStrategy(
            call -> Optional.of(accumulator(call.getArgumentDataTypes().get(0))))
        .outputTypeStrategy(call -> Optional.of(call.getArgumentDataTypes().get(0).nullable()))
        .build();
  }

  private static DataType accumulator(DataType value) {
    return DataTypes.STRUCTURED(
        Frequencies.class,
        DataTypes.FIELD(
            "counts", MapView.newMapViewDataType(value.notNull(), DataTypes.BIGINT().notNull())));
  }
}

package io.millrace.transform.function;

import java.io.IOException;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import javax.annotation.Nullable;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.functions.ProcessTableFunction;
import org.apache.flink.table.types.inference.StateTypeStrategy;
import org.apache.flink.table.types.inference.StaticArgument;
import org.apache.flink.table.types.inference.StaticArgumentTrait;
import org.apache.flink.table.types.inference.TypeInference;
import org.apache.flink.table.types.inference.TypeStrategies;
import org.apache.flink.types.ColumnList;
import org.apache.flink.types.Row;

/**
 * {@code detect_anomalies(input => TABLE t PARTITION BY k, time => DESCRIPTOR(ts), value =>
 * DESCRIPTOR(x))}: the rows with {@code expected}, {@code score} and {@code severity} of x. Rows of
 * a key are judged in the order in which they come; one whose time is before the last judged one's
 * is passed over, with nulls. Streaming only; its state is about 4 KB per key.
 */
public final class DetectAnomaliesByKey extends ProcessTableFunction<Row> {
  private static final long serialVersionUID = 1L;

  private transient SeriesSerializer serializer;
  private transient EpochMillis millis;

  public void eval(Row memory, Row input, ColumnList time, ColumnList value) throws IOException {
    if (serializer == null) {
      serializer = new SeriesSerializer();
      millis = new EpochMillis();
    }
    Long at = millis(input.getField(time.getNames().get(0)));
    Long last = memory.getFieldAs("last_time");
    Double number = number(input.getField(value.getNames().get(0)));
    if (at == null || number == null || (last != null && at < last)) {
      collect(Row.of(null, null, null));
      return;
    }
    byte[] bytes = memory.getFieldAs("bytes");
    Series series = bytes == null ? new Series() : serializer.fromBytes(bytes);
    series.observe(at, number, JudgeAnomaly.MIN_SAMPLES, JudgeAnomaly.PATIENCE);
    memory.setField("bytes", serializer.toBytes(series));
    memory.setField("last_time", at);
    collect(series.verdict());
  }

  @Override
  public TypeInference getTypeInference(DataTypeFactory types) {
    LinkedHashMap<String, StateTypeStrategy> state = new LinkedHashMap<>();
    state.put(
        "memory",
        StateTypeStrategy.of(
            TypeStrategies.explicit(
                DataTypes.ROW(
                    DataTypes.FIELD("bytes", DataTypes.BYTES()),
                    DataTypes.FIELD("last_time", DataTypes.BIGINT())))));
    return TypeInference.newBuilder()
        .staticArguments(
            StaticArgument.table(
                "input",
                Row.class,
                false,
                EnumSet.of(
                    StaticArgumentTrait.SET_SEMANTIC_TABLE,
                    StaticArgumentTrait.PASS_COLUMNS_THROUGH)),
            StaticArgument.scalar("time", DataTypes.DESCRIPTOR(), false),
            StaticArgument.scalar("value", DataTypes.DESCRIPTOR(), false))
        .stateTypeStrategies(state)
        .outputTypeStrategy(
            TypeStrategies.explicit(
                DataTypes.ROW(
                    DataTypes.FIELD("expected", DataTypes.DOUBLE()),
                    DataTypes.FIELD("score", DataTypes.DOUBLE()),
                    DataTypes.FIELD("severity", DataTypes.STRING()))))
        .build();
  }

  @Nullable
  private Long millis(@Nullable Object time) {
    if (time instanceof java.time.Instant instant) {
      return millis.eval(instant);
    }
    if (time instanceof java.time.LocalDateTime local) {
      return millis.eval(local);
    }
    if (time instanceof java.time.LocalDate day) {
      return millis.eval(day);
    }
    return time == null ? null : millis.eval(time.toString());
  }

  @Nullable
  private static Double number(@Nullable Object value) {
    if (value == null) {
      return null;
    }
    if (value instanceof Number number) {
      return number.doubleValue();
    }
    throw new IllegalArgumentException(
        "detect_anomalies judges '" + value + "', but must be given numbers");
  }
}

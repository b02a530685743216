package io.millrace.transform.keyed;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import javax.annotation.Nullable;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.streaming.util.OperatorSnapshotUtil;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.runtime.typeutils.RowDataSerializer;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.DoubleType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.VarCharType;

/** An operator over rows (key, x), by key. */
final class KeyedHarness implements AutoCloseable {
  static final RowType TYPE =
      RowType.of(
          false,
          new LogicalType[] {new VarCharType(VarCharType.MAX_LENGTH), new DoubleType()},
          new String[] {"key", "x"});
  static final RowType WHOLE =
      RowType.of(
          false,
          new LogicalType[] {new VarCharType(VarCharType.MAX_LENGTH), new BigIntType()},
          new String[] {"key", "x"});

  private static final RowDataSerializer SERIALIZER = new RowDataSerializer(TYPE.getTypeAt(0));
  private static final long START = Instant.parse("2026-03-01T10:00:00Z").toEpochMilli();

  final KeyedOneInputStreamOperatorTestHarness<RowData, RowData, RowData> harness;

  private final RowData.FieldGetter x;

  private KeyedHarness(
      KeyedOneInputStreamOperatorTestHarness<RowData, RowData, RowData> harness, RowType output) {
    this.harness = harness;
    this.x = RowData.createFieldGetter(output.getTypeAt(1), 1);
  }

  static KeyedHarness of(KeyedProcessFunction<RowData, RowData, RowData> operator, RowType output)
      throws Exception {
    return of(operator, output, null);
  }

  /** Goes on from a snapshot in src/test/resources/state. */
  static KeyedHarness restored(
      KeyedProcessFunction<RowData, RowData, RowData> operator, RowType output, String fixture)
      throws Exception {
    return of(operator, output, OperatorSnapshotUtil.readStateHandle(path(fixture)));
  }

  static KeyedHarness of(
      KeyedProcessFunction<RowData, RowData, RowData> operator,
      RowType output,
      @Nullable OperatorSubtaskState state)
      throws Exception {
    KeyedOneInputStreamOperatorTestHarness<RowData, RowData, RowData> harness =
        new KeyedOneInputStreamOperatorTestHarness<>(
            new KeyedProcessOperator<>(operator),
            KeyedHarness::key,
            InternalTypeInfo.ofFields(TYPE.getTypeAt(0)));
    harness.setup(InternalTypeInfo.of(output).toRowSerializer());
    if (state != null) {
      harness.initializeState(state);
    }
    harness.open();
    return new KeyedHarness(harness, output);
  }

  private static RowData key(RowData row) {
    return SERIALIZER.toBinaryRow(GenericRowData.of(row.getString(0))).copy();
  }

  static String path(String fixture) {
    return "src/test/resources/state/" + fixture + ".snapshot";
  }

  static long at(int minute) {
    return START + 60_000L * minute;
  }

  void row(int minute, String key, @Nullable Object x) throws Exception {
    harness.processElement(GenericRowData.of(StringData.fromString(key), x), at(minute));
  }

  void watermark(int minute) throws Exception {
    harness.processWatermark(at(minute));
  }

  void snapshot(String fixture) throws Exception {
    OperatorSnapshotUtil.writeStateHandle(harness.snapshot(1, 0), path(fixture));
  }

  /** {@code key x} of each row that left since it was last asked. */
  List<String> output() {
    List<String> rows = new ArrayList<>();
    for (RowData row : harness.extractOutputValues()) {
      rows.add(row.getString(0) + " " + x.getFieldOrNull(row));
    }
    harness.getOutput().clear();
    return rows;
  }

  /** That nothing is kept, when the watermark has passed everything. */
  void assertEmptyAfterAll() throws Exception {
    harness.processWatermark(Long.MAX_VALUE);
    if (harness.numKeyedStateEntries() != 0 || harness.numEventTimeTimers() != 0) {
      throw new AssertionError(
          harness.numKeyedStateEntries()
              + " entries and "
              + harness.numEventTimeTimers()
              + " timers are left");
    }
  }

  @Override
  public void close() throws Exception {
    harness.close();
  }
}

package io.millrace.codec.arrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.telemetry.Metrics;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.streaming.api.operators.ProcessOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.util.Collector;
import org.apache.flink.util.SimpleUserCodeClassLoader;
import org.apache.flink.util.UserCodeClassLoader;
import org.junit.jupiter.api.Test;

/** Records in, rows out, and what becomes of records that cannot be read. */
class ArrowOperatorsTest {
  private static final RowType TYPE =
      Fixtures.rowType(
          DataTypes.ROW(
              DataTypes.FIELD("n", DataTypes.BIGINT()), DataTypes.FIELD("s", DataTypes.STRING())));

  private static RowData row(long n) {
    return GenericRowData.of(n, StringData.fromString("row " + n));
  }

  private static byte[] record(long from, long to) {
    ArrowEncoder encoder = new ArrowEncoder(TYPE, ArrowCompression.ZSTD);
    for (long n = from; n < to; n++) {
      encoder.add(row(n));
    }
    return encoder.toStream();
  }

  private static byte[] cut(byte[] record) {
    return Arrays.copyOf(record, record.length - 20);
  }

  /** Keeps the counters that are asked for. */
  private static final class Counters extends UnregisteredMetricsGroup {
    private final Map<String, Counter> counters = new HashMap<>();
    private final String path;
    private final Map<String, Counter> all;

    Counters() {
      this.path = "";
      this.all = counters;
    }

    private Counters(String path, Map<String, Counter> all) {
      this.path = path;
      this.all = all;
    }

    @Override
    public MetricGroup addGroup(String name) {
      return new Counters(path + name + ".", all);
    }

    @Override
    public MetricGroup addGroup(String key, String value) {
      return new Counters(path + key + "=" + value + ".", all);
    }

    @Override
    public Counter counter(String name) {
      Counter counter = super.counter(name);
      all.put(path + name, counter);
      return counter;
    }
  }

  private static final class Rows implements Collector<RowData> {
    private final List<RowData> rows = new ArrayList<>();

    @Override
    public void collect(RowData row) {
      rows.add(row);
    }

    @Override
    public void close() {
      // Nothing is held.
    }
  }

  private static ArrowRowDeserializer deserializer(
      ArrowRowDeserializer.OnError onError, Counters metrics) {
    ArrowRowDeserializer deserializer =
        new ArrowRowDeserializer(TYPE, ArrowLimits.OF_RECORDS, onError, InternalTypeInfo.of(TYPE));
    deserializer.open(
        new DeserializationSchema.InitializationContext() {
          @Override
          public MetricGroup getMetricGroup() {
            return metrics;
          }

          @Override
          public UserCodeClassLoader getUserCodeClassLoader() {
            return SimpleUserCodeClassLoader.create(ArrowOperatorsTest.class.getClassLoader());
          }
        });
    return deserializer;
  }

  @Test
  void aBadRecordFailsTheJobUnlessItIsToBeSkipped() throws IOException {
    Rows rows = new Rows();
    ArrowRowDeserializer failing = deserializer(ArrowRowDeserializer.OnError.FAIL, new Counters());
    failing.deserialize(record(0, 3), rows);
    assertThat(rows.rows).hasSize(3);
    assertThatThrownBy(() -> failing.deserialize(cut(record(3, 5)), rows))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("malformed_arrow: truncated: ");
    assertThat(rows.rows).hasSize(3);
  }

  @Test
  void skippedRecordsAreCountedByReason() throws IOException {
    Counters metrics = new Counters();
    ArrowRowDeserializer skipping = deserializer(ArrowRowDeserializer.OnError.SKIP, metrics);
    Rows rows = new Rows();
    for (byte[] record :
        Arrays.asList(record(0, 3), cut(record(3, 6)), null, cut(record(6, 9)), record(9, 11))) {
      skipping.deserialize(record, rows);
    }
    assertThat(rows.rows.stream().map(r -> r.getLong(0))).containsExactly(0L, 1L, 2L, 9L, 10L);
    assertThat(
            metrics.counters.entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, e -> e.getValue().getCount())))
        .isEqualTo(
            Map.of(
                Metrics.GROUP + ".reason=malformed_arrow.rejected", 2L,
                Metrics.GROUP + ".reason=null_value.rejected", 1L));
  }

  @Test
  void deadLettersHoldTheWholeRecordAndOneReason() throws Exception {
    byte[] bad = cut(record(3, 6));
    try (OneInputStreamOperatorTestHarness<byte[], RowData> harness =
        new OneInputStreamOperatorTestHarness<>(
            new ProcessOperator<>(new DecodeArrow(TYPE, ArrowLimits.OF_RECORDS)))) {
      harness.open();
      harness.processElement(record(0, 3), 1);
      harness.processElement(bad, 2);
      harness.processElement(record(9, 11), 3);
      assertThat(harness.extractOutputValues().stream().map(r -> r.getLong(0)))
          .containsExactly(0L, 1L, 2L, 9L, 10L);
      assertThat(harness.getSideOutput(DecodeArrow.DEAD_LETTERS))
          .singleElement()
          .satisfies(
              letter -> {
                assertThat(letter.getValue().reason()).isEqualTo("malformed_arrow");
                assertThat(letter.getValue().detail()).startsWith("truncated: ");
                assertThat(letter.getValue().value()).isEqualTo(bad);
              });
    }
  }

  @Test
  void rowsAreGatheredUntilARecordIsFullOrABarrierComes() throws Exception {
    try (OneInputStreamOperatorTestHarness<RowData, byte[]> harness =
        new OneInputStreamOperatorTestHarness<>(
            new EncodeArrow(TYPE, ArrowCompression.NONE, 4, 1 << 20))) {
      harness.open();
      for (long n = 0; n < 10; n++) {
        harness.processElement(new StreamRecord<>(row(n)));
      }
      assertThat(rowsOf(harness.extractOutputValues())).containsExactly(4, 4);
      harness.prepareSnapshotPreBarrier(1);
      assertThat(rowsOf(harness.extractOutputValues())).containsExactly(4, 4, 2);
      harness.processElement(new StreamRecord<>(row(10)));
      harness.processWatermark(5);
      harness.processElement(new StreamRecord<>(row(11)));
      harness.endInput();
      harness.prepareSnapshotPreBarrier(2);
      List<byte[]> records = harness.extractOutputValues();
      assertThat(rowsOf(records)).containsExactly(4, 4, 2, 1, 1);
      assertThat(
              records.stream().flatMap(r -> Fixtures.decode(r, TYPE).stream()).map(r -> r.get(0)))
          .containsExactly("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11");
    }
  }

  @Test
  void aRecordIsFullByItsBytesToo() throws Exception {
    try (OneInputStreamOperatorTestHarness<RowData, byte[]> harness =
        new OneInputStreamOperatorTestHarness<>(
            new EncodeArrow(TYPE, ArrowCompression.NONE, 1000, 2000))) {
      harness.open();
      harness.processElement(
          new StreamRecord<>(GenericRowData.of(1L, StringData.fromString("x".repeat(2000)))));
      harness.processElement(new StreamRecord<>(row(2)));
      assertThat(rowsOf(harness.extractOutputValues())).containsExactly(1);
    }
  }

  private static List<Integer> rowsOf(List<byte[]> records) {
    return records.stream().map(r -> Fixtures.decode(r, TYPE).size()).toList();
  }
}

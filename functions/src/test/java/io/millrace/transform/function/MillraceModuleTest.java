package io.millrace.transform.function;

import static java.util.Arrays.asList;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.datasketches.hll.HllSketch;
import org.apache.datasketches.hll.TgtHllType;
import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExecutionOptions;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.Schema;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.types.DataType;
import org.apache.flink.types.Row;
import org.apache.flink.types.RowKind;
import org.apache.flink.util.CloseableIterator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MillraceModuleTest {
  private static StreamTableEnvironment tables(RuntimeExecutionMode mode) {
    return tables(environment(mode));
  }

  private static StreamExecutionEnvironment environment(RuntimeExecutionMode mode) {
    Configuration configuration = new Configuration();
    configuration.set(ExecutionOptions.RUNTIME_MODE, mode);
    StreamExecutionEnvironment env =
        StreamExecutionEnvironment.getExecutionEnvironment(configuration);
    env.setParallelism(2);
    return env;
  }

  private static StreamTableEnvironment tables(StreamExecutionEnvironment env) {
    StreamTableEnvironment tables = StreamTableEnvironment.create(env);
    tables.getConfig().set("table.local-time-zone", "UTC");
    tables.executeSql("LOAD MODULE millrace");
    return tables;
  }

  /** The last value of each row; the first column of what is updated is its key. */
  private static List<List<Object>> query(StreamTableEnvironment tables, String sql) {
    Map<String, List<Object>> last = new TreeMap<>();
    try (CloseableIterator<Row> rows = tables.executeSql(sql).collect()) {
      rows.forEachRemaining(
          row -> {
            List<Object> values =
                IntStream.range(0, row.getArity()).mapToObj(row::getField).toList();
            String key = String.valueOf(values.get(0));
            if (row.getKind() == RowKind.INSERT || row.getKind() == RowKind.UPDATE_AFTER) {
              last.put(key, values);
            } else {
              last.remove(key, values);
            }
          });
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    return List.copyOf(last.values());
  }

  private static void view(
      StreamTableEnvironment tables, String name, List<DataTypes.Field> fields, List<Row> rows) {
    DataType type = DataTypes.ROW(fields);
    tables.createTemporaryView(name, tables.fromValues(type, rows));
  }

  @Test
  void listsItsFunctions() {
    assertThat(tables(RuntimeExecutionMode.BATCH).listFunctions())
        .contains("mode", "median", "kll_quantile", "hll_merge", "forward_fill");
    MillraceModule module = new MillraceModule();
    assertThat(module.listFunctions())
        .allSatisfy(name -> assertThat(module.getFunctionDefinition(name)).isPresent());
    assertThat(module.getFunctionDefinition("MODE")).isPresent();
    assertThat(module.getFunctionDefinition("no_such")).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(names = {"BATCH", "STREAMING"})
  void modeIsTheMostFrequentAndOfSeveralTheSmallest(RuntimeExecutionMode mode) {
    StreamTableEnvironment tables = tables(mode);
    String sql =
        "SELECT g, MODE(n), MODE(s), MODE(d), MODE(t) FROM (VALUES"
            + " ('a', 3, 'x', 1.50, DATE '2026-01-02'), ('a', 1, 'y', 2.50, DATE '2026-01-01'),"
            + " ('a', 3, 'y', 2.50, DATE '2026-01-01'), ('a', 1, 'x', 0.50, DATE '2026-01-02'),"
            + " ('b', CAST(NULL AS INT), CAST(NULL AS STRING), CAST(NULL AS DECIMAL(3, 2)),"
            + " CAST(NULL AS DATE))) AS v (g, n, s, d, t) GROUP BY g";
    assertThat(query(tables, sql))
        .containsExactly(
            asList("a", 1, "x", new BigDecimal("2.50"), java.time.LocalDate.of(2026, 1, 1)),
            asList("b", null, null, null, null));
  }

  @ParameterizedTest
  @EnumSource(names = {"BATCH", "STREAMING"})
  void medianIsTheMidpointOfTheMiddleTwo(RuntimeExecutionMode mode) {
    StreamTableEnvironment tables = tables(mode);
    String sql =
        "SELECT g, MEDIAN(n), ROUND(STDDEV_WELFORD(n), 10), KLL_QUANTILE(n, 0.5e0) FROM (VALUES"
            + " ('even', 1e0), ('even', 4e0), ('even', 2e0), ('even', 100e0), ('odd', 5e0),"
            + " ('odd', 5e0), ('odd', 7e0), ('one', 3e0), ('none', CAST(NULL AS DOUBLE)),"
            + " ('far', 1000000001e0), ('far', 1000000002e0), ('far', 1000000003e0))"
            + " AS v (g, n) GROUP BY g";
    assertThat(query(tables, sql))
        .containsExactly(
            asList("even", 3.0, 48.8492579268, 2.0),
            asList("far", 1000000002.0, 1.0, 1000000002.0),
            asList("none", null, null, null),
            asList("odd", 5.0, 1.1547005384, 5.0),
            asList("one", 3.0, null, 3.0));
  }

  /** A changelog takes values back: what a group has lost counts no more. */
  @Test
  void medianAndModeTakeValuesBack() {
    StreamTableEnvironment tables = tables(RuntimeExecutionMode.STREAMING);
    String sql =
        "SELECT 'all', MEDIAN(CAST(total AS DOUBLE)), MODE(total) FROM (SELECT g, SUM(n) AS total"
            + " FROM (VALUES ('a', 1), ('b', 10), ('a', 2), ('b', 20), ('c', 30)) AS v (g, n)"
            + " GROUP BY g)";
    assertThat(query(tables, sql)).containsExactly(List.of("all", 30.0, 30));
  }

  @ParameterizedTest
  @EnumSource(names = {"BATCH", "STREAMING"})
  void sketchesOfUsersAreThoseOfTheRollups(RuntimeExecutionMode mode) {
    StreamTableEnvironment tables = tables(mode);
    List<Row> rows = new ArrayList<>();
    for (int part = 0; part < 4; part++) {
      HllSketch sketch = new HllSketch(12, TgtHllType.HLL_8);
      for (int user = part * 500; user < part * 500 + 1000; user++) {
        sketch.update(("user-" + user).getBytes(java.nio.charset.StandardCharsets.UTF_8));
      }
      rows.add(Row.of("hour-" + part, sketch.toCompactByteArray()));
    }
    rows.add(Row.of("empty", null));
    view(
        tables,
        "hours",
        List.of(
            DataTypes.FIELD("h", DataTypes.STRING()),
            DataTypes.FIELD("active_users_hll", DataTypes.BYTES())),
        rows);
    List<Object> all =
        query(tables, "SELECT 1, HLL_COUNT(HLL_MERGE(active_users_hll)) FROM hours").get(0);
    assertThat((long) all.get(1)).isCloseTo(2500L, within(120L));
    assertThat(query(tables, "SELECT h, HLL_COUNT(active_users_hll) FROM hours WHERE h = 'empty'"))
        .containsExactly(List.of("empty", 0L));
    assertThat(
            query(
                tables,
                "SELECT 'x', HLL_COUNT(HLL_SKETCH(u)) FROM (VALUES 'a', 'b', 'a', 'c') AS v (u)"))
        .containsExactly(List.of("x", 3L));
  }

  @Test
  void quantilesStayWithinTheirError() {
    StreamTableEnvironment tables = tables(RuntimeExecutionMode.BATCH);
    tables.executeSql(
        "CREATE TEMPORARY VIEW digits AS SELECT d FROM"
            + " (VALUES 0e0, 1e0, 2e0, 3e0, 4e0, 5e0, 6e0, 7e0, 8e0, 9e0) AS v (d)");
    tables.executeSql(
        "CREATE TEMPORARY VIEW numbers AS SELECT"
            + " (a.d + b.d / 10 + c.d / 100 + e.d / 1000) / 10 AS x"
            + " FROM digits AS a, digits AS b, digits AS c, digits AS e");
    List<Object> row =
        query(tables, "SELECT KLL_QUANTILE(x, 0.1e0), KLL_QUANTILE(x, 0.99e0) FROM numbers").get(0);
    assertThat((double) row.get(0)).isCloseTo(0.1, within(0.0266));
    assertThat((double) row.get(1)).isCloseTo(0.99, within(0.0266));
    assertThatThrownBy(
            () -> query(tables, "SELECT KLL_QUANTILE(x, 1.5e0) FROM (VALUES 1e0) AS v (x)"))
        .hasStackTraceContaining("the quantile is 1.5, but must be from 0 to 1");
  }

  @Test
  void scalars() {
    StreamTableEnvironment tables = tables(RuntimeExecutionMode.BATCH);
    String sql =
        "SELECT Z_SCORE(7, 5, 2e0), Z_SCORE(7, 5, 0), TO_NUMBER(' 1e2 '),"
            + " EPOCH_MILLIS('2026-03-01 00:00:01'), EPOCH_MILLIS('2026-03-01T01:00:01+01:00'),"
            + " EPOCH_MILLIS(1772323201), EPOCH_MILLIS(TIMESTAMP '2026-03-01 00:00:01'),"
            + " EPOCH_MILLIS(DATE '2026-03-01'), EPOCH_MILLIS('never'),"
            + " EPOCH_MILLIS(TO_TIMESTAMP_LTZ(1772323201000, 3))";
    long at = Instant.parse("2026-03-01T00:00:01Z").toEpochMilli();
    assertThat(query(tables, sql))
        .containsExactly(asList(1.0, null, 100.0, at, at, at, at, at - 1000, null, at));
  }

  @Test
  void forwardFillRemembersTheLastValueOfEachKey() {
    StreamExecutionEnvironment env = environment(RuntimeExecutionMode.STREAMING);
    StreamTableEnvironment tables = tables(env);
    // One source, for the order of arrival; what planned values become is a union of sources.
    DataStream<Row> arriving =
        env.fromData(
            Types.ROW_NAMED(new String[] {"k", "i", "x"}, Types.STRING, Types.INT, Types.BIG_DEC),
            Row.of("a", 0, null),
            Row.of("a", 1, new BigDecimal("1.5")),
            Row.of("b", 2, null),
            Row.of("a", 3, null),
            Row.of("b", 4, new BigDecimal("7.0")),
            Row.of("a", 5, null),
            Row.of("b", 6, null));
    tables.createTemporaryView(
        "readings",
        tables.fromDataStream(
            arriving,
            Schema.newBuilder()
                .column("k", DataTypes.STRING())
                .column("i", DataTypes.INT())
                .column("x", DataTypes.DECIMAL(4, 1))
                .build()));
    List<List<Object>> rows =
        query(
            tables,
            "SELECT i, k, x, filled FROM forward_fill(input => TABLE readings PARTITION BY k,"
                + " `column` => DESCRIPTOR(x))");
    assertThat(rows.stream().map(row -> asList(row.get(0), row.get(1), row.get(3))).toList())
        .containsExactly(
            asList(0, "a", null),
            asList(1, "a", new BigDecimal("1.5")),
            asList(2, "b", null),
            asList(3, "a", new BigDecimal("1.5")),
            asList(4, "b", new BigDecimal("7.0")),
            asList(5, "a", new BigDecimal("1.5")),
            asList(6, "b", new BigDecimal("7.0")));
    assertThatThrownBy(
            () ->
                query(
                    tables,
                    "SELECT * FROM forward_fill(input => TABLE readings PARTITION BY k,"
                        + " `column` => DESCRIPTOR(y))"))
        .hasStackTraceContaining("forward_fill names 'y', which the table has not");
  }

  @Test
  void detectAnomaliesJudgesEachKeyInTheOrderOfArrival() {
    StreamExecutionEnvironment env = environment(RuntimeExecutionMode.STREAMING);
    StreamTableEnvironment tables = tables(env);
    List<Row> rows = new ArrayList<>();
    Instant start = Instant.parse("2026-03-01T00:00:00Z");
    for (int i = 0; i < 60; i++) {
      rows.add(Row.of("a", start.plusSeconds(60L * i), i == 50 ? 500L : 100L + i % 4));
    }
    rows.add(Row.of("a", start, 1L));
    rows.add(Row.of("b", start, 1L));
    // One source, for the order of arrival; what planned values become is a union of sources.
    DataStream<Row> arriving =
        env.fromData(
            Types.ROW_NAMED(new String[] {"k", "ts", "x"}, Types.STRING, Types.INSTANT, Types.LONG),
            rows.toArray(new Row[0]));
    tables.createTemporaryView(
        "load",
        tables.fromDataStream(
            arriving,
            Schema.newBuilder()
                .column("k", DataTypes.STRING())
                .column("ts", DataTypes.TIMESTAMP_LTZ(3))
                .column("x", DataTypes.BIGINT())
                .build()));
    List<List<Object>> judged =
        query(
            tables,
            "SELECT CAST(x AS STRING) || ' ' || CAST(ts AS STRING), k, expected, score, severity"
                + " FROM detect_anomalies(input => TABLE load PARTITION BY k,"
                + " `time` => DESCRIPTOR(ts), `value` => DESCRIPTOR(x))");
    assertThat(judged).hasSize(62 - 1);
    assertThat(judged.stream().filter(row -> "critical".equals(row.get(4))).toList())
        .singleElement()
        .satisfies(row -> assertThat(row.get(0)).isEqualTo("500 2026-03-01 00:50:00.000"));
  }

  @Test
  void seriesIsRestoredFromItsBytes() throws Exception {
    SeriesSerializer serializer = new SeriesSerializer();
    Series one = new Series();
    Series other = new Series();
    for (int i = 0; i < 100; i++) {
      double value = i == 70 ? 900 : 10 + i % 5;
      one.observe(60_000L * i, value, 10, 48);
      other.observe(60_000L * i, value, 10, 48);
      other = serializer.fromBytes(serializer.toBytes(other));
      assertThat(other.verdict()).isEqualTo(one.verdict());
    }
  }
}

package io.millrace.transform.connector;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.transform.LocalTables;
import io.millrace.transform.Rows;
import java.io.InputStream;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.arrow.compression.CommonsCompressionFactory;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.ipc.ArrowStreamReader;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.types.DataType;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What load_data writes as arrow, read by the Arrow project's own library. */
class LoadArrowTest {
  private static final int ROWS = 10_000;

  @RegisterExtension
  static final MiniClusterExtension CLUSTER = new MiniClusterExtension(LocalTables.cluster());

  @TempDir Path root;
  private LocalTables local;

  @BeforeEach
  void tables() {
    local = new LocalTables(root);
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "zstd", "lz4"})
  void keepsTheOrderInBatches(String compression) throws Exception {
    Object[][] values =
        IntStream.range(0, ROWS)
            .mapToObj(i -> new Object[] {i * 7919L % ROWS, i % 3 == 0 ? null : "t" + i})
            .toArray(Object[][]::new);
    Path file =
        load(
            Map.of("format", "arrow", "compression", compression),
            local.rows(List.of("n", "t"), List.of(DataTypes.BIGINT(), DataTypes.STRING()), values));

    assertThat(root.toRealPath().relativize(file)).hasToString("test/processed/step.arrow");
    List<List<Object>> expected = new ArrayList<>();
    for (Object[] value : values) {
      expected.add(Arrays.asList(value));
    }
    assertThat(read(file)).isEqualTo(expected);
  }

  @Test
  void holdsEveryKindOfValue() throws Exception {
    List<DataType> types =
        List.of(
            DataTypes.BOOLEAN(),
            DataTypes.INT(),
            DataTypes.DOUBLE(),
            DataTypes.DECIMAL(10, 2),
            DataTypes.DATE(),
            DataTypes.TIMESTAMP(3),
            DataTypes.ARRAY(DataTypes.INT()));
    Path file =
        load(
            Map.of("format", "ARROW"),
            local.rows(
                List.of("b", "i", "d", "dec", "day", "at", "CO(GT)"),
                types,
                new Object[] {
                  true,
                  -1,
                  0.1,
                  new BigDecimal("12.50"),
                  LocalDate.of(2024, 2, 29),
                  LocalDateTime.of(2024, 2, 11, 10, 0),
                  new Integer[] {1, null}
                },
                new Object[7]));

    assertThat(read(file))
        .containsExactly(
            List.of(
                true,
                -1,
                0.1,
                new BigDecimal("12.50"),
                (int) LocalDate.of(2024, 2, 29).toEpochDay(),
                LocalDateTime.of(2024, 2, 11, 10, 0),
                Arrays.asList(1, null)),
            Arrays.asList(new Object[7]));
  }

  @Test
  void noRowsAreASchema() throws Exception {
    Rows rows = local.rows(List.of("a"), List.of(DataTypes.STRING()), new Object[] {"x"});

    assertThat(read(load(Map.of("format", "arrow"), rows.with(rows.table().limit(0))))).isEmpty();
  }

  @Test
  void refusesACompressionThatArrowHasNot() {
    Rows rows = local.rows(List.of("a"), List.of(DataTypes.INT()), new Object[] {1});

    assertThat(
            local.lower(new LoadData(), Map.of("format", "arrow", "compression", "snappy"), rows))
        .isNull();
    assertThat(local.problems)
        .singleElement()
        .hasToString("step 'step': compression is 'snappy', but arrow can have none, zstd, lz4");
  }

  private static List<List<Object>> read(Path file) throws Exception {
    List<List<Object>> rows = new ArrayList<>();
    try (InputStream bytes = Files.newInputStream(file);
        RootAllocator allocator = new RootAllocator();
        ArrowStreamReader reader =
            new ArrowStreamReader(bytes, allocator, CommonsCompressionFactory.INSTANCE)) {
      while (reader.loadNextBatch()) {
        List<FieldVector> vectors = reader.getVectorSchemaRoot().getFieldVectors();
        for (int i = 0; i < reader.getVectorSchemaRoot().getRowCount(); i++) {
          List<Object> row = new ArrayList<>();
          for (FieldVector vector : vectors) {
            Object value = vector.getObject(i);
            row.add(
                value instanceof org.apache.arrow.vector.util.Text text ? text.toString() : value);
          }
          rows.add(row);
        }
      }
    }
    return rows;
  }

  private Path load(Map<String, ?> arguments, Rows rows) throws Exception {
    return LoadRun.of(local, arguments, rows);
  }
}

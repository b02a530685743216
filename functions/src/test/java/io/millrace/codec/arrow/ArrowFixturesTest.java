package io.millrace.codec.arrow;

import static io.millrace.codec.arrow.Fixtures.ALL_TYPES;
import static io.millrace.codec.arrow.Fixtures.DICTIONARIES;
import static io.millrace.codec.arrow.Fixtures.EVENTS;
import static io.millrace.codec.arrow.Fixtures.WORD;
import static io.millrace.codec.arrow.Fixtures.decode;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.types.logical.RowType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the C++ implementation of Arrow has written reads as the values that it says. */
class ArrowFixturesTest {

  private static void assertReads(String arrow, String json, RowType type) throws IOException {
    List<Object> expected = Fixtures.rows(json);
    List<List<Object>> rows = decode(Fixtures.bytes(arrow), type);
    assertThat(rows).hasSameSizeAs(expected);
    for (int r = 0; r < rows.size(); r++) {
      for (int c = 0; c < type.getFieldCount(); c++) {
        assertThat(rows.get(r).get(c))
            .as("row %d, column %s", r, type.getFieldNames().get(c))
            .isEqualTo(((List<?>) expected.get(r)).get(c));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"all_types", "all_types_lz4", "all_types_zstd", "all_types_legacy"})
  void everyType(String file) throws IOException {
    assertReads(file + ".arrows", "all_types.json", ALL_TYPES);
  }

  @ParameterizedTest
  @ValueSource(strings = {"all_types_batches", "all_types_slice"})
  void batchesAndSlices(String file) throws IOException {
    assertReads(file + ".arrows", file + ".json", ALL_TYPES);
  }

  @ParameterizedTest
  @ValueSource(strings = {"dictionaries", "dictionaries_zstd"})
  void dictionaries(String file) throws IOException {
    assertReads(file + ".arrows", "dictionaries.json", DICTIONARIES);
  }

  @ParameterizedTest
  @ValueSource(strings = {"dictionary_replaced", "dictionary_grows"})
  void dictionariesThatChangeBetweenBatches(String file) throws IOException {
    assertReads(file + ".arrows", file + ".json", WORD);
  }

  @ParameterizedTest
  @ValueSource(strings = {"events_lz4", "events_zstd"})
  void compressedBatches(String file) throws IOException {
    assertReads(file + ".arrows", "events_lz4.json", EVENTS);
  }

  @Test
  void noRowsAndNoColumns() throws IOException {
    assertReads("no_rows.arrows", "no_rows.json", ALL_TYPES);
    assertReads("no_columns.arrows", "no_columns.json", WORD);
  }

  @Test
  void integersAndFloatsReadAsWiderTypes() throws IOException {
    RowType wider =
        Fixtures.rowType(
            DataTypes.ROW(
                DataTypes.FIELD("int8", DataTypes.BIGINT()),
                DataTypes.FIELD("int16", DataTypes.INT()),
                DataTypes.FIELD("int32", DataTypes.BIGINT()),
                DataTypes.FIELD("uint8", DataTypes.BIGINT()),
                DataTypes.FIELD("uint16", DataTypes.BIGINT()),
                DataTypes.FIELD("half", DataTypes.DOUBLE()),
                DataTypes.FIELD("float", DataTypes.DOUBLE()),
                DataTypes.FIELD("decimal9", DataTypes.DECIMAL(30, 2)),
                DataTypes.FIELD("ts_s", DataTypes.TIMESTAMP(9)),
                DataTypes.FIELD("fixed", DataTypes.BYTES())));
    List<List<Object>> rows = decode(Fixtures.bytes("all_types.arrows"), wider);
    List<Object> all = Fixtures.rows("all_types.json");
    for (int r = 0; r < rows.size(); r++) {
      for (int c = 0; c < wider.getFieldCount(); c++) {
        int same = ALL_TYPES.getFieldIndex(wider.getFieldNames().get(c));
        assertThat(rows.get(r).get(c)).isEqualTo(((List<?>) all.get(r)).get(same));
      }
    }
  }

  @Test
  void columnsAreFoundByNameAndOthersAreNull() throws IOException {
    RowType type =
        Fixtures.rowType(
            DataTypes.ROW(
                DataTypes.FIELD("absent", DataTypes.DATE()),
                DataTypes.FIELD("text", DataTypes.STRING()),
                DataTypes.FIELD(
                    "struct",
                    DataTypes.ROW(
                        DataTypes.FIELD("gone", DataTypes.BIGINT()),
                        DataTypes.FIELD(
                            "b", DataTypes.ROW(DataTypes.FIELD("c", DataTypes.STRING()))))),
                DataTypes.FIELD("int8", DataTypes.TINYINT())));
    List<List<Object>> rows = decode(Fixtures.bytes("all_types_zstd.arrows"), type);
    assertThat(rows.get(0))
        .containsExactly(
            null, "héllo, wörld \uD83D\uDE00", Arrays.asList(null, List.of("deep")), "-128");
    assertThat(rows.get(1)).containsExactly(null, null, null, null);
    assertThat(rows.get(2)).containsExactly(null, "", Arrays.asList(null, null), "127");
  }
}

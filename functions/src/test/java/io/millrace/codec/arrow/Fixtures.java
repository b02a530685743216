package io.millrace.codec.arrow;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;

/** Arrow data that another implementation has written; {@code make_fixtures.py} tells how. */
final class Fixtures {
  static final RowType ALL_TYPES =
      rowType(
          DataTypes.ROW(
              DataTypes.FIELD("bool", DataTypes.BOOLEAN()),
              DataTypes.FIELD("int8", DataTypes.TINYINT()),
              DataTypes.FIELD("int16", DataTypes.SMALLINT()),
              DataTypes.FIELD("int32", DataTypes.INT()),
              DataTypes.FIELD("int64", DataTypes.BIGINT()),
              DataTypes.FIELD("uint8", DataTypes.SMALLINT()),
              DataTypes.FIELD("uint16", DataTypes.INT()),
              DataTypes.FIELD("uint32", DataTypes.BIGINT()),
              DataTypes.FIELD("uint64", DataTypes.DECIMAL(20, 0)),
              DataTypes.FIELD("half", DataTypes.FLOAT()),
              DataTypes.FIELD("float", DataTypes.FLOAT()),
              DataTypes.FIELD("double", DataTypes.DOUBLE()),
              DataTypes.FIELD("decimal9", DataTypes.DECIMAL(9, 2)),
              DataTypes.FIELD("decimal38", DataTypes.DECIMAL(38, 10)),
              DataTypes.FIELD("decimal32", DataTypes.DECIMAL(7, 3)),
              DataTypes.FIELD("decimal64", DataTypes.DECIMAL(20, 4)),
              DataTypes.FIELD("decimal256", DataTypes.DECIMAL(30, 5)),
              DataTypes.FIELD("text", DataTypes.STRING()),
              DataTypes.FIELD("large_text", DataTypes.STRING()),
              DataTypes.FIELD("binary", DataTypes.BYTES()),
              DataTypes.FIELD("large_binary", DataTypes.BYTES()),
              DataTypes.FIELD("fixed", DataTypes.BINARY(4)),
              DataTypes.FIELD("date32", DataTypes.DATE()),
              DataTypes.FIELD("date64", DataTypes.DATE()),
              DataTypes.FIELD("time_s", DataTypes.TIME(0)),
              DataTypes.FIELD("time_ms", DataTypes.TIME(3)),
              DataTypes.FIELD("time_us", DataTypes.TIME(3)),
              DataTypes.FIELD("time_ns", DataTypes.TIME(3)),
              DataTypes.FIELD("ts_s", DataTypes.TIMESTAMP(0)),
              DataTypes.FIELD("ts_ms", DataTypes.TIMESTAMP(3)),
              DataTypes.FIELD("ts_us", DataTypes.TIMESTAMP(6)),
              DataTypes.FIELD("ts_ns", DataTypes.TIMESTAMP(9)),
              DataTypes.FIELD("tz_s", DataTypes.TIMESTAMP_LTZ(0)),
              DataTypes.FIELD("tz_ms", DataTypes.TIMESTAMP_LTZ(3)),
              DataTypes.FIELD("tz_us", DataTypes.TIMESTAMP_LTZ(6)),
              DataTypes.FIELD("tz_ns", DataTypes.TIMESTAMP_LTZ(9)),
              DataTypes.FIELD("list", DataTypes.ARRAY(DataTypes.INT())),
              DataTypes.FIELD("large_list", DataTypes.ARRAY(DataTypes.STRING())),
              DataTypes.FIELD("fixed_list", DataTypes.ARRAY(DataTypes.SMALLINT())),
              DataTypes.FIELD("list_of_list", DataTypes.ARRAY(DataTypes.ARRAY(DataTypes.BIGINT()))),
              DataTypes.FIELD(
                  "struct",
                  DataTypes.ROW(
                      DataTypes.FIELD("a", DataTypes.INT()),
                      DataTypes.FIELD(
                          "b", DataTypes.ROW(DataTypes.FIELD("c", DataTypes.STRING()))))),
              DataTypes.FIELD(
                  "list_of_struct",
                  DataTypes.ARRAY(
                      DataTypes.ROW(
                          DataTypes.FIELD("x", DataTypes.DOUBLE()),
                          DataTypes.FIELD("y", DataTypes.ARRAY(DataTypes.STRING()))))),
              DataTypes.FIELD("map", DataTypes.MAP(DataTypes.STRING(), DataTypes.BIGINT())),
              DataTypes.FIELD(
                  "map_of_list",
                  DataTypes.MAP(DataTypes.INT(), DataTypes.ARRAY(DataTypes.BOOLEAN()))),
              DataTypes.FIELD("nothing", DataTypes.STRING())));

  static final RowType DICTIONARIES =
      rowType(
          DataTypes.ROW(
              DataTypes.FIELD("colour", DataTypes.STRING()),
              DataTypes.FIELD("number", DataTypes.BIGINT()),
              DataTypes.FIELD("time", DataTypes.TIMESTAMP(6)),
              DataTypes.FIELD("tags", DataTypes.ARRAY(DataTypes.STRING())),
              DataTypes.FIELD(
                  "nested",
                  DataTypes.ROW(
                      DataTypes.FIELD("colour", DataTypes.STRING()),
                      DataTypes.FIELD("n", DataTypes.BIGINT())))));

  static final RowType WORD = rowType(DataTypes.ROW(DataTypes.FIELD("word", DataTypes.STRING())));

  static final RowType EVENTS =
      rowType(
          DataTypes.ROW(
              DataTypes.FIELD("event_id", DataTypes.STRING()),
              DataTypes.FIELD("user_id", DataTypes.STRING()),
              DataTypes.FIELD("screen", DataTypes.STRING()),
              DataTypes.FIELD("timestamp", DataTypes.TIMESTAMP_LTZ(3)),
              DataTypes.FIELD("amount", DataTypes.DOUBLE()),
              DataTypes.FIELD("payload", DataTypes.STRING())));

  private Fixtures() {}

  static RowType rowType(DataType type) {
    return (RowType) type.getLogicalType();
  }

  static byte[] bytes(String file) throws IOException {
    try (InputStream in = Fixtures.class.getResourceAsStream("/arrow/" + file)) {
      assertThat(in).as(file).isNotNull();
      return in.readAllBytes();
    }
  }

  /** The rows as the other implementation sees them. */
  static List<Object> rows(String json) throws IOException {
    List<Object> rows = new ArrayList<>();
    new ObjectMapper().readTree(bytes(json)).forEach(row -> rows.add(RowText.of(row)));
    return rows;
  }

  /** Reads a record that has to be whole and sound. */
  static List<List<Object>> decode(byte[] record, RowType type) {
    ArrowDecoder.Decoded decoded = new ArrowDecoder(type, ArrowLimits.OF_RECORDS).decode(record);
    assertThat(decoded.rejection()).isNull();
    List<RowData> rows = new ArrayList<>();
    decoded.forEach(rows::add);
    assertThat(rows).hasSize(decoded.rows());
    return RowText.of(rows, type);
  }
}

package io.millrace.transform.column;

import io.millrace.transform.Rows;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.Schema;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.catalog.Column;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.LocalZonedTimestampType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.TimestampType;
import org.apache.flink.table.types.logical.utils.LogicalTypeChecks;
import org.apache.flink.table.types.utils.TypeConversions;

/** The column of unbounded rows that their watermark is about, of which there is one at most. */
public final class EventTime {
  private EventTime() {}

  /** Its name; empty where the rows have no event time. */
  public static Optional<String> column(Rows rows) {
    return rows.columns().stream()
        .filter(c -> LogicalTypeChecks.isRowtimeAttribute(rows.type(c).getLogicalType()))
        .findFirst();
  }

  /** The same type as a plain time; any other type as it is. */
  public static LogicalType plain(LogicalType type) {
    if (!LogicalTypeChecks.isTimeAttribute(type)) {
      return type;
    }
    int precision = LogicalTypeChecks.getPrecision(type);
    return type.is(LogicalTypeRoot.TIMESTAMP_WITHOUT_TIME_ZONE)
        ? new TimestampType(type.isNullable(), precision)
        : new LocalZonedTimestampType(type.isNullable(), precision);
  }

  /** The type of a table's rows on a stream, where its event time is a plain time. */
  public static DataType rowType(Table table) {
    List<DataTypes.Field> fields = new ArrayList<>();
    for (Column column : table.getResolvedSchema().getColumns()) {
      LogicalType type = plain(column.getDataType().getLogicalType());
      fields.add(DataTypes.FIELD(column.getName(), TypeConversions.fromLogicalToDataType(type)));
    }
    return DataTypes.ROW(fields).notNull().bridgedTo(RowData.class);
  }

  /**
   * A table of a stream that has the columns of another. What is the event time there is it here:
   * the stream carries its watermarks.
   *
   * @param rows of the {@link #rowType} of the other table
   */
  public static Table ofStream(
      StreamTableEnvironment tables, DataStream<RowData> rows, Table other) {
    Schema.Builder schema = Schema.newBuilder();
    for (Column column : other.getResolvedSchema().getColumns()) {
      LogicalType type = column.getDataType().getLogicalType();
      schema.column(column.getName(), TypeConversions.fromLogicalToDataType(plain(type)));
      if (LogicalTypeChecks.isRowtimeAttribute(type)) {
        schema.watermark(column.getName(), "SOURCE_WATERMARK()");
      }
    }
    return tables.fromDataStream(rows, schema.build());
  }

  /** A table of a stream of rows of that type; the column is the event time of its watermarks. */
  public static Table ofStream(
      StreamTableEnvironment tables, DataStream<RowData> rows, RowType type, String eventTime) {
    Schema.Builder schema = Schema.newBuilder();
    for (RowType.RowField field : type.getFields()) {
      schema.column(field.getName(), TypeConversions.fromLogicalToDataType(field.getType()));
    }
    return tables.fromDataStream(rows, schema.watermark(eventTime, "SOURCE_WATERMARK()").build());
  }
}

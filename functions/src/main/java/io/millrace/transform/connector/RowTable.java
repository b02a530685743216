package io.millrace.transform.connector;

import io.millrace.event.Origin;
import io.millrace.lake.catalog.Column;
import io.millrace.lake.catalog.LakeType;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.parquet.LakeTable;
import io.millrace.lake.parquet.RowColumns;
import io.millrace.transform.column.ColumnKind;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import javax.annotation.Nullable;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.utils.LogicalTypeChecks;

/** Rows of a pipeline as those of a lake table, whose columns they are in order. */
final class RowTable implements LakeTable<RowData> {
  private static final long serialVersionUID = 1L;
  private static final int MILLISECONDS = 3;

  private final TableSchema schema;
  private final RowType type;
  private final int time;
  private final int precision;

  /**
   * Rows of that type, whose time at that position tells their partition.
   *
   * @param schema with a column for each, of {@link #lakeType}
   */
  RowTable(TableSchema schema, RowType type, int time) {
    this.schema = schema;
    this.type = type;
    this.time = time;
    this.precision = LogicalTypeChecks.getPrecision(type.getTypeAt(time));
  }

  /** What a column of that type is in the lake; null where there is no such thing. */
  @Nullable
  private static LakeType lakeType(LogicalType type) {
    return switch (type.getTypeRoot()) {
      case CHAR, VARCHAR -> LakeType.STRING;
      case TINYINT, SMALLINT, INTEGER -> LakeType.INT;
      case BIGINT -> LakeType.LONG;
      case FLOAT, DOUBLE -> LakeType.DOUBLE;
      case BOOLEAN -> LakeType.BOOLEAN;
      case BINARY, VARBINARY -> LakeType.BINARY;
      case TIMESTAMP_WITHOUT_TIME_ZONE, TIMESTAMP_WITH_LOCAL_TIME_ZONE ->
          LogicalTypeChecks.getPrecision(type) <= MILLISECONDS ? LakeType.TIMESTAMP : null;
      default -> null;
    };
  }

  /** The columns of rows of that type; names what the lake has no type for. */
  static List<Column> columns(RowType type, List<String> unknown) {
    List<Column> columns = new ArrayList<>();
    for (RowType.RowField field : type.getFields()) {
      LakeType lake = lakeType(field.getType());
      if (lake == null) {
        unknown.add("'" + field.getName() + "' of type " + ColumnKind.name(field.getType()));
      } else {
        columns.add(new Column(field.getName(), lake, !field.getType().isNullable(), ""));
      }
    }
    return columns;
  }

  @Override
  public TableSchema schema() {
    return schema;
  }

  @Override
  public int schemaVersion() {
    return 1;
  }

  @Override
  public long partitionTime(RowData row) {
    if (row.isNullAt(time)) {
      throw new IllegalArgumentException(
          "table '"
              + schema.name()
              + "': a row has no '"
              + type.getFieldNames().get(time)
              + "', which tells its partition");
    }
    return row.getTimestamp(time, precision).getMillisecond();
  }

  @Nullable
  @Override
  public Origin origin(RowData row) {
    return null;
  }

  @Override
  public void write(RowData row, RowColumns columns) throws IOException {
    for (int i = 0; i < type.getFieldCount(); i++) {
      if (row.isNullAt(i)) {
        columns.none();
      } else {
        write(row, i, type.getTypeAt(i), columns);
      }
    }
  }

  private static void write(RowData row, int i, LogicalType type, RowColumns columns)
      throws IOException {
    switch (type.getTypeRoot()) {
      case CHAR, VARCHAR -> columns.string(row.getString(i).toString());
      case TINYINT -> columns.integer(row.getByte(i));
      case SMALLINT -> columns.integer(row.getShort(i));
      case INTEGER -> columns.integer(row.getInt(i));
      case BIGINT -> columns.integer(row.getLong(i));
      case FLOAT -> columns.decimal(row.getFloat(i));
      case DOUBLE -> columns.decimal(row.getDouble(i));
      case BOOLEAN -> columns.bool(row.getBoolean(i));
      case BINARY, VARBINARY -> columns.bytes(row.getBinary(i));
      case TIMESTAMP_WITHOUT_TIME_ZONE, TIMESTAMP_WITH_LOCAL_TIME_ZONE ->
          columns.time(row.getTimestamp(i, LogicalTypeChecks.getPrecision(type)).getMillisecond());
      default -> throw new IllegalStateException("no column of " + type);
    }
  }
}

package io.millrace.transform.column;

import io.millrace.transform.Rows;
import java.util.List;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.LogicalType;

/** What can be done with the values of a column. */
public enum ColumnKind {
  INTEGER,
  FLOATING,
  DECIMAL,
  BOOLEAN,
  TEXT,
  TEMPORAL,
  /** Binary and nested values. */
  OTHER;

  public static ColumnKind of(LogicalType type) {
    return switch (type.getTypeRoot()) {
      case TINYINT, SMALLINT, INTEGER, BIGINT -> INTEGER;
      case FLOAT, DOUBLE -> FLOATING;
      case DECIMAL -> DECIMAL;
      case BOOLEAN -> BOOLEAN;
      case CHAR, VARCHAR -> TEXT;
      case DATE,
          TIME_WITHOUT_TIME_ZONE,
          TIMESTAMP_WITHOUT_TIME_ZONE,
          TIMESTAMP_WITH_LOCAL_TIME_ZONE,
          TIMESTAMP_WITH_TIME_ZONE ->
          TEMPORAL;
      default -> OTHER;
    };
  }

  public static ColumnKind of(DataType type) {
    return of(type.getLogicalType());
  }

  /** Whether means and medians are taken of it. */
  public boolean isNumeric() {
    return this == INTEGER || this == FLOATING || this == DECIMAL;
  }

  /** The type in SQL, without {@code NOT NULL}. */
  public static String sql(LogicalType type) {
    return type.copy(true).asSerializableString();
  }

  /** The type as a message names it: {@code STRING} rather than {@code VARCHAR(2147483647)}. */
  public static String name(LogicalType type) {
    return type.copy(true).asSummaryString();
  }

  /** The name that pandas has for values of that type. */
  public static String pandasName(LogicalType type) {
    return switch (type.getTypeRoot()) {
      case TINYINT -> "int8";
      case SMALLINT -> "int16";
      case INTEGER -> "int32";
      case BIGINT -> "int64";
      case FLOAT -> "float32";
      case DOUBLE -> "float64";
      case DECIMAL ->
          "decimal128("
              + ((DecimalType) type).getPrecision()
              + ", "
              + ((DecimalType) type).getScale()
              + ")";
      case BOOLEAN -> "bool";
      case TIMESTAMP_WITHOUT_TIME_ZONE -> "datetime64[ns]";
      case TIMESTAMP_WITH_LOCAL_TIME_ZONE, TIMESTAMP_WITH_TIME_ZONE -> "datetime64[ns, UTC]";
      case DATE -> "date32[day]";
      case TIME_WITHOUT_TIME_ZONE -> "time64[us]";
      default -> "object";
    };
  }

  /** The named columns that are there, in their order. */
  public static List<String> present(Rows rows, List<String> columns) {
    List<String> known = rows.columns();
    return columns.stream().distinct().filter(known::contains).toList();
  }
}

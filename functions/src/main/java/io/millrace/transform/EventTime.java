package io.millrace.transform;

import java.util.Optional;
import org.apache.flink.table.types.logical.LocalZonedTimestampType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.TimestampType;
import org.apache.flink.table.types.logical.utils.LogicalTypeChecks;

/** The column of unbounded rows that their watermark is about, of which there is one at most. */
final class EventTime {
  private EventTime() {}

  /** Its name; empty where the rows have no event time. */
  static Optional<String> column(Rows rows) {
    return rows.columns().stream()
        .filter(c -> LogicalTypeChecks.isRowtimeAttribute(rows.type(c).getLogicalType()))
        .findFirst();
  }

  /** The same type as a plain time; any other type as it is. */
  static LogicalType plain(LogicalType type) {
    if (!LogicalTypeChecks.isTimeAttribute(type)) {
      return type;
    }
    int precision = LogicalTypeChecks.getPrecision(type);
    return type.is(LogicalTypeRoot.TIMESTAMP_WITHOUT_TIME_ZONE)
        ? new TimestampType(type.isNullable(), precision)
        : new LocalZonedTimestampType(type.isNullable(), precision);
  }
}

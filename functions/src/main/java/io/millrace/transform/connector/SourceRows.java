package io.millrace.transform.connector;

import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.file.FileRows;
import io.millrace.transform.file.RowFormat;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.annotation.Nullable;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;

/** Makes what an extract reads the step's rows. */
final class SourceRows {
  private SourceRows() {}

  /** Makes the format of files once the columns to read are known. */
  interface FormatOf {
    /**
     * Gives the format.
     *
     * @param ordered whether the last column is the order column
     */
    RowFormat of(RowType rowType, boolean ordered);
  }

  /** The rows of files; null when a problem was reported. */
  @Nullable
  static Rows of(
      Step step,
      List<Path> files,
      List<String> columns,
      List<LogicalType> types,
      FormatOf formatOf) {
    RowType rowType = rowType(step, columns, types);
    if (rowType == null) {
      return null;
    }
    RowFormat format = formatOf.of(rowType, step.bounded());
    String uid = step.id() + ":read";
    return rows(
        step,
        step.site()
            .environment()
            .fromSource(FileRows.source(files, format), WatermarkStrategy.noWatermarks(), uid)
            .uid(uid));
  }

  /**
   * The type of an extract's rows: its columns, and the order column when the pipeline is bounded.
   * Null when a problem was reported.
   */
  @Nullable
  static RowType rowType(Step step, List<String> columns, List<LogicalType> types) {
    List<RowType.RowField> fields = new ArrayList<>();
    for (int i = 0; i < columns.size(); i++) {
      if (Rows.isHidden(columns.get(i))) {
        step.error(
            null,
            "the column '" + columns.get(i) + "' is called like one that is kept for the order");
        return null;
      }
      fields.add(new RowType.RowField(columns.get(i), types.get(i)));
    }
    if (step.bounded()) {
      fields.add(new RowType.RowField(Rows.orderColumn(0), new BigIntType(false)));
    }
    return new RowType(false, fields);
  }

  /** A stream of internal rows of that type as the step's. */
  static Rows rows(Step step, DataStream<RowData> stream) {
    return new Rows(
        step.tables().fromDataStream(stream),
        step.bounded() ? List.of(Rows.orderColumn(0)) : List.of());
  }
}

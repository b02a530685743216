package io.millrace.lake.parquet;

import static io.millrace.lake.catalog.Column.optional;
import static io.millrace.lake.catalog.Column.required;
import static io.millrace.lake.catalog.LakeType.DOUBLE;
import static io.millrace.lake.catalog.LakeType.LONG;
import static io.millrace.lake.catalog.LakeType.STRING;
import static io.millrace.lake.catalog.LakeType.TIMESTAMP;

import io.millrace.event.Anomaly;
import io.millrace.event.Origin;
import io.millrace.lake.catalog.TableSchema;
import java.io.IOException;
import java.util.List;
import javax.annotation.Nullable;

/** {@code anomalies}: the windows of alerts. */
public final class AnomalyTable implements LakeTable<Anomaly> {
  private static final long serialVersionUID = 1L;

  /** The table's columns. */
  public static final TableSchema SCHEMA =
      new TableSchema(
          "anomalies",
          "anomalies",
          List.of(
              required("alert_id", STRING, "the same in all rows of an alert"),
              required("metric", STRING, "the metric, as total_events"),
              required(
                  "cell", STRING, "the cell, as country=DE; several by comma, empty for the total"),
              required("window_start", TIMESTAMP, "start of the window"),
              required("window_end", TIMESTAMP, "first instant after the window"),
              optional("observed", DOUBLE, "the value in the window; null when it has none"),
              optional("expected", DOUBLE, "what the series let expect"),
              required(
                  "score", DOUBLE, "0 to 1, how rare the deviation is; 0.5 is once in 10,000 rows"),
              required("severity", STRING, "warning or critical; none in a resolved row"),
              required("direction", STRING, "spike or drop; none in a resolved row"),
              required("state", STRING, "opened, firing or resolved"),
              required("opened_at", TIMESTAMP, "start of the window that opened the alert"),
              required("windows_firing", LONG, "windows of the alert not as expected, so far")),
          "One row per window of an alert: opened, firing for each further window that is not as"
              + " expected, resolved for the first that is.");

  @Override
  public TableSchema schema() {
    return SCHEMA;
  }

  @Override
  public int schemaVersion() {
    return 1;
  }

  @Override
  public long partitionTime(Anomaly row) {
    return row.windowStart();
  }

  @Nullable
  @Override
  public Origin origin(Anomaly row) {
    return null;
  }

  @Override
  public void write(Anomaly row, RowColumns columns) throws IOException {
    columns.string(row.alertId());
    columns.string(row.metric());
    columns.string(String.join(",", row.labels()));
    columns.time(row.windowStart());
    columns.time(row.windowEnd());
    number(row.observed(), columns);
    number(row.expected(), columns);
    columns.decimal(row.score());
    columns.string(row.severity().code());
    columns.string(row.direction().code());
    columns.string(row.state().code());
    columns.time(row.openedAt());
    columns.integer(row.windowsFiring());
  }

  private static void number(double value, RowColumns columns) throws IOException {
    if (Double.isNaN(value)) {
      columns.none();
    } else {
      columns.decimal(value);
    }
  }
}

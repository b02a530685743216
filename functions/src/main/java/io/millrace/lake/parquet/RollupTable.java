package io.millrace.lake.parquet;

import static io.millrace.lake.catalog.Column.optional;
import static io.millrace.lake.catalog.Column.required;
import static io.millrace.lake.catalog.LakeType.BOOLEAN;
import static io.millrace.lake.catalog.LakeType.DOUBLE;
import static io.millrace.lake.catalog.LakeType.LONG;
import static io.millrace.lake.catalog.LakeType.STRING;

import io.millrace.event.CellCounts;
import io.millrace.event.Origin;
import io.millrace.event.Rollup;
import io.millrace.lake.catalog.Column;
import io.millrace.lake.catalog.Granularity;
import io.millrace.lake.catalog.LakeType;
import io.millrace.lake.catalog.TableSchema;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.annotation.Nullable;

/**
 * {@code aggregated/hourly_aggregates_with_dimensions} and the daily table like it: the final row
 * of each cell. Configured counters stand last and are optional, so that one can be added to a
 * table that has rows; dimensions are what its rows are, and stay.
 */
public final class RollupTable implements LakeTable<Rollup> {
  private static final long serialVersionUID = 1L;

  private static final String NAME = "_aggregates_with_dimensions";

  private static final List<Column> FIGURES =
      List.of(
          required("total_events", LONG, "events of any type"),
          required("total_installs", LONG, "events of type install"),
          required("total_sessions", LONG, "events of type session_start"),
          required("total_views", LONG, "events of type view_notification"),
          required("total_opens", LONG, "events of type open_notification"),
          optional("notification_ctr", DOUBLE, "total_opens / total_views; null without views"),
          required("active_users", LONG, "distinct users of the events"),
          optional(
              "active_users_hll",
              LakeType.BINARY,
              "Apache DataSketches HLL sketch of those users: unions give users of several rows"),
          required(
              "distinct_approximate",
              BOOLEAN,
              "true when active_users is the sketch's estimate, for the cap on cells was reached"),
          required("sessions_ended", LONG, "sessions whose last event is in the window"),
          required("bounced_sessions", LONG, "those of them with one engagement event"),
          optional("bounce_rate", DOUBLE, "bounced_sessions / sessions_ended; null without any"),
          required("session_seconds", DOUBLE, "sum of the durations of sessions_ended"),
          optional(
              "avg_session_seconds", DOUBLE, "session_seconds / sessions_ended; null without any"),
          required("window_start", LakeType.TIMESTAMP, "start of the window"));

  /** The table of hours, with the dimensions and counters that it has unless told otherwise. */
  public static final TableSchema HOURLY = hourly(defaultDimensions(), List.of()).schema();

  /** The same of days. */
  public static final TableSchema DAILY = daily(defaultDimensions(), List.of()).schema();

  private final TableSchema schema;

  private RollupTable(TableSchema schema) {
    this.schema = schema;
  }

  /**
   * The table of hours.
   *
   * @param dimensions a column for each, in the order of a cell's values
   * @param counters a column for each, in the order of the counts behind the fixed ones
   */
  public static RollupTable hourly(List<String> dimensions, List<String> counters) {
    return new RollupTable(schema(Granularity.HOUR, "hourly", "hour", dimensions, counters));
  }

  /** The table of UTC days; parameters as for hours. */
  public static RollupTable daily(List<String> dimensions, List<String> counters) {
    return new RollupTable(schema(Granularity.DAY, "daily", "UTC day", dimensions, counters));
  }

  private static List<String> defaultDimensions() {
    return List.of("device_type", "app_version", "country");
  }

  private static TableSchema schema(
      Granularity granularity,
      String span,
      String window,
      List<String> dimensions,
      List<String> counters) {
    List<Column> columns = new ArrayList<>();
    for (String dimension : dimensions) {
      columns.add(
          required(
              dimension,
              STRING,
              "its value; ALL_... where it is rolled up, UNKNOWN where events have none, OTHER"
                  + " for values not told apart"));
    }
    columns.addAll(FIGURES);
    for (String counter : counters) {
      columns.add(optional(counter, LONG, "events of the type that rollups.counters gives it"));
    }
    return new TableSchema(
        span + NAME,
        "aggregated/" + span + NAME,
        columns,
        "One row per "
            + window
            + " and combination of dimensions, rolled-up ones too, of events that were not late.",
        granularity);
  }

  /** Names that neither a dimension's nor a counter's column can have. */
  public static Set<String> reservedColumns() {
    Set<String> names = new HashSet<>(Granularity.HOUR.columns());
    FIGURES.forEach(c -> names.add(c.name()));
    return names;
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
  public long partitionTime(Rollup row) {
    return row.cell().start();
  }

  @Nullable
  @Override
  public Origin origin(Rollup row) {
    return null;
  }

  @Override
  public void write(Rollup row, RowColumns columns) throws IOException {
    for (String value : row.cell().values()) {
      columns.string(value);
    }
    CellCounts counts = row.counts();
    long[] events = counts.events();
    for (int i = 0; i < CellCounts.FIXED; i++) {
      columns.integer(events[i]);
    }
    decimal(counts.notificationCtr(), columns);
    columns.integer(counts.activeUsers());
    columns.bytes(counts.activeUsersHll());
    columns.bool(row.distinctApproximate());
    columns.integer(counts.sessionsEnded());
    columns.integer(counts.bouncedSessions());
    decimal(counts.bounceRate(), columns);
    columns.decimal(counts.sessionSeconds());
    decimal(counts.avgSessionSeconds(), columns);
    columns.time(row.cell().start());
    for (int i = CellCounts.FIXED; i < events.length; i++) {
      columns.integer(events[i]);
    }
  }

  private static void decimal(@Nullable Double value, RowColumns columns) throws IOException {
    if (value == null) {
      columns.none();
    } else {
      columns.decimal(value);
    }
  }
}

package io.millrace.rollup;

import io.millrace.event.CellCounts;
import io.millrace.event.Observation;
import io.millrace.event.Rollup;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.annotation.Nullable;
import org.apache.flink.api.common.functions.FlatMapFunction;
import org.apache.flink.util.Collector;

/** Takes from the rows of hours the figures that are watched for anomalies. */
public final class ObserveRollups implements FlatMapFunction<Rollup, Observation> {
  private static final long serialVersionUID = 1L;

  /** Numbers of something: where there is no row, they are 0. */
  public static final List<String> COUNTS =
      List.of(
          "total_events",
          "total_installs",
          "total_sessions",
          "total_views",
          "total_opens",
          "active_users",
          "sessions_ended",
          "bounced_sessions",
          "session_seconds");

  /** Shares of something, from 0 to 1. */
  public static final List<String> RATIOS = List.of("notification_ctr", "bounce_rate");

  /** Averages. */
  public static final List<String> AMOUNTS = List.of("avg_session_seconds");

  private final List<String> columns;
  private final List<String> counters;
  private final List<String> metrics;
  private final Set<Integer> sets;

  /**
   * @param metrics any of the above, and of the configured counters
   * @param sets the grouping sets that are watched
   */
  public ObserveRollups(RollupSpec spec, List<String> metrics, Set<Integer> sets) {
    List<String> names = new ArrayList<>();
    for (int d = 0; d < spec.dimensions().size(); d++) {
      names.add(spec.column(d));
    }
    this.columns = List.copyOf(names);
    this.counters = List.copyOf(spec.counters().keySet());
    this.metrics = List.copyOf(metrics);
    this.sets = Set.copyOf(sets);
  }

  /** Every metric there is, with the configured counters. */
  public static List<String> metrics(RollupSpec spec) {
    List<String> all = new ArrayList<>(COUNTS);
    all.addAll(RATIOS);
    all.addAll(AMOUNTS);
    all.addAll(spec.counters().keySet());
    return all;
  }

  @Override
  public void flatMap(Rollup row, Collector<Observation> out) {
    if (row.cell().daily() || !sets.contains(row.cell().kept())) {
      return;
    }
    List<String> labels = new ArrayList<>();
    for (int d = 0; d < columns.size(); d++) {
      if ((row.cell().kept() >> d & 1) == 1) {
        labels.add(columns.get(d) + "=" + row.cell().values().get(d));
      }
    }
    Map<String, Double> values = values(row.counts());
    for (String metric : metrics) {
      Double value = values.get(metric);
      out.collect(
          new Observation(
              metric,
              labels,
              row.cell().start(),
              row.cell().end(),
              value == null ? Double.NaN : value));
    }
  }

  private Map<String, Double> values(CellCounts c) {
    Map<String, Double> values = new LinkedHashMap<>();
    put(values, "total_events", c.events()[CellCounts.ALL]);
    put(values, "total_installs", c.events()[CellCounts.INSTALLS]);
    put(values, "total_sessions", c.events()[CellCounts.SESSION_STARTS]);
    put(values, "total_views", c.events()[CellCounts.VIEWS]);
    put(values, "total_opens", c.events()[CellCounts.OPENS]);
    put(values, "active_users", c.activeUsers());
    put(values, "sessions_ended", c.sessionsEnded());
    put(values, "bounced_sessions", c.bouncedSessions());
    put(values, "session_seconds", c.sessionSeconds());
    put(values, "notification_ctr", c.notificationCtr());
    put(values, "bounce_rate", c.bounceRate());
    put(values, "avg_session_seconds", c.avgSessionSeconds());
    for (int i = 0; i < counters.size(); i++) {
      put(values, counters.get(i), c.events()[CellCounts.FIXED + i]);
    }
    return values;
  }

  private static void put(Map<String, Double> values, String metric, @Nullable Number value) {
    if (value != null) {
      values.put(metric, value.doubleValue());
    }
  }
}

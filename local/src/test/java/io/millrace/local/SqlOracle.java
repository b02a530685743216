package io.millrace.local;

import io.millrace.local.LakeReader.Rows;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import javax.annotation.Nullable;

/**
 * Sessions and rollups as plain SQL has them, from the accepted events of the lake that were not
 * late, and how the lake's own tables differ. Nothing here comes from the job's code.
 */
final class SqlOracle {
  private static final int SHOWN = 5;
  static final List<String> DIMENSIONS = List.of("device_type", "app_version", "country");
  static final List<String> ALL_NAMES = List.of("ALL_DEVICES", "ALL_VERSIONS", "ALL_COUNTRIES");

  /** Every combination of the dimensions. */
  static final List<List<String>> CUBE =
      List.of(
          DIMENSIONS,
          List.of("device_type", "app_version"),
          List.of("device_type", "country"),
          List.of("app_version", "country"),
          List.of("device_type"),
          List.of("app_version"),
          List.of("country"),
          List.of());

  /**
   * The job's options, as the oracle takes them.
   *
   * @param sets the combinations of dimensions that have rows
   * @param allowed a dimension's values that are not OTHER
   * @param counters further columns and their event types
   */
  record Rules(
      Duration gap,
      Duration maxDuration,
      int maxEvents,
      boolean splitAtMidnight,
      int pathLength,
      @Nullable String pathProperty,
      List<List<String>> sets,
      Map<String, List<String>> allowed,
      Map<String, String> counters) {

    static final Rules DEFAULTS =
        new Rules(
            Duration.ofMinutes(30),
            Duration.ofHours(24),
            10_000,
            false,
            50,
            null,
            CUBE,
            Map.of(),
            Map.of());

    Rules withGap(Duration other) {
      return new Rules(
          other,
          maxDuration,
          maxEvents,
          splitAtMidnight,
          pathLength,
          pathProperty,
          sets,
          allowed,
          counters);
    }
  }

  private final LakeReader lake;
  private final Rules rules;

  private SqlOracle(LakeReader lake, Rules rules) {
    this.lake = lake;
    this.rules = rules;
  }

  /**
   * Computes what the tables should hold.
   *
   * @param counted which events, a condition on the columns of app_events
   */
  static SqlOracle over(LakeReader lake, Rules rules, String counted) {
    SqlOracle oracle = new SqlOracle(lake, rules);
    lake.define(oracle.events(counted));
    lake.define(oracle.sessions());
    lake.define(oracle.rollup("expected_hourly", Duration.ofHours(1)));
    lake.define(oracle.rollup("expected_daily", Duration.ofDays(1)));
    return oracle;
  }

  private static String literal(String text) {
    return "'" + text.replace("'", "''") + "'";
  }

  /** A user's events in order, each with what separates it from the one before. */
  private String events(String counted) {
    String step =
        rules.pathProperty() == null
            ? "event_type"
            : "coalesce(properties[" + literal(rules.pathProperty()) + "], event_type)";
    return """
        CREATE TABLE oracle_events AS
        SELECT user_id, event_id, event_type, epoch_ms(timestamp) AS ts, session_id AS client_id,
               device_type, app_version, country, $step AS step,
               row_number() OVER in_order AS pos,
               CASE WHEN lag(event_type) OVER in_order = 'session_end' THEN 'explicit'
                    WHEN epoch_ms(timestamp) - lag(epoch_ms(timestamp)) OVER in_order > $gap
                    THEN 'gap'
                    WHEN $split AND timestamp::DATE <> lag(timestamp::DATE) OVER in_order
                    THEN 'midnight' END AS cut
        FROM app_events
        WHERE NOT late AND ($counted)
        WINDOW in_order AS (
          PARTITION BY user_id ORDER BY timestamp, event_type = 'session_end', event_id)
        """
        .replace("$step", step)
        .replace("$gap", Long.toString(rules.gap().toMillis()))
        .replace("$split", Boolean.toString(rules.splitAtMidnight()))
        .replace("$counted", counted);
  }

  /**
   * Gaps, explicit ends and midnights do not depend on where a session began. The bounds on its
   * length do: pieces that exceed one are cut on from their begin, by recursion.
   */
  private String sessions() {
    return """
        CREATE TABLE oracle_pieces AS
        SELECT *, count(cut) OVER (PARTITION BY user_id ORDER BY pos) AS piece FROM oracle_events;

        CREATE TABLE oracle_long AS
        SELECT user_id, piece, pos, ts FROM oracle_pieces
        SEMI JOIN (
          SELECT user_id, piece FROM oracle_pieces GROUP BY user_id, piece
          HAVING max(ts) - min(ts) > $duration OR count(*) > $events) USING (user_id, piece);

        CREATE TABLE oracle_cuts AS
        WITH RECURSIVE cuts(user_id, piece, pos, ts, reason) AS (
          SELECT user_id, piece, min(pos), min(ts), NULL::VARCHAR
          FROM oracle_long GROUP BY user_id, piece
          UNION ALL
          SELECT e.user_id, e.piece, min(e.pos), min(e.ts),
                 CASE WHEN min(e.ts) - min(c.ts) > $duration THEN 'max_duration'
                      ELSE 'max_events' END
          FROM cuts c JOIN oracle_long e
            ON e.user_id = c.user_id AND e.piece = c.piece AND e.pos > c.pos
           AND (e.ts - c.ts > $duration OR e.pos - c.pos >= $events)
          GROUP BY e.user_id, e.piece)
        SELECT user_id, pos, reason FROM cuts WHERE reason IS NOT NULL;

        CREATE TABLE oracle_numbered AS
        SELECT *, row_number() OVER (
                    PARTITION BY user_id, number, client_id ORDER BY pos) = 1 AS is_new_client
        FROM (
          SELECT p.*, c.reason, count(coalesce(p.cut, c.reason)) OVER (
                   PARTITION BY p.user_id ORDER BY p.pos) AS number
          FROM oracle_pieces p LEFT JOIN oracle_cuts c USING (user_id, pos));

        CREATE TABLE expected_sessions AS
        SELECT * EXCLUDE (number, next_reason, is_last),
               CASE WHEN exit_event = 'session_end' THEN 'explicit'
                    WHEN is_last THEN 'open' ELSE next_reason END AS end_reason
        FROM (
          SELECT user_id, number,
                 min(ts) AS session_start, max(ts) AS session_end,
                 max(ts) - min(ts) AS duration_ms, count(*) AS event_count,
                 count(*) FILTER (event_type NOT IN ('session_start', 'session_end'))
                   AS engagement_count,
                 count(*) FILTER (event_type = 'install') AS install_count,
                 count(*) FILTER (event_type = 'session_start') AS session_start_count,
                 count(*) FILTER (event_type = 'session_end') AS session_end_count,
                 count(*) FILTER (event_type = 'view_notification') AS view_count,
                 count(*) FILTER (event_type = 'open_notification') AS open_count,
                 list(step ORDER BY pos)[1:$path] AS path,
                 count(*) > $path AS path_truncated,
                 first(event_type ORDER BY pos) AS entry_event,
                 last(event_type ORDER BY pos) AS exit_event,
                 count(*) FILTER (event_type NOT IN ('session_start', 'session_end')) = 1
                   AS is_bounce,
                 first(device_type ORDER BY pos) AS device_type,
                 first(app_version ORDER BY pos) AS app_version,
                 first(country ORDER BY pos) AS country,
                 coalesce(
                   list(client_id ORDER BY pos) FILTER (client_id IS NOT NULL AND is_new_client),
                   [])[1:10] AS client_session_ids,
                 lead(first(coalesce(cut, reason) ORDER BY pos)) OVER in_order AS next_reason,
                 lead(number) OVER in_order IS NULL AS is_last
          FROM oracle_numbered GROUP BY user_id, number
          WINDOW in_order AS (PARTITION BY user_id ORDER BY number))
        """
        .replace("$duration", Long.toString(rules.maxDuration().toMillis()))
        .replace("$events", Integer.toString(rules.maxEvents()))
        .replace("$path", Integer.toString(rules.pathLength()));
  }

  /** The value under which a dimension is counted. */
  private String named(String dimension) {
    String all = ALL_NAMES.get(DIMENSIONS.indexOf(dimension));
    List<String> allowed = rules.allowed().get(dimension);
    String other =
        allowed == null
            ? ""
            : " WHEN "
                + dimension
                + " NOT IN ("
                + allowed.stream().map(SqlOracle::literal).collect(Collectors.joining(", "))
                + ") THEN 'OTHER'";
    return "CASE WHEN coalesce(%1$s, '') IN ('', '%2$s') THEN 'UNKNOWN'%3$s ELSE %1$s END AS %1$s"
        .formatted(dimension, all, other);
  }

  private String namedDimensions() {
    return DIMENSIONS.stream().map(this::named).collect(Collectors.joining(", "));
  }

  /** A query of the users and the values that they are counted under, by start of the window. */
  String users(Duration window) {
    return "SELECT DISTINCT user_id, ts // %1$d * %1$d AS window_start, %2$s FROM oracle_events"
        .formatted(window.toMillis(), namedDimensions());
  }

  private String rollup(String table, Duration window) {
    String named = namedDimensions();
    List<String> rolledUp = new ArrayList<>();
    for (int d = 0; d < DIMENSIONS.size(); d++) {
      rolledUp.add(
          "CASE WHEN grouping(%1$s) = 1 THEN '%2$s' ELSE %1$s END AS %1$s"
              .formatted(DIMENSIONS.get(d), ALL_NAMES.get(d)));
    }
    StringBuilder counted = new StringBuilder();
    StringBuilder counters = new StringBuilder();
    new TreeMap<>(rules.counters())
        .forEach(
            (column, type) -> {
              counted.append(
                  ", count(*) FILTER (event_type = %s) AS %s".formatted(literal(type), column));
              counters.append(", coalesce(%1$s, 0) AS %1$s".formatted(column));
            });
    return """
        CREATE TABLE $table AS
        WITH events AS (
          SELECT user_id, event_type, ts // $window * $window AS start, $named FROM oracle_events),
        ended AS (
          SELECT session_end // $window * $window AS start, is_bounce, duration_ms, $named
          FROM expected_sessions),
        event_cells AS (
          SELECT start, $rolledUp,
                 count(*) AS total_events,
                 count(*) FILTER (event_type = 'install') AS total_installs,
                 count(*) FILTER (event_type = 'session_start') AS total_sessions,
                 count(*) FILTER (event_type = 'view_notification') AS total_views,
                 count(*) FILTER (event_type = 'open_notification') AS total_opens,
                 count(DISTINCT user_id) AS active_users$counted
          FROM events GROUP BY GROUPING SETS ($sets)),
        session_cells AS (
          SELECT start, $rolledUp,
                 count(*) AS sessions_ended,
                 count(*) FILTER (is_bounce) AS bounced_sessions,
                 sum(duration_ms)::BIGINT AS session_ms
          FROM ended GROUP BY GROUPING SETS ($sets))
        SELECT start AS window_start, device_type, app_version, country,
               coalesce(total_events, 0) AS total_events,
               coalesce(total_installs, 0) AS total_installs,
               coalesce(total_sessions, 0) AS total_sessions,
               coalesce(total_views, 0) AS total_views,
               coalesce(total_opens, 0) AS total_opens,
               CASE WHEN total_views > 0 THEN total_opens / total_views END AS notification_ctr,
               coalesce(active_users, 0) AS active_users,
               false AS distinct_approximate,
               coalesce(sessions_ended, 0) AS sessions_ended,
               coalesce(bounced_sessions, 0) AS bounced_sessions,
               CASE WHEN sessions_ended > 0 THEN bounced_sessions / sessions_ended END
                 AS bounce_rate,
               coalesce(session_ms, 0) / 1000.0::DOUBLE AS session_seconds,
               CASE WHEN sessions_ended > 0 THEN session_ms / 1000.0::DOUBLE / sessions_ended END
                 AS avg_session_seconds$counters
        FROM event_cells FULL JOIN session_cells USING (start, device_type, app_version, country)
        """
        .replace("$table", table)
        .replace("$window", Long.toString(window.toMillis()))
        .replace("$named", named)
        .replace("$rolledUp", String.join(", ", rolledUp))
        .replace("$counted", counted)
        .replace("$counters", counters)
        .replace(
            "$sets",
            rules.sets().stream()
                .map(
                    s ->
                        "(start"
                            + s.stream().map(d -> ", " + d).collect(Collectors.joining())
                            + ")")
                .collect(Collectors.joining(", ")));
  }

  /**
   * How the table of sessions differs. Why a user's last session ended depends on where the
   * watermark was when the input ended.
   *
   * @param inputEndsAt {@code time.input-ends-at} of a run in bounded mode; {@link Instant#MIN} for
   *     none; null for a run in streaming mode, where either reason will do
   */
  List<String> sessionDifferences(@Nullable Instant inputEndsAt) {
    String open = "'open'";
    String found =
        "CASE WHEN e.user_id IS NOT NULL AND s.end_reason IN ('gap', 'end_of_input')"
            + " THEN 'open' ELSE s.end_reason END";
    if (inputEndsAt != null) {
      long end = inputEndsAt.equals(Instant.MIN) ? Long.MIN_VALUE : inputEndsAt.toEpochMilli();
      open =
          "CASE WHEN session_end + %d <= %d THEN 'gap' ELSE 'end_of_input' END"
              .formatted(rules.gap().toMillis(), end);
      found = "s.end_reason";
    }
    List<String> columns =
        lake.query("SELECT * FROM expected_sessions LIMIT 0").columns().stream()
            .filter(c -> !c.equals("end_reason"))
            .toList();
    String expected =
        "SELECT %s, CASE WHEN end_reason = 'open' THEN %s ELSE end_reason END AS end_reason,"
                .formatted(String.join(", ", columns), open)
            + " strftime(to_timestamp(session_end / 1000), '%Y/%m/%d/%H') AS folder"
            + " FROM expected_sessions";
    String written =
        "SELECT "
            + columns.stream()
                .map(
                    c ->
                        c.matches("session_(start|end)")
                            ? "epoch_ms(s." + c + ") AS " + c
                            : "s." + c)
                .collect(Collectors.joining(", "))
            + ", "
            + found
            + " AS end_reason, year || '/' || month || '/' || day || '/' || hour AS folder"
            + " FROM (SELECT * FROM sessions WHERE user_id NOT LIKE 'sentinel%') s"
            + " LEFT JOIN (SELECT * FROM expected_sessions WHERE end_reason = 'open') e"
            + " ON e.user_id = s.user_id AND e.session_start = epoch_ms(s.session_start)"
            + " AND e.session_end = epoch_ms(s.session_end) AND e.event_count = s.event_count";
    List<String> differences = differences("sessions", expected, written);
    long ids = lake.number("SELECT count(DISTINCT session_id) FROM sessions");
    long rows = lake.number("SELECT count(*) FROM sessions");
    if (ids != rows) {
      differences.add("sessions: %d session ids in %d rows".formatted(ids, rows));
    }
    return differences;
  }

  /** How the hourly and the daily table differ, and their sketches from their exact counts. */
  List<String> rollupDifferences(Instant before) {
    List<String> all = new ArrayList<>();
    all.addAll(
        rollupDifferences(
            "hourly", "year || '/' || month || '/' || day || '/' || hour", "%Y/%m/%d/%H", before));
    all.addAll(
        rollupDifferences("daily", "year || '/' || month || '/' || day", "%Y/%m/%d", before));
    return all;
  }

  private List<String> rollupDifferences(
      String name, String folder, String format, Instant before) {
    String table = name + "_aggregates_with_dimensions";
    List<String> columns = lake.query("SELECT * FROM expected_" + name + " LIMIT 0").columns();
    String expected =
        "SELECT %s, strftime(to_timestamp(window_start / 1000), '%s') AS folder FROM expected_%s"
            .formatted(String.join(", ", columns), format, name);
    String written =
        "SELECT %s, %s AS folder FROM %s WHERE epoch_ms(window_start) < %d"
            .formatted(
                columns.stream()
                    .map(c -> c.equals("window_start") ? "epoch_ms(window_start)" : c)
                    .collect(Collectors.joining(", ")),
                folder,
                table,
                before.toEpochMilli());
    List<String> differences = differences(table, expected, written);
    String dimensions = String.join(", ", DIMENSIONS);
    // 4 standard errors: over very many cells 3 are exceeded now and then.
    String sketches =
        """
        SELECT * FROM (
          SELECT epoch_ms(window_start), $dimensions, any_value(active_users) AS exact,
                 hll_union_estimate(active_users_hll) AS estimated,
                 bool_or(active_users_hll IS NULL) AS is_null
          FROM $table GROUP BY window_start, $dimensions)
        WHERE is_null <> (exact = 0) OR abs(estimated - exact) > exact * 4 * 1.04 / 64
        LIMIT $shown
        """
            .replace("$dimensions", dimensions)
            .replace("$table", table)
            .replace("$shown", Integer.toString(SHOWN));
    print("a sketch of " + table + " is off", lake.query(sketches), differences);
    String unions =
        """
        SELECT epoch_ms(window_start) FROM $table GROUP BY window_start
        HAVING hll_greatest(flatten(list(hll_registers(active_users_hll)) FILTER (
                 device_type <> 'ALL_DEVICES' AND app_version <> 'ALL_VERSIONS'
                 AND country <> 'ALL_COUNTRIES')))
            IS DISTINCT FROM hll_greatest(flatten(list(hll_registers(active_users_hll)) FILTER (
                 device_type = 'ALL_DEVICES' AND app_version = 'ALL_VERSIONS'
                 AND country = 'ALL_COUNTRIES')))
        LIMIT $shown
        """
            .replace("$table", table)
            .replace("$shown", Integer.toString(SHOWN));
    print(
        "the union of the cells of " + table + " is not the total's",
        lake.query(unions),
        differences);
    return differences;
  }

  /** Rows that are on one side only, and how many. */
  private List<String> differences(String table, String expected, String written) {
    List<String> differences = new ArrayList<>();
    lake.define("CREATE OR REPLACE TEMP TABLE one AS " + expected);
    lake.define("CREATE OR REPLACE TEMP TABLE other AS " + written);
    side(table + ": missing", "one EXCEPT ALL SELECT * FROM other", differences);
    side(table + ": not expected", "other EXCEPT ALL SELECT * FROM one", differences);
    return differences;
  }

  private void side(String what, String rows, List<String> differences) {
    lake.define("CREATE OR REPLACE TEMP TABLE difference AS SELECT * FROM " + rows);
    long count = lake.number("SELECT count(*) FROM difference");
    if (count > 0) {
      print(
          what + " (" + count + " in all)",
          lake.query("SELECT * FROM difference ORDER BY ALL LIMIT " + SHOWN),
          differences);
    }
  }

  private static void print(String what, Rows rows, List<String> differences) {
    for (List<String> row : rows.rows()) {
      StringBuilder text = new StringBuilder(what).append(':');
      for (int i = 0; i < row.size(); i++) {
        text.append(' ').append(rows.columns().get(i)).append('=').append(row.get(i));
      }
      differences.add(text.toString());
    }
  }
}

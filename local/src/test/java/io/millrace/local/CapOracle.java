package io.millrace.local;

import io.millrace.local.LakeReader.Rows;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What a cap on the cells of a window makes of the rollups that {@link SqlOracle} expects: which
 * values it leaves is worked out here, window by window, and the sums over what it folds in SQL.
 */
final class CapOracle {
  private static final int SHOWN = 5;

  private final LakeReader lake;
  private final SqlOracle uncapped;
  private final int maxCells;

  /**
   * @param uncapped the oracle whose tables are in the lake
   */
  CapOracle(LakeReader lake, SqlOracle uncapped, int maxCells) {
    this.lake = lake;
    this.uncapped = uncapped;
    this.maxCells = maxCells;
  }

  /** Makes {@code capped_hourly} and {@code capped_daily}. */
  void expect() {
    expect("hourly", Duration.ofHours(1));
    expect("daily", Duration.ofDays(1));
  }

  private void expect(String name, Duration window) {
    lake.define("CREATE TABLE kept_%s (window_start BIGINT, d INT, value VARCHAR)".formatted(name));
    Map<String, List<String[]>> windows = new TreeMap<>();
    lake.query(
            "SELECT window_start, device_type, app_version, country, total_events FROM expected_"
                + name)
        .rows()
        .forEach(
            row ->
                windows
                    .computeIfAbsent(row.get(0), w -> new ArrayList<>())
                    .add(row.subList(1, 5).toArray(String[]::new)));
    windows.forEach((start, cells) -> insert(name, start, left(cells)));
    List<String> folded = new ArrayList<>();
    for (int d = 0; d < SqlOracle.DIMENSIONS.size(); d++) {
      folded.add(
          ("CASE WHEN %1$s = '%2$s' OR (window_start, %3$d, %1$s) IN (FROM kept_%4$s) THEN %1$s"
                  + " ELSE 'OTHER' END AS %1$s")
              .formatted(SqlOracle.DIMENSIONS.get(d), SqlOracle.ALL_NAMES.get(d), d, name));
    }
    List<String> cube = new ArrayList<>();
    for (List<String> set : SqlOracle.CUBE) {
      cube.add(
          "SELECT window_start, user_id, "
              + SqlOracle.DIMENSIONS.stream()
                  .map(
                      d ->
                          set.contains(d)
                              ? d
                              : "'"
                                  + SqlOracle.ALL_NAMES.get(SqlOracle.DIMENSIONS.indexOf(d))
                                  + "' AS "
                                  + d)
                  .collect(Collectors.joining(", "))
              + " FROM named");
    }
    List<String> further =
        lake.query("SELECT * FROM expected_%s LIMIT 0".formatted(name)).columns().stream()
            .filter(c -> c.matches("total_.*|also_.*|sessions_ended|bounced_sessions"))
            .toList();
    lake.define(
        """
        CREATE TABLE capped_$name AS
        WITH named AS ($users),
        users AS (
          SELECT window_start, device_type, app_version, country,
                 count(DISTINCT user_id) AS active_users
          FROM (SELECT window_start, user_id, $folded FROM ($cube))
          GROUP BY ALL),
        cells AS (
          SELECT window_start, device_type, app_version, country, $sums,
                 sum(round(session_seconds * 1000)::BIGINT) / 1000.0::DOUBLE AS session_seconds, count(*) > 1 AS distinct_approximate,
                 count(*) AS folded
          FROM (SELECT * REPLACE ($folded) FROM expected_$name)
          GROUP BY ALL)
        SELECT c.*, coalesce(active_users, 0) AS active_users,
               CASE WHEN total_views > 0 THEN total_opens / total_views END AS notification_ctr,
               CASE WHEN sessions_ended > 0 THEN bounced_sessions / sessions_ended END
                 AS bounce_rate
        FROM cells c LEFT JOIN users u USING (window_start, device_type, app_version, country)
        """
            .replace("$name", name)
            .replace("$users", uncapped.users(window))
            .replace("$folded", String.join(", ", folded))
            .replace("$cube", String.join(" UNION ALL ", cube))
            .replace(
                "$sums",
                further.stream()
                    .map(c -> "sum(" + c + ")::BIGINT AS " + c)
                    .collect(Collectors.joining(", "))));
  }

  /** The values of each dimension that keep rows of their own. */
  private List<List<String>> left(List<String[]> cells) {
    List<List<String>> left = new ArrayList<>();
    for (int d = 0; d < SqlOracle.DIMENSIONS.size(); d++) {
      left.add(byEvents(cells, d));
    }
    while (rows(cells, left) > maxCells) {
      // Of the dimension with most values, the first of several, the rarest tenth goes.
      int most = left.stream().mapToInt(List::size).max().orElseThrow();
      if (most == 0) {
        break;
      }
      List<String> values = left.stream().filter(v -> v.size() == most).findFirst().orElseThrow();
      values.subList(most - Math.max(1, most / 10), most).clear();
    }
    return left;
  }

  private static List<String> byEvents(List<String[]> cells, int dimension) {
    Map<String, Long> events = new LinkedHashMap<>();
    for (String[] cell : cells) {
      boolean finest = true;
      for (int d = 0; d < SqlOracle.ALL_NAMES.size(); d++) {
        finest &= !cell[d].equals(SqlOracle.ALL_NAMES.get(d));
      }
      if (finest && !cell[dimension].equals("OTHER")) {
        events.merge(cell[dimension], Long.parseLong(cell[3]), Long::sum);
      }
    }
    List<String> values = new ArrayList<>(events.keySet());
    values.sort(Comparator.comparing((String v) -> -events.get(v)).thenComparing(v -> v));
    return values;
  }

  private static int rows(List<String[]> cells, List<List<String>> left) {
    Set<List<String>> rows = new HashSet<>();
    for (String[] cell : cells) {
      String[] folded = Arrays.copyOf(cell, left.size());
      for (int d = 0; d < folded.length; d++) {
        boolean stays =
            folded[d].equals(SqlOracle.ALL_NAMES.get(d)) || left.get(d).contains(folded[d]);
        folded[d] = stays ? folded[d] : "OTHER";
      }
      rows.add(List.of(folded));
    }
    return rows.size();
  }

  private void insert(String name, String start, List<List<String>> left) {
    for (int d = 0; d < left.size(); d++) {
      for (String value : left.get(d)) {
        lake.define(
            "INSERT INTO kept_%s VALUES (%s, %d, '%s')"
                .formatted(name, start, d, value.replace("'", "''")));
      }
    }
  }

  /** How many rows the cap should take away. */
  long folded() {
    return lake.number(
        "SELECT (SELECT count(*) FROM expected_hourly) + (SELECT count(*) FROM expected_daily)"
            + " - (SELECT count(*) FROM capped_hourly) - (SELECT count(*) FROM capped_daily)");
  }

  /**
   * How a table differs: in what adds up, exactly; in the users of folded cells by more than four
   * standard errors of the sketch, of others at all.
   */
  List<String> differences(String name, Instant before) {
    String table = name + "_aggregates_with_dimensions";
    List<String> columns =
        lake.query("SELECT * EXCLUDE (folded, active_users) FROM capped_" + name + " LIMIT 0")
            .columns();
    String list = String.join(", ", columns);
    String written =
        "SELECT * REPLACE (epoch_ms(window_start) AS window_start) FROM %s WHERE epoch_ms(window_start) < %d"
            .formatted(table, before.toEpochMilli());
    List<String> differences = new ArrayList<>();
    print(
        table + ": missing",
        "SELECT %1$s FROM capped_%2$s EXCEPT ALL SELECT %1$s FROM (%3$s)"
            .formatted(list, name, written),
        differences);
    print(
        table + ": not expected",
        "SELECT %1$s FROM (%3$s) EXCEPT ALL SELECT %1$s FROM capped_%2$s"
            .formatted(list, name, written),
        differences);
    print(
        table + ": users",
        """
        SELECT window_start, device_type, app_version, country, distinct_approximate,
               e.active_users AS expected, w.active_users AS found
        FROM capped_%s e JOIN (%s) w
          USING (window_start, device_type, app_version, country, distinct_approximate)
        WHERE abs(e.active_users - w.active_users)
            > CASE WHEN distinct_approximate THEN e.active_users * 4 * 1.04 / 64 ELSE 0 END
        """
            .formatted(name, written),
        differences);
    return differences;
  }

  private void print(String what, String query, List<String> differences) {
    Rows rows = lake.query("SELECT * FROM (%s) ORDER BY ALL LIMIT %d".formatted(query, SHOWN));
    rows.rows().forEach(row -> differences.add(what + " " + rows.columns() + " " + row));
  }
}

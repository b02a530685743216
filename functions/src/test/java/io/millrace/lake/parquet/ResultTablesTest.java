package io.millrace.lake.parquet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.event.Cell;
import io.millrace.event.CellCounts;
import io.millrace.event.CrossCheck;
import io.millrace.event.Origin;
import io.millrace.event.Rollup;
import io.millrace.event.Session;
import io.millrace.event.Session.EndReason;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.parquet.example.data.Group;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What other readers find in the files of sessions, rollups and cross-checks. */
class ResultTablesTest {
  private static final long T = 1_767_225_600_000L; // 2026-01-01T00:00:00Z

  @TempDir Path dir;

  private static Session session(int id, List<String> path, List<String> clientIds) {
    return new Session(
        "id-" + id,
        "u-" + id,
        T + id,
        T + id + 90_500,
        7,
        5,
        1,
        2,
        3,
        4,
        6,
        path,
        true,
        "session_start",
        "purchase",
        EndReason.MAX_DURATION,
        "phone",
        "2.0",
        "DE",
        clientIds);
  }

  private static Rollup rollup(boolean daily, CellCounts counts, boolean approximate) {
    return new Rollup(
        new Cell(daily, T, 5, List.of("phone", "ALL_VERSIONS", "Côte d'Ivoire")),
        counts,
        approximate);
  }

  @Test
  void aSessionKeepsEveryColumn() throws Exception {
    Session bare =
        new Session(
            "b",
            "u",
            T,
            T,
            1,
            1,
            0,
            0,
            0,
            0,
            0,
            List.of(),
            false,
            "app_open",
            "app_open",
            EndReason.GAP,
            null,
            null,
            null,
            List.of());
    Path file =
        ParquetFiles.write(
            dir.resolve("f"),
            new SessionTable(),
            List.of(session(1, List.of("home", "größe", "home"), List.of("c-1", "")), bare));
    assertThat(
            ParquetFiles.query(
                file,
                "select session_id, user_id, epoch_ms(session_start), epoch_ms(session_end),"
                    + " duration_ms, event_count, engagement_count, install_count,"
                    + " session_start_count, session_end_count, view_count, open_count,"
                    + " path::varchar, path_truncated, entry_event, exit_event, is_bounce,"
                    + " end_reason, device_type, app_version, country,"
                    + " client_session_ids::varchar from %s"))
        .containsExactly(
            "id-1|u-1|1767225600001|1767225690501|90500|7|5|1|2|3|4|6|[home, größe, home]|true|"
                + "session_start|purchase|false|max_duration|phone|2.0|DE|[c-1, '']",
            "b|u|1767225600000|1767225600000|0|1|1|0|0|0|0|0|[]|false|"
                + "app_open|app_open|true|gap|null|null|null|[]");
    assertThat(new SessionTable().partitionTime(session(1, List.of(), List.of())))
        .as("a session is in the hour of its end")
        .isEqualTo(T + 1 + 90_500);
  }

  @Test
  void listsOfAnyLengthReadBackFromManyPages() throws Exception {
    Random random = new Random(5);
    List<Session> sessions = new ArrayList<>();
    for (int i = 0; i < 5_000; i++) {
      List<String> path = new ArrayList<>();
      for (int step = random.nextInt(6); step > 0; step--) {
        path.add("step" + random.nextInt(20));
      }
      List<String> ids = new ArrayList<>();
      for (int id = Math.max(0, random.nextInt(5) - 2); id > 0; id--) {
        ids.add("c" + random.nextLong());
      }
      sessions.add(session(i, path, ids));
    }
    ParquetOptions small = new ParquetOptions(3, 256 << 10, 8 << 10, 500, 16 << 10, 64L << 20);
    Path file = ParquetFiles.write(dir.resolve("f"), new SessionTable(), sessions, small);

    List<String> expected =
        sessions.stream()
            .map(s -> String.join(",", s.path()) + "|" + String.join(",", s.clientSessionIds()))
            .toList();
    assertThat(
            ParquetFiles.query(
                file,
                "select coalesce(array_to_string(path, ','), ''),"
                    + " coalesce(array_to_string(client_session_ids, ','), '')"
                    + " from %s order by session_start"))
        .isEqualTo(expected);
    assertThat(
            ParquetFiles.query(
                file,
                "select count(*) filter (path is null), count(*) filter (len(path) = 0) > 0"
                    + " from %s"))
        .containsExactly("0|true");
    List<Group> rows = ParquetFiles.groups(file);
    assertThat(rows)
        .extracting(g -> list(g, "path") + "|" + list(g, "client_session_ids"))
        .isEqualTo(expected);
  }

  private static String list(Group row, String column) {
    Group list = row.getGroup(column, 0);
    List<String> elements = new ArrayList<>();
    for (int i = 0; i < list.getFieldRepetitionCount("list"); i++) {
      elements.add(list.getGroup("list", i).getString("element", 0));
    }
    return String.join(",", elements);
  }

  @Test
  void aRequiredListIsNeverNull() {
    RowColumns columns =
        new RowColumns(
            "p/t",
            ParquetSchema.of(SessionTable.SCHEMA),
            new SessionTable().uniqueColumns(),
            ParquetOptions.DEFAULT,
            new PageCodec(1));
    assertThatThrownBy(
            () -> {
              columns.string("id");
              columns.string("u");
              columns.time(T);
              columns.time(T);
              for (int i = 0; i < 8; i++) {
                columns.integer(i);
              }
              columns.stringList(null);
            })
        .hasMessage("column path is required and got null");
  }

  @Test
  void aRollupKeepsCountsAndRatios() throws Exception {
    CellCounts counts =
        new CellCounts(
            new long[] {100, 1, 2, 8, 2, 40, 41}, 17, 4, 1, 10_500, new byte[] {0, (byte) 0xFF});
    CellCounts none = new CellCounts(new long[7], 0, 0, 0, 0, null);
    RollupTable table =
        RollupTable.hourly(List.of("device_type", "app_version", "country"), List.of("a", "b"));
    Path file =
        ParquetFiles.write(
            dir.resolve("f"),
            table,
            List.of(rollup(false, counts, true), rollup(false, none, false)));
    assertThat(
            ParquetFiles.query(
                file,
                "select device_type, app_version, country, total_events, total_installs,"
                    + " total_sessions, total_views, total_opens, notification_ctr, active_users,"
                    + " hex(active_users_hll), distinct_approximate, sessions_ended,"
                    + " bounced_sessions, bounce_rate, session_seconds, avg_session_seconds,"
                    + " epoch_ms(window_start), a, b from %s"))
        .containsExactly(
            "phone|ALL_VERSIONS|Côte d'Ivoire|100|1|2|8|2|0.25|17|00FF|true|4|1|0.25|10.5|2.625|"
                + "1767225600000|40|41",
            "phone|ALL_VERSIONS|Côte d'Ivoire|0|0|0|0|0|null|0|null|false|0|0|null|0.0|null|"
                + "1767225600000|0|0");
    assertThat(table.partitionTime(rollup(false, counts, true))).isEqualTo(T);
  }

  @Test
  void aTableHasTheColumnsOfItsDimensionsAndCounters() {
    RollupTable table = RollupTable.daily(List.of("plan"), List.of("total_purchases"));
    assertThat(table.schema().path()).isEqualTo("aggregated/daily_aggregates_with_dimensions");
    List<String> columns = table.schema().columns().stream().map(c -> c.name()).toList();
    assertThat(columns.get(0)).isEqualTo("plan");
    assertThat(columns.get(columns.size() - 1)).isEqualTo("total_purchases");
    assertThat(RollupTable.reservedColumns())
        .hasSize(columns.size() - 2 + 4)
        .contains("year", "month", "day", "hour", "total_events", "window_start")
        .doesNotContain("plan", "total_purchases", "device_type");
  }

  @Test
  void aCrossCheckTellsItsFigures() throws Exception {
    List<CrossCheck> rows =
        List.of(
            new CrossCheck(
                "run-1",
                "streaming",
                T + 5,
                7,
                CrossCheck.LEAVES_EQUAL_ALL,
                "total_views",
                T,
                10,
                11,
                false),
            new CrossCheck(
                "run-1",
                "bounded",
                T + 6,
                -1,
                CrossCheck.SESSION_EVENTS,
                "sessions",
                Origin.NO_TIME,
                3,
                3,
                true));
    Path file = ParquetFiles.write(dir.resolve("f"), new CrossCheckTable(), rows);
    assertThat(
            ParquetFiles.query(
                file,
                "select run_id, mode, epoch_ms(checked_at), checkpoint, name, subject,"
                    + " epoch_ms(window_start), found, expected, holds from %s"))
        .containsExactly(
            "run-1|streaming|1767225600005|7|leaves_equal_all|total_views|1767225600000|10|11|"
                + "false",
            "run-1|bounded|1767225600006|-1|session_events|sessions|null|3|3|true");
    assertThat(new CrossCheckTable().partitionTime(rows.get(0))).isEqualTo(T + 5);
  }
}

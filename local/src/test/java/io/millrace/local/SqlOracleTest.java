package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.local.SqlOracle.Rules;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The oracle by hand-made events, and that it sees what is wrong. */
class SqlOracleTest {
  private static final Instant NOON = Instant.parse("2026-03-01T12:00:00Z");
  private static final long GAP = Duration.ofMinutes(30).toMillis();
  private static final long DAY = Duration.ofHours(24).toMillis();

  @TempDir private Path folder;
  private LakeReader lake;
  private int events;

  @BeforeEach
  void open() {
    lake = LakeReader.ofFolder(folder);
  }

  @AfterEach
  void close() {
    lake.close();
  }

  private void event(String user, long afterNoon, String type, String... more) {
    String id = more.length > 0 ? more[0] : "e" + events++;
    String country = more.length > 1 ? "'" + more[1] + "'" : "NULL";
    boolean late = more.length > 2;
    lake.define(
        """
        INSERT INTO app_events (event_id, user_id, session_id, event_type, timestamp, country, late)
        VALUES ('%s', '%s', NULL, '%s', make_timestamptz(%d), %s, %s)
        """
            .formatted(id, user, type, 1_000 * (NOON.toEpochMilli() + afterNoon), country, late));
  }

  private List<String> expected(Rules rules) {
    SqlOracle.over(lake, rules, "true");
    return lake
        .query(
            "SELECT user_id, session_start - "
                + NOON.toEpochMilli()
                + ", duration_ms, event_count, array_to_string(path, '+'), end_reason"
                + " FROM expected_sessions ORDER BY ALL")
        .rows()
        .stream()
        .map(row -> String.join(" ", row))
        .toList();
  }

  private static Rules rules(int maxEvents, boolean splitAtMidnight, int path) {
    return new Rules(
        Duration.ofMillis(GAP),
        Duration.ofMillis(DAY),
        maxEvents,
        splitAtMidnight,
        path,
        null,
        SqlOracle.CUBE,
        Map.of(),
        Map.of());
  }

  @Test
  void cutsAtMoreThanTheGap() {
    event("just-under", 0, "a");
    event("just-under", GAP - 1, "b");
    event("exactly", 0, "a");
    event("exactly", GAP, "b");
    event("over", 0, "a");
    event("over", GAP + 1, "b");
    event("late", 0, "a");
    event("late", GAP, "b", "x", "DE", "late");
    event("late", 2 * GAP, "c");
    assertThat(expected(Rules.DEFAULTS))
        .containsExactly(
            "exactly 0 1800000 2 a+b open",
            "just-under 0 1799999 2 a+b open",
            "late 0 0 1 a gap",
            "late 3600000 0 1 c open",
            "over 0 0 1 a gap",
            "over 1800001 0 1 b open");
  }

  @Test
  void endsExplicitlyLastAmongEquals() {
    event("u", 5, "session_end", "a");
    event("u", 5, "b", "z");
    event("u", 5, "c", "b");
    event("u", 6, "d");
    event("u", 7, "session_end");
    event("ends-far-away", 0, "session_end");
    event("ends-far-away", 10 * GAP, "e");
    assertThat(expected(Rules.DEFAULTS))
        .containsExactly(
            "ends-far-away 0 0 1 session_end explicit",
            "ends-far-away 18000000 0 1 e open",
            "u 5 0 3 c+b+session_end explicit",
            "u 6 1 2 d+session_end explicit");
  }

  @Test
  void boundsNumberAndDuration() {
    for (int i = 0; i < 7; i++) {
      event("many", i, "t" + i);
    }
    assertThat(expected(rules(3, false, 2)))
        .containsExactly(
            "many 0 2 3 t0+t1 max_events", "many 3 2 3 t3+t4 max_events", "many 6 0 1 t6 open");
    lake.close();
    lake = LakeReader.ofFolder(folder);
    for (long at = 0; at < DAY; at += GAP) {
      event("long", at, "x");
    }
    event("long", DAY, "y");
    event("long", DAY + 1, "z");
    assertThat(expected(rules(10_000, false, 1)))
        .containsExactly("long 0 86400000 49 x max_duration", "long 86400001 0 1 z open");
  }

  @Test
  void splitsAtMidnightWhenTold() {
    event("u", DAY / 2 - 1, "a");
    event("u", DAY / 2, "b");
    assertThat(expected(rules(10, true, 9)))
        .containsExactly("u 43199999 0 1 a midnight", "u 43200000 0 1 b open");
  }

  @Test
  void rollsUpEveryLevel() {
    event("ann", 0, "view_notification", "1", "DE");
    event("ann", 1, "open_notification", "2", "ALL_COUNTRIES");
    event("bob", 2, "install", "3", "DE");
    event("bob", Duration.ofHours(2).toMillis(), "install", "4", "OTHER");
    SqlOracle.over(lake, Rules.DEFAULTS, "true");
    assertThat(
            lake
                .query(
                    "SELECT strftime(to_timestamp(window_start / 1000), '%H'), country,"
                        + " total_events, total_installs, notification_ctr, active_users,"
                        + " sessions_ended, bounced_sessions, session_seconds FROM"
                        + " expected_hourly WHERE device_type = 'ALL_DEVICES' AND app_version ="
                        + " 'ALL_VERSIONS' ORDER BY ALL")
                .rows()
                .stream()
                .map(row -> String.join(" ", row.stream().map(String::valueOf).toList())))
        .containsExactly(
            "12 ALL_COUNTRIES 3 1 1.0 2 2 1 0.001",
            "12 DE 2 1 0.0 2 2 1 0.001",
            "12 UNKNOWN 1 0 null 1 0 0 0.0",
            "14 ALL_COUNTRIES 1 1 null 1 1 1 0.0",
            "14 OTHER 1 1 null 1 1 1 0.0");
    assertThat(lake.number("SELECT count(*) FROM expected_hourly WHERE country = 'DE'"))
        .isEqualTo(4);
  }

  @Test
  void showsRowsThatAreMissingOrNotExpected() {
    event("ann", 0, "a");
    event("bob", 0, "a");
    lake.define(
        """
        INSERT INTO sessions (session_id, user_id, session_start, session_end, event_count,
                              end_reason, year, month, day, hour)
        SELECT 'same', 'ann', timestamp, timestamp, 2, 'gap', '2026', '03', '01', '12'
        FROM app_events
        """);
    SqlOracle oracle = SqlOracle.over(lake, Rules.DEFAULTS, "true");
    List<String> differences = oracle.sessionDifferences(null);
    assertThat(differences).hasSize(5);
    assertThat(differences.get(0))
        .startsWith("sessions: missing (2 in all): user_id=ann session_start=1772366400000");
    assertThat(differences.get(2))
        .startsWith("sessions: not expected (2 in all): user_id=ann session_start=1772366400000");
    assertThat(differences.get(4)).isEqualTo("sessions: 1 session ids in 2 rows");
    assertThat(oracle.rollupDifferences(NOON.plus(Duration.ofDays(9))))
        .anyMatch(d -> d.startsWith("hourly_aggregates_with_dimensions: missing (8 in all): "))
        .anyMatch(d -> d.startsWith("daily_aggregates_with_dimensions: missing (8 in all): "));
  }

  @Test
  void tellsWhyALastSessionEndedWhenTheEndOfTheInputIsKnown() {
    event("early", 0, "a");
    event("on-the-edge", 1, "a");
    event("after", 2, "a");
    SqlOracle oracle = SqlOracle.over(lake, Rules.DEFAULTS, "true");
    lake.define(
        """
        INSERT INTO sessions
          SELECT user_id, user_id, to_timestamp(session_start / 1000), to_timestamp(session_end / 1000),
                 * EXCLUDE (user_id, session_start, session_end, device_type, app_version, country,
                            client_session_ids, end_reason),
                 CASE user_id WHEN 'after' THEN 'end_of_input' ELSE 'gap' END,
                 device_type, app_version, country, client_session_ids, '2026', '03', '01', '12'
          FROM expected_sessions
        """);
    assertThat(oracle.sessionDifferences(NOON.plusMillis(GAP + 1))).isEmpty();
    assertThat(oracle.sessionDifferences(null)).isEmpty();
    assertThat(oracle.sessionDifferences(NOON.plusMillis(GAP))).hasSize(2);
    assertThat(oracle.sessionDifferences(Instant.MIN)).hasSize(4);
  }
}

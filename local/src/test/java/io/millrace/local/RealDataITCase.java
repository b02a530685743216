package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.job.engagement.EngagementConfig;
import io.millrace.job.engagement.EngagementJob;
import io.millrace.local.SqlOracle.Rules;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipInputStream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The job in bounded mode over public data sets whose figures are known; skipped without them. */
class RealDataITCase {
  private static final Path DATA =
      BuildFiles.module().getParent().resolveSibling("shared").resolve("data");

  @TempDir private static Path flinkFolder;
  private static FlinkCluster flink;

  @TempDir private Path folder;

  @BeforeAll
  static void start() {
    flink = FlinkCluster.start(flinkFolder, 1, 2, Map.of());
  }

  @AfterAll
  static void stop() {
    flink.close();
  }

  private static Path data(String file) {
    Path path = DATA.resolve(file);
    assumeTrue(Files.isRegularFile(path), path + " is not there");
    return path;
  }

  /**
   * Runs the job over the rows of a query.
   *
   * @param events has the columns of the JSON
   */
  private LakeReader run(String events) throws Exception {
    Path input = Files.createDirectories(folder.resolve("input/session"));
    try (Connection duckdb = DriverManager.getConnection("jdbc:duckdb:");
        Statement sql = duckdb.createStatement()) {
      sql.execute(
          "COPY (%s) TO '%s' (FORMAT json)".formatted(events, input.resolve("events.jsonl")));
    }
    Path lake = folder.resolve("lake");
    EngagementConfig config =
        EngagementConfig.parse(
            new String[] {
              "--source",
              "files",
              "--input",
              input.getParent().toUri().toString(),
              "--lake.root",
              lake.toUri().toString(),
              "--lake.raw",
              "false"
            });
    StreamExecutionEnvironment env = flink.environment();
    env.configure(EngagementJob.flinkSettings(config));
    EngagementJob.build(env, config);
    JobID job = flink.submit(env);
    flink.waitUntilFinished(job, Duration.ofMinutes(3));
    return LakeReader.ofFolder(lake);
  }

  private static void assertOracle(LakeReader lake) {
    SqlOracle oracle = SqlOracle.over(lake, Rules.DEFAULTS, "true");
    assertThat(oracle.sessionDifferences(Instant.MIN)).isEmpty();
    assertThat(oracle.rollupDifferences(Instant.parse("2100-01-01T00:00:00Z"))).isEmpty();
    assertThat(lake.query("FROM cross_checks WHERE NOT holds").rows()).isEmpty();
  }

  /** Labelled sessions: the gaps within are at most 1,677 s, those between at least 38,402 s. */
  @Test
  void findsTheLabelledSessionsOfAShop() throws Exception {
    Path csv = data("ecom_sessions/ecom.csv.gz");
    String rows =
        "(SELECT row_number() OVER () AS row, * FROM read_csv('%s', parallel = false))"
            .formatted(csv);
    try (LakeReader lake =
        run(
            "SELECT printf('%06d', row) AS event_id, user_id, session_id, event AS event_type,"
                + " epoch_ms(timestamp) AS timestamp, {device_type: platform} AS device_info FROM "
                + rows)) {
      assertThat(lake.number("SELECT count(*) FROM app_events")).isEqualTo(31_106);
      assertThat(lake.number("SELECT count(*) FROM sessions")).isEqualTo(3_605);
      lake.define(
          "CREATE TABLE labelled AS SELECT user_id, min(timestamp) AS first, max(timestamp) AS"
              + " last, count(*) AS events, list(event ORDER BY timestamp, row) AS path,"
              + " [session_id] AS labels, first(platform ORDER BY timestamp, row) AS device FROM "
              + rows
              + " GROUP BY user_id, session_id");
      lake.define(
          "CREATE TABLE found AS SELECT user_id, session_start::TIMESTAMP AS first,"
              + " session_end::TIMESTAMP AS last, event_count AS events, path,"
              + " client_session_ids AS labels, device_type AS device FROM sessions");
      assertThat(lake.query("FROM labelled EXCEPT ALL FROM found LIMIT 5").rows()).isEmpty();
      assertThat(lake.query("FROM found EXCEPT ALL FROM labelled LIMIT 5").rows()).isEmpty();
      assertOracle(lake);
    }
  }

  /** Clicks of a shop without a clock time; a session is a user here, as it has no other name. */
  @Test
  void countsTheSessionsAndCountriesOfAnotherShop() throws Exception {
    Path csv = unzip(data("eshop2008/eshop.zip"));
    String rows = "read_csv('%s', delim = ';')".formatted(csv);
    try (LakeReader lake =
        run(
            "SELECT 'click-' || \"order\" AS event_id, 'session-' || \"session ID\" AS user_id,"
                + " 'click' AS event_type,"
                + " epoch_ms(make_timestamp(year, month, day, 12, 0, 0)) + 1000 * \"order\" AS"
                + " timestamp, {country: 'country-' || country} AS geo_location FROM "
                + rows)) {
      String total =
          " FROM daily_aggregates_with_dimensions WHERE device_type = 'ALL_DEVICES' AND"
              + " app_version = 'ALL_VERSIONS' AND country ";
      assertThat(lake.number("SELECT count(*) FROM app_events")).isEqualTo(165_474);
      assertThat(lake.number("SELECT count(*) FROM sessions")).isEqualTo(24_026);
      // A session is on one day only, so that users of days add up.
      assertThat(lake.number("SELECT sum(active_users)" + total + "= 'ALL_COUNTRIES'"))
          .isEqualTo(24_026);
      assertThat(lake.number("SELECT sum(total_events)" + total + "= 'ALL_COUNTRIES'"))
          .isEqualTo(165_474);
      assertThat(lake.number("SELECT count(DISTINCT country)" + total + "<> 'ALL_COUNTRIES'"))
          .isEqualTo(47);
      List<List<String>> expected =
          lake.query(
                  "SELECT 'country-' || country, count(DISTINCT \"session ID\"), count(*) FROM "
                      + rows
                      + " GROUP BY 1 ORDER BY 1")
              .rows();
      assertThat(
              lake.query(
                      "SELECT country, sum(active_users), sum(total_events)"
                          + total
                          + "<> 'ALL_COUNTRIES' GROUP BY 1 ORDER BY 1")
                  .rows())
          .hasSize(47)
          .isEqualTo(expected);
      // The sketches of 135 days united, where nothing but their sum is known to be right.
      assertThat(
              lake.number(
                      "SELECT hll_union_estimate(active_users_hll)" + total + "= 'ALL_COUNTRIES'")
                  / 24_026.0)
          .isBetween(0.95, 1.05);
      assertOracle(lake);
    }
  }

  private Path unzip(Path zip) throws IOException {
    Path file = folder.resolve("clicks.csv");
    try (InputStream in = Files.newInputStream(zip);
        ZipInputStream entries = new ZipInputStream(in)) {
      assertThat(entries.getNextEntry().getName()).endsWith(".csv");
      Files.copy(entries, file);
    }
    return file;
  }
}

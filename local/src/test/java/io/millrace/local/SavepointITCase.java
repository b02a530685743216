package io.millrace.local;

import static io.millrace.local.Savepoints.DAY;
import static io.millrace.local.Savepoints.NAME;
import static io.millrace.local.Savepoints.PATIENCE;
import static io.millrace.local.Savepoints.WRITTEN;
import static io.millrace.local.Savepoints.files;
import static io.millrace.local.Savepoints.on;
import static io.millrace.local.Savepoints.renamed;
import static io.millrace.local.Savepoints.send;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.job.engagement.EngagementConfig;
import io.millrace.job.engagement.EngagementJob;
import io.millrace.telemetry.Metrics;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.JobID;
import org.apache.flink.core.fs.FileSystem.WriteMode;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Savepoints of the engagement job as it is shipped, with a dimension and erasures: each goes on
 * with the present code, on the heap and on RocksDB, and what comes out needs what was in it.
 */
class SavepointITCase {
  private static final List<String> TOPICS =
      List.of("install", "open_notification", "session", "view_notification");
  private static Savepoints savepoints;

  @TempDir private Path folder;

  @BeforeAll
  static void start() {
    List<String> topics =
        new ArrayList<>(List.of("sessions", "anomalies", "rollups.live", "erasures"));
    TOPICS.forEach(topic -> topics.addAll(List.of(topic, topic + ".dlq")));
    savepoints = new Savepoints(topics);
  }

  @AfterAll
  static void stop() {
    savepoints.close();
  }

  @AfterEach
  void clean() {
    savepoints.clean();
  }

  private Path dimension() {
    return folder.resolve("dimension.jsonl");
  }

  private StreamExecutionEnvironment engagement(String backend, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--kafka.bootstrap-servers",
                savepoints.stack().kafka().bootstrap(),
                "--job.name",
                NAME,
                "--job.run-id",
                "run-of-" + NAME,
                "--time.idleness",
                "1 s",
                "--users.erasures-topic",
                "erasures",
                "--dimension.file",
                dimension().toUri().toString(),
                "--dimension.refresh",
                "1 s",
                "--lake.writer-memory",
                "16 mb",
                "--lake.root",
                "s3://" + Stack.BUCKET + "/" + NAME));
    arguments.addAll(List.of(more));
    EngagementConfig config = EngagementConfig.parse(arguments.toArray(new String[0]));
    StreamExecutionEnvironment env = savepoints.flink().environment();
    env.configure(EngagementJob.flinkSettings(config));
    env.configure(on(backend));
    EngagementJob.build(env, config);
    return env;
  }

  /** What was sent before the savepoint, to topics that are made for it. */
  private static void sendTheFirstHours() throws Exception {
    TOPICS.forEach(topic -> savepoints.createTopics(topic, topic + ".dlq"));
    savepoints.createTopics("sessions", "anomalies", "erasures");
    savepoints.stack().kafka().createTopic("rollups.live", 1, Map.of("cleanup.policy", "compact"));
    try (KafkaProducer<String, String> producer = savepoints.producer()) {
      for (int hour = 0; hour < 12; hour++) {
        for (int i = 0; i < 12; i++) {
          event(producer, "session", "u" + i % 4, "%02d:%02d".formatted(hour, 5 + i));
        }
      }
      for (int i = 0; i < 60; i++) {
        event(producer, "session", "flood", "12:05:%02d".formatted(i));
      }
      for (int i = 0; i < 4; i++) {
        event(producer, "session", "u" + i, "13:05");
      }
      send(producer, "session", "broken", "{", DAY + "13:06:00Z");
      event(producer, "session", "ann", "13:50");
      event(producer, "session", "eve", "13:52");
      event(producer, "session", "ann", "13:55");
      event(producer, "view_notification", "ned", "13:54");
      event(producer, "open_notification", "ned", "13:55");
      event(producer, "install", "ned", "14:01");
      send(producer, "erasures", "nobody", "asked on paper", DAY + "13:55:00Z");
    }
  }

  private static void event(
      KafkaProducer<String, String> producer, String topic, String user, String time)
      throws Exception {
    String at = DAY + time + (time.length() == 5 ? ":00Z" : "Z");
    String type = topic.equals("session") ? "purchase" : topic;
    send(
        producer,
        topic,
        user,
        String.format(
            "{\"event_id\":\"%1$s-%2$s\",\"user_id\":\"%1$s\",\"event_type\":\"%3$s\","
                + "\"timestamp\":\"%4$s\",\"geo_location\":{\"country\":\"DE\"}}",
            user, time, type, at),
        at);
  }

  private static void awaitMetric(JobID job, String name, long value) {
    String metric = Metrics.GROUP + "." + name;
    Await.until(
        () -> name + " to be " + value + ", it is " + savepoints.flink().metrics().sum(job, metric),
        PATIENCE,
        () -> savepoints.runs(job) && savepoints.flink().metrics().sum(job, metric) == value);
  }

  private static void awaitNumber(JobID job, String query, long value) {
    Await.until(
        () -> query + " to give " + value + ", it gives " + number(query),
        PATIENCE,
        () -> savepoints.runs(job) && number(query) == value);
  }

  private static long number(String query) {
    try (LakeReader lake = LakeReader.ofFolder(savepoints.lake())) {
      return lake.number(query);
    }
  }

  @Test
  @EnabledIfSystemProperty(named = "millrace.fixtures.write", matches = "true")
  void writeTheSavepointOfTheEngagementJob() throws Exception {
    Files.writeString(
        dimension(),
        "{\"kind\":\"country\",\"key\":\"DE\",\"name\":\"Germany\",\"market\":\"EMEA\"}\n");
    sendTheFirstHours();
    JobID job = savepoints.flink().submit(engagement("rocksdb"));
    savepoints.flink().waitUntilTasksRun(job, PATIENCE);
    awaitNumber(job, "SELECT count(*) FROM anomalies WHERE metric = 'total_events'", 2);
    awaitNumber(job, "SELECT count(*) FROM app_events WHERE hour >= '13'", 10);
    awaitMetric(job, Metrics.OPEN_SESSION_EVENTS, 6);
    // What a savepoint still has to commit belongs to a lake that is not kept with it.
    savepoints.flink().checkpoint(job);
    savepoints.flink().checkpoint(job);
    savepoints.keep(savepoints.flink().stopWithSavepoint(job), "engagement");
    keepNewest("quality/cross_checks");
    keepNewest("processed/app_events/year=2026/month=03/day=01/hour=14");
  }

  private static void keepNewest(String table) throws IOException {
    Path newest =
        files(savepoints.lake().resolve(table)).stream()
            .filter(file -> file.toString().endsWith(".parquet"))
            .max(Comparator.comparing(file -> file.toFile().lastModified()))
            .orElseThrow();
    Path kept = WRITTEN.resolve("engagement-lake").resolve(savepoints.lake().relativize(newest));
    Files.createDirectories(kept.getParent());
    Files.write(kept, Files.readAllBytes(newest));
  }

  /** Files that the savepoint has still to commit, or whose partition it has to complete. */
  private static void restoreTheLake(Path version) throws IOException {
    Path kept = version.resolve("engagement-lake");
    for (Path file : files(kept)) {
      org.apache.flink.core.fs.Path target =
          new org.apache.flink.core.fs.Path(
              "s3://" + Stack.BUCKET + "/" + NAME + "/" + kept.relativize(file));
      try (OutputStream out = target.getFileSystem().create(target, WriteMode.OVERWRITE)) {
        Files.copy(file, out);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.millrace.local.Savepoints#versions")
  void theEngagementJobGoesOn(Path version, String backend) throws Exception {
    sendTheFirstHours();
    restoreTheLake(version);
    JobID job = savepoints.resume(engagement(backend), version.resolve("engagement"));
    try (KafkaProducer<String, String> producer = savepoints.producer()) {
      send(producer, "erasures", "eve", "asked on paper", DAY + "14:02:00Z");
      event(producer, "session", "ann", "13:50");
      event(producer, "session", "ann", "13:58");
      awaitMetric(job, Metrics.RECEIVED, 2);
      // Of before: two of ann and three of ned.
      awaitMetric(job, Metrics.OPEN_SESSION_EVENTS, 6);
      awaitMetric(job, Metrics.OPEN_SESSIONS, 2);
      event(producer, "session", "zoe", "17:00");
    }
    awaitNumber(
        job,
        "SELECT count(*) FROM anomalies WHERE state = 'resolved' AND metric = 'total_events'",
        2);
    Path hour = savepoints.lake().resolve("processed/app_events/year=2026/month=03/day=01/hour=14");
    Await.until(
        hour + " to be complete",
        PATIENCE,
        () -> savepoints.runs(job) && Files.exists(hour.resolve("_SUCCESS")));
    String received = Metrics.LEDGER + Metrics.RECEIVED;
    Await.until(
        () -> received + ": " + savepoints.flink().metrics().read(job, received),
        PATIENCE,
        () -> savepoints.runs(job) && savepoints.flink().metrics().sum(job, received) == 218);
    String after = savepoints.flink().stopWithSavepoint(job);
    assertTheTablesGoOn();
    assertTheTopicsGoOn();
    savepoints.assertTheSameStates("engagement", after);
  }

  private static void assertTheTablesGoOn() {
    try (LakeReader lake = LakeReader.ofFolder(savepoints.lake())) {
      assertThat(
              lake.query(
                      "SELECT event_id, dim_market, late FROM app_events WHERE hour <> '14' ORDER"
                          + " BY timestamp")
                  .rows())
          .as("no duplicate; the dimension of before, whose file is gone")
          .containsExactly(
              List.of("ann-13:58", "EMEA", "false"), List.of("zoe-17:00", "EMEA", "false"));
      assertThat(lake.query("SELECT user_id, event_count FROM sessions ORDER BY 1").rows())
          .as("sessions that were open; not that of the erased user")
          .containsExactly(List.of("ann", "3"), List.of("ned", "3"));
      assertThat(
              lake.query(
                      "SELECT hour, total_events, active_users FROM"
                          + " hourly_aggregates_with_dimensions WHERE device_type ="
                          + " 'ALL_DEVICES' AND app_version = 'ALL_VERSIONS' AND country ="
                          + " 'ALL_COUNTRIES' ORDER BY hour")
                  .rows())
          .containsExactly(List.of("13", "10", "7"), List.of("14", "1", "1"));
      assertThat(
              lake.query(
                      "SELECT cell, strftime(opened_at, '%H'), windows_firing FROM anomalies WHERE"
                          + " state = 'resolved' AND metric = 'total_events' ORDER BY cell")
                  .rows())
          .as("alerts that were open")
          .containsExactly(List.of("", "12", "1"), List.of("country=DE", "12", "1"));
      assertThat(
              lake.query(
                      "SELECT max(expected), bool_and(holds) FROM cross_checks WHERE name ="
                          + " 'session_events'")
                  .rows())
          .as("all events since the first one")
          .containsExactly(List.of("216", "true"));
    }
  }

  private static void assertTheTopicsGoOn() {
    assertThat(savepoints.stack().kafka().read("sessions")).hasSize(2);
    assertThat(savepoints.stack().kafka().read("rollups.live"))
        .extracting(ConsumerRecord::value)
        .anyMatch(
            value ->
                value.contains(
                        "\"hour\",\"window_start\":\"2026-03-01T13:00:00Z\",\"device_type\":"
                            + "\"ALL_DEVICES\",\"app_version\":\"ALL_VERSIONS\",\"country\":"
                            + "\"ALL_COUNTRIES\"")
                    && value.contains("\"total_events\":10,")
                    && value.contains("\"final\":true"));
  }

  @Test
  void anotherUidIsRefused() throws IOException {
    savepoints.assertRefused(
        renamed(engagement("hashmap"), "detect-anomalies", "detect"),
        "engagement",
        "detect-anomalies");
  }

  @Test
  void anOperatorLessIsRefused() throws IOException {
    savepoints.assertRefused(
        engagement("hashmap", "--anomalies.topic", "", "--anomalies.enabled", "false"),
        "engagement",
        "detect-anomalies");
  }
}

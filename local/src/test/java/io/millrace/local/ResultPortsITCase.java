package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.event.Anomaly;
import io.millrace.event.Anomaly.Direction;
import io.millrace.event.Anomaly.Severity;
import io.millrace.event.Anomaly.State;
import io.millrace.event.Cell;
import io.millrace.event.CellCounts;
import io.millrace.event.CrossCheck;
import io.millrace.event.LiveRollup;
import io.millrace.event.Rollup;
import io.millrace.event.Session;
import io.millrace.event.Session.EndReason;
import io.millrace.job.engagement.EngagementConfig;
import io.millrace.job.engagement.EngagementJob;
import io.millrace.job.engagement.EngagementPorts;
import io.millrace.job.engagement.RunInfo;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiterStrategy;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.connector.datagen.source.GeneratorFunction;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The ports of sessions, rollups, anomalies and cross-checks, fed by hand, on real servers. */
class ResultPortsITCase {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final long T = 1_767_225_600_000L; // 2026-01-01T00:00:00Z
  private static final long HOUR = 3_600_000L;
  private static final int PARTITIONS = 2;
  private static final String CELL =
      "{\"window\":\"hour\",\"window_start\":\"2026-01-01T00:00:00Z\",\"device_type\":\"%s\","
          + "\"app_version\":\"ALL_VERSIONS\",\"country\":\"DE\"}";

  @TempDir private static Path folder;

  private static Stack stack;
  private static FlinkCluster flink;

  @BeforeAll
  static void start() {
    stack = Stack.shared();
    flink = stack.startFlink(2, 1, Map.of("execution.checkpointing.interval", "500 ms"));
    for (String topic : List.of("ports-in", "ports-in.dlq", "ports-sessions", "ports-anomalies")) {
      stack.kafka().createTopic(topic, PARTITIONS);
    }
    stack.kafka().createTopic("ports-live", PARTITIONS, Map.of("cleanup.policy", "compact,delete"));
  }

  @AfterAll
  static void stop() {
    flink.close();
    stack
        .kafka()
        .deleteTopics(
            "ports-in", "ports-in.dlq", "ports-anomalies", "ports-sessions", "ports-live");
  }

  private static EngagementConfig config(String... more) {
    Map<String, String> arguments = new HashMap<>();
    arguments.put("--job.name", "ports");
    arguments.put("--kafka.bootstrap-servers", stack.kafka().bootstrap());
    arguments.put("--topics", "ports-in:*");
    arguments.put("--lake.root", folder.resolve("lake").toUri().toString());
    arguments.put("--sessions.topic", "ports-sessions");
    arguments.put("--rollups.live-topic", "ports-live");
    arguments.put("--anomalies.topic", "ports-anomalies");
    for (int i = 0; i < more.length; i += 2) {
      arguments.put(more[i], more[i + 1]);
    }
    return EngagementConfig.parse(
        arguments.entrySet().stream()
            .flatMap(a -> Stream.of(a.getKey(), a.getValue()))
            .toArray(String[]::new));
  }

  private static EngagementPorts ports(EngagementConfig config) {
    return EngagementPorts.connect(config, new RunInfo("run-1", "0.1.0"));
  }

  private static StreamExecutionEnvironment environment(EngagementConfig config) {
    StreamExecutionEnvironment env = flink.environment();
    Configuration settings = EngagementJob.flinkSettings(config);
    env.configure(settings);
    return env;
  }

  /** Runs records through a sink, in order, until they are all committed. */
  private static <T> void send(
      EngagementConfig config, Sink<T> sink, Class<T> type, List<T> records) {
    StreamExecutionEnvironment env = environment(config);
    env.setParallelism(1);
    env.fromData(records, TypeInformation.of(type)).uid("records").sinkTo(sink).uid("sink");
    flink.waitUntilFinished(flink.submit(env), PATIENCE);
  }

  private static Session session(long number) {
    return new Session(
        "session-" + number,
        "user-" + number % 10,
        T + number,
        T + number + 5_000,
        3,
        2,
        0,
        1,
        0,
        1,
        1,
        List.of("home", "cart"),
        false,
        "session_start",
        "purchase",
        EndReason.GAP,
        "phone",
        null,
        "DE",
        List.of());
  }

  private static Rollup rollup(boolean daily, long start, String device, long events) {
    return new Rollup(
        new Cell(daily, start, 5, List.of(device, "ALL_VERSIONS", "DE")),
        new CellCounts(new long[] {events, 1, 2, 8, 2}, 17, 4, 1, 10_500, new byte[] {1}),
        false);
  }

  private static LiveRollup live(String device, long events, boolean last, boolean retired) {
    return new LiveRollup(rollup(false, T, device, events), last, retired);
  }

  /** Its only header: the run. */
  private static String correlationId(ConsumerRecord<?, ?> message) {
    assertThat(message.headers()).hasSize(1);
    return new String(
        message.headers().lastHeader("correlation-id").value(), StandardCharsets.UTF_8);
  }

  private static List<ConsumerRecord<String, String>> consume(String topic, int expected) {
    Map<String, Object> client = new HashMap<>();
    client.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, stack.kafka().bootstrap());
    client.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    client.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    List<TopicPartition> partitions =
        IntStream.range(0, PARTITIONS).mapToObj(p -> new TopicPartition(topic, p)).toList();
    List<ConsumerRecord<String, String>> records = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(client, new StringDeserializer(), new StringDeserializer())) {
      consumer.assign(partitions);
      Await.until(
          () -> expected + " records of " + topic + ", of which there are " + records.size(),
          PATIENCE,
          () -> {
            consumer.poll(Duration.ofMillis(200)).forEach(records::add);
            // To the end of what is committed: too many would be there, too.
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            return records.size() >= expected
                && partitions.stream().allMatch(p -> consumer.position(p) >= ends.get(p));
          });
    }
    return records;
  }

  @Test
  void eachSessionIsCommittedOnceOverALostTaskManager() {
    EngagementConfig config = config();
    StreamExecutionEnvironment env = environment(config);
    env.setParallelism(2);
    GeneratorFunction<Long, Session> sessions = ResultPortsITCase::session;
    env.fromSource(
            new DataGeneratorSource<>(
                sessions,
                3_000,
                RateLimiterStrategy.perSecond(300),
                TypeInformation.of(Session.class)),
            WatermarkStrategy.noWatermarks(),
            "records")
        .uid("records")
        .sinkTo(ports(config).sessionTopic())
        .uid("sink");
    JobID job = flink.submit(env);
    flink.waitUntilTasksRun(job, PATIENCE);
    flink.checkpoint(job);
    flink.terminateTaskManager(0);
    flink.startTaskManager();
    flink.waitUntilFinished(job, PATIENCE);
    assertThat(flink.restarts(job)).isGreaterThanOrEqualTo(1);

    List<ConsumerRecord<String, String>> records = consume("ports-sessions", 3_000);
    assertThat(records)
        .extracting(r -> r.value().replaceFirst(".*\"session_id\":\"session-(\\d+)\".*", "$1"))
        .containsExactlyInAnyOrderElementsOf(
            IntStream.range(0, 3_000).mapToObj(Integer::toString).toList());
    assertThat(records).extracting(ResultPortsITCase::correlationId).containsOnly("run-1");
    assertThat(records)
        .filteredOn(r -> r.value().contains("\"session-1234\""))
        .singleElement()
        .satisfies(
            r -> {
              assertThat(r.key()).isEqualTo("user-4");
              assertThat(r.value())
                  .contains("\"session_start\":\"2026-01-01T00:00:01.234Z\"")
                  .contains("\"path\":[\"home\",\"cart\"]")
                  .contains("\"app_version\":null");
            });
  }

  @Test
  void theLiveTopicHoldsTheLastValueOfEachCell() {
    EngagementConfig config = config();
    send(
        config,
        ports(config).liveTopic(),
        LiveRollup.class,
        List.of(
            live("phone", 1, false, false),
            live("tablet", 5, false, false),
            live("phone", 2, true, false),
            live("tablet", 5, false, true)));
    Map<String, String> present = new HashMap<>();
    List<ConsumerRecord<String, String>> messages = consume("ports-live", 4);
    assertThat(messages).extracting(ResultPortsITCase::correlationId).containsOnly("run-1");
    messages.forEach(r -> present.put(r.key(), r.value()));
    assertThat(present).containsOnlyKeys(CELL.formatted("phone"), CELL.formatted("tablet"));
    assertThat(present.get(CELL.formatted("tablet"))).isNull();
    assertThat(present.get(CELL.formatted("phone")))
        .startsWith("{\"window\":\"hour\"")
        .contains("\"total_events\":2,")
        .endsWith("\"final\":true}");
  }

  @Test
  void theTopicOfAnomaliesHoldsTheRowsOfAnAlertInOrder() {
    EngagementConfig config = config();
    send(
        config,
        ports(config).anomalyTopic(),
        Anomaly.class,
        List.of(
            anomaly("alert-1", 1, State.FIRING),
            anomaly("alert-2", 1, State.FIRING),
            anomaly("alert-1", 2, State.RESOLVED)));
    List<ConsumerRecord<String, String>> messages = consume("ports-anomalies", 3);
    assertThat(messages).extracting(ResultPortsITCase::correlationId).containsOnly("run-1");
    assertThat(messages)
        .filteredOn(m -> m.key().equals("alert-1"))
        .extracting(ConsumerRecord::value)
        .satisfiesExactly(
            first ->
                assertThat(first)
                    .startsWith("{\"alert_id\":\"alert-1\",\"metric\":\"total_events\"")
                    .contains("\"cell\":\"phone,DE\"", "\"state\":\"firing\"")
                    .endsWith("\"windows_firing\":1}"),
            last -> assertThat(last).contains("\"state\":\"resolved\""));
  }

  private static Anomaly anomaly(String alert, int windows, State state) {
    return new Anomaly(
        alert,
        "total_events",
        List.of("phone", "DE"),
        T,
        T + HOUR,
        70,
        20,
        9.5,
        Severity.CRITICAL,
        Direction.SPIKE,
        state,
        T,
        windows);
  }

  @Test
  void rowsAreFiledUnderTheirHoursAndDays() throws Exception {
    EngagementConfig config = config();
    EngagementPorts ports = ports(config);
    send(config, ports.sessions(), Session.class, List.of(session(2 * HOUR), session(1)));
    send(
        config,
        ports.hourly(),
        Rollup.class,
        List.of(rollup(false, T, "phone", 3), rollup(false, T + HOUR, "phone", 4)));
    send(config, ports.daily(), Rollup.class, List.of(rollup(true, T, "phone", 7)));
    send(
        config,
        ports.crossChecks(),
        CrossCheck.class,
        List.of(
            new CrossCheck(
                "run-1",
                "streaming",
                T + 2 * HOUR,
                3,
                CrossCheck.LEAVES_EQUAL_ALL,
                "total_events",
                T,
                7,
                7,
                true)));
    assertThat(rows("processed/sessions/year=2026/month=01/day=01/hour=02", "session_id"))
        .containsExactly("session-7200000");
    assertThat(rows("processed/sessions/year=2026/month=01/day=01/hour=00", "session_id"))
        .containsExactly("session-1");
    String hours = "aggregated/hourly_aggregates_with_dimensions/year=2026/month=01/day=01/";
    assertThat(rows(hours + "hour=00", "total_events")).containsExactly("3");
    assertThat(rows(hours + "hour=01", "total_events")).containsExactly("4");
    assertThat(
            rows(
                "aggregated/daily_aggregates_with_dimensions/year=2026/month=01/day=01",
                "device_type || app_version || total_events || avg_session_seconds"))
        .containsExactly("phoneALL_VERSIONS72.625");
    assertThat(rows("quality/cross_checks/year=2026/month=01/day=01/hour=02", "name || holds"))
        .containsExactly("leaves_equal_alltrue");
    assertThat(folder.resolve("lake/" + hours + "hour=00/_SUCCESS"))
        .as("complete at the end of input")
        .exists();
    assertThat(folder.resolve("lake/quality/cross_checks/year=2026/month=01/day=01/hour=02"))
        .isDirectoryNotContaining("glob:**/_SUCCESS");
  }

  private static List<String> rows(String path, String expression) throws SQLException {
    try (Connection duckdb = DriverManager.getConnection("jdbc:duckdb:");
        Statement sql = duckdb.createStatement();
        ResultSet rows =
            sql.executeQuery(
                "SELECT (%s)::varchar FROM read_parquet('%s/*.parquet', hive_partitioning = false)"
                    .formatted(expression, folder.resolve("lake").resolve(path)))) {
      List<String> found = new ArrayList<>();
      while (rows.next()) {
        found.add(rows.getString(1));
      }
      return found;
    }
  }

  @Test
  void whatIsMissingInKafkaIsToldAtSubmission() {
    assertThatCode(() -> EngagementPorts.verify(config())).doesNotThrowAnyException();
    assertThatThrownBy(
            () ->
                EngagementPorts.verify(
                    config("--sessions.topic", "no-sessions", "--anomalies.topic", "no-alerts")))
        .hasMessageStartingWith("these topics do not exist: no-alerts, no-sessions (");
    assertThatThrownBy(
            () -> EngagementPorts.verify(config("--rollups.live-topic", "ports-sessions")))
        .hasMessage(
            "topic ports-sessions (rollups.live-topic) has cleanup.policy=delete, but must have"
                + " cleanup.policy=compact");
  }

  @Test
  void postgresHoldsPresentValuesThatBecomeFinal() throws Exception {
    OptionalPackages.requirePostgres();
    Path password = Files.createTempFile(folder, "password", "");
    try (PostgresServer postgres = PostgresServer.startTemporary()) {
      Files.writeString(password, postgres.password() + "\n");
      EngagementConfig config =
          config(
              "--rollups.jdbc.url", postgres.url(),
              "--rollups.jdbc.user", postgres.user(),
              "--rollups.jdbc.password", "file:" + password);
      assertThatThrownBy(() -> EngagementPorts.verify(config))
          .hasMessage(
              "rollups.jdbc.url "
                  + postgres.url()
                  + ": ERROR: relation \"rollups_live\" does not exist"
                  + " (sql/ddl/postgres.sql makes the table)");
      try (Connection connection = postgres.connect();
          Statement sql = connection.createStatement()) {
        sql.execute(Files.readString(BuildFiles.sql("ddl/postgres.sql")));
        EngagementPorts.verify(config);
        assertThat(query(sql, "SELECT count(*) FROM rollups_live"))
            .as("verifying writes nothing")
            .containsExactly("0");

        EngagementPorts ports = ports(config);
        List<LiveRollup> records = new ArrayList<>();
        // More than one batch, of cells that change.
        IntStream.range(0, 2_500)
            .forEach(i -> records.add(live("device-" + i % 100, i, false, false)));
        records.add(live("a\0b" + "x".repeat(5_000), 1, false, false));
        records.add(live("closed", 7, false, false));
        records.add(live("closed", 8, true, false));
        records.add(new LiveRollup(rollup(true, T, "closed", 9), true, false));
        send(config, ports.liveTable(), LiveRollup.class, records);

        String values = "SELECT total_events, final FROM hourly_aggregates_with_dimensions WHERE ";
        assertThat(query(sql, "SELECT count(*) FROM rollups_live")).containsExactly("103");
        assertThat(query(sql, values + "device_type = 'device-42'")).containsExactly("2442|f");
        assertThat(query(sql, values + "device_type = 'closed'")).containsExactly("8|t");
        assertThat(query(sql, values + "device_type LIKE 'a\uFFFDbxxx%'")).containsExactly("1|f");
        assertThat(
                query(
                    sql,
                    "SELECT extract(epoch FROM window_start)::bigint, device_type, app_version,"
                        + " country, total_events, total_installs, total_sessions, total_views,"
                        + " total_opens, notification_ctr, active_users, distinct_approximate,"
                        + " sessions_ended, bounced_sessions, bounce_rate, session_seconds,"
                        + " avg_session_seconds, final FROM daily_aggregates_with_dimensions"))
            .containsExactly(
                "1767225600|closed|ALL_VERSIONS|DE|9|1|2|8|2|0.25|17|f|4|1|0.25|10.5|2.625|t");

        // What a restarted job sends again; a cell that was folded; one that was told long enough.
        send(
            config,
            ports.liveTable(),
            LiveRollup.class,
            List.of(
                live("closed", 7, false, false),
                live("device-1", 50, false, true),
                live("device-2", 60, true, false),
                live("device-2", 60, true, true),
                live("closed", 8, true, true)));
        assertThat(query(sql, values + "device_type = 'closed'")).containsExactly("8|t");
        assertThat(query(sql, values + "device_type = 'device-1'")).isEmpty();
        assertThat(query(sql, values + "device_type = 'device-2'")).containsExactly("60|t");
        assertThat(query(sql, "SELECT count(*) FROM rollups_live")).containsExactly("102");

        sql.execute("ALTER TABLE rollups_live DROP COLUMN total_opens CASCADE");
        assertThatThrownBy(() -> EngagementPorts.verify(config))
            .hasMessageContaining(
                "ERROR: column \"total_opens\" of relation \"rollups_live\" does");
      }
    }
  }

  @Test
  void postgresMayBeStartedAgain() throws Exception {
    OptionalPackages.requirePostgres();
    try (PostgresServer postgres = PostgresServer.startTemporary()) {
      createTables(postgres);
      JobID job = flink.submit(writing(postgres));
      awaitFirstRow(postgres);
      postgres.stop();
      awaitNoCheckpointFor(Duration.ofSeconds(2), job);
      postgres.restart();
      flink.waitUntilFinished(job, PATIENCE);
      assertThat(flink.restarts(job)).as("restarts of the job").isZero();
      assertLastValues(postgres);
    }
  }

  @Test
  void aTableThatIsGoneFailsTheJobAndNotItsTaskManager() throws Exception {
    OptionalPackages.requirePostgres();
    try (PostgresServer postgres = PostgresServer.startTemporary()) {
      createTables(postgres);
      int taskManagers = taskManagers();
      JobID job = flink.submit(writing(postgres));
      awaitFirstRow(postgres);
      try (Connection connection = postgres.connect();
          Statement sql = connection.createStatement()) {
        sql.execute("DROP TABLE rollups_live CASCADE");
      }
      Await.until("a restart of the job", PATIENCE, () -> flink.restarts(job) >= 1);
      createTables(postgres);
      flink.waitUntilFinished(job, PATIENCE);
      assertThat(taskManagers()).isEqualTo(taskManagers);
      assertLastValues(postgres);
    }
  }

  /** A sink that waits for its database takes no barrier. */
  private static void awaitNoCheckpointFor(Duration time, JobID job) {
    AtomicLong completed = new AtomicLong(-1);
    AtomicLong since = new AtomicLong();
    Await.until(
        "checkpoints to stand still",
        PATIENCE,
        () -> {
          long now = flink.completedCheckpoints(job);
          if (completed.getAndSet(now) != now) {
            since.set(System.nanoTime());
          }
          return System.nanoTime() - since.get() >= time.toNanos();
        });
  }

  private static int taskManagers() throws Exception {
    HttpResponse<String> answer =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(URI.create(flink.webUrl() + "/taskmanagers")).build(),
                HttpResponse.BodyHandlers.ofString());
    return answer.body().split("\"dataPort\"", -1).length - 1;
  }

  /** Ten seconds of changing values of seven cells, which are final at their last. */
  private static StreamExecutionEnvironment writing(PostgresServer postgres) throws IOException {
    Path password = Files.createTempFile(folder, "password", "");
    Files.writeString(password, postgres.password());
    EngagementConfig config =
        config(
            "--rollups.jdbc.url", postgres.url(),
            "--rollups.jdbc.user", postgres.user(),
            "--rollups.jdbc.password", "file:" + password);
    StreamExecutionEnvironment env = environment(config);
    env.setParallelism(1);
    GeneratorFunction<Long, LiveRollup> records = n -> live("d" + n % 7, n, n >= 1_993, false);
    env.fromSource(
            new DataGeneratorSource<>(
                records,
                2_000,
                RateLimiterStrategy.perSecond(200),
                TypeInformation.of(LiveRollup.class)),
            WatermarkStrategy.noWatermarks(),
            "records")
        .uid("records")
        .sinkTo(ports(config).liveTable())
        .uid("sink");
    return env;
  }

  private static void createTables(PostgresServer postgres) throws Exception {
    try (Connection connection = postgres.connect();
        Statement sql = connection.createStatement()) {
      sql.execute(Files.readString(BuildFiles.sql("ddl/postgres.sql")));
    }
  }

  private static void awaitFirstRow(PostgresServer postgres) throws SQLException {
    try (Connection connection = postgres.connect();
        Statement sql = connection.createStatement()) {
      Await.until(
          "the first row",
          PATIENCE,
          () -> !query(sql, "SELECT 1 FROM rollups_live LIMIT 1").isEmpty());
    }
  }

  private static void assertLastValues(PostgresServer postgres) throws SQLException {
    try (Connection connection = postgres.connect();
        Statement sql = connection.createStatement()) {
      assertThat(query(sql, "SELECT device_type, total_events, final FROM rollups_live ORDER BY 2"))
          .containsExactly(
              "d5|1993|t",
              "d6|1994|t",
              "d0|1995|t",
              "d1|1996|t",
              "d2|1997|t",
              "d3|1998|t",
              "d4|1999|t");
    }
  }

  private static List<String> query(Statement sql, String query) throws SQLException {
    try (ResultSet rows = sql.executeQuery(query)) {
      List<String> found = new ArrayList<>();
      int columns = rows.getMetaData().getColumnCount();
      while (rows.next()) {
        List<String> values = new ArrayList<>();
        for (int i = 1; i <= columns; i++) {
          values.add(rows.getString(i));
        }
        found.add(String.join("|", values));
      }
      return found;
    }
  }
}

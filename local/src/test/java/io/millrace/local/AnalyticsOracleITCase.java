package io.millrace.local;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.job.engagement.EngagementConfig;
import io.millrace.job.engagement.EngagementJob;
import io.millrace.local.OracleInput.Kind;
import io.millrace.local.OracleInput.Sent;
import io.millrace.local.SqlOracle.Rules;
import io.millrace.telemetry.Metrics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.apache.flink.api.common.JobID;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Sessions and rollups of the job equal, row by row, what SQL makes of the accepted events: each
 * kind of input, parallelism, mode and disturbance meets each other one in some run.
 */
class AnalyticsOracleITCase {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final String RECEIVED = Metrics.GROUP + "." + Metrics.RECEIVED;
  private static final String SESSIONS = Metrics.GROUP + "." + Metrics.SESSIONS;
  private static final String FOLDED = Metrics.GROUP + "." + Metrics.ROLLUP_CELLS_FOLDED;
  private static final int PARTITIONS = 4;
  private static final int USERS = 150;

  /** Sessions with their ids, by kind: the same in every run. */
  private static final Map<Kind, String> IDS = new EnumMap<>(Kind.class);

  private static Stack stack;
  private static FlinkCluster flink;
  private static int runs;
  private static int taskManagers = 2;

  @TempDir private Path folder;
  private Path lake;
  private String topic;
  private int sentinels;
  private String liveTopic = "";
  private List<String> moreOptions = List.of();

  /** What happens to a run half way. */
  enum Disturbance {
    NONE,
    /** Every TaskManager is ended, and others take over from the last checkpoint. */
    KILL,
    /** The job is stopped with a savepoint, and goes on at another parallelism. */
    SAVEPOINT
  }

  @BeforeAll
  static void start() {
    stack = Stack.shared();
    flink = stack.startFlink(taskManagers, 2, Map.of("execution.checkpointing.interval", "1 s"));
  }

  @AfterAll
  static void stop() {
    flink.close();
  }

  @AfterEach
  void cancelAll() {
    flink.cancelAll();
  }

  /** Rules that differ from the defaults, so that each option meets the oracle. */
  private static Rules rules(Kind kind) {
    Rules defaults = Rules.DEFAULTS;
    return switch (kind) {
      case SHUFFLED ->
          new Rules(
              defaults.gap(),
              defaults.maxDuration(),
              defaults.maxEvents(),
              false,
              defaults.pathLength(),
              "screen",
              defaults.sets(),
              Map.of("country", List.of("DE", "US", "FR"), "device_type", List.of("iPad")),
              Map.of("total_purchases", "purchase", "also_installs", "install"));
      case MIDNIGHT ->
          new Rules(
              defaults.gap(),
              defaults.maxDuration(),
              defaults.maxEvents(),
              true,
              defaults.pathLength(),
              null,
              defaults.sets(),
              Map.of(),
              Map.of());
      case FLOODS ->
          new Rules(
              Duration.ofMinutes(10),
              Duration.ofMinutes(25),
              7,
              false,
              3,
              null,
              List.of(
                  SqlOracle.CUBE.get(0),
                  List.of("device_type", "country"),
                  List.of("country"),
                  List.of()),
              Map.of(),
              Map.of());
      default -> defaults;
    };
  }

  private static List<String> options(Kind kind) {
    return switch (kind) {
      case SHUFFLED ->
          List.of(
              "--sessions.path-property",
              "screen",
              "--rollups.allowed-values.country",
              "DE,US,FR",
              "--rollups.allowed-values.device_type",
              "iPad",
              "--rollups.counters.total_purchases",
              "purchase",
              "--rollups.counters.also_installs",
              "install");
      case MIDNIGHT -> List.of("--sessions.split-at-midnight", "true");
      case FLOODS ->
          List.of(
              "--sessions.gap",
              "10 min",
              "--sessions.max-duration",
              "25 min",
              "--sessions.max-events",
              "7",
              "--sessions.path-length",
              "3",
              "--rollups.grouping-sets",
              "device_type+country, country");
      default -> List.of();
    };
  }

  private EngagementConfig config(Kind kind, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--lake.root",
                lake.toUri().toString(),
                "--lake.writer-memory",
                "32 mb",
                "--lake.raw",
                "false"));
    arguments.addAll(options(kind));
    arguments.addAll(moreOptions);
    arguments.addAll(List.of(more));
    return EngagementConfig.parse(arguments.toArray(new String[0]));
  }

  private EngagementConfig fromKafka(Kind kind, boolean bounded) {
    return config(
        kind,
        "--kafka.bootstrap-servers",
        stack.kafka().bootstrap(),
        "--kafka.group",
        topic,
        "--kafka.start",
        "earliest",
        "--kafka.bounded",
        Boolean.toString(bounded),
        "--topics",
        topic + ":*",
        "--dead-letters.topics",
        "false",
        "--sessions.topic",
        "",
        "--rollups.live-topic",
        liveTopic,
        "--anomalies.topic",
        "",
        // Users come from the state as often as from the cache.
        "--users.cache-users",
        "40",
        // No partition is left out while a run is disturbed.
        "--time.idleness",
        "10 min");
  }

  private static StreamExecutionEnvironment wired(EngagementConfig config, int parallelism) {
    StreamExecutionEnvironment env = flink.environment();
    env.configure(EngagementJob.flinkSettings(config));
    env.setParallelism(parallelism);
    EngagementJob.build(env, config);
    return env;
  }

  @ParameterizedTest(name = "{0}, parallelism {1}, {2}, {3}")
  @CsvSource({
    "IN_ORDER, 1, bounded,   NONE",
    "IN_ORDER, 2, streaming, KILL",
    "IN_ORDER, 4, streaming, SAVEPOINT",
    "SHUFFLED, 2, streaming, NONE",
    "SHUFFLED, 4, bounded,   KILL",
    "SHUFFLED, 1, streaming, SAVEPOINT",
    "BOTS,     4, bounded,   NONE",
    "BOTS,     1, streaming, KILL",
    "BOTS,     2, streaming, SAVEPOINT",
    "MIDNIGHT, 1, streaming, NONE",
    "MIDNIGHT, 2, bounded,   KILL",
    "MIDNIGHT, 4, streaming, SAVEPOINT",
    "FLOODS,   2, bounded,   NONE",
    "FLOODS,   4, streaming, KILL",
    "FLOODS,   1, streaming, SAVEPOINT",
    "LATE,     1, streaming, NONE",
    "LATE,     4, streaming, KILL",
    "LATE,     2, streaming, SAVEPOINT",
  })
  void sessionsAndRollupsAreThoseOfSql(
      Kind kind, int parallelism, String mode, Disturbance disturbance) throws Exception {
    topic = "oracle-" + runs++ + "-" + kind.name().toLowerCase(Locale.ROOT);
    lake = Files.createDirectory(folder.resolve("lake"));
    List<Sent> sent = OracleInput.of(kind, rules(kind).gap().toMillis(), USERS, 1);
    if (mode.equals("bounded")) {
      bounded(kind, sent, parallelism, disturbance);
    } else {
      stack.kafka().createTopic(topic, PARTITIONS);
      try (KafkaProducer<byte[], byte[]> producer = producer()) {
        switch (disturbance) {
          case NONE -> undisturbed(producer, kind, sent, parallelism);
          case KILL -> killed(producer, kind, sent, parallelism);
          case SAVEPOINT -> restored(producer, kind, sent, parallelism);
        }
      }
    }
    compare(kind, mode, sent);
  }

  private void compare(Kind kind, String mode, List<Sent> sent) {
    try (LakeReader reader = LakeReader.ofFolder(lake)) {
      long late = reader.number("SELECT count(*) FROM app_events WHERE late");
      if (kind == Kind.LATE) {
        assertThat(late).isPositive();
      } else {
        assertThat(late).isZero();
      }
      assertThat(reader.number("SELECT count(*) FROM app_events"))
          .isEqualTo(OracleInput.distinct(sent) + sentinels);
      SqlOracle oracle = SqlOracle.over(reader, rules(kind), "user_id NOT LIKE 'sentinel%'");
      Instant endsAt = mode.equals("bounded") ? Instant.MIN : null;
      assertThat(oracle.sessionDifferences(endsAt)).isEmpty();
      assertThat(oracle.rollupDifferences(OracleInput.END)).isEmpty();
      assertThat(reader.query("FROM cross_checks WHERE NOT holds").rows()).isEmpty();
      assertThat(reader.number("SELECT count(*) FROM cross_checks")).isPositive();
      assertMeetsTheEdges(kind, reader);
      if (kind != Kind.LATE) {
        String ids =
            reader
                .query(
                    "SELECT md5(string_agg(session_id, ',' ORDER BY session_id)) FROM sessions"
                        + " WHERE user_id NOT LIKE 'sentinel%'")
                .rows()
                .get(0)
                .get(0);
        assertThat(ids).isEqualTo(IDS.computeIfAbsent(kind, k -> ids));
      }
    }
  }

  /** An oracle says little about what does not occur. */
  private static void assertMeetsTheEdges(Kind kind, LakeReader reader) {
    List<String> reasons = new ArrayList<>();
    reader
        .query("SELECT DISTINCT end_reason FROM expected_sessions ORDER BY 1")
        .rows()
        .forEach(r -> reasons.add(r.get(0)));
    switch (kind) {
      case BOTS, FLOODS ->
          assertThat(reasons)
              .containsExactly("explicit", "gap", "max_duration", "max_events", "open");
      case MIDNIGHT -> assertThat(reasons).containsExactly("explicit", "gap", "midnight", "open");
      default -> assertThat(reasons).contains("explicit", "gap", "open");
    }
    if (kind == Kind.BOTS) {
      assertThat(reader.number("SELECT max(event_count) FROM expected_sessions")).isEqualTo(10_000);
      assertThat(reader.number("SELECT max(duration_ms) FROM expected_sessions"))
          .isEqualTo(Duration.ofHours(24).toMillis());
    }
  }

  private void bounded(Kind kind, List<Sent> sent, int parallelism, Disturbance disturbance)
      throws IOException {
    Path input = folder.resolve("input");
    OracleInput.write(sent, input);
    EngagementConfig config =
        config(kind, "--source", "files", "--input", input.toUri().toString());
    JobID job = flink.submit(wired(config, parallelism));
    if (disturbance == Disturbance.KILL) {
      awaitReceived(job, 1);
      killTaskManagers(job);
    }
    flink.waitUntilFinished(job, PATIENCE);
    assertThat(flink.restarts(job)).isGreaterThanOrEqualTo(disturbance == Disturbance.KILL ? 1 : 0);
  }

  private void undisturbed(
      KafkaProducer<byte[], byte[]> producer, Kind kind, List<Sent> sent, int parallelism)
      throws Exception {
    if (kind == Kind.LATE) {
      flink.stopWithSavepoint(inHalves(producer, kind, sent, parallelism));
      return;
    }
    send(producer, sent);
    JobID job = flink.submit(wired(fromKafka(kind, true), parallelism));
    flink.waitUntilFinished(job, PATIENCE);
  }

  /** The watermark stands at the first half before the second comes: some of it is late then. */
  private JobID inHalves(
      KafkaProducer<byte[], byte[]> producer, Kind kind, List<Sent> sent, int parallelism)
      throws Exception {
    int half = sent.size() / 2;
    JobID job = flink.submit(wired(fromKafka(kind, false), parallelism));
    flink.waitUntilTasksRun(job, PATIENCE);
    send(producer, sent.subList(0, half));
    awaitReceivedAndWatermark(job, half);
    send(producer, sent.subList(half, sent.size()));
    awaitPassed(producer, job);
    return job;
  }

  private void killed(
      KafkaProducer<byte[], byte[]> producer, Kind kind, List<Sent> sent, int parallelism)
      throws Exception {
    int half = sent.size() / 2;
    int later = half + sent.size() / 4;
    JobID job = flink.submit(wired(fromKafka(kind, false), parallelism));
    flink.waitUntilTasksRun(job, PATIENCE);
    send(producer, sent.subList(0, half));
    awaitReceivedAndWatermark(job, half);
    flink.checkpoint(job);
    send(producer, sent.subList(half, later));
    awaitReceived(job, later);
    killTaskManagers(job);
    send(producer, sent.subList(later, sent.size()));
    passBy(producer, job);
  }

  private void restored(
      KafkaProducer<byte[], byte[]> producer, Kind kind, List<Sent> sent, int parallelism)
      throws Exception {
    int half = sent.size() / 2;
    EngagementConfig config = fromKafka(kind, false);
    JobID job = flink.submit(wired(config, parallelism));
    flink.waitUntilTasksRun(job, PATIENCE);
    send(producer, sent.subList(0, half));
    awaitReceivedAndWatermark(job, half);
    String savepoint = flink.stopWithSavepoint(job);
    send(producer, sent.subList(half, sent.size()));
    JobID next = flink.submit(wired(config, parallelism == 4 ? 1 : 2 * parallelism), savepoint);
    passBy(producer, next);
  }

  /**
   * Beyond the cap the smallest cells become others, in both tables, and the live topic ends with
   * the same rows and nothing else.
   */
  @Test
  void theRarestCellsAreFoldedBeyondTheCap() throws Exception {
    Kind kind = Kind.SHUFFLED;
    topic = "oracle-cap";
    liveTopic = "oracle-cap-live";
    lake = Files.createDirectory(folder.resolve("lake"));
    int maxCells = 30;
    moreOptions =
        List.of(
            "--rollups.max-cells",
            Integer.toString(maxCells),
            "--rollups.live-interval",
            "100 ms",
            // No key is retired by the watermark at the end.
            "--rollups.live-retention",
            "30 d");
    List<Sent> sent = OracleInput.of(kind, rules(kind).gap().toMillis(), USERS, 1);
    stack.kafka().createTopic(topic, PARTITIONS);
    stack.kafka().createTopic(liveTopic, 2, Map.of("cleanup.policy", "compact"));
    long folded;
    try (KafkaProducer<byte[], byte[]> producer = producer()) {
      // Present values of the cells of an open day are told before those are folded.
      JobID job = inHalves(producer, kind, sent, 2);
      folded = flink.metrics().sum(job, FOLDED);
      flink.stopWithSavepoint(job);
    }
    try (LakeReader reader = LakeReader.ofFolder(lake)) {
      assertThat(reader.number("SELECT count(*) FROM app_events"))
          .isEqualTo(OracleInput.distinct(sent) + sentinels);
      CapOracle oracle =
          new CapOracle(
              reader,
              SqlOracle.over(reader, rules(kind), "user_id NOT LIKE 'sentinel%'"),
              maxCells);
      oracle.expect();
      for (String name : List.of("hourly", "daily")) {
        assertThat(oracle.differences(name, OracleInput.END)).isEmpty();
        assertThat(
                reader.number(
                    "SELECT count(*) FROM %s_aggregates_with_dimensions".formatted(name)
                        + " WHERE distinct_approximate AND country = 'OTHER'"))
            .as("folded cells of " + name)
            .isPositive();
      }
      assertThat(folded).isEqualTo(oracle.folded()).isPositive();
      assertThat(reader.query("FROM cross_checks WHERE NOT holds").rows()).isEmpty();
      assertLiveValuesAreTheTables(reader);
    }
  }

  private void assertLiveValuesAreTheTables(LakeReader reader) throws IOException {
    Map<String, String> last = new HashMap<>();
    Set<String> told = new HashSet<>();
    for (ConsumerRecord<String, String> r : stack.kafka().read(liveTopic)) {
      last.put(r.key(), r.value());
      if (r.value() != null && r.value().endsWith("\"final\":false}")) {
        told.add(r.key());
      }
    }
    Set<String> folded =
        last.keySet().stream().filter(k -> last.get(k) == null).collect(Collectors.toSet());
    assertThat(folded).as("folded keys that had a value").anyMatch(told::contains);
    Path values = folder.resolve("live.json");
    Files.write(values, last.values().stream().filter(Objects::nonNull).sorted().toList(), UTF_8);
    reader.define(
        "CREATE TABLE live AS SELECT * REPLACE (window_start::TIMESTAMPTZ AS window_start) FROM"
            + " read_json('%s', format = 'newline_delimited') WHERE window_start < '%s'"
                .formatted(values, OracleInput.END));
    List<String> columns =
        reader.query("SELECT * EXCLUDE (\"window\", final) FROM live LIMIT 0").columns();
    String rows =
        "SELECT 'hour' AS \"window\", true AS final, %1$s FROM hourly_aggregates_with_dimensions"
            + " UNION ALL SELECT 'day', true, %1$s FROM daily_aggregates_with_dimensions";
    reader.define(
        "CREATE TABLE final_rows AS FROM (%s) WHERE window_start < '%s'"
            .formatted(rows.formatted(String.join(", ", columns)), OracleInput.END));
    String live = "SELECT \"window\", final, " + String.join(", ", columns) + " FROM live";
    assertThat(reader.query("FROM final_rows EXCEPT ALL " + live).rows()).isEmpty();
    assertThat(reader.query(live + " EXCEPT ALL FROM final_rows").rows()).isEmpty();
    assertThat(reader.number("SELECT count(*) FROM live")).isPositive();
  }

  /** Lets the watermark pass all windows, and stops the job when their rows are there. */
  private void passBy(KafkaProducer<byte[], byte[]> producer, JobID job) throws Exception {
    awaitPassed(producer, job);
    flink.stopWithSavepoint(job);
  }

  private void awaitPassed(KafkaProducer<byte[], byte[]> producer, JobID job) throws Exception {
    List<Sent> last = new ArrayList<>();
    for (int p = 0; p < PARTITIONS; p++) {
      last.add(OracleInput.sentinel(p));
      Sent s = last.get(p);
      producer
          .send(new ProducerRecord<>(topic, p, s.arrival(), s.user().getBytes(UTF_8), s.json()))
          .get();
    }
    sentinels += PARTITIONS;
    flink.waitUntilTasksRun(job, PATIENCE);
    Await.until(
        "the rows of the last day",
        PATIENCE,
        () -> {
          flink.checkpoint(job);
          try (LakeReader reader = LakeReader.ofFolder(lake)) {
            return reader.number("SELECT count(*) FROM app_events WHERE user_id LIKE 'sentinel%'")
                    == PARTITIONS
                && reader.number(
                        "SELECT count(*) FROM daily_aggregates_with_dimensions WHERE country ="
                            + " 'ALL_COUNTRIES' AND device_type = 'ALL_DEVICES' AND app_version ="
                            + " 'ALL_VERSIONS'")
                    == reader.number(
                        "SELECT count(DISTINCT timestamp::DATE) FROM app_events WHERE"
                            + " NOT late AND user_id NOT LIKE 'sentinel%'");
          }
        });
  }

  private static void awaitReceived(JobID job, long records) {
    awaitMetric(job, RECEIVED, records);
  }

  private static void awaitMetric(JobID job, String metric, long least) {
    Await.until(
        () -> metric + " to be " + least + ", it is " + flink.metrics().sum(job, metric),
        PATIENCE,
        () -> flink.metrics().sum(job, metric) >= least);
  }

  /** Waits until the watermark stands where these records take it: older events are late then. */
  private static void awaitReceivedAndWatermark(JobID job, long records) {
    awaitReceived(job, records);
    awaitMetric(job, SESSIONS, 1);
    AtomicLong closed = new AtomicLong(-1);
    Await.until(
        "no further session to be closed",
        PATIENCE,
        () -> {
          flink.checkpoint(job);
          long now = flink.metrics().sum(job, SESSIONS);
          return closed.getAndSet(now) == now;
        });
  }

  private static void killTaskManagers(JobID job) {
    long restarts = flink.restarts(job);
    for (int i = 2; i > 0; i--) {
      flink.terminateTaskManager(taskManagers - i);
    }
    for (int i = 0; i < 2; i++) {
      flink.startTaskManager();
      taskManagers++;
    }
    Await.until("the job to restart", PATIENCE, () -> flink.restarts(job) > restarts);
  }

  private void send(KafkaProducer<byte[], byte[]> producer, List<Sent> sent) throws Exception {
    List<Future<?>> acknowledged = new ArrayList<>(sent.size());
    for (Sent s : sent) {
      acknowledged.add(
          producer.send(
              new ProducerRecord<>(topic, null, s.arrival(), s.user().getBytes(UTF_8), s.json())));
    }
    for (Future<?> a : acknowledged) {
      a.get();
    }
  }

  private static KafkaProducer<byte[], byte[]> producer() {
    return new KafkaProducer<>(
        // The first requests may come before a new topic has its leader: they must keep their
        // order.
        Map.of(
            "bootstrap.servers",
            stack.kafka().bootstrap(),
            "enable.idempotence",
            false,
            "max.in.flight.requests.per.connection",
            1),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }
}

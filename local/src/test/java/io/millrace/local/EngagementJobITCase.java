package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.datagen.SimulatedFiles;
import io.millrace.datagen.SimulatorOptions;
import io.millrace.datagen.Truth;
import io.millrace.event.RejectReason;
import io.millrace.job.engagement.EngagementConfig;
import io.millrace.job.engagement.EngagementJob;
import io.millrace.job.engagement.EngagementPorts;
import io.millrace.lake.catalog.Catalog;
import io.millrace.lake.catalog.CatalogSpec;
import io.millrace.telemetry.MetricDocs;
import io.millrace.telemetry.Metrics;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.flink.api.common.JobID;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The engagement job on the real parts: what was sent is what can be queried. */
class EngagementJobITCase {
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final String RECEIVED = Metrics.GROUP + "." + Metrics.RECEIVED;
  private static final long HOUR = 3_600_000L;
  private static final Charset UTF = StandardCharsets.UTF_8;

  private static Stack stack;
  private static FlinkCluster flink;

  @BeforeAll
  static void start() {
    stack = Stack.shared();
    flink = stack.startFlink(2, 1, Map.of("execution.checkpointing.interval", "2 s"));
  }

  @AfterAll
  static void stop() {
    flink.close();
  }

  @AfterEach
  void healEverything() {
    flink.cancelAll();
    stack.faultyS3().setMode(FaultyS3.Mode.OK);
    if (!stack.metastore().isRunning()) {
      stack.metastore().restart();
    }
  }

  /** The job's arguments for topics, lake and database that begin with a name of their own. */
  private static EngagementConfig config(String name, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--kafka.bootstrap-servers",
                stack.kafka().bootstrap(),
                "--kafka.group",
                name,
                "--topics",
                String.format(
                    "%1$s-install:install,%1$s-session:*,"
                        + "%1$s-view_notification:view_notification,"
                        + "%1$s-open_notification:open_notification",
                    name),
                "--job.name",
                name,
                "--sessions.topic",
                name + "-sessions",
                "--rollups.live-topic",
                name + "-rollups.live",
                "--anomalies.topic",
                name + "-anomalies",
                "--kafka.properties.max.request.size",
                Integer.toString(20 << 20),
                "--lake.root",
                "s3://" + Stack.BUCKET + "/" + name,
                "--lake.writer-memory",
                "32 mb",
                "--catalog.kind",
                "hive",
                "--catalog.uri",
                stack.metastore().uri().toString(),
                "--catalog.database",
                name));
    arguments.addAll(Arrays.asList(more));
    return EngagementConfig.parse(arguments.toArray(new String[0]));
  }

  private static StreamExecutionEnvironment wired(EngagementConfig config) {
    StreamExecutionEnvironment env = flink.environment();
    env.configure(EngagementJob.flinkSettings(config));
    EngagementJob.build(env, config);
    return env;
  }

  private static Truth send(String name, SimulatorOptions options) {
    SimulatedTraffic.createTopics(stack.kafka(), name + "-", 2);
    return SimulatedTraffic.send(stack.kafka(), name + "-", options, sent -> {});
  }

  private static Catalog catalog(String name) {
    return CatalogSpec.hive(stack.metastore().uri().toString(), name).open();
  }

  private static LakeReader lake(Catalog catalog) {
    return LakeReader.ofCatalog(
        catalog, l -> stack.lake().resolve(l.replaceFirst("^s3a?://[^/]+/", "")));
  }

  private static void assertAudit(String name, Truth truth) {
    try (Catalog catalog = catalog(name);
        LakeReader lake = lake(catalog)) {
      Audit audit = Audit.of(truth, lake, name + "-", true, catalog);
      assertThat(audit.failures()).isEmpty();
      assertThat(audit.findings()).hasSizeGreaterThan(15);
    }
  }

  @Test
  void cleanInputIsAcceptedWhole() {
    Truth truth = send("clean", SimulatorOptions.of(50_000, 11));
    JobID job = flink.submit(wired(config("clean", "--kafka.bounded", "true")));
    flink.waitUntilFinished(job, PATIENCE);
    assertThat(truth.total().accepted()).isEqualTo(50_000);
    assertAudit("clean", truth);
  }

  @Test
  void dirtyInputIsAccountedForRecordByRecord() {
    Truth truth =
        send(
            "dirty",
            SimulatorOptions.of(50_000, 12)
                .withMalformed(0.05)
                .withDuplicates(0.05)
                .withLate(0.05)
                .withFuture(0.01)
                .withHugeValues());
    JobID job = flink.submit(wired(config("dirty", "--kafka.bounded", "true")));
    flink.waitUntilFinished(job, PATIENCE);
    assertThat(truth.total().rejected()).isGreaterThan(2_500);
    assertThat(truth.total().duplicates()).isGreaterThan(2_000);
    assertThat(truth.sentLate()).isGreaterThan(2_000);
    assertAudit("dirty", truth);
    assertDeadLetterTopics("dirty", truth);
  }

  /** At least once, with keys that tell a repeated message from another one. */
  private static void assertDeadLetterTopics(String name, Truth truth) {
    Map<String, Long> found = new TreeMap<>();
    Map<String, Long> expected = new TreeMap<>();
    truth
        .byTopic()
        .forEach(
            (topic, counts) -> {
              expected.put(topic, counts.rejected());
              found.put(
                  topic,
                  consume(name + "-" + topic + ".dlq").stream()
                      .map(r -> new String(r.key(), UTF))
                      .distinct()
                      .count());
            });
    assertThat(found).isEqualTo(expected);
  }

  @Test
  void faultsLoseNothingAndDoubleNothing() {
    Truth truth =
        send(
            "faults",
            SimulatorOptions.of(400_000, 13)
                .withUsers(50_000)
                .withMalformed(0.05)
                .withDuplicates(0.05)
                .withLate(0.05));
    stack.metastore().kill();
    long metastoreBack = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    JobID job = flink.submit(wired(config("faults", "--kafka.bounded", "true")));
    try {
      afterMoreCheckpoints(job, 1);
      killATaskManager(job);
      assertNothingUncommittedIsVisible("faults");

      afterMoreCheckpoints(job, 1);
      killATaskManager(job);
      assertNothingUncommittedIsVisible("faults");

      stack.faultyS3().outage(Duration.ofSeconds(20));
      Await.until(
          "the end of the S3 outage", PATIENCE, () -> stack.faultyS3().mode() == FaultyS3.Mode.OK);
      assertNothingUncommittedIsVisible("faults");
    } finally {
      Await.until("30 s without metastore", PATIENCE, () -> System.nanoTime() > metastoreBack);
      stack.metastore().restart();
    }
    flink.waitUntilFinished(job, PATIENCE);
    assertThat(flink.restarts(job)).isGreaterThanOrEqualTo(2);
    assertThat(stack.faultyS3().faults()).isPositive();
    // Gauges that restarts took up again.
    assertThat(flink.metrics().sum(job, Metrics.SESSIONS)).isPositive();
    assertThat(flink.metrics().sum(job, Metrics.OPEN_SESSIONS)).isZero();
    assertThat(flink.metrics().sum(job, Metrics.LIVE_CELLS)).isZero();
    assertAudit("faults", truth);
    assertDeadLetterTopics("faults", truth);
  }

  private static void afterMoreCheckpoints(JobID job, int more) {
    long reached = flink.completedCheckpoints(job);
    Await.until(
        () -> "a checkpoint after the " + reached + " of job " + job,
        PATIENCE,
        () ->
            flink.completedCheckpoints(job) >= reached + more
                || flink.status(job).isGloballyTerminalState());
    assertThat(flink.status(job).isGloballyTerminalState())
        .as("the job must still run for the next fault to mean anything")
        .isFalse();
  }

  private static int terminated;

  private static void killATaskManager(JobID job) {
    long restarts = flink.restarts(job);
    flink.terminateTaskManager(terminated++);
    flink.startTaskManager();
    Await.until("the job to restart", PATIENCE, () -> flink.restarts(job) > restarts);
    flink.waitUntilTasksRun(job, PATIENCE);
  }

  /** Every file with a committed file's name can be read, and holds no event a second time. */
  private static void assertNothingUncommittedIsVisible(String name) {
    Path root = stack.lake().resolve(name);
    if (!Files.isDirectory(root)) {
      return;
    }
    try (LakeReader lake = LakeReader.ofFolder(root)) {
      assertThat(lake.number("SELECT count(*) FROM app_events"))
          .isEqualTo(
              lake.number(
                  "SELECT count(*) FROM (SELECT DISTINCT user_id, event_id, timestamp FROM"
                      + " app_events)"));
    }
  }

  @Test
  void aSavepointCarriesTheRunOverToTheNextJob() {
    String name = "upgrade";
    SimulatedTraffic.createTopics(stack.kafka(), name + "-", 2);
    SimulatorOptions first =
        SimulatorOptions.of(20_000, 21)
            .withTime(Instant.parse("2026-01-05T00:00:00Z"), Duration.ofHours(6))
            .withDuplicates(0.05)
            .withMalformed(0.01);
    Truth before = SimulatedTraffic.send(stack.kafka(), name + "-", first, sent -> {});
    EngagementConfig config = config(name, "--job.run-id", "run-of-two-jobs");
    JobID job = flink.submit(wired(config));
    awaitReceived(job, before.total().received());
    // Watermarks follow events by a moment, and what is open depends on the last one.
    afterMoreCheckpoints(job, 2);
    String savepoint = flink.stopWithSavepoint(job);
    // The same bytes again: everything that was accepted before is a duplicate now.
    Truth again = SimulatedTraffic.send(stack.kafka(), name + "-", first, sent -> {});
    JobID next = flink.submit(wired(config), savepoint);
    awaitReceived(next, again.total().received());
    afterMoreCheckpoints(next, 2);
    flink.stopWithSavepoint(next);
    assertMetrics(job, next);

    try (Catalog catalog = catalog(name);
        LakeReader lake = lake(catalog)) {
      assertThat(lake.number("SELECT count(*) FROM app_events"))
          .isEqualTo(before.total().accepted());
      assertThat(lake.number("SELECT sum(received) FROM ledger")).isEqualTo(40_000);
      assertThat(lake.number("SELECT sum(accepted) FROM ledger"))
          .isEqualTo(before.total().accepted());
      assertThat(lake.number("SELECT sum(duplicates) FROM ledger"))
          .isEqualTo(before.total().accepted() + 2 * before.total().duplicates());
      assertThat(lake.number("SELECT sum(rejected) FROM ledger"))
          .isEqualTo(2 * before.total().rejected());
      assertThat(lake.number("SELECT count(DISTINCT run_id) FROM ledger")).isEqualTo(1);
    }
  }

  /** Exactly the documented ones; and what is open is known to the next job as it was before. */
  private static void assertMetrics(JobID job, JobID next) {
    Set<String> documented = new TreeSet<>();
    MetricDocs.engagement().forEach(entry -> documented.addAll(entry.registered()));
    // There is no dimension.
    documented.removeAll(Set.of(Metrics.DIMENSION_VERSIONS, Metrics.DIMENSION_LOAD_FAILURES));
    assertThat(flink.metrics().ours(job)).isEqualTo(documented);
    for (String name :
        List.of(Metrics.OPEN_SESSIONS, Metrics.OPEN_SESSION_EVENTS, Metrics.LIVE_CELLS)) {
      assertThat(flink.metrics().sum(next, name))
          .as(name)
          .isPositive()
          .isEqualTo(flink.metrics().sum(job, name));
    }
    for (String name : List.of(Metrics.EVENT_TO_COMMIT, Metrics.EVENT_TO_LIVE)) {
      long count = flink.metrics().sum(job, name + Metrics.COUNT);
      assertThat(count).as(name).isPositive();
      // The events are much older than six hours.
      assertThat(flink.metrics().sum(job, Metrics.LE + ".+Inf." + name + Metrics.BUCKET))
          .isEqualTo(count);
      assertThat(flink.metrics().sum(job, Metrics.LE + ".21600." + name + Metrics.BUCKET)).isZero();
    }
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

  @Test
  void nothingInARecordStopsTheJob() throws Exception {
    String name = "poison";
    SimulatedTraffic.createTopics(stack.kafka(), name + "-", 1);
    long now = Instant.parse("2026-03-01T12:00:00Z").toEpochMilli();
    byte[] huge = new byte[10 << 20];
    Arrays.fill(huge, (byte) 'x');
    byte[] notUtf8 = {'{', (byte) 0xC3, (byte) 0x28, '}'};
    byte[] deep = "[".repeat(100_000).getBytes(UTF);
    byte[] good =
        ("{\"event_id\":\"e1\",\"user_id\":\"ann\",\"event_type\":\"purchase\",\"timestamp\":"
                + now
                + ",\"properties\":{\"item\":\"Käse\"}}")
            .getBytes(UTF);
    List<byte[]> values =
        Arrays.asList(huge, null, notUtf8, deep, new byte[0], good, "{}".getBytes(UTF), good);
    try (KafkaProducer<byte[], byte[]> producer = producer()) {
      for (byte[] value : values) {
        producer.send(new ProducerRecord<>(name + "-session", 0, now, null, value)).get();
      }
    }
    JobID job = flink.submit(wired(config(name, "--kafka.bounded", "true")));
    flink.waitUntilFinished(job, PATIENCE);
    assertThat(flink.restarts(job)).isZero();

    try (Catalog catalog = catalog(name);
        LakeReader lake = lake(catalog)) {
      assertThat(lake.query("SELECT user_id, properties['item'] FROM app_events").rows())
          .containsExactly(List.of("ann", "Käse"));
      assertThat(
              lake.query(
                      "SELECT kafka_offset, reason, raw_size, raw_encoding, attempt, job_version,"
                          + " len(reasons) FROM dead_letters ORDER BY kafka_offset")
                  .rows())
          .containsExactly(
              Arrays.asList("0", "too_large", "" + (10 << 20), "utf8", "1", "0.1.0", "1"),
              Arrays.asList("1", "null_value", null, null, "1", "0.1.0", "1"),
              Arrays.asList("2", "not_utf8", "4", "base64", "1", "0.1.0", "1"),
              Arrays.asList("3", "malformed_json", "100000", "utf8", "1", "0.1.0", "1"),
              Arrays.asList("4", "malformed_json", "0", "utf8", "1", "0.1.0", "1"),
              Arrays.asList("6", "missing_field", "2", "utf8", "1", "0.1.0", "4"));
      assertThat(lake.number("SELECT sum(duplicates) FROM ledger")).isEqualTo(1);
      assertThat(lake.number("SELECT length(raw) FROM dead_letters WHERE kafka_offset = 0"))
          .isEqualTo(10 << 20);
      assertThat(lake.number("SELECT octet_length(value) FROM raw_app_events WHERE kafka_offset=0"))
          .isEqualTo(10 << 20);
    }

    List<ConsumerRecord<byte[], byte[]>> letters = consume(name + "-session.dlq");
    assertThat(letters).hasSize(6);
    JsonNode first = new ObjectMapper().readTree(letters.get(0).value());
    assertThat(new String(letters.get(0).key(), UTF)).isEqualTo("poison-session-0-0");
    assertThat(first.get("raw_cut").asBoolean()).isTrue();
    assertThat(first.get("raw").asText()).hasSize(256 << 10);
    assertThat(first.get("raw_size").asLong()).isEqualTo(10 << 20);
    JsonNode third = new ObjectMapper().readTree(letters.get(2).value());
    assertThat(Base64.getDecoder().decode(third.get("raw").asText())).isEqualTo(notUtf8);
    assertThat(third.at("/reasons/0/code").asText()).isEqualTo(RejectReason.NOT_UTF8.code());
    assertThat(third.get("topic").asText()).isEqualTo("poison-session");
    assertThat(third.get("offset").asLong()).isEqualTo(2);
    assertThat(third.get("kafka_timestamp").asLong()).isEqualTo(now);
    assertThat(third.get("attempt").asInt()).isEqualTo(1);
  }

  /** Paced: each step waits for the watermark that the next one needs, so the count is exact. */
  @Test
  void latenessIsDecidedOnceAndStored() throws Exception {
    String name = "late";
    SimulatedTraffic.createTopics(stack.kafka(), name + "-", 1);
    JobID job =
        flink.submit(
            wired(config(name, "--time.out-of-orderness", "0 s", "--time.idleness", "1 s")));
    flink.waitUntilTasksRun(job, PATIENCE);
    long noon = Instant.parse("2026-03-01T12:00:00Z").toEpochMilli();
    try (KafkaProducer<byte[], byte[]> producer = producer()) {
      sendEvent(producer, name, "on-time", noon, noon);
      awaitWatermark(job, noon - 1);
      // 12:00 is the newest: the watermark is 1 ms behind it, and 10 min of lateness before that.
      sendEvent(producer, name, "just-on-time", noon - 600_000, noon + 1);
      sendEvent(producer, name, "late", noon - 600_001, noon + 2);
      sendEvent(producer, name, "very-late", noon - 3 * HOUR, noon + 3);
      sendEvent(producer, name, "beyond-ttl", noon - 25 * HOUR, noon + 4);
    }
    awaitReceived(job, 5);
    flink.stopWithSavepoint(job);
    try (Catalog catalog = catalog(name);
        LakeReader lake = lake(catalog)) {
      assertThat(
              lake.query(
                      "SELECT event_id, late, dedup_checked, day, hour FROM app_events ORDER BY"
                          + " timestamp DESC")
                  .rows())
          .containsExactly(
              List.of("on-time", "false", "true", "01", "12"),
              List.of("just-on-time", "false", "true", "01", "11"),
              List.of("late", "true", "true", "01", "11"),
              List.of("very-late", "true", "true", "01", "09"),
              List.of("beyond-ttl", "true", "false", "28", "11"));
      assertThat(lake.number("SELECT sum(late) FROM ledger")).isEqualTo(3);
    }
  }

  private static void awaitWatermark(JobID job, long watermark) {
    Await.until(
        () -> "watermark " + watermark + ": " + flink.metrics().read(job, "currentInputWatermark"),
        PATIENCE,
        () -> {
          List<Long> reached =
              flink.metrics().read(job, "currentInputWatermark").entrySet().stream()
                  .filter(e -> e.getKey().contains("user-timeline"))
                  .map(e -> e.getValue().longValue())
                  .toList();
          return !reached.isEmpty() && reached.stream().allMatch(w -> w >= watermark);
        });
  }

  private static void sendEvent(
      KafkaProducer<byte[], byte[]> producer, String name, String id, long time, long kafkaTime)
      throws Exception {
    String json =
        String.format(
            "{\"event_id\":\"%s\",\"user_id\":\"ann\",\"event_type\":\"purchase\","
                + "\"timestamp\":\"%s\",\"geo_location\":{\"country\":\"%s\"}}",
            id, Instant.ofEpochMilli(time), id.contains("JP") ? "JP" : "DE");
    producer
        .send(
            new ProducerRecord<>(
                name + "-session", 0, kafkaTime, "ann".getBytes(UTF), json.getBytes(UTF)))
        .get();
  }

  @Test
  void filesGiveTheSameTablesInBatchMode(@TempDir Path folder) throws Exception {
    Path input = Files.createDirectories(folder.resolve("in"));
    Path out = folder.resolve("lake");
    Truth truth =
        SimulatedFiles.write(
            SimulatorOptions.of(30_000, 31)
                .withMalformed(0.05)
                .withDuplicates(0.05)
                .withLate(0.05)
                .withFuture(0.01),
            input,
            5_000);
    EngagementConfig config =
        EngagementConfig.parse(
            "--source", "files",
            "--input", input.toUri().toString(),
            "--lake.root", out.toUri().toString());
    JobID job = flink.submit(wired(config));
    flink.waitUntilFinished(job, PATIENCE);
    try (LakeReader lake = LakeReader.ofFolder(out)) {
      assertThat(Audit.of(truth, lake, "", false, null).failures()).isEmpty();
      assertThat(lake.number("SELECT count(*) FROM raw_app_events"))
          .isEqualTo(truth.total().received());
      assertThat(lake.query("SELECT DISTINCT mode FROM ledger").rows())
          .containsExactly(List.of("bounded"));
      assertThat(lake.number("SELECT count(*) FROM app_events WHERE late")).isZero();
    }
  }

  /** The shipped view keeps runs apart: the same records, read twice, are two balanced runs. */
  @Test
  void theLedgersViewAddsUpPerRun() {
    String name = "twice";
    Truth truth =
        send(name, SimulatorOptions.of(3_000, 51).withMalformed(0.05).withDuplicates(0.05));
    for (String run : List.of("first", "second")) {
      JobID job =
          flink.submit(
              wired(
                  config(
                      name,
                      "--kafka.bounded",
                      "true",
                      "--kafka.start",
                      "earliest",
                      "--job.run-id",
                      run)));
      flink.waitUntilFinished(job, PATIENCE);
    }
    try (Catalog catalog = catalog(name);
        LakeReader lake = lake(catalog)) {
      List<String> totals =
          List.of(
              Long.toString(truth.total().received()),
              Long.toString(truth.total().accepted()),
              Long.toString(truth.total().rejected()),
              Long.toString(truth.total().duplicates()),
              "0");
      assertThat(
              lake.query(
                      "SELECT sum(received), sum(accepted), sum(rejected), sum(duplicates),"
                          + " sum(discrepancy) FROM ledger_totals GROUP BY run_id ORDER BY run_id")
                  .rows())
          .containsExactly(totals, totals);
    }
  }

  @Test
  void missingTopicsAreNamedBeforeTheJobStarts() {
    EngagementConfig config = config("nowhere");
    assertThatThrownBy(() -> EngagementPorts.verify(config))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith(
            "these topics do not exist: nowhere-anomalies, nowhere-install, nowhere-install.dlq,"
                + " nowhere-open_notification, nowhere-open_notification.dlq,"
                + " nowhere-rollups.live, nowhere-session, nowhere-session.dlq, nowhere-sessions,");
  }

  @Test
  void pseudonymsAndDimensionsStandInEveryRow(@TempDir Path folder) throws Exception {
    Path key = folder.resolve("key");
    Files.writeString(key, "a-key-of-32-bytes-for-pseudonyms");
    Path dimension = folder.resolve("dimension.jsonl");
    Files.writeString(
        dimension,
        """
        {"kind":"device","key":"iPhone15,2","class":"phone","vendor":"Apple"}
        {"kind":"country","key":"DE","name":"Germany","market":"EMEA"}
        """);
    String name = "named";
    Truth truth = send(name, SimulatorOptions.of(5_000, 41));
    JobID job =
        flink.submit(
            wired(
                config(
                    name,
                    "--kafka.bounded",
                    "true",
                    "--users.pseudonym-key",
                    "file:" + key,
                    "--dimension.file",
                    dimension.toUri().toString())));
    flink.waitUntilFinished(job, PATIENCE);
    try (Catalog catalog = catalog(name);
        LakeReader lake = lake(catalog)) {
      assertThat(lake.number("SELECT count(*) FROM app_events"))
          .isEqualTo(truth.total().accepted());
      assertThat(
              lake.number(
                  "SELECT count(*) FROM app_events WHERE NOT regexp_full_match(user_id,"
                      + " '[0-9a-f]{64}')"))
          .isZero();
      assertThat(
              lake.query(
                      "SELECT DISTINCT dim_country_name, dim_market FROM app_events WHERE country ="
                          + " 'DE'")
                  .rows())
          .containsExactly(List.of("Germany", "EMEA"));
      assertThat(lake.number("SELECT count(*) FROM app_events WHERE dim_version IS NULL")).isZero();
      assertThat(lake.number("SELECT count(DISTINCT dim_version) FROM app_events")).isEqualTo(1);
      assertThat(
              lake.number(
                  "SELECT count(*) FROM app_events WHERE country <> 'DE' AND dim_market IS NOT"
                      + " NULL"))
          .isZero();
    }
  }

  @Test
  void theDimensionIsReplacedWithoutARestart() throws Exception {
    String name = "dimension";
    SimulatedTraffic.createTopics(stack.kafka(), name + "-", 1);
    stack.kafka().createTopic("countries", 1, Map.of("cleanup.policy", "compact"));
    long noon = Instant.parse("2026-03-01T12:00:00Z").toEpochMilli();
    String versions = Metrics.GROUP + "." + Metrics.DIMENSION_VERSIONS;
    try (KafkaProducer<byte[], byte[]> producer = producer()) {
      sendRow(producer, "DE", "{'kind':'country','key':'DE','name':'Germany','market':'EMEA'}");
      sendRow(producer, "JP", "{'kind':'country','key':'JP','name':'Japan','market':'APAC'}");
      JobID job =
          flink.submit(
              wired(config(name, "--dimension.topic", "countries", "--dimension.refresh", "1 s")));
      flink.waitUntilTasksRun(job, PATIENCE);
      sendEvent(producer, name, "first-DE", noon, noon);
      sendEvent(producer, name, "first-JP", noon + 1, noon + 1);
      awaitMetric(job, Metrics.GROUP + "." + Metrics.ACCEPTED, 2);

      long taken = flink.metrics().sum(job, versions);
      sendRow(producer, "DE", "{'kind':'country','key':'DE','name':'Germany','market':'DACH'}");
      sendRow(producer, "JP", null);
      // Each of the two subtasks takes them up in one read or in two.
      awaitMetric(job, versions, taken + 2);
      long before = flink.metrics().sum(job, Metrics.GROUP + "." + Metrics.ACCEPTED);
      int tries = 0;
      while (!newestMarketsAre(name, "DACH", null)) {
        assertThat(tries++).as("tries until the second dimension is seen").isLessThan(60);
        sendEvent(producer, name, "later-DE-" + tries, noon + 2L * tries, noon);
        sendEvent(producer, name, "later-JP-" + tries, noon + 2L * tries + 1, noon);
        awaitMetric(job, Metrics.GROUP + "." + Metrics.ACCEPTED, before + 2L * tries);
        flink.checkpoint(job);
      }
      assertThat(flink.restarts(job)).isZero();
      flink.cancel(job);
    }
    try (LakeReader lake = LakeReader.ofFolder(stack.lake().resolve(name))) {
      assertThat(
              lake.query(
                      "SELECT event_id, dim_country_name, dim_market FROM app_events WHERE event_id"
                          + " LIKE 'first-%' ORDER BY event_id")
                  .rows())
          .containsExactly(
              List.of("first-DE", "Germany", "EMEA"), List.of("first-JP", "Japan", "APAC"));
      assertThat(lake.number("SELECT count(DISTINCT dim_version) FROM app_events"))
          .isGreaterThanOrEqualTo(2);
    }
  }

  /** Whether the newest events, of which each try sends one per country, have these markets. */
  private static boolean newestMarketsAre(String name, String german, String japanese) {
    try (LakeReader lake = LakeReader.ofFolder(stack.lake().resolve(name))) {
      List<List<String>> newest =
          lake.query(
                  "SELECT dim_market FROM app_events WHERE event_id LIKE 'later-%' ORDER BY"
                      + " timestamp DESC LIMIT 2")
              .rows();
      return newest.equals(List.of(Arrays.asList(japanese), Arrays.asList(german)));
    }
  }

  private static void sendRow(KafkaProducer<byte[], byte[]> producer, String key, String row)
      throws Exception {
    byte[] value = row == null ? null : row.replace('\'', '"').getBytes(UTF);
    producer.send(new ProducerRecord<>("countries", key.getBytes(UTF), value)).get();
  }

  private static KafkaProducer<byte[], byte[]> producer() {
    return new KafkaProducer<>(
        Map.of(
            "bootstrap.servers", stack.kafka().bootstrap(),
            "max.request.size", Integer.toString(20 << 20)),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  private static List<ConsumerRecord<byte[], byte[]>> consume(String topic) {
    List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", stack.kafka().bootstrap()),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      TopicPartition partition = new TopicPartition(topic, 0);
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      while (consumer.position(partition) < end) {
        consumer.poll(Duration.ofSeconds(1)).forEach(records::add);
      }
    }
    return records;
  }
}

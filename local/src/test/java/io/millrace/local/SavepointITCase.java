package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.config.OptionDocs;
import io.millrace.job.engagement.EngagementConfig;
import io.millrace.job.engagement.EngagementJob;
import io.millrace.pipeline.PipelineCheck;
import io.millrace.pipeline.PipelineCompiler.Compilation;
import io.millrace.pipeline.PipelineEnvironments;
import io.millrace.pipeline.PipelineEnvironments.State;
import io.millrace.pipeline.PipelineFile;
import io.millrace.pipeline.PipelineParser;
import io.millrace.pipeline.PipelineValidator;
import io.millrace.pipeline.PipelineValidator.Validation;
import io.millrace.pipeline.StandardCatalog;
import io.millrace.telemetry.Metrics;
import io.millrace.transform.DataRoot;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.dag.Transformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.core.fs.FileSystem.WriteMode;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Savepoints of whole jobs, as each version wrote them: each goes on with the present code, on the
 * heap and on RocksDB, and what comes out needs what was in it.
 *
 * <p>The folders are never changed; the next version adds its own, by the two disabled tests.
 */
class SavepointITCase {
  private static final Path SAVEPOINTS = Path.of("src/test/resources/savepoints");

  /** The version whose savepoints are written. */
  private static final Path WRITTEN = SAVEPOINTS.resolve("0.1");

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Of the job and of its folder in the bucket: committed savepoints name files in there. */
  private static final String NAME = "savepoint";

  private static final List<String> TOPICS =
      List.of("install", "open_notification", "session", "view_notification");
  private static final String DAY = "2026-03-01T";

  private static Stack stack;
  private static FlinkCluster flink;

  @BeforeAll
  static void start() {
    stack = Stack.shared();
    flink =
        stack.startFlink(
            1,
            1,
            Map.of(
                "execution.checkpointing.interval", "1 s",
                // A state that cannot be read fails the job, and the test, at once.
                "restart-strategy.type", "none",
                // Each savepoint is one file, and paths in it begin with the bucket.
                "execution.checkpointing.data-inline-threshold", "1 mb",
                "execution.checkpointing.savepoint-dir",
                    "s3://" + Stack.BUCKET + "/" + NAME + "-written"));
  }

  @AfterAll
  static void stop() {
    flink.close();
  }

  @AfterEach
  void clean() {
    flink.cancelAll();
    stack.kafka().topics().stream()
        .filter(topic -> allTopics().contains(topic))
        .forEach(topic -> stack.kafka().deleteTopics(topic));
    BuildFiles.deleteTree(lake());
  }

  private static Path lake() {
    return stack.lake().resolve(NAME);
  }

  private static List<String> allTopics() {
    List<String> all =
        new ArrayList<>(
            List.of("sessions", "anomalies", "rollups.live", "erasures", "meters", "meters-out"));
    TOPICS.forEach(topic -> all.addAll(List.of(topic, topic + ".dlq")));
    return all;
  }

  // The engagement job: as it is shipped, with a dimension and erasures.

  @TempDir private Path folder;

  private Path dimension() {
    return folder.resolve("dimension.jsonl");
  }

  private StreamExecutionEnvironment engagement(String backend, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--kafka.bootstrap-servers",
                stack.kafka().bootstrap(),
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
    StreamExecutionEnvironment env = flink.environment();
    env.configure(EngagementJob.flinkSettings(config));
    env.configure(on(backend));
    EngagementJob.build(env, config);
    return env;
  }

  private static Configuration on(String backend) {
    Configuration configuration = new Configuration();
    configuration.set(StateBackendOptions.STATE_BACKEND, backend);
    return configuration;
  }

  /** What was sent before the savepoint, to topics that are made for it. */
  private static void sendTheFirstHours() throws Exception {
    TOPICS.forEach(topic -> createTopics(topic, topic + ".dlq"));
    createTopics("sessions", "anomalies", "erasures");
    stack.kafka().createTopic("rollups.live", 1, Map.of("cleanup.policy", "compact"));
    try (KafkaProducer<String, String> producer = producer()) {
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

  private static void createTopics(String... topics) {
    for (String topic : topics) {
      stack.kafka().createTopic(topic, 1);
    }
  }

  private static KafkaProducer<String, String> producer() {
    return new KafkaProducer<>(
        Map.of("bootstrap.servers", stack.kafka().bootstrap()),
        new StringSerializer(),
        new StringSerializer());
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

  private static void send(
      KafkaProducer<String, String> producer, String topic, String key, String value, String time)
      throws Exception {
    long at = Instant.parse(time).toEpochMilli();
    producer.send(new ProducerRecord<>(topic, 0, at, key, value)).get();
  }

  private static void awaitMetric(JobID job, String name, long value) {
    String metric = Metrics.GROUP + "." + name;
    Await.until(
        () -> name + " to be " + value + ", it is " + flink.metrics().sum(job, metric),
        PATIENCE,
        () -> runs(job) && flink.metrics().sum(job, metric) == value);
  }

  private static void awaitNumber(JobID job, String query, long value) {
    Await.until(
        () -> query + " to give " + value + ", it gives " + number(query),
        PATIENCE,
        () -> runs(job) && number(query) == value);
  }

  /** True; throws with the cause when the job has failed. */
  private static boolean runs(JobID job) {
    if (flink.status(job).isGloballyTerminalState()) {
      flink.waitUntilFinished(job, PATIENCE);
    }
    return true;
  }

  private static long number(String query) {
    try (LakeReader lake = LakeReader.ofFolder(lake())) {
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
    JobID job = flink.submit(engagement("rocksdb"));
    flink.waitUntilTasksRun(job, PATIENCE);
    awaitNumber(job, "SELECT count(*) FROM anomalies WHERE metric = 'total_events'", 2);
    awaitNumber(job, "SELECT count(*) FROM app_events WHERE hour >= '13'", 10);
    awaitMetric(job, Metrics.OPEN_SESSION_EVENTS, 6);
    // What a savepoint still has to commit belongs to a lake that is not kept with it.
    flink.checkpoint(job);
    flink.checkpoint(job);
    keep(flink.stopWithSavepoint(job), "engagement");
    keepNewest("quality/cross_checks");
    keepNewest("processed/app_events/year=2026/month=03/day=01/hour=14");
  }

  private static void keep(String savepoint, String job) throws IOException {
    String below = savepoint.substring(savepoint.indexOf(NAME + "-written"));
    List<Path> files = files(stack.lake().resolve(below));
    assertThat(files).hasSize(1);
    assertThat(WRITTEN.resolve(job)).as("savepoints of a version never change").doesNotExist();
    Path kept = Files.createDirectories(WRITTEN.resolve(job)).resolve("_metadata");
    Files.write(kept, Files.readAllBytes(files.get(0)));
  }

  private static void keepNewest(String table) throws IOException {
    Path newest =
        files(lake().resolve(table)).stream()
            .filter(file -> file.toString().endsWith(".parquet"))
            .max(Comparator.comparing(file -> file.toFile().lastModified()))
            .orElseThrow();
    Path kept = WRITTEN.resolve("engagement-lake").resolve(lake().relativize(newest));
    Files.createDirectories(kept.getParent());
    Files.write(kept, Files.readAllBytes(newest));
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(Files::isRegularFile).toList();
    }
  }

  /** Each version's folder, with each backend. */
  static Stream<Arguments> versions() throws IOException {
    try (Stream<Path> all = Files.list(SAVEPOINTS)) {
      return all.filter(Files::isDirectory).sorted().toList().stream()
          .flatMap(
              version ->
                  Stream.of("hashmap", "rocksdb").map(backend -> arguments(version, backend)));
    }
  }

  private static JobID resume(StreamExecutionEnvironment env, Path savepoint) {
    return flink.submit(env, savepoint.toUri().toString());
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
  @MethodSource("versions")
  void theEngagementJobGoesOn(Path version, String backend) throws Exception {
    sendTheFirstHours();
    restoreTheLake(version);
    JobID job = resume(engagement(backend), version.resolve("engagement"));
    try (KafkaProducer<String, String> producer = producer()) {
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
    Path hour = lake().resolve("processed/app_events/year=2026/month=03/day=01/hour=14");
    Await.until(
        hour + " to be complete",
        PATIENCE,
        () -> runs(job) && Files.exists(hour.resolve("_SUCCESS")));
    String received = Metrics.LEDGER + Metrics.RECEIVED;
    Await.until(
        () -> received + ": " + flink.metrics().read(job, received),
        PATIENCE,
        () -> runs(job) && flink.metrics().sum(job, received) == 218);
    String after = flink.stopWithSavepoint(job);
    assertTheTablesGoOn();
    assertTheTopicsGoOn();
    assertTheSameStates("engagement", after);
  }

  private static void assertTheTablesGoOn() {
    try (LakeReader lake = LakeReader.ofFolder(lake())) {
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
    assertThat(stack.kafka().read("sessions")).hasSize(2);
    assertThat(stack.kafka().read("rollups.live"))
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

  /** No state has another name or type, none is left unclaimed, and none is new untold. */
  private static void assertTheSameStates(String job, String after) throws IOException {
    Path folder = stack.lake().resolve(after.substring(after.indexOf(NAME + "-written")));
    OptionDocs.verify(
        Path.of("src/test/resources/savepoints/" + job + ".txt"), SavepointStates.of(folder));
  }

  // A pipeline of the steps that keep state.

  private static final String PIPELINE =
      """
      pipeline:
        name: meters
        steps:
          - id: read
            service: extract_kafka
            params:
              topic: meters
              bootstrap_servers: "%1$s"
              columns:
                n: BIGINT
                station: STRING
                at: TIMESTAMP_LTZ(3)
                level: BIGINT
                flow: DOUBLE
                pressure: DOUBLE
                mode: STRING
              time: at
          - id: once
            service: deduplicate
            params: {key: [n], over: 1 h}
            depends_on: [read]
          - id: carried
            service: clean_nan
            params: {strategy: ffill, columns: [level], key: station, over: all}
            depends_on: [once]
          - id: mean
            service: clean_nan
            params: {strategy: fill_mean, columns: [flow], key: station, over: all}
            depends_on: [carried]
          - id: median
            service: clean_nan
            params: {strategy: fill_median, columns: [pressure], key: station, over: 10 h}
            depends_on: [mean]
          - id: mode
            service: clean_nan
            params: {strategy: fill_mode, columns: [mode], key: station, over: all}
            depends_on: [median]
          - id: usual
            service: outlier_detection
            params: {column: flow, key: station, over: all}
            depends_on: [mode]
          - id: judged
            service: data_quality
            params:
              rules: {mean: {pressure: {max: 50}}}
              on_fail: drop
              key: station
              over: all
            depends_on: [usual]
          - id: save
            service: load_kafka
            params: {topic: meters-out, bootstrap_servers: "%1$s", key: station}
            depends_on: [judged]
      """;

  private StreamExecutionEnvironment pipeline(String backend) {
    PipelineFile file = PipelineParser.parse(PIPELINE.formatted(stack.kafka().bootstrap()));
    Validation validation = PipelineValidator.validate(file, StandardCatalog.standard());
    assertThat(validation.problems()).isEmpty();
    Configuration settings = on(backend);
    settings.set(PipelineOptions.OBJECT_REUSE, true);
    settings.set(PipelineOptions.GENERIC_TYPES, false);
    StreamExecutionEnvironment env = flink.environment();
    PipelineEnvironments.keep(env, new State(null, Duration.ofSeconds(1), null));
    env.configure(flink.configuration());
    env.configure(settings);
    Compilation compilation =
        PipelineCheck.compile(
            file, validation, StandardCatalog.standard(), env, DataRoot.at(folder));
    assertThat(compilation.problems()).isEmpty();
    return compilation.environment();
  }

  private static void sendTheFirstReadings() throws Exception {
    createTopics("meters", "meters-out");
    try (KafkaProducer<String, String> producer = producer()) {
      for (int n = 1; n <= 20; n++) {
        reading(producer, n, 12, n, n, 10 + n % 2 * 2, n, n % 4 == 0 ? "idle" : "busy");
      }
    }
  }

  private static void reading(
      KafkaProducer<String, String> producer,
      int n,
      int hour,
      int minute,
      Integer level,
      Integer flow,
      Integer pressure,
      String mode)
      throws Exception {
    String at = DAY + "%02d:%02d:00Z".formatted(hour, minute);
    String quoted = mode == null ? null : '"' + mode + '"';
    send(
        producer,
        "meters",
        "a",
        ("{\"n\":%d,\"station\":\"a\",\"at\":\"%s\",\"level\":%s,\"flow\":%s,"
                + "\"pressure\":%s,\"mode\":%s}")
            .formatted(n, at, level, flow, pressure, quoted),
        at);
  }

  /** {@code n level flow pressure mode} of each reading that was written. */
  private static List<String> readings() {
    ObjectMapper json = new ObjectMapper();
    List<String> rows = new ArrayList<>();
    for (ConsumerRecord<String, String> record : stack.kafka().read("meters-out")) {
      try {
        JsonNode row = json.readTree(record.value());
        rows.add(
            Stream.of("n", "level", "flow", "pressure", "mode")
                .map(column -> row.get(column).asText())
                .reduce((a, b) -> a + " " + b)
                .orElseThrow());
      } catch (IOException e) {
        throw new AssertionError(record.value(), e);
      }
    }
    return rows;
  }

  private static void awaitReadings(JobID job, int count) {
    Await.until(
        () -> count + " readings, there are " + readings(),
        PATIENCE,
        () -> runs(job) && readings().size() >= count);
  }

  @Test
  @EnabledIfSystemProperty(named = "millrace.fixtures.write", matches = "true")
  void writeTheSavepointOfThePipeline() throws Exception {
    sendTheFirstReadings();
    JobID job = flink.submit(pipeline("rocksdb"));
    flink.waitUntilTasksRun(job, PATIENCE);
    awaitReadings(job, 19);
    // No transaction is open then that this savepoint would have to commit in a broker of its own.
    flink.checkpoint(job);
    keep(flink.stopWithSavepoint(job), "pipeline");
  }

  @ParameterizedTest
  @MethodSource("versions")
  void thePipelineGoesOn(Path version, String backend) throws Exception {
    sendTheFirstReadings();
    JobID job = resume(pipeline(backend), version.resolve("pipeline"));
    flink.waitUntilTasksRun(job, PATIENCE);
    try (KafkaProducer<String, String> producer = producer()) {
      // Known: it is not written again.
      reading(producer, 7, 12, 20, 1, 1, 1, "idle");
      reading(producer, 21, 12, 21, null, null, null, null);
      // An outlier by what came before, and a pressure that is too high but for the mean before.
      reading(producer, 22, 12, 22, 22, 1_000, 22, "idle");
      reading(producer, 23, 12, 23, 23, 11, 100, "busy");
      reading(producer, 24, 12, 30, 24, 11, 24, "busy");
    }
    awaitReadings(job, 3);
    assertThat(readings())
        .containsExactly("20 20 10.0 20.0 idle", "21 20 11.0 10.5 busy", "23 23 11.0 100.0 busy");
    assertTheSameStates("pipeline", flink.stopWithSavepoint(job));
  }

  // What would fail them.

  /** What an operator is called in the graph that is submitted. */
  private static StreamExecutionEnvironment renamed(
      StreamExecutionEnvironment env, String uid, String other) {
    Transformation<?> operator =
        env.getTransformations().stream()
            .filter(t -> uid.equals(t.getUid()))
            .findFirst()
            .orElseThrow();
    operator.setUid(other);
    return env;
  }

  private static void assertRefused(StreamExecutionEnvironment env, String job, String uid)
      throws IOException {
    JobID refused = resume(env, WRITTEN.resolve(job));
    String id = SavepointStates.operator(WRITTEN.resolve(job), uid).getOperatorID().toString();
    assertThatThrownBy(() -> flink.waitUntilFinished(refused, PATIENCE))
        .hasStackTraceContaining(
            "Cannot map checkpoint/savepoint state for operator " + id + " to the new program");
  }

  @Test
  void anotherUidIsRefused() throws IOException {
    assertRefused(
        renamed(engagement("hashmap"), "detect-anomalies", "detect"),
        "engagement",
        "detect-anomalies");
    createTopics("meters", "meters-out");
    assertRefused(
        renamed(pipeline("hashmap"), "once:drop-duplicates", "once:drop"),
        "pipeline",
        "once:drop-duplicates");
  }

  @Test
  void anOperatorLessIsRefused() throws IOException {
    assertRefused(
        engagement("hashmap", "--anomalies.topic", "", "--anomalies.enabled", "false"),
        "engagement",
        "detect-anomalies");
  }
}

package io.millrace.local;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.millrace.event.Origin;
import io.millrace.job.engagement.EngagementConfig;
import io.millrace.job.engagement.EngagementJob;
import io.millrace.job.engagement.EngagementPorts;
import io.millrace.lake.parquet.DeadLetterReader.StoredLetter;
import io.millrace.pipeline.PipelineCheck;
import io.millrace.pipeline.PipelineCompiler.Compilation;
import io.millrace.pipeline.PipelineEnvironments;
import io.millrace.pipeline.PipelineFile;
import io.millrace.pipeline.PipelineParser;
import io.millrace.pipeline.PipelineRunner;
import io.millrace.pipeline.PipelineValidator;
import io.millrace.pipeline.PipelineValidator.Validation;
import io.millrace.pipeline.RunReport;
import io.millrace.pipeline.StandardCatalog;
import io.millrace.transform.DataRoot;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.InstantiationUtil;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.appender.WriterAppender;
import org.apache.logging.log4j.core.config.LoggerConfig;
import org.apache.logging.log4j.core.layout.PatternLayout;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The job on servers with TLS, SCRAM and ACLs, and where its secrets go: nowhere. */
class SecurityITCase {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final String USER = "millrace";
  private static final String PASSWORD = "planted-scram-secret-4711";
  private static final String WRONG = "planted-wrong-secret-4712";
  private static final String STORE_PASSWORD = "planted-store-secret-4713";
  private static final String OTHER = "planted-other-secret-4714";
  private static final int EVENTS = 200;
  private static final long FIRST = 1_772_000_000_000L;

  /** Of one start of the job, whose clients are refused once each. */
  private static final long MOST_REFUSALS = 20;

  @TempDir private static Path folder;
  private static SelfSigned key;
  private static SecureKafka kafka;
  private static FlinkCluster flink;
  private static final StringWriter LOG = new StringWriter();

  @BeforeAll
  static void start() throws Exception {
    logEverything();
    key = SelfSigned.in(folder.resolve("key"), STORE_PASSWORD);
    kafka = SecureKafka.start(folder.resolve("kafka"), key);
    flink =
        FlinkCluster.start(
            folder.resolve("flink"),
            1,
            2,
            Map.of(
                "execution.checkpointing.interval",
                "1 s",
                "restart-strategy.fixed-delay.attempts",
                "1",
                "execution.checkpointing.dir",
                folder.resolve("checkpoints").toUri().toString()));
    kafka.addUser(USER, PASSWORD);
    kafka.addUser("other", OTHER);
    Files.writeString(folder.resolve("password"), PASSWORD + "\n");
    Files.writeString(folder.resolve("wrong"), WRONG + "\n");
    Files.writeString(folder.resolve("other"), OTHER + "\n");
    Files.writeString(folder.resolve("store"), STORE_PASSWORD + "\n");
    for (String topic :
        List.of("secure-events", "secure-events.dlq", "secure-sessions", "secure-anomalies")) {
      kafka.createTopic(topic, Map.of());
    }
    kafka.createTopic("secure-live", Map.of("cleanup.policy", "compact"));
    // What docs/security.md asks for, and no more.
    kafka.allow(USER, ResourceType.TOPIC, "secure-events", AclOperation.READ);
    kafka.allow(USER, ResourceType.GROUP, "secure", AclOperation.READ);
    for (String topic : List.of("secure-events.dlq", "secure-sessions", "secure-anomalies")) {
      kafka.allow(USER, ResourceType.TOPIC, topic, AclOperation.WRITE);
    }
    kafka.allow(
        USER, ResourceType.TOPIC, "secure-live", AclOperation.WRITE, AclOperation.DESCRIBE_CONFIGS);
    kafka.allow(
        USER,
        new ResourcePattern(ResourceType.TRANSACTIONAL_ID, "secure-", PatternType.PREFIXED),
        AclOperation.WRITE);
  }

  @AfterAll
  static void stop() {
    if (flink != null) {
      flink.close();
    }
    if (kafka != null) {
      kafka.stopAll();
    }
    ((LoggerContext) LogManager.getContext(false)).reconfigure();
  }

  /** At the level at which clients print their configuration. */
  private static void logEverything() {
    LoggerContext context = (LoggerContext) LogManager.getContext(false);
    WriterAppender appender =
        WriterAppender.createAppender(
            PatternLayout.createDefaultLayout(), null, LOG, "captured", false, true);
    appender.start();
    for (LoggerConfig logger : context.getConfiguration().getLoggers().values()) {
      logger.setLevel(Level.INFO);
    }
    LoggerConfig root = context.getConfiguration().getRootLogger();
    List.copyOf(root.getAppenders().keySet()).forEach(root::removeAppender);
    root.addAppender(appender, Level.INFO, null);
    context.updateLoggers();
  }

  private static EngagementConfig config(String user, String passwordFile, String... more) {
    List<String> arguments = new ArrayList<>(List.of(more));
    Collections.addAll(
        arguments,
        "--job.name",
        "secure",
        "--kafka.bootstrap-servers",
        kafka.bootstrap(),
        "--kafka.group",
        "secure",
        "--kafka.start",
        "earliest",
        "--kafka.bounded",
        "true",
        "--topics",
        "secure-events:*",
        "--sessions.topic",
        "secure-sessions",
        "--rollups.live-topic",
        "secure-live",
        "--anomalies.topic",
        "secure-anomalies",
        "--lake.root",
        folder.resolve("lake").toUri().toString(),
        "--kafka.properties.security.protocol",
        "SASL_SSL",
        "--kafka.properties.sasl.mechanism",
        "SCRAM-SHA-512",
        "--kafka.properties.sasl.jaas.config",
        SecureKafka.jaas(user, "${file:" + folder.resolve(passwordFile) + "}"),
        "--kafka.properties.ssl.truststore.location",
        key.trustStore().toString(),
        "--kafka.properties.ssl.truststore.type",
        "PKCS12",
        "--kafka.properties.ssl.truststore.password",
        "${file:" + folder.resolve("store") + "}");
    return EngagementConfig.parse(arguments.toArray(String[]::new));
  }

  @Test
  void theJobRunsWithTheRightsThatItNeedsAndTellsNoSecret() throws Exception {
    send();
    EngagementConfig config = config(USER, "password");
    assertThatCode(() -> EngagementPorts.verify(config)).doesNotThrowAnyException();
    StreamExecutionEnvironment env = flink.environment();
    env.configure(EngagementJob.flinkSettings(config));
    env.setParallelism(2);
    EngagementJob.build(env, config);
    JobGraph graph = env.getStreamGraph().getJobGraph();
    JobID job = flink.submit(graph);
    flink.waitUntilTasksRun(job, PATIENCE);
    List<String> told = new ArrayList<>(rest(job));
    flink.waitUntilFinished(job, PATIENCE);
    assertThat(flink.restarts(job)).isZero();
    told.addAll(rest(job));
    told.add(get("/jobs/" + job + "/checkpoints/config"));

    try (LakeReader lake = LakeReader.ofFolder(folder.resolve("lake"))) {
      assertThat(lake.number("SELECT count(*) FROM app_events")).isEqualTo(EVENTS);
      assertThat(lake.number("SELECT count(*) FROM sessions")).isEqualTo(EVENTS);
      assertThat(lake.number("SELECT count(*) FROM dead_letters")).isEqualTo(1);
    }
    assertThat(records("secure-sessions")).isEqualTo(EVENTS);
    assertThat(records("secure-events.dlq")).isEqualTo(1);
    assertThat(records("secure-live")).isPositive();

    told.add(config.toString());
    assertThat(told).allMatch(text -> text.length() > 2);
    assertThat(told).anyMatch(text -> text.contains("sasl.jaas.config"));
    // What a cluster keeps of a job, also in its high-availability storage.
    String kept = new String(InstantiationUtil.serializeObject(graph), ISO_8859_1);
    assertThat(kept).contains("${file:" + folder.resolve("password") + "}");
    told.add(kept);
    assertNoSecretIn(told);
    assertNoSecretIsLogged();
  }

  @Test
  void aWrongPasswordIsOneErrorBeforeTheJobStarts() throws Exception {
    long before = refusals();
    Throwable refused = catchThrowable(() -> EngagementPorts.verify(config(USER, "wrong")));
    assertThat(refused)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(
            "kafka.bootstrap-servers "
                + kafka.bootstrap()
                + " and this job do not trust each other, see kafka.properties: Authentication"
                + " failed during authentication due to invalid credentials with SASL mechanism"
                + " SCRAM-SHA-512");
    assertThat(refusals() - before).isBetween(1L, MOST_REFUSALS);
    assertNoSecretIn(List.of(stackTrace(refused)));
    assertNoSecretIsLogged();
  }

  /** Had nobody asked before: it is restarted as often as the cluster is told, and fails. */
  @Test
  void aWrongPasswordEndsAJobThatWasSubmittedAllTheSame() throws Exception {
    EngagementConfig config = config(USER, "wrong");
    StreamExecutionEnvironment env = flink.environment();
    env.configure(EngagementJob.flinkSettings(config));
    EngagementJob.build(env, config);
    long before = refusals();
    JobID job = flink.submit(env);
    flink.waitUntil(job, JobStatus.FAILED, PATIENCE);
    long refusals = refusals() - before;
    assertThat(refusals).isBetween(2L, 2 * MOST_REFUSALS);
    List<String> told = rest(job);
    assertThat(told).anyMatch(text -> text.contains("due to invalid credentials"));
    assertNoSecretIn(told);
    assertNoSecretIsLogged();
  }

  @Test
  void aWrongTrustStorePasswordIsOneError() throws Exception {
    Files.writeString(folder.resolve("store"), WRONG);
    Throwable refused;
    try {
      refused = catchThrowable(() -> EngagementPorts.verify(config(USER, "password")));
    } finally {
      Files.writeString(folder.resolve("store"), STORE_PASSWORD);
    }
    assertThat(refused)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(
            "no client can be made of kafka.properties: Failed to load SSL keystore %s of type"
                + " PKCS12: keystore password was incorrect",
            key.trustStore());
    assertNoSecretIn(List.of(stackTrace(refused)));
    assertNoSecretIsLogged();
  }

  @Test
  void aMissingRightIsOneErrorThatNamesTheTopic() throws Exception {
    Throwable refused = catchThrowable(() -> EngagementPorts.verify(config("other", "other")));
    assertThat(refused).isInstanceOf(IllegalStateException.class);
    assertThat(refused.getMessage())
        .isEqualTo("topic secure-anomalies: Topic authorization failed.");
    assertNoSecretIn(List.of(stackTrace(refused)));
    assertNoSecretIsLogged();
  }

  /** Each of the rights that the page lists is needed, and all of them are enough. */
  @Test
  void aReplayNeedsTheRightsThatThePageLists() throws Exception {
    kafka.addUser("operator", OTHER);
    kafka.createTopic("replayed", Map.of());
    Properties client = new Properties();
    client.putAll(kafka.client("operator", OTHER));
    for (ResourcePattern resource :
        List.of(
            new ResourcePattern(ResourceType.TOPIC, "replays", PatternType.LITERAL),
            new ResourcePattern(ResourceType.TRANSACTIONAL_ID, "replays", PatternType.LITERAL),
            new ResourcePattern(ResourceType.TOPIC, "replayed", PatternType.LITERAL))) {
      boolean manifest = resource.name().equals("replays");
      boolean topic = resource.resourceType() == ResourceType.TOPIC;
      for (AclOperation right :
          manifest && topic
              ? List.of(AclOperation.CREATE, AclOperation.READ, AclOperation.WRITE)
              : List.of(AclOperation.WRITE)) {
        Throwable refused = catchThrowable(() -> replayOne(client));
        assertThat(refused)
            .as("without %s on %s", right, resource)
            .hasStackTraceContaining("AuthorizationException");
        assertNoSecretIn(List.of(stackTrace(refused)));
        kafka.allow("operator", resource, right);
      }
    }
    replayOne(client);
    assertThat(records("replayed")).isEqualTo(1);
  }

  private static void replayOne(Properties client) {
    try (ReplayProducer producer = new ReplayProducer(client, "replays", "one", sent -> {})) {
      producer.send(
          new StoredLetter(
              new Origin("replayed", 0, 7, FIRST, FIRST),
              List.of("not_json"),
              null,
              List.of(),
              "{}".getBytes(UTF_8),
              1));
      producer.commit();
    }
  }

  @Test
  void aPipelineOverTopicsHoldsReferencesOnly() throws Exception {
    kafka.createTopic("secure-in", Map.of());
    kafka.createTopic("secure-out", Map.of());
    kafka.allow(USER, ResourceType.TOPIC, "secure-in", AclOperation.READ);
    kafka.allow(USER, ResourceType.TOPIC, "secure-out", AclOperation.WRITE);
    kafka.allow(USER, ResourceType.GROUP, "numbers-read", AclOperation.READ);
    kafka.allow(
        USER,
        new ResourcePattern(ResourceType.TRANSACTIONAL_ID, "numbers-save", PatternType.PREFIXED),
        AclOperation.WRITE);
    produce("secure-in", List.of("{\"n\":1}", "{\"n\":20}", "{\"n\":3}"));

    RunReport done = runPipeline("password");
    assertThat(done.error()).isNull();
    assertThat(done.status()).isEqualTo(RunReport.Status.COMPLETED);
    assertThat(done.step("save").rowsOut()).isEqualTo(2);
    assertThat(records("secure-out")).isEqualTo(2);

    RunReport refused = runPipeline("wrong");
    assertThat(refused.error()).contains("due to invalid credentials");
    List<String> told =
        new ArrayList<>(
            List.of(done.toString(), refused.toString(), done.toJson(), refused.toJson()));
    Matcher jobs = Pattern.compile("\"jid\":\"(\\w+)\"").matcher(get("/jobs/overview"));
    while (jobs.find()) {
      told.addAll(rest(JobID.fromHexString(jobs.group(1))));
    }
    assertNoSecretIn(told);
    assertNoSecretIsLogged();
  }

  private static RunReport runPipeline(String passwordFile) throws Exception {
    String topic =
        """
        bootstrap_servers: "%s"
                properties:
                  security.protocol: SASL_SSL
                  sasl.mechanism: SCRAM-SHA-512
                  sasl.jaas.config: '%s'
                  ssl.truststore.location: %s
                  ssl.truststore.type: PKCS12
                  ssl.truststore.password: ${file:%s}\
        """
            .formatted(
                kafka.bootstrap(),
                SecureKafka.jaas(USER, "${file:" + folder.resolve(passwordFile) + "}"),
                key.trustStore(),
                folder.resolve("store"));
    PipelineFile file =
        PipelineParser.parse(
            """
            pipeline:
              name: numbers
              steps:
                - id: read
                  service: extract_kafka
                  params:
                    topic: secure-in
                    columns: {n: BIGINT}
                    to_end: true
                    TOPIC
                - id: small
                  service: filter
                  params: {condition: "n < 10"}
                  depends_on: [read]
                - id: save
                  service: load_kafka
                  params:
                    topic: secure-out
                    TOPIC
                  depends_on: [small]
            """
                .replace("TOPIC", topic));
    Validation validation = PipelineValidator.validate(file, StandardCatalog.standard());
    assertThat(validation.problems()).isEmpty();
    URI flinkUrl = URI.create(flink.webUrl());
    Compilation compilation =
        PipelineCheck.compile(
            file,
            validation,
            StandardCatalog.standard(),
            PipelineEnvironments.remote(
                flinkUrl.getHost(), flinkUrl.getPort(), 1, validation.bounded()),
            DataRoot.at(folder));
    assertThat(compilation.problems()).isEmpty();
    return PipelineRunner.run(compilation, (step, rows, end) -> {}, () -> false);
  }

  /** Each user has one event, of an hour of its own; the last record is none. */
  private static void send() throws Exception {
    List<String> values = new ArrayList<>();
    for (int i = 0; i < EVENTS; i++) {
      values.add(
          "{\"event_id\":\"e%d\",\"user_id\":\"u%d\",\"event_type\":\"tap\",\"timestamp\":%d}"
              .formatted(i, i, FIRST + i * 60_000L));
    }
    values.add("no json");
    produce("secure-events", values);
  }

  /** Each value with a time of its own, a minute after the one before. */
  private static void produce(String topic, List<String> values) throws Exception {
    kafka.addUser("producer", OTHER);
    kafka.allow("producer", ResourceType.TOPIC, topic, AclOperation.WRITE);
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            kafka.client("producer", OTHER),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      for (int i = 0; i < values.size(); i++) {
        sent.add(
            producer.send(
                new ProducerRecord<>(
                    topic, null, FIRST + i * 60_000L, null, values.get(i).getBytes(UTF_8))));
      }
      for (Future<RecordMetadata> record : sent) {
        record.get();
      }
    }
  }

  private static long records(String topic) throws Exception {
    kafka.addUser("reader", OTHER);
    kafka.allow("reader", ResourceType.TOPIC, topic, AclOperation.READ);
    Map<String, Object> client = kafka.client("reader", OTHER);
    client.put("isolation.level", "read_committed");
    long records = 0;
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(client, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> partitions =
          List.of(new TopicPartition(topic, 0), new TopicPartition(topic, 1));
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (ends.entrySet().stream().anyMatch(e -> consumer.position(e.getKey()) < e.getValue())) {
        records += consumer.poll(Duration.ofMillis(200)).count();
      }
    }
    return records;
  }

  /** What anybody can see of a job in Flink's web interface. */
  private static List<String> rest(JobID job) throws IOException, InterruptedException {
    List<String> answers = new ArrayList<>();
    for (String path :
        List.of(
            "/config",
            "/jobmanager/config",
            "/jobmanager/environment",
            "/jobs/overview",
            "/jobs/" + job,
            "/jobs/" + job + "/config",
            "/jobs/" + job + "/plan",
            "/jobs/" + job + "/exceptions")) {
      answers.add(get(path));
    }
    return answers;
  }

  private static String get(String path) throws IOException, InterruptedException {
    HttpResponse<String> answer =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(URI.create(flink.webUrl() + path)).build(),
                HttpResponse.BodyHandlers.ofString());
    assertThat(answer.statusCode()).as(path).isEqualTo(200);
    return answer.body();
  }

  /** How often a client was refused so far: each says so once. */
  private static long refusals() {
    return Pattern.compile("failed authentication due to")
        .matcher(LOG.toString())
        .results()
        .count();
  }

  private static String stackTrace(Throwable failure) {
    StringWriter text = new StringWriter();
    failure.printStackTrace(new PrintWriter(text, true));
    return text.toString();
  }

  private static void assertNoSecretIn(List<String> texts) {
    for (String text : texts) {
      assertThat(text).doesNotContain(PASSWORD, WRONG, STORE_PASSWORD, OTHER);
    }
  }

  private static void assertNoSecretIsLogged() throws IOException {
    // The clients' configurations are in it, so it would tell.
    assertThat(LOG.toString()).contains("sasl.jaas.config = [hidden]");
    assertNoSecretIn(List.of(LOG.toString(), Files.readString(kafka.log())));
  }
}

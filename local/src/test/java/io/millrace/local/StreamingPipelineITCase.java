package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.lake.catalog.CatalogSpec;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.pipeline.PipelineCheck;
import io.millrace.pipeline.PipelineCompiler.Compilation;
import io.millrace.pipeline.PipelineEnvironments;
import io.millrace.pipeline.PipelineEnvironments.State;
import io.millrace.pipeline.PipelineFile;
import io.millrace.pipeline.PipelineParser;
import io.millrace.pipeline.PipelineRunner;
import io.millrace.pipeline.PipelineValidator;
import io.millrace.pipeline.PipelineValidator.Validation;
import io.millrace.pipeline.RunReport;
import io.millrace.pipeline.RunReport.Status;
import io.millrace.pipeline.StandardCatalog;
import io.millrace.transform.DataRoot;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.annotation.Nullable;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Pipelines that read a real topic without end, on a cluster of two task managers, both of which
 * they need.
 */
class StreamingPipelineITCase {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int PARALLELISM = 2;

  private static MiniCluster cluster;

  private final KafkaBroker kafka = Stack.shared().kafka();

  @TempDir Path dir;

  @BeforeAll
  static void start() throws Exception {
    Configuration configuration = new Configuration();
    configuration.set(RestOptions.BIND_PORT, "0");
    configuration.set(RestOptions.ADDRESS, "localhost");
    configuration.set(RestOptions.BIND_ADDRESS, "localhost");
    configuration.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(64));
    cluster =
        new MiniCluster(
            new MiniClusterConfiguration.Builder()
                .setConfiguration(configuration)
                .setNumTaskManagers(PARALLELISM)
                .setNumSlotsPerTaskManager(1)
                .build());
    cluster.start();
  }

  @AfterAll
  static void stop() throws Exception {
    cluster.close();
  }

  /** A run that another thread waits for. */
  private record Running(CompletableFuture<RunReport> report, AtomicBoolean stop) {
    RunReport end() throws Exception {
      stop.set(true);
      return atItsEnd();
    }

    RunReport atItsEnd() throws Exception {
      return report.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }
  }

  private Running run(String yaml, @Nullable String from) throws Exception {
    return run(yaml, from, 1);
  }

  /** With no more tasks than the topics have partitions, so that none is idle. */
  private Running run(String yaml, @Nullable String from, int parallelism) throws Exception {
    PipelineFile file = PipelineParser.parse(yaml);
    Validation validation = PipelineValidator.validate(file, StandardCatalog.standard());
    assertThat(validation.problems()).isEmpty();
    java.net.URI rest = cluster.getRestAddress().get();
    StreamExecutionEnvironment environment =
        PipelineEnvironments.remote(
            rest.getHost(), rest.getPort(), parallelism, validation.bounded());
    if (!validation.bounded()) {
      PipelineEnvironments.keep(
          environment,
          new State(dir.resolve("state").toUri().toString(), Duration.ofMillis(500), from));
      PipelineEnvironments.keepOnDisk(environment);
    }
    Compilation compilation =
        PipelineCheck.compile(
            file, validation, StandardCatalog.standard(), environment, DataRoot.at(dir));
    assertThat(compilation.problems()).isEmpty();
    AtomicBoolean stop = new AtomicBoolean();
    return new Running(
        CompletableFuture.supplyAsync(
            () -> PipelineRunner.run(compilation, (step, rows, done) -> {}, stop::get)),
        stop);
  }

  private void send(String topic, List<String> values) throws Exception {
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(
            Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrap()),
            new StringSerializer(),
            new StringSerializer())) {
      for (String value : values) {
        producer.send(new ProducerRecord<>(topic, value)).get();
      }
    }
  }

  /** Waits for so many committed records, and gives key and value of each. */
  private List<String> await(String topic, int count, Running running) {
    List<String> records = new ArrayList<>();
    Await.until(
        count + " records in " + topic,
        PATIENCE,
        () -> {
          assertThat(running.report()).isNotDone();
          records.clear();
          for (ConsumerRecord<String, String> record : kafka.read(topic)) {
            records.add(record.key() + " " + record.value());
          }
          return records.size() >= count;
        });
    return records;
  }

  /** A pipeline whose steps, but the first, come after the one before. */
  private String pipeline(String name, String... steps) {
    StringBuilder yaml = new StringBuilder("pipeline:\n  name: " + name + "\n  steps:\n");
    String before = null;
    for (String step : steps) {
      String[] parts = step.split(" ", 3);
      yaml.append("    - id: ").append(parts[0]).append("\n      service: ").append(parts[1]);
      yaml.append("\n      params: {").append(parts[2]);
      if (parts[1].endsWith("_kafka")) {
        yaml.append(", bootstrap_servers: \"").append(kafka.bootstrap()).append('"');
      }
      yaml.append("}\n");
      if (before != null) {
        yaml.append("      depends_on: [").append(before).append("]\n");
      }
      before = parts[0];
    }
    return yaml.toString();
  }

  @Test
  void aRunThatIsStoppedGoesOnWhereItWas() throws Exception {
    kafka.createTopic("orders-in", 2);
    kafka.createTopic("orders-out", 1);
    String yaml =
        pipeline(
            "orders",
            "read extract_kafka topic: orders-in,"
                + " columns: {id: BIGINT, who: STRING, amount: DOUBLE}",
            "large filter condition: \"amount >= 10\"",
            "save load_kafka topic: orders-out, key: [who]");
    send(
        "orders-in",
        List.of(
            "{\"id\":1,\"who\":\"ann\",\"amount\":10}",
            "{\"id\":2,\"who\":\"bob\",\"amount\":9.5}",
            "{\"id\":3,\"who\":\"bob\",\"amount\":11.25}"));
    Running first = run(yaml, null);
    assertThat(await("orders-out", 2, first))
        .containsExactlyInAnyOrder(
            "ann {\"id\":1,\"who\":\"ann\",\"amount\":10.0}",
            "bob {\"id\":3,\"who\":\"bob\",\"amount\":11.25}");
    RunReport report = first.end();
    assertThat(report.error()).isNull();
    assertThat(report.status()).isEqualTo(Status.STOPPED);
    assertThat(report.savepoint()).startsWith("file:" + dir.resolve("state/savepoints"));
    assertThat(report.step("large").rowsIn()).isEqualTo(3);
    assertThat(report.step("save").rowsOut()).isEqualTo(2);
    assertThat(report.step("save").figures()).containsEntry("topic", "orders-out");

    send("orders-in", List.of("{\"id\":4,\"who\":\"eve\",\"amount\":20}"));
    Running second = run(yaml, report.savepoint());
    assertThat(await("orders-out", 3, second))
        .hasSize(3)
        .contains("eve {\"id\":4,\"who\":\"eve\",\"amount\":20.0}");
    assertThat(second.end().step("read").rowsOut()).isEqualTo(1);
  }

  @Test
  void aProcessThatIsToldToEndLeavesASavepoint() throws Exception {
    kafka.createTopic("visits", 1);
    kafka.createTopic("visits-out", 1);
    String yaml =
        pipeline(
            "visits",
            "read extract_kafka topic: visits, columns: {n: BIGINT}",
            "save load_kafka topic: visits-out");
    Path file = Files.writeString(dir.resolve("visits.yaml"), yaml);
    send("visits", List.of("{\"n\":1}"));
    String output = untilToldToEnd(file, "visits-out", 1);
    Matcher savepoint =
        Pattern.compile("To go on: --from (file:\\S+/visits/state/savepoints/\\S+)")
            .matcher(output);
    assertThat(savepoint.find()).as(output).isTrue();

    send("visits", List.of("{\"n\":2}"));
    untilToldToEnd(file, "visits-out", 2, "--from", savepoint.group(1));
    assertThat(kafka.read("visits-out").stream().map(ConsumerRecord::value))
        .containsExactly("{\"n\":1}", "{\"n\":2}");
  }

  /** Runs the command until a topic has so many records; what it has printed. */
  private String untilToldToEnd(Path file, String topic, int records, String... more)
      throws Exception {
    Path printed = Files.createTempFile(dir, "printed", ".txt");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(argument -> argument.startsWith("--add-opens"))
        .forEach(command::add);
    command.addAll(
        List.of("-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path")));
    command.addAll(List.of("io.millrace.local.PipelineCommand", "run", file.toString()));
    command.addAll(List.of("--data-root", dir.toString(), "--parallelism", "1"));
    command.addAll(List.of("--checkpoint-interval", "500 ms"));
    command.addAll(List.of(more));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(printed.toFile())
            .start();
    try {
      Await.until(
          records + " records in " + topic,
          PATIENCE,
          () -> {
            assertThat(process.isAlive()).as(Files.readString(printed)).isTrue();
            return kafka.read(topic).size() >= records;
          });
      process.destroy();
      assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    String output = Files.readString(printed);
    assertThat(output).containsPattern("Stopped after [0-9.]+ s, run ");
    return output;
  }

  /** A reading of one of five stations, two seconds after the one before; null now and then. */
  private record Reading(int n, String station, @Nullable Integer level, @Nullable Double flow) {
    static Reading of(int n, Random random) {
      // The last ones only have time pass, in both partitions.
      String station = n < READINGS ? "s" + random.nextInt(5) : n % 2 == 0 ? "s0" : "s1";
      Integer level = random.nextInt(3) == 0 ? null : random.nextInt(100);
      double usual = 20 + 2 * random.nextGaussian();
      Double flow = random.nextInt(4) == 0 ? null : random.nextInt(40) == 0 ? 10 * usual : usual;
      return new Reading(n, station, level, flow);
    }

    Instant at() {
      long start = Instant.parse("2026-03-01T00:00:00Z").toEpochMilli();
      return Instant.ofEpochMilli(start + 2_000L * n + (n < READINGS ? 0 : 3_600_000));
    }

    int partition() {
      return station.charAt(1) % 2;
    }

    String json() {
      return "{\"n\":%d,\"station\":\"%s\",\"at\":\"%s\",\"level\":%s,\"flow\":%s}"
          .formatted(n, station, at(), level, flow);
    }
  }

  private static final int READINGS = 3_000;

  private void send(String topic, List<Reading> readings, int from, int to) throws Exception {
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(
            Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrap()),
            new StringSerializer(),
            new StringSerializer())) {
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      for (Reading r : readings.subList(from, to)) {
        if (r.n() % 50 == 0) {
          // A resend, which is dropped.
          sent.add(producer.send(new ProducerRecord<>(topic, r.partition(), null, null, r.json())));
        }
        sent.add(producer.send(new ProducerRecord<>(topic, r.partition(), null, null, r.json())));
      }
      for (Future<RecordMetadata> record : sent) {
        record.get();
      }
    }
  }

  private String readings(String from, String to) {
    return pipeline(
        to,
        "read extract_kafka topic: "
            + from
            + ", columns: {n: BIGINT, station: STRING, at: TIMESTAMP_LTZ(3), level: BIGINT,"
            + " flow: DOUBLE}, time: at",
        "once deduplicate key: [n], over: 1 h",
        "carried clean_nan strategy: ffill, columns: [level], key: station, over: all",
        "filled clean_nan strategy: fill_mean, columns: [flow], key: station, over: all",
        "usual outlier_detection column: flow, key: station, over: all",
        "save load_kafka topic: " + to + ", key: station");
  }

  /** What is written of the readings, by an independent computation. */
  private static List<String> expected(List<Reading> readings) throws Exception {
    List<String> rows = new ArrayList<>();
    try (Connection duckdb = DriverManager.getConnection("jdbc:duckdb:");
        Statement statement = duckdb.createStatement()) {
      statement.execute("CREATE TABLE r (n INT, station TEXT, level INT, flow DOUBLE)");
      for (Reading r : readings.subList(0, READINGS)) {
        statement.execute(
            "INSERT INTO r VALUES (%d, '%s', %s, %s)"
                .formatted(r.n(), r.station(), r.level(), r.flow()));
      }
      ResultSet result =
          statement.executeQuery(
              """
              WITH filled AS (
                SELECT n, station,
                  last_value(level IGNORE NULLS) OVER w AS level,
                  coalesce(flow, avg(flow) OVER w) AS flow
                FROM r
                WINDOW w AS (PARTITION BY station ORDER BY n)),
              judged AS (
                SELECT *, avg(flow) OVER w AS mean, stddev_samp(flow) OVER w AS deviation
                FROM filled
                WINDOW w AS (PARTITION BY station ORDER BY n))
              SELECT n, station, level, round(flow, 6) FROM judged
              WHERE (deviation > 0 AND abs(flow - mean) / deviation > 3) IS NOT TRUE
              ORDER BY n
              """);
      while (result.next()) {
        rows.add(
            "%d %s %s %.6f"
                .formatted(
                    result.getInt(1),
                    result.getString(2),
                    result.getString(3),
                    (Double) result.getObject(4)));
      }
    }
    return rows;
  }

  /** The rows of a topic in the form of {@link #expected}, each as often as it is there. */
  private List<String> written(String topic) throws Exception {
    ObjectMapper json = new ObjectMapper();
    Map<Integer, String> rows = new TreeMap<>();
    for (ConsumerRecord<String, String> record : kafka.read(topic)) {
      JsonNode row = json.readTree(record.value());
      assertThat(record.key()).isEqualTo(row.get("station").asText());
      int n = row.get("n").asInt();
      String text =
          "%d %s %s %.6f"
              .formatted(
                  n,
                  record.key(),
                  row.get("level").asText(),
                  row.get("flow").isNull() ? (Double) null : row.get("flow").asDouble());
      if (n < READINGS) {
        assertThat(rows.put(n, text)).as("reading %d written before", n).isNull();
      }
    }
    return List.copyOf(rows.values());
  }

  @Test
  void aRunThatIsKilledWritesTheSameRows() throws Exception {
    Random random = new Random(42);
    List<Reading> readings = new ArrayList<>();
    for (int n = 0; n < READINGS + 2; n++) {
      readings.add(Reading.of(n, random));
    }
    List<String> expected = expected(readings);
    assertThat(expected).hasSizeBetween(READINGS * 9 / 10, READINGS - 20);
    for (String topic : List.of("meters", "meters-killed")) {
      kafka.createTopic(topic, 2);
      kafka.createTopic(topic + "-out", 2);
    }

    send("meters", readings, 0, readings.size());
    Running whole = run(readings("meters", "meters-out"), null, PARALLELISM);
    await("meters-out", expected.size(), whole);
    assertThat(whole.end().error()).isNull();
    assertThat(written("meters-out")).isEqualTo(expected);

    String yaml = readings("meters-killed", "meters-killed-out");
    Running killed = run(yaml, null, PARALLELISM);
    send("meters-killed", readings, 0, 1_000);
    await("meters-killed-out", 500, killed);
    send("meters-killed", readings, 1_000, 1_500);
    cluster.terminateTaskManager(0).get();
    cluster.startTaskManager();
    send("meters-killed", readings, 1_500, 2_000);
    await("meters-killed-out", 1_600, killed);
    send("meters-killed", readings, 2_000, 2_500);
    JobID job =
        cluster.listJobs().get().stream()
            .filter(status -> status.getJobState() == JobStatus.RUNNING)
            .findFirst()
            .orElseThrow()
            .getJobId();
    cluster.cancelJob(job).get();
    assertThat(killed.atItsEnd().status()).isEqualTo(Status.FAILED);

    Running restored = run(yaml, lastCheckpoint(job), PARALLELISM);
    send("meters-killed", readings, 2_500, readings.size());
    await("meters-killed-out", expected.size(), restored);
    assertThat(restored.end().error()).isNull();
    assertThat(written("meters-killed-out")).isEqualTo(expected);
  }

  private String lastCheckpoint(JobID job) throws IOException {
    try (Stream<Path> folders = Files.list(dir.resolve("state/checkpoints/" + job))) {
      return folders
          .filter(folder -> Files.exists(folder.resolve("_metadata")))
          .max(
              Comparator.comparing(
                  folder -> Integer.parseInt(folder.getFileName().toString().substring(4))))
          .orElseThrow()
          .toUri()
          .toString();
    }
  }

  /** The catalog's example of an entry, on this broker. */
  private String example(String service) {
    return StandardCatalog.standard()
        .find(service)
        .orElseThrow()
        .declaration()
        .examples()
        .get(0)
        .replace("localhost:9092", kafka.bootstrap());
  }

  @Test
  void theExamplesOfTheCatalogRun() throws Exception {
    for (String topic : List.of("readings", "readings-filled", "orders")) {
      kafka.createTopic(topic, 1);
    }
    send(
        "readings",
        List.of(
            "{\"station\":\"a\",\"at\":\"2026-03-01T10:00:00Z\",\"temperature\":21.5}",
            "{\"station\":\"a\",\"at\":\"2026-03-01T10:59:59.999Z\",\"temperature\":null}",
            "{\"station\":\"b\",\"at\":\"2026-03-01T12:00:00Z\"}"));
    Running filling = run(example("extract_kafka"), null);
    assertThat(await("readings-filled", 2, filling))
        .containsExactly(
            "a {\"station\":\"a\",\"at\":\"2026-03-01T10:00:00Z\",\"temperature\":21.5}",
            "a {\"station\":\"a\",\"at\":\"2026-03-01T10:59:59.999Z\",\"temperature\":21.5}");
    assertThat(filling.end().status()).isEqualTo(Status.STOPPED);

    String metastore = Stack.shared().metastore().uri().toString();
    Running archiving =
        run(
            example("load_lake")
                .replace(
                    "table: readings",
                    "table: readings, database: pipelines, complete_after: 30 min,"
                        + " catalog_uri: \""
                        + metastore
                        + '"'),
            null);
    Path hour = dir.resolve("lake/processed/readings/year=2026/month=03/day=01/hour=10");
    Await.until(hour + " to be complete", PATIENCE, () -> Files.exists(hour.resolve("_SUCCESS")));
    assertThat(archiving.end().status()).isEqualTo(Status.STOPPED);
    try (Connection duckdb = DriverManager.getConnection("jdbc:duckdb:");
        ResultSet rows =
            duckdb
                .createStatement()
                .executeQuery(
                    "SELECT hour, station, temperature, epoch_ms(\"at\") FROM read_parquet('"
                        + dir.resolve("lake/processed/readings/**/*.parquet")
                        + "', hive_partitioning = true, hive_types_autocast = false)"
                        + " ORDER BY \"at\"")) {
      List<String> found = new ArrayList<>();
      while (rows.next()) {
        found.add(
            String.join(
                " ", rows.getString(1), rows.getString(2), rows.getString(3), rows.getString(4)));
      }
      assertThat(found)
          .containsExactly(
              "10 a 21.5 1772359200000", "10 a null 1772362799999", "12 b null 1772366400000");
    }
    TableSchema table = new TableSchema("readings", "processed/readings", List.of(), "");
    try (io.millrace.lake.catalog.Catalog catalog =
        CatalogSpec.hive(metastore, "pipelines").open()) {
      assertThat(catalog.partitions(table))
          .extracting(partition -> partition.partition().path())
          .containsExactly(
              "year=2026/month=03/day=01/hour=10", "year=2026/month=03/day=01/hour=12");
    }

    Files.writeString(dir.resolve("orders.csv"), "id,amount\n1,2.5\n2,\n3,1e3\n");
    RunReport loaded = run(example("load_kafka"), null).atItsEnd();
    assertThat(loaded.error()).isNull();
    assertThat(loaded.status()).isEqualTo(Status.COMPLETED);
    assertThat(kafka.read("orders").stream().map(r -> r.key() + " " + r.value()))
        .containsExactlyInAnyOrder(
            "{\"id\":1} {\"id\":1,\"amount\":2.5}",
            "{\"id\":2} {\"id\":2,\"amount\":null}",
            "{\"id\":3} {\"id\":3,\"amount\":1000.0}");

    RunReport read =
        run(
                pipeline(
                    "back",
                    "read extract_kafka topic: readings-filled, to_end: true,"
                        + " columns: {temperature: DOUBLE, at: TIMESTAMP_LTZ(3)}",
                    "save load_data format: csv"),
                null)
            .atItsEnd();
    assertThat(read.error()).isNull();
    assertThat(dir.resolve("back/processed/save.csv"))
        .hasContent(
            "temperature,at\n21.5,2026-03-01 10:00:00+00:00\n21.5,2026-03-01 10:59:59.999+00:00\n");
  }

  @Test
  void rowsOfTwoTopicsMeet() throws Exception {
    for (String topic : List.of("calls", "answers", "met-within", "met-latest")) {
      kafka.createTopic(topic, 1);
    }
    String yaml =
        """
        pipeline:
          name: meetings
          steps:
            - id: calls
              service: extract_kafka
              params:
                topic: calls
                bootstrap_servers: "%1$s"
                columns: {id: STRING, called: BIGINT}
                time: called
            - id: answers
              service: extract_kafka
              params:
                topic: answers
                bootstrap_servers: "%1$s"
                columns: {id: STRING, answered: BIGINT, text: STRING}
                time: answered
            - id: within
              service: join_datasets
              depends_on: [calls, answers]
              params: {join_key: id, join_type: left, within: 1 h}
            - id: latest
              service: join_datasets
              depends_on: [calls, answers]
              params: {join_key: id, join_type: left, partner: latest}
            - id: save-within
              service: load_kafka
              depends_on: [within]
              params: {topic: met-within, bootstrap_servers: "%1$s"}
            - id: save-latest
              service: load_kafka
              depends_on: [latest]
              params: {topic: met-latest, bootstrap_servers: "%1$s", guarantee: at_least_once}
        """
            .formatted(kafka.bootstrap());
    long minute = 60_000;
    List<String> calls = new ArrayList<>();
    for (long at : List.of(60 * minute, 200 * minute)) {
      calls.add("{\"id\":\"a\",\"called\":" + at + "}");
    }
    List<String> answers = new ArrayList<>();
    for (long at : List.of(30 * minute, 90 * minute, 130 * minute)) {
      answers.add("{\"id\":\"a\",\"answered\":%d,\"text\":\"at %d\"}".formatted(at, at / minute));
    }
    send("calls", calls);
    send("answers", answers);
    // Event time passes everything.
    send("calls", List.of("{\"id\":\"end\",\"called\":" + 600 * minute + "}"));
    send("answers", List.of("{\"id\":\"end\",\"answered\":" + 600 * minute + "}"));
    Running running = run(yaml, null);
    Map<String, List<String>> expected =
        Map.of(
            "met-within",
            List.of("a 01:00 at 30", "a 01:00 at 90", "a 03:20 null"),
            "met-latest",
            List.of("a 01:00 at 30", "a 03:20 at 130"));
    for (Map.Entry<String, List<String>> topic : expected.entrySet()) {
      await(topic.getKey(), topic.getValue().size(), running);
      List<String> met = new ArrayList<>();
      for (ConsumerRecord<String, String> record : kafka.read(topic.getKey())) {
        JsonNode row = new ObjectMapper().readTree(record.value());
        if (row.get("id").asText().equals("a")) {
          met.add(
              "a " + row.get("called").asText().substring(11, 16) + " " + row.get("text").asText());
        }
      }
      assertThat(met).as(topic.getKey()).containsExactlyInAnyOrderElementsOf(topic.getValue());
    }
    assertThat(running.end().error()).isNull();
  }
}

package io.millrace.local;

import static io.millrace.local.Savepoints.DAY;
import static io.millrace.local.Savepoints.PATIENCE;
import static io.millrace.local.Savepoints.on;
import static io.millrace.local.Savepoints.renamed;
import static io.millrace.local.Savepoints.send;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.pipeline.PipelineCheck;
import io.millrace.pipeline.PipelineCompiler.Compilation;
import io.millrace.pipeline.PipelineEnvironments;
import io.millrace.pipeline.PipelineEnvironments.State;
import io.millrace.pipeline.PipelineFile;
import io.millrace.pipeline.PipelineParser;
import io.millrace.pipeline.PipelineValidator;
import io.millrace.pipeline.PipelineValidator.Validation;
import io.millrace.pipeline.StandardCatalog;
import io.millrace.transform.DataRoot;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
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
 * Savepoints of a pipeline of the steps that keep state: each goes on with the present code, on the
 * heap and on RocksDB.
 */
class PipelineSavepointITCase {
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

  private static Savepoints savepoints;

  @TempDir private Path folder;

  @BeforeAll
  static void start() {
    savepoints = new Savepoints(List.of("meters", "meters-out"));
  }

  @AfterAll
  static void stop() {
    savepoints.close();
  }

  @AfterEach
  void clean() {
    savepoints.clean();
  }

  private StreamExecutionEnvironment pipeline(String backend) {
    PipelineFile file =
        PipelineParser.parse(PIPELINE.formatted(savepoints.stack().kafka().bootstrap()));
    Validation validation = PipelineValidator.validate(file, StandardCatalog.standard());
    assertThat(validation.problems()).isEmpty();
    Configuration settings = on(backend);
    settings.set(PipelineOptions.OBJECT_REUSE, true);
    settings.set(PipelineOptions.GENERIC_TYPES, false);
    StreamExecutionEnvironment env = savepoints.flink().environment();
    PipelineEnvironments.keep(env, new State(null, Duration.ofSeconds(1), null));
    env.configure(savepoints.flink().configuration());
    env.configure(settings);
    Compilation compilation =
        PipelineCheck.compile(
            file, validation, StandardCatalog.standard(), env, DataRoot.at(folder));
    assertThat(compilation.problems()).isEmpty();
    return compilation.environment();
  }

  private static void sendTheFirstReadings() throws Exception {
    savepoints.createTopics("meters", "meters-out");
    try (KafkaProducer<String, String> producer = savepoints.producer()) {
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
    for (ConsumerRecord<String, String> record : savepoints.stack().kafka().read("meters-out")) {
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
        () -> savepoints.runs(job) && readings().size() >= count);
  }

  @Test
  @EnabledIfSystemProperty(named = "millrace.fixtures.write", matches = "true")
  void writeTheSavepointOfThePipeline() throws Exception {
    sendTheFirstReadings();
    JobID job = savepoints.flink().submit(pipeline("rocksdb"));
    savepoints.flink().waitUntilTasksRun(job, PATIENCE);
    awaitReadings(job, 19);
    // No transaction is open then that this savepoint would have to commit in a broker of its own.
    savepoints.flink().checkpoint(job);
    savepoints.keep(savepoints.flink().stopWithSavepoint(job), "pipeline");
  }

  @ParameterizedTest
  @MethodSource("io.millrace.local.Savepoints#versions")
  void thePipelineGoesOn(Path version, String backend) throws Exception {
    sendTheFirstReadings();
    JobID job = savepoints.resume(pipeline(backend), version.resolve("pipeline"));
    savepoints.flink().waitUntilTasksRun(job, PATIENCE);
    try (KafkaProducer<String, String> producer = savepoints.producer()) {
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
    savepoints.assertTheSameStates("pipeline", savepoints.flink().stopWithSavepoint(job));
  }

  @Test
  void anotherUidIsRefused() throws IOException {
    savepoints.createTopics("meters", "meters-out");
    savepoints.assertRefused(
        renamed(pipeline("hashmap"), "once:drop-duplicates", "once:drop"),
        "pipeline",
        "once:drop-duplicates");
  }
}

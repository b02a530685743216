package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.millrace.config.OptionDocs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.dag.Transformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.params.provider.Arguments;

/**
 * Savepoints of whole jobs, as each version wrote them, and a cluster that goes on with them. The
 * folders are never changed; the next version adds its own, by the disabled tests.
 */
final class Savepoints implements AutoCloseable {
  /** Of a job and of its folder in the bucket: committed savepoints name files in there. */
  static final String NAME = "savepoint";

  static final Duration PATIENCE = Duration.ofSeconds(60);
  static final String DAY = "2026-03-01T";
  private static final Path SAVEPOINTS = Path.of("src/test/resources/savepoints");

  /** The version whose savepoints are written. */
  static final Path WRITTEN = SAVEPOINTS.resolve("0.1");

  private final Stack stack = Stack.shared();
  private final FlinkCluster flink;
  private final List<String> topics;

  /**
   * Starts a cluster.
   *
   * @param topics those that tests make and that {@link #clean} removes
   */
  Savepoints(List<String> topics) {
    this.topics = List.copyOf(topics);
    this.flink =
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

  Stack stack() {
    return stack;
  }

  FlinkCluster flink() {
    return flink;
  }

  /** Ends the jobs, and removes topics and the lake. */
  void clean() {
    flink.cancelAll();
    stack.kafka().topics().stream()
        .filter(topics::contains)
        .forEach(topic -> stack.kafka().deleteTopics(topic));
    BuildFiles.deleteTree(lake());
  }

  Path lake() {
    return stack.lake().resolve(NAME);
  }

  @Override
  public void close() {
    flink.close();
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

  static Configuration on(String backend) {
    Configuration configuration = new Configuration();
    configuration.set(StateBackendOptions.STATE_BACKEND, backend);
    return configuration;
  }

  void createTopics(String... names) {
    for (String topic : names) {
      stack.kafka().createTopic(topic, 1);
    }
  }

  KafkaProducer<String, String> producer() {
    return new KafkaProducer<>(
        Map.of("bootstrap.servers", stack.kafka().bootstrap()),
        new StringSerializer(),
        new StringSerializer());
  }

  static void send(
      KafkaProducer<String, String> producer, String topic, String key, String value, String time)
      throws Exception {
    long at = Instant.parse(time).toEpochMilli();
    producer.send(new ProducerRecord<>(topic, 0, at, key, value)).get();
  }

  /** True; throws with the cause when the job has failed. */
  boolean runs(JobID job) {
    if (flink.status(job).isGloballyTerminalState()) {
      flink.waitUntilFinished(job, PATIENCE);
    }
    return true;
  }

  JobID resume(StreamExecutionEnvironment env, Path savepoint) {
    return flink.submit(env, savepoint.toUri().toString());
  }

  /** Makes a savepoint that of the version that is written. */
  void keep(String savepoint, String job) throws IOException {
    List<Path> files = files(onDisk(savepoint));
    assertThat(files).hasSize(1);
    assertThat(WRITTEN.resolve(job)).as("savepoints of a version never change").doesNotExist();
    Path kept = Files.createDirectories(WRITTEN.resolve(job)).resolve("_metadata");
    Files.write(kept, Files.readAllBytes(files.get(0)));
  }

  private Path onDisk(String savepoint) {
    return stack.lake().resolve(savepoint.substring(savepoint.indexOf(NAME + "-written")));
  }

  static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(Files::isRegularFile).toList();
    }
  }

  /** No state has another name or type, none is left unclaimed, and none is new untold. */
  void assertTheSameStates(String job, String after) throws IOException {
    OptionDocs.verify(
        Path.of("src/test/resources/savepoints/" + job + ".txt"),
        SavepointStates.of(onDisk(after)));
  }

  /** What an operator is called in the graph that is submitted. */
  static StreamExecutionEnvironment renamed(
      StreamExecutionEnvironment env, String uid, String other) {
    Transformation<?> operator =
        env.getTransformations().stream()
            .filter(t -> uid.equals(t.getUid()))
            .findFirst()
            .orElseThrow();
    operator.setUid(other);
    return env;
  }

  /** A state that no operator of the graph claims fails the job. */
  void assertRefused(StreamExecutionEnvironment env, String job, String uid) throws IOException {
    JobID refused = resume(env, WRITTEN.resolve(job));
    String id = SavepointStates.operator(WRITTEN.resolve(job), uid).getOperatorID().toString();
    assertThatThrownBy(() -> flink.waitUntilFinished(refused, PATIENCE))
        .hasStackTraceContaining(
            "Cannot map checkpoint/savepoint state for operator " + id + " to the new program");
  }
}

package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trino.hive.thrift.metastore.Database;
import io.trino.hive.thrift.metastore.ThriftHiveMetastore;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiterStrategy;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.connector.datagen.source.GeneratorFunction;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.Path;
import org.apache.flink.core.fs.RecoverableFsDataOutputStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.thrift.TConfiguration;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.transport.TSocket;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class StackITCase {
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  private static Stack stack;
  private static FlinkCluster flink;

  @BeforeAll
  static void start() {
    stack = Stack.shared();
    flink = stack.startFlink(2, 1);
  }

  @AfterAll
  static void stop() {
    flink.close();
  }

  @AfterEach
  void healS3() {
    stack.faultyS3().setMode(FaultyS3.Mode.OK);
  }

  @Test
  void brokerKeepsOldRecordsOverKillAndRestart() {
    stack.kafka().createTopic("numbers", 2);
    List<String> numbers = IntStream.range(0, 1_000).mapToObj(Integer::toString).toList();
    produce("numbers", numbers, 1_000_000_000_000L);

    assertThat(consume("numbers", 2, 1_000)).containsExactlyInAnyOrderElementsOf(numbers);

    stack.kafka().kill();
    assertThat(stack.kafka().isRunning()).isFalse();
    stack.kafka().restart();

    assertThat(consume("numbers", 2, 1_000)).containsExactlyInAnyOrderElementsOf(numbers);
    produce("numbers", List.of("after"), 1_000_000_000_000L);
    assertThat(consume("numbers", 2, 1_001)).contains("after");
    stack.kafka().deleteTopics("numbers");
  }

  @Test
  void brokerTakesLargeRecords() {
    stack.kafka().createTopic("large", 1, Map.of("cleanup.policy", "compact"));
    String large = "x".repeat(10 * 1024 * 1024);
    produce("large", List.of(large), System.currentTimeMillis());
    assertThat(consume("large", 1, 1)).containsExactly(large);
  }

  @Test
  void objectsAreFilesAndOutliveTheServer() throws IOException {
    write("greeting.txt", "hello");
    assertThat(Files.readString(stack.lake().resolve("it/greeting.txt"))).isEqualTo("hello");

    stack.s3().kill();
    stack.s3().restart();

    assertThat(read("greeting.txt")).isEqualTo("hello");
  }

  @Test
  void uncommittedObjectIsNotVisible() throws IOException {
    Path path = lakePath("draft.txt");
    FileSystem s3 = path.getFileSystem();
    RecoverableFsDataOutputStream out = s3.createRecoverableWriter().open(path);
    out.write("draft".getBytes(StandardCharsets.UTF_8));
    out.persist();
    assertThat(s3.exists(path)).isFalse();
    assertThat(stack.lake().resolve("it/draft.txt")).doesNotExist();

    out.closeForCommit().commit();
    assertThat(read("draft.txt")).isEqualTo("draft");
  }

  @Test
  void s3AnswersSlowDownDuringAnOutageAndThenRecovers() throws IOException {
    write("before.txt", "before");
    stack.faultyS3().setMode(FaultyS3.Mode.RESPOND_503);
    HttpURLConnection request =
        (HttpURLConnection) stack.faultyS3().endpoint().toURL().openConnection();
    assertThat(request.getResponseCode()).isEqualTo(503);
    assertThat(new String(request.getErrorStream().readAllBytes(), StandardCharsets.UTF_8))
        .contains("<Code>SlowDown</Code>");

    long faults = stack.faultyS3().faults();
    stack.faultyS3().outage(Duration.ofSeconds(3));
    write("during.txt", "during");

    assertThat(stack.faultyS3().faults()).isGreaterThan(faults);
    assertThat(stack.faultyS3().mode()).isEqualTo(FaultyS3.Mode.OK);
    assertThat(read("before.txt") + read("during.txt")).isEqualTo("beforeduring");
  }

  /** By a socket, since an HTTP client has words of its own for a reset that it meets. */
  @Test
  void s3ResetsConnections() throws IOException {
    stack.faultyS3().setMode(FaultyS3.Mode.RESET);
    URI s3 = stack.faultyS3().endpoint();
    try (Socket socket = new Socket(s3.getHost(), s3.getPort())) {
      assertThatThrownBy(
              () -> {
                byte[] request =
                    "GET / HTTP/1.1\r\nHost: s3\r\n\r\n".getBytes(StandardCharsets.UTF_8);
                socket.getOutputStream().write(request);
                socket.getInputStream().read();
              })
          .isInstanceOf(SocketException.class)
          .hasMessageMatching("(?i).*(reset|broken pipe).*");
    }
  }

  @Test
  void s3StallsUntilTheModeChanges() throws Exception {
    stack.faultyS3().setMode(FaultyS3.Mode.STALL);
    long faults = stack.faultyS3().faults();
    CompletableFuture<Integer> status =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return ((HttpURLConnection) stack.faultyS3().endpoint().toURL().openConnection())
                    .getResponseCode();
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            });
    Await.until("the stalled request", PATIENCE, () -> stack.faultyS3().faults() > faults);
    assertThat(status).isNotDone();

    stack.faultyS3().setMode(FaultyS3.Mode.OK);
    assertThat(status.get()).isEqualTo(403);
  }

  @Test
  void metastoreKeepsDatabasesOverKillAndRestart() throws Exception {
    String location = "s3://" + Stack.BUCKET + "/it/kept";
    withMetastore(
        client ->
            client.createDatabase(
                new Database("kept", "from the test", location, Map.of("owner", "it"))));

    stack.metastore().kill();
    stack.metastore().restart();

    withMetastore(
        client -> {
          Database kept = client.getDatabase("kept");
          assertThat(kept.getLocationUri()).isEqualTo(location);
          assertThat(kept.getParameters()).containsEntry("owner", "it");
          assertThat(client.getAllDatabases()).contains("default", "kept");
        });
    // The metastore makes the folder of a database itself: it has reached S3.
    assertThat(FileSystem.get(lakePath("kept").toUri()).exists(lakePath("kept"))).isTrue();
  }

  @Test
  void lostTaskManagerIsReplacedAndTheJobResumes() {
    JobID job = flink.submit(countingJob(2, 1_000_000, 1_000));
    flink.waitUntilTasksRun(job, PATIENCE);
    flink.checkpoint(job);
    assertThat(flink.completedCheckpoints(job)).isEqualTo(1);
    assertThat(flink.restarts(job)).isZero();

    flink.terminateTaskManager(0);
    flink.startTaskManager();
    Await.until("the restart", PATIENCE, () -> flink.restarts(job) >= 1);
    flink.waitUntilTasksRun(job, PATIENCE);

    String savepoint = flink.stopWithSavepoint(job);
    assertThat(savepoint).startsWith("s3://" + Stack.BUCKET + "/flink/");
    assertThat(flink.status(job)).isEqualTo(JobStatus.FINISHED);

    JobID resumed = flink.submit(countingJob(2, 1_000_000, 1_000), savepoint);
    flink.waitUntilTasksRun(resumed, PATIENCE);
    flink.cancel(resumed);
    assertThat(flink.status(resumed)).isEqualTo(JobStatus.CANCELED);
  }

  @Test
  void boundedJobFinishesAndItsCountersStayReadable() {
    JobID job = flink.submit(countingJob(1, 5_000, 1_000_000));
    flink.waitUntilFinished(job, PATIENCE);
    assertThat(flink.metrics().read(job, "numRecordsIn").entrySet())
        .filteredOn(
            reading -> reading.getKey().contains("/drop[") || reading.getKey().contains("/even["))
        .extracting(reading -> reading.getValue().longValue())
        .contains(5_000L);
  }

  private static StreamExecutionEnvironment countingJob(
      int parallelism, long records, double perSecond) {
    GeneratorFunction<Long, Long> identity = n -> n;
    StreamExecutionEnvironment env = flink.environment();
    env.setParallelism(parallelism);
    env.fromSource(
            new DataGeneratorSource<>(
                identity, records, RateLimiterStrategy.perSecond(perSecond), Types.LONG),
            WatermarkStrategy.noWatermarks(),
            "numbers")
        .uid("numbers")
        .keyBy(n -> n % 10)
        .filter(n -> n >= 0)
        .uid("even")
        .name("even")
        .sinkTo(new DiscardingSink<>())
        .uid("drop")
        .name("drop");
    return env;
  }

  private static Path lakePath(String name) {
    return new Path("s3://" + Stack.BUCKET + "/it/" + name);
  }

  private static void write(String name, String text) throws IOException {
    Path path = lakePath(name);
    RecoverableFsDataOutputStream out = path.getFileSystem().createRecoverableWriter().open(path);
    out.write(text.getBytes(StandardCharsets.UTF_8));
    out.closeForCommit().commit();
  }

  private static String read(String name) throws IOException {
    Path path = lakePath(name);
    try (FSDataInputStream in = path.getFileSystem().open(path)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static void produce(String topic, List<String> values, long timestamp) {
    Properties config = new Properties();
    config.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, stack.kafka().bootstrap());
    config.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, 20 * 1024 * 1024);
    List<java.util.concurrent.Future<?>> sent = new ArrayList<>();
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
      for (String value : values) {
        String key = value.substring(0, 1);
        sent.add(producer.send(new ProducerRecord<>(topic, null, timestamp, key, value)));
      }
    }
    assertThat(sent).allSatisfy(record -> assertThat(record).succeedsWithin(PATIENCE));
  }

  private static List<String> consume(String topic, int partitions, int expected) {
    Properties config = new Properties();
    config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, stack.kafka().bootstrap());
    config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    List<String> values = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
      consumer.assign(
          IntStream.range(0, partitions).mapToObj(p -> new TopicPartition(topic, p)).toList());
      Await.until(
          expected + " records of " + topic,
          PATIENCE,
          () -> {
            consumer.poll(Duration.ofMillis(200)).forEach(record -> values.add(record.value()));
            return values.size() >= expected;
          });
    }
    return values;
  }

  @FunctionalInterface
  private interface MetastoreCall {
    void run(ThriftHiveMetastore.Client client) throws Exception;
  }

  private static void withMetastore(MetastoreCall call) throws Exception {
    java.net.URI uri = stack.metastore().uri();
    try (TSocket socket = new TSocket(new TConfiguration(), uri.getHost(), uri.getPort(), 60_000)) {
      socket.open();
      call.run(new ThriftHiveMetastore.Client(new TBinaryProtocol(socket)));
    }
  }
}

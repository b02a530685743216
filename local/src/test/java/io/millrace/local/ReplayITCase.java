package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.event.Origin;
import io.millrace.job.engagement.EngagementConfig;
import io.millrace.job.engagement.EngagementJob;
import io.millrace.lake.parquet.DeadLetterReader.StoredLetter;
import io.millrace.telemetry.Metrics;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Records that a job rejects, and what becomes of them when its configuration is mended. */
class ReplayITCase {
  private static final String NAME = "replay";
  private static final String TOPIC = NAME + "-session";
  private static final String MANIFEST = NAME + "-manifest";
  private static final String ROOT = "s3://" + Stack.BUCKET + "/" + NAME;
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final long NOON = Instant.parse("2026-03-01T12:00:00Z").toEpochMilli();

  private static Stack stack;
  private static FlinkCluster flink;

  /** What the command said and how it ended. */
  private record End(int code, List<String> lines, String errors) {}

  @BeforeAll
  static void start() {
    stack = Stack.shared();
    stack.kafka().createTopic(TOPIC, 2);
    stack.kafka().createTopic(TOPIC + ".dlq", 1);
    flink = stack.startFlink(1, 2, Map.of("execution.checkpointing.interval", "1 s"));
  }

  @AfterAll
  static void stop() {
    flink.close();
  }

  @Test
  void whatIsMendedIsAcceptedOnceAndWhatIsNotEndsAfterThreeAttempts() throws Exception {
    send();
    JobID broken = submit(null, "0");
    awaitLetters(broken, 7, 1, 6);
    String savepoint = flink.stopWithSavepoint(broken);
    assertThat(query("SELECT event_id FROM app_events")).containsExactly(List.of("plain"));

    End dry = replay("--dry-run");
    assertThat(dry.errors()).isEmpty();
    assertThat(dry.lines())
        .anyMatch(line -> line.matches(TOPIC + " +1 +5 +4 +0 +0 +1 +0 +0"))
        .last()
        .isEqualTo("4 would be sent; nothing was sent.");
    assertThat(stack.kafka().topics()).doesNotContain(MANIFEST);
    assertThat(written()).isEqualTo(7);

    ReplayProducer killed = sendWithoutCommit();
    assertThat(replay("--limit", "2").lines())
        .anyMatch(line -> line.matches(TOPIC + " +1 +5 +2 +0 +0 +1 +0 +2"))
        .anyMatch(line -> line.matches("sent +2 of 2 in .*"));
    assertThatThrownBy(killed::commit)
        .isInstanceOf(CommandFailure.class)
        .hasMessage("another scripts/replay has begun meanwhile; this one has stopped after 0");
    killed.close();
    assertThat(replay().lines()).anyMatch(l -> l.matches(TOPIC + " +1 +5 +2 +2 +0 +1 +0 +0"));
    End again = replay();
    assertThat(again.code()).isZero();
    assertThat(again.lines()).anyMatch(l -> l.matches(TOPIC + " +1 +5 +0 +4 +0 +1 +0 +0"));
    assertThat(replay("--topic", "other").lines()).contains("(no rows)");
    assertReplayedRecords();

    JobID mended = submit(savepoint, "2");
    awaitLetters(mended, 4, 2, 1);
    End second = replay();
    assertThat(second.lines())
        .anyMatch(line -> line.matches(TOPIC + " +1 +5 +0 +4 +0 +1 +0 +0"))
        .anyMatch(line -> line.matches(TOPIC + " +2 +1 +1 +0 +0 +0 +0 +0"));
    awaitLetters(mended, 5, 3, 1);
    End third = replay();
    assertThat(third.code()).isZero();
    assertThat(third.lines()).anyMatch(l -> l.matches(TOPIC + " +3 +1 +0 +0 +1 +0 +0 +0"));
    flink.stopWithSavepoint(mended);
    assertEachIsThereOnce();
  }

  /** A file that is read slowly holds nothing back: neither it nor readers of the topic. */
  @Test
  void whatIsSentIsVisibleAfterFiveSecondsAtTheLatest() {
    String topic = NAME + "-slow";
    stack.kafka().createTopic(topic, 1);
    AtomicLong clock = new AtomicLong();
    List<Long> told = new ArrayList<>();
    try (ReplayProducer producer =
        new ReplayProducer(client(), topic + "-manifest", "slow", told::add, clock::get)) {
      producer.send(letter(topic, 0, 0, "one"));
      clock.addAndGet(ReplayProducer.OPEN_NANOS - 1);
      producer.commitInTime();
      assertThat(producer.sent()).isZero();
      assertThat(stack.kafka().read(topic)).isEmpty();
      clock.addAndGet(1);
      producer.commitInTime();
      awaitRecords(topic, 1);
      // The next transaction begins with the next record, and ends with one that is sent late.
      clock.addAndGet(ReplayProducer.OPEN_NANOS);
      producer.send(letter(topic, 0, 1, "two"));
      assertThat(producer.sent()).isEqualTo(1);
      clock.addAndGet(ReplayProducer.OPEN_NANOS);
      producer.send(letter(topic, 0, 2, "three"));
      assertThat(told).containsExactly(1L, 3L);
      awaitRecords(topic, 3);
    }
    awaitRecords(topic + "-manifest", 3);
  }

  /** The broker shows them a moment after it has confirmed the commit. */
  private static void awaitRecords(String topic, int expected) {
    Await.until(
        expected + " committed records of " + topic,
        PATIENCE,
        () -> stack.kafka().read(topic).size() == expected);
  }

  private static StoredLetter letter(String topic, int partition, long offset, String id) {
    return new StoredLetter(
        new Origin(topic, partition, offset, NOON, NOON),
        List.of("too_many_properties"),
        null,
        List.of(),
        event(id, "ann", 1).getBytes(StandardCharsets.UTF_8),
        1);
  }

  /** One that is right, four with properties, one with another mistake too, one with only that. */
  private static void send() {
    List<String> values = new ArrayList<>(List.of(event("plain", "ann", 0)));
    for (String id : List.of("one", "two", "three")) {
      values.add(event(id, "ann", 1));
    }
    values.add(event("crowded", "bob", 3));
    values.add(event("nobody", "", 1));
    values.add("{\"event_id\":\"half\"}");
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", stack.kafka().bootstrap()),
            new StringSerializer(),
            new StringSerializer())) {
      for (String value : values) {
        ProducerRecord<String, String> record =
            new ProducerRecord<>(TOPIC, values.indexOf(value) % 2, NOON, "key", value);
        record.headers().add("batch", "b-1".getBytes(StandardCharsets.UTF_8));
        assertThat(producer.send(record)).succeedsWithin(PATIENCE);
      }
    }
  }

  private static String event(String id, String user, int properties) {
    String more =
        IntStream.range(0, properties)
            .mapToObj(i -> "\"p" + i + "\":\"x\"")
            .collect(Collectors.joining(","));
    return String.format(
        "{\"event_id\":\"%s\",\"user_id\":\"%s\",\"event_type\":\"purchase\",\"timestamp\":%d,"
            + "\"properties\":{%s}}",
        id, user, NOON, more);
  }

  private static JobID submit(String savepoint, String maxProperties) {
    EngagementConfig config =
        EngagementConfig.parse(
            "--kafka.bootstrap-servers",
            stack.kafka().bootstrap(),
            "--kafka.group",
            NAME,
            "--topics",
            TOPIC + ":*",
            "--job.name",
            NAME,
            "--job.run-id",
            NAME,
            "--validation.max-properties",
            maxProperties,
            "--sessions.enabled",
            "false",
            "--rollups.enabled",
            "false",
            "--anomalies.enabled",
            "false",
            "--lake.root",
            ROOT,
            "--lake.writer-memory",
            "16 mb");
    StreamExecutionEnvironment env = flink.environment();
    env.configure(EngagementJob.flinkSettings(config));
    EngagementJob.build(env, config);
    return savepoint == null ? flink.submit(env) : flink.submit(env, savepoint);
  }

  /** Waits for what the job is sent to be read, and then to be committed. */
  private static void awaitLetters(JobID job, long received, int attempt, int letters) {
    String metric = Metrics.GROUP + "." + Metrics.RECEIVED;
    Await.until(
        () -> received + " records to be received, they are " + flink.metrics().sum(job, metric),
        PATIENCE,
        () -> flink.metrics().sum(job, metric) >= received);
    // Sources read before all that is behind them runs, and a checkpoint asks for all.
    flink.waitUntilTasksRun(job, PATIENCE);
    flink.checkpoint(job);
    Await.until(
        letters + " dead letters of attempt " + attempt,
        PATIENCE,
        () ->
            query("SELECT count(*) FROM dead_letters WHERE attempt = " + attempt)
                .equals(List.of(List.of("" + letters))));
  }

  private static List<List<String>> query(String sql) {
    try (LakeReader lake = LakeReader.ofFolder(stack.lake().resolve(NAME))) {
      return lake.query(sql).rows();
    }
  }

  /** Places in the log that are taken by records, markers of transactions and what was aborted. */
  private static long written() throws Exception {
    try (Admin admin = stack.kafka().admin()) {
      long end = 0;
      for (int partition = 0; partition < 2; partition++) {
        TopicPartition p = new TopicPartition(TOPIC, partition);
        end += admin.listOffsets(Map.of(p, OffsetSpec.latest())).partitionResult(p).get().offset();
      }
      return end;
    }
  }

  private static Properties client() {
    Properties client = new Properties();
    client.put("bootstrap.servers", stack.kafka().bootstrap());
    return client;
  }

  /** A replay that is killed after the broker has its records, and before they are committed. */
  private static ReplayProducer sendWithoutCommit() throws Exception {
    long before = written();
    ReplayProducer producer = new ReplayProducer(client(), MANIFEST, "killed", sent -> {});
    for (String id : List.of("one", "two")) {
      long offset = id.equals("one") ? 0 : 1;
      producer.send(letter(TOPIC, 1, offset, id));
    }
    Await.until("two records that nobody commits", PATIENCE, () -> written() == before + 2);
    return producer;
  }

  private static End replay(String... more) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    StringWriter errors = new StringWriter();
    List<String> args =
        new ArrayList<>(
            List.of(
                "--reason",
                "too_many_properties",
                "--since",
                "1 h",
                "--manifest",
                MANIFEST,
                "--lake",
                ROOT + "/",
                "--bootstrap-servers",
                stack.kafka().bootstrap(),
                "--s3-endpoint",
                stack.faultyS3().endpoint().toString()));
    args.addAll(Arrays.asList(more));
    Map<String, String> environment =
        Map.of(
            "AWS_ACCESS_KEY_ID", stack.s3().accessKey(),
            "AWS_SECRET_ACCESS_KEY", stack.s3().secretKey());
    int code =
        Commands.run(
            new Replay(
                new PrintStream(out, true, StandardCharsets.UTF_8), Path.of("."), environment),
            args.toArray(new String[0]),
            new PrintWriter(errors, true));
    return new End(code, out.toString(StandardCharsets.UTF_8).lines().toList(), errors.toString());
  }

  /** They are those that were rejected: bytes, key, partition, time and headers. */
  private static void assertReplayedRecords() {
    List<ConsumerRecord<String, String>> records = stack.kafka().read(TOPIC);
    assertThat(records).hasSize(11);
    List<ConsumerRecord<String, String>> replayed =
        records.stream().filter(r -> r.headers().lastHeader("millrace-attempt") != null).toList();
    assertThat(replayed)
        .extracting(ConsumerRecord::value)
        .containsExactlyInAnyOrder(
            event("one", "ann", 1),
            event("two", "ann", 1),
            event("three", "ann", 1),
            event("crowded", "bob", 3));
    assertThat(replayed)
        .allSatisfy(
            r -> {
              assertThat(r.key()).isEqualTo("key");
              assertThat(r.timestamp()).isEqualTo(NOON);
              assertThat(header(r, "millrace-attempt")).isEqualTo("2");
              assertThat(header(r, "batch")).isEqualTo("b-1");
              ConsumerRecord<String, String> first =
                  records.stream()
                      .filter(
                          o ->
                              header(r, "millrace-origin")
                                  .equals(TOPIC + "-" + o.partition() + "-" + o.offset()))
                      .findFirst()
                      .orElseThrow();
              assertThat(first.value()).isEqualTo(r.value());
              assertThat(first.partition()).isEqualTo(r.partition());
            });
  }

  private static String header(ConsumerRecord<String, String> record, String key) {
    return new String(record.headers().lastHeader(key).value(), StandardCharsets.UTF_8);
  }

  private static void assertEachIsThereOnce() throws Exception {
    assertThat(query("SELECT event_id, count(*) FROM app_events GROUP BY event_id ORDER BY 1"))
        .containsExactly(
            List.of("one", "1"), List.of("plain", "1"), List.of("three", "1"), List.of("two", "1"));
    assertThat(
            query(
                "SELECT attempt, count(*), count(DISTINCT raw) FROM dead_letters WHERE reason ="
                    + " 'too_many_properties' AND len(reasons) = 1 GROUP BY attempt ORDER BY 1"))
        .containsExactly(List.of("1", "4", "4"), List.of("2", "1", "1"), List.of("3", "1", "1"));
    // Nothing was dropped as a resend: nothing was sent twice.
    assertThat(
            query(
                "SELECT sum(received), sum(accepted), sum(rejected), sum(duplicates) FROM ledger"))
        .containsExactly(List.of("12", "4", "8", "0"));
    List<ConsumerRecord<String, String>> letters = stack.kafka().read(TOPIC + ".dlq");
    ConsumerRecord<String, String> last = letters.get(letters.size() - 1);
    assertThat(new ObjectMapper().readTree(last.value()).get("attempt").asInt()).isEqualTo(3);
    assertThat(header(last, "millrace-attempt")).isEqualTo("3");
    assertThat(header(last, "millrace-origin")).isEqualTo(TOPIC + "-0-2");
    assertThat(header(last, "batch")).isEqualTo("b-1");
  }
}

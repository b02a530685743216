package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.datagen.SimulatedFiles;
import io.millrace.datagen.SimulatorOptions;
import io.millrace.job.engagement.EngagementConfig;
import io.millrace.job.engagement.EngagementJob;
import io.millrace.lake.catalog.Catalog;
import io.millrace.lake.catalog.Catalog.RegisteredPartition;
import io.millrace.lake.catalog.CatalogSpec;
import io.millrace.lake.parquet.AppEventTable;
import io.millrace.lake.publish.ErasureRecord;
import io.millrace.telemetry.Metrics;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A person in a lake on S3, before and after the erasure, by DuckDB and by the bytes of files. */
class ErasureITCase {
  private static final String NAME = "erasure";
  private static final String ROOT = "s3://" + Stack.BUCKET + "/" + NAME;

  /** Each table that knows users, and how to find one there. */
  private static final Map<String, String> TABLES =
      Map.of(
          "app_events", "user_id = '%s'",
          "sessions", "user_id = '%s'",
          "raw_app_events", "contains(hex(value), hex(encode('%s')))",
          "dead_letters",
              "contains(CASE raw_encoding WHEN 'utf8' THEN hex(encode(raw)) ELSE"
                  + " hex(from_base64(raw)) END, hex(encode('%s')))");

  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private static Stack stack;
  private static FlinkCluster flink;

  /** What the command said and how it ended. */
  private record End(int code, List<String> lines, String errors) {}

  @BeforeAll
  static void writeALake(@TempDir Path folder) throws Exception {
    stack = Stack.shared();
    Path input = Files.createDirectories(folder.resolve("in"));
    SimulatedFiles.write(
        SimulatorOptions.of(6_000, 71).withUsers(300).withMalformed(0.1).withDuplicates(0.05),
        input,
        3_000);
    EngagementConfig config =
        EngagementConfig.parse(
            "--source",
            "files",
            "--input",
            input.toUri().toString(),
            "--lake.root",
            ROOT,
            "--catalog.kind",
            "hive",
            "--catalog.uri",
            stack.metastore().uri().toString(),
            "--catalog.database",
            NAME);
    flink = stack.startFlink(1, 2, Map.of("execution.checkpointing.interval", "1 s"));
    flink.waitUntilFinished(submit(config), PATIENCE);
  }

  @AfterAll
  static void stop() {
    flink.close();
  }

  private static JobID submit(EngagementConfig config) {
    return flink.submit(wired(config));
  }

  private static StreamExecutionEnvironment wired(EngagementConfig config) {
    StreamExecutionEnvironment env = flink.environment();
    env.configure(EngagementJob.flinkSettings(config));
    EngagementJob.build(env, config);
    return env;
  }

  private static End erase(String user, String... more) {
    List<String> args =
        new ArrayList<>(
            List.of(
                "--lake",
                ROOT,
                "--catalog-uri",
                stack.metastore().uri().toString(),
                "--database",
                NAME));
    args.addAll(Arrays.asList(more));
    return run(user, args);
  }

  private static End run(String user, List<String> more) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    StringWriter errors = new StringWriter();
    List<String> args =
        new ArrayList<>(
            List.of(
                "--user",
                user,
                "--reason",
                "asked on paper",
                "--s3-endpoint",
                stack.s3().endpoint().toString()));
    args.addAll(more);
    Map<String, String> environment =
        Map.of(
            "AWS_ACCESS_KEY_ID", stack.s3().accessKey(),
            "AWS_SECRET_ACCESS_KEY", stack.s3().secretKey());
    int code =
        Commands.run(
            new Erase(
                new PrintStream(out, true, StandardCharsets.UTF_8), Path.of("."), environment),
            args.toArray(new String[0]),
            new PrintWriter(errors, true));
    return new End(code, out.toString(StandardCharsets.UTF_8).lines().toList(), errors.toString());
  }

  private static List<List<String>> query(String sql) {
    try (Catalog catalog = CatalogSpec.hive(stack.metastore().uri().toString(), NAME).open();
        LakeReader lake =
            LakeReader.ofCatalog(
                catalog, l -> stack.lake().resolve(l.replaceFirst("^s3a?://[^/]+/", "")))) {
      return lake.query(sql).rows();
    }
  }

  private static long rowsOf(String table, String user) {
    String where = TABLES.get(table).formatted(user);
    return Long.parseLong(query("SELECT count(*) FROM " + table + " WHERE " + where).get(0).get(0));
  }

  /** All rows but the person's. */
  private static Map<String, List<List<String>>> others(String user) {
    Map<String, List<List<String>>> rows = new TreeMap<>();
    TABLES.forEach(
        (table, where) ->
            rows.put(
                table,
                query(
                    "SELECT * FROM %s WHERE coalesce(NOT (%s), true) ORDER BY ALL"
                        .formatted(table, where.formatted(user)))));
    return rows;
  }

  /** Data files of the lake by their path, with what they hold. */
  private static Map<String, List<Byte>> files() throws IOException {
    Map<String, List<Byte>> files = new TreeMap<>();
    Path root = stack.lake().resolve(NAME);
    try (Stream<Path> all = Files.walk(root)) {
      for (Path file : all.filter(f -> f.toString().endsWith(".parquet")).toList()) {
        List<Byte> bytes = new ArrayList<>();
        for (byte b : Files.readAllBytes(file)) {
          bytes.add(b);
        }
        files.put(root.relativize(file).toString(), bytes);
      }
    }
    return files;
  }

  @Test
  void nothingOfThePersonIsLeftAndAllElseIsAsItWas() throws Exception {
    String user =
        query(
                "SELECT user_id FROM app_events JOIN sessions USING (user_id) WHERE EXISTS (FROM"
                    + " dead_letters WHERE contains(raw, user_id)) GROUP BY user_id"
                    + " ORDER BY count(*) DESC LIMIT 1")
            .get(0)
            .get(0);
    Map<String, Long> before = new TreeMap<>();
    TABLES.keySet().forEach(table -> before.put(table, rowsOf(table, user)));
    assertThat(before.values()).allSatisfy(rows -> assertThat(rows).isPositive());
    Map<String, List<List<String>>> othersBefore = others(user);
    Map<String, List<Byte>> filesBefore = files();

    End dry = erase(user, "--dry-run");
    assertThat(dry.errors()).isEmpty();
    assertThat(dry.lines()).last().isEqualTo("Nothing was changed.");
    before.forEach(
        (table, rows) -> assertThat(dry.lines()).anyMatch(l -> l.matches(table + " .* +" + rows)));
    assertThat(files()).isEqualTo(filesBefore);

    End end = erase(user);
    assertThat(end.errors()).isEmpty();
    assertThat(end.code()).isZero();
    before.forEach(
        (table, rows) -> assertThat(end.lines()).anyMatch(l -> l.matches(table + " .* +" + rows)));
    TABLES.keySet().forEach(table -> assertThat(rowsOf(table, user)).as(table).isZero());
    assertThat(others(user)).isEqualTo(othersBefore);
    assertOnlyAffectedFilesAreReplaced(filesBefore, end);
    assertTheCatalogCountsRight();
    assertTheRecordTellsAllButTheId(user, end, before);

    End again = erase(user);
    assertThat(again.code()).isZero();
    assertThat(again.lines()).anyMatch(l -> l.matches("app_events +\\d+ +0 +0 +0"));
  }

  /**
   * Of a person who is told to a running job there is no session either, by no name; nor when the
   * job goes on from a state of before, whose offset in the topic is as old.
   */
  @Test
  void openStateIsErased(@TempDir Path folder) throws Exception {
    String name = NAME + "-live";
    Path key = Files.writeString(folder.resolve("key"), "a-key-of-32-bytes-for-pseudonyms");
    stack.kafka().createTopic(name + "-session", 1);
    stack.kafka().createTopic(name + "-forget", 1, Map.of("cleanup.policy", "compact"));
    String root = "s3://" + Stack.BUCKET + "/" + name;
    EngagementConfig config =
        EngagementConfig.parse(
            "--kafka.bootstrap-servers",
            stack.kafka().bootstrap(),
            "--kafka.group",
            name,
            "--topics",
            name + "-session:*",
            "--job.name",
            name,
            "--users.pseudonym-key",
            "file:" + key,
            "--users.erasures-topic",
            name + "-forget",
            "--time.idleness",
            "1 s",
            "--sessions.topic",
            "",
            "--rollups.enabled",
            "false",
            "--anomalies.enabled",
            "false",
            "--dead-letters.topics",
            "false",
            "--lake.root",
            root,
            "--lake.writer-memory",
            "16 mb");
    JobID job = submit(config);
    send(name, "ann", "10:00");
    send(name, "ann", "10:01");
    send(name, "bob", "10:02");
    awaitMetric(job, Metrics.OPEN_SESSION_EVENTS, 3);
    flink.waitUntilTasksRun(job, PATIENCE);
    flink.checkpoint(job);
    Await.until(
        "three committed rows in each table",
        PATIENCE,
        () -> {
          try (LakeReader lake = LakeReader.ofFolder(stack.lake().resolve(name))) {
            return lake.number("SELECT count(*) FROM app_events") == 3
                && lake.number("SELECT count(*) FROM raw_app_events") == 3;
          }
        });
    String before = flink.stopWithSavepoint(job);
    job = flink.submit(wired(config), before);
    awaitMetric(job, Metrics.OPEN_SESSION_EVENTS, 3);
    List<String> args =
        List.of(
            "--lake",
            root,
            "--pseudonym-key",
            "file:" + key,
            "--erasures-topic",
            name + "-forget",
            "--bootstrap-servers",
            stack.kafka().bootstrap());
    End end = run("ann", args);
    assertThat(end.errors()).isEmpty();
    assertThat(end.lines())
        .contains("Jobs are told by topic " + name + "-forget")
        .anyMatch(l -> l.matches("app_events .* +2"))
        .anyMatch(l -> l.matches("raw_app_events .* +2"));
    awaitMetric(job, Metrics.OPEN_SESSION_EVENTS, 1);

    flink.cancel(job);
    job = flink.submit(wired(config), before);
    awaitMetric(job, Metrics.OPEN_SESSION_EVENTS, 1);

    // Time goes on, and the sessions of before end.
    send(name, "cleo", "12:00");
    awaitMetric(job, Metrics.SESSIONS, 1);
    flink.stopWithSavepoint(job);
    try (LakeReader lake = LakeReader.ofFolder(stack.lake().resolve(name))) {
      assertThat(lake.query("SELECT event_count FROM sessions").rows())
          .containsExactly(List.of("1"));
      assertThat(lake.query("SELECT event_id FROM app_events ORDER BY timestamp").rows())
          .containsExactly(List.of("bob-10:02"), List.of("cleo-12:00"));
      assertThat(lake.query("SELECT DISTINCT name, holds FROM cross_checks").rows())
          .containsExactly(List.of("session_events", "true"));
    }
  }

  private static void send(String name, String user, String time) {
    String at = "2026-03-01T" + time + ":00Z";
    String event =
        String.format(
            "{\"event_id\":\"%1$s-%2$s\",\"user_id\":\"%1$s\",\"event_type\":\"purchase\","
                + "\"timestamp\":\"%3$s\"}",
            user, time, at);
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", stack.kafka().bootstrap()),
            new StringSerializer(),
            new StringSerializer())) {
      assertThat(
              producer.send(
                  new ProducerRecord<>(
                      name + "-session", 0, Instant.parse(at).toEpochMilli(), user, event)))
          .succeedsWithin(PATIENCE);
    }
  }

  private static void awaitMetric(JobID job, String metric, long value) {
    String name = Metrics.GROUP + "." + metric;
    Await.until(
        () -> metric + " to be " + value + ", it is " + flink.metrics().sum(job, name),
        PATIENCE,
        () -> flink.metrics().sum(job, name) == value);
  }

  private static void assertOnlyAffectedFilesAreReplaced(Map<String, List<Byte>> before, End end)
      throws IOException {
    Map<String, List<Byte>> after = files();
    assertThat(after.keySet()).isEqualTo(before.keySet());
    Map<String, Long> replaced = new TreeMap<>();
    before.forEach(
        (file, bytes) -> {
          if (!after.get(file).equals(bytes)) {
            replaced.merge(file.substring(0, file.indexOf("/year=")), 1L, Long::sum);
            assertThat(after.get(file)).as(file).hasSameSizeAs(bytes);
          }
        });
    assertThat(replaced.keySet())
        .containsExactly(
            "processed/app_events",
            "processed/sessions",
            "quarantine/dead_letters",
            "raw/app_events");
    replaced.forEach(
        (folder, files) -> {
          String table =
              switch (folder) {
                case "raw/app_events" -> "raw_app_events";
                default -> folder.substring(folder.indexOf('/') + 1);
              };
          assertThat(end.lines()).anyMatch(l -> l.matches(table + " +\\d+ +" + files + " .*"));
        });
    assertThat(replaced.get("processed/app_events"))
        .isLessThan(
            before.keySet().stream().filter(f -> f.startsWith("processed/app_events")).count());
  }

  private static void assertTheCatalogCountsRight() throws Exception {
    try (Catalog catalog = CatalogSpec.hive(stack.metastore().uri().toString(), NAME).open()) {
      int changed = 0;
      for (RegisteredPartition p : catalog.partitions(AppEventTable.SCHEMA)) {
        List<String> values = p.partition().values();
        assertThat(p.properties().get("millrace.rows"))
            .as(p.partition().path())
            .isEqualTo(
                query(
                        "SELECT count(*) FROM app_events WHERE day = '%s' AND hour = '%s'"
                            .formatted(values.get(2), values.get(3)))
                    .get(0)
                    .get(0));
        changed += p.properties().get("millrace.generation").equals("2") ? 1 : 0;
      }
      assertThat(changed).isPositive();
    }
  }

  private static void assertTheRecordTellsAllButTheId(
      String user, End end, Map<String, Long> removed) throws IOException {
    String said = end.lines().get(end.lines().size() - 1);
    assertThat(said).startsWith("Recorded in " + ROOT + "/_erasures/");
    Path file = stack.lake().resolve(said.replaceFirst(".*s3://" + Stack.BUCKET + "/", ""));
    String text = Files.readString(file);
    assertThat(text).doesNotContain(user);
    assertThat(end.lines()).noneMatch(line -> line.contains(user));
    JsonNode json = new ObjectMapper().readTree(text);
    assertThat(json.get("reason").asText()).isEqualTo("asked on paper");
    assertThat(json.get("ended_at").asText()).isGreaterThan(json.get("begun_at").asText());
    Map<String, Long> rows = new TreeMap<>();
    json.get("tables").forEach(t -> rows.put(t.get("table").asText(), t.get("rows").asLong()));
    assertThat(rows).isEqualTo(removed);
    ErasureRecord record =
        new ErasureRecord(
            "e",
            "",
            null,
            "",
            json.get("salt").asText(),
            json.get("user_hash").asText(),
            List.of());
    assertThat(record.isAbout(user)).isTrue();
    assertThat(record.isAbout(user + "x")).isFalse();
  }
}

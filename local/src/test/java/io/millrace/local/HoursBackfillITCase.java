package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.job.engagement.EngagementConfig;
import io.millrace.job.engagement.EngagementJob;
import io.millrace.lake.catalog.Catalog;
import io.millrace.lake.catalog.Catalog.Placement;
import io.millrace.lake.catalog.Catalog.RegisteredPartition;
import io.millrace.lake.catalog.CatalogException;
import io.millrace.lake.catalog.CatalogSpec;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.catalog.TimePartition;
import io.millrace.lake.parquet.AppEventTable;
import io.millrace.lake.parquet.RollupTable;
import io.millrace.lake.parquet.SessionTable;
import io.millrace.lake.publish.BackfillPlan;
import io.millrace.lake.publish.BackfillPlan.Stage;
import io.millrace.lake.publish.ErasureRecord;
import io.millrace.lake.publish.HourRange;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.flink.api.common.JobID;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Hours of a lake on S3 that a job goes on writing, recomputed from raw and swapped. */
class HoursBackfillITCase {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final String NAME = "hours";
  private static final String ROOT = "s3://" + Stack.BUCKET + "/" + NAME;
  private static final String HOURS = "2026-03-01T10..2026-03-01T11";
  private static final org.apache.flink.core.fs.Path FLINK_ROOT =
      new org.apache.flink.core.fs.Path(ROOT);
  private static final org.apache.flink.core.fs.Path PLAN =
      BackfillPlan.file(FLINK_ROOT, HourRange.parse(HOURS));
  private static final String TOPICS = NAME + "-session:*," + NAME + "-install:install";

  /** All that does not depend on how and when a record came. */
  private static final String SAME =
      "SELECT event_id, user_id, session_id, event_type, timestamp, device_type, os_version,"
          + " app_version, country, region, city, properties, late, dedup_checked, topic, year,"
          + " month, day, hour FROM app_events WHERE day = '01' AND hour IN ('10', '11') ORDER BY"
          + " timestamp, event_id, late";

  /** What is final: no late event is in it. */
  private static final List<String> FINAL =
      List.of(
          "SELECT * FROM sessions WHERE day = '01' AND hour IN ('09', '10', '11') ORDER BY session_id",
          "SELECT * EXCLUDE (active_users_hll) FROM hourly_aggregates_with_dimensions WHERE day ="
              + " '01' AND hour IN ('09', '10', '11') ORDER BY ALL",
          "SELECT * EXCLUDE (active_users_hll) FROM daily_aggregates_with_dimensions WHERE day ="
              + " '01' ORDER BY ALL");

  private static final String TOTAL =
      "SELECT max(total_events), max(sessions_ended) FROM daily_aggregates_with_dimensions WHERE"
          + " day = '01'";

  private static final TimePartition DAY =
      TimePartition.day(Instant.parse("2026-03-01T00:00:00Z").toEpochMilli());

  private static Stack stack;
  private static FlinkCluster flink;
  private static KafkaProducer<byte[], byte[]> producer;
  private static int beats;

  /** An event; what differs from one to the other follows from its id and its time. */
  private record Sent(String id, String user, String time) {

    String json() {
      return String.format(
          "{\"event_id\":\"%s\",\"user_id\":\"%s\",\"event_type\":\"purchase\",\"timestamp\":\"%s\","
              + "\"device_info\":{\"device_type\":\"phone\",\"app_version\":\"%s\"},"
              + "\"geo_location\":{\"country\":\"DE\"},\"properties\":{\"of\":\"%s\"}}",
          id, user, time, id.length(), id);
    }
  }

  private static final Sent FIRST = new Sent("first", "ann", "2026-03-01T10:05:00Z");
  private static final List<Sent> IN_TIME =
      List.of(
          new Sent("alone", "eve", "2026-03-01T09:40:00Z"),
          new Sent("before", "ann", "2026-03-01T09:50:00Z"),
          FIRST,
          new Sent("second", "bob", "2026-03-01T11:59:59.999Z"),
          new Sent("after", "bob", "2026-03-01T12:00:00Z"),
          new Sent("next-day", "ann", "2026-03-02T12:30:00Z"));
  private static final Sent LATE = new Sent("late", "bob", "2026-03-01T10:30:00Z");
  private static final Sent LATE_ALONE = new Sent("late-too", "cleo", "2026-03-01T11:15:00Z");

  /** Takes the session of "alone" out of the hour before the first. */
  private static final Sent LATE_ACROSS = new Sent("across", "eve", "2026-03-01T10:02:00Z");

  private static final Sent TOO_LATE_FOR_RAW = new Sent("later", "cleo", "2026-03-01T10:45:00Z");

  /** What the command said and how it ended. */
  private record End(int code, List<String> lines, String errors) {
    String text() {
      return String.join("\n", lines);
    }
  }

  private static End backfill(String... more) {
    return backfill(new ByteArrayOutputStream(), more);
  }

  private static End backfill(ByteArrayOutputStream out, String... more) {
    Backfill command = new Backfill(print(out), keys());
    List<String> arguments = new ArrayList<>(Arrays.asList(more));
    arguments.addAll(List.of("--hours", HOURS, "--topics", TOPICS));
    return run(command, out, arguments);
  }

  private static End partitions(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    return run(new Partitions(print(out), keys()), out, Arrays.asList(arguments));
  }

  private static End run(
      Callable<Integer> command, ByteArrayOutputStream out, List<String> arguments) {
    StringWriter errors = new StringWriter();
    List<String> all =
        new ArrayList<>(
            List.of(
                "--lake",
                ROOT,
                "--catalog-uri",
                stack.metastore().uri().toString(),
                "--database",
                NAME,
                "--s3-endpoint",
                stack.faultyS3().endpoint().toString()));
    all.addAll(arguments);
    int code = Commands.run(command, all.toArray(new String[0]), new PrintWriter(errors, true));
    return new End(code, out.toString(StandardCharsets.UTF_8).lines().toList(), errors.toString());
  }

  private static PrintStream print(ByteArrayOutputStream out) {
    return new PrintStream(out, true, StandardCharsets.UTF_8);
  }

  private static Map<String, String> keys() {
    return Map.of(
        "AWS_ACCESS_KEY_ID", stack.s3().accessKey(),
        "AWS_SECRET_ACCESS_KEY", stack.s3().secretKey());
  }

  private static Catalog catalog() {
    return CatalogSpec.hive(stack.metastore().uri().toString(), NAME).open();
  }

  private static Path onDisk(String location) {
    return stack.lake().resolve(location.replaceFirst("^s3a?://[^/]+/", ""));
  }

  private static TimePartition hour(int hour) {
    return TimePartition.hour(
        Instant.parse("2026-03-01T00:00:00Z").toEpochMilli() + hour * 3_600_000L);
  }

  private static RegisteredPartition registered(int hour) {
    try (Catalog catalog = catalog()) {
      return catalog.partition(AppEventTable.SCHEMA, hour(hour)).orElseThrow();
    } catch (CatalogException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<List<String>> byCatalog(String query) {
    try (Catalog catalog = catalog();
        LakeReader lake = LakeReader.ofCatalog(catalog, HoursBackfillITCase::onDisk)) {
      return lake.query(query).rows();
    }
  }

  private static List<List<String>> byPath(String query) {
    try (LakeReader lake = LakeReader.ofFolder(stack.lake().resolve(NAME))) {
      return lake.query(query).rows();
    }
  }

  private static void send(Sent event, String kafkaTime) throws Exception {
    long time = Instant.parse(kafkaTime).toEpochMilli();
    byte[] value = event.json().getBytes(StandardCharsets.UTF_8);
    producer.send(new ProducerRecord<>(NAME + "-session", 0, time, null, value)).get();
  }

  private static void awaitComplete(int hour, String property, String value) {
    awaitComplete(AppEventTable.SCHEMA, hour(hour), property, value);
  }

  /** Sends on meanwhile: time passes with events only. */
  private static void awaitComplete(
      TableSchema table, TimePartition partition, String property, String value) {
    long[] last = {System.nanoTime()};
    Await.until(
        () ->
            table.name()
                + " "
                + partition.path()
                + " with "
                + property
                + " = "
                + value
                + ", while events are "
                + byCatalog(
                    "SELECT hour, event_id, late FROM app_events WHERE day = '01' ORDER BY ALL"),
        PATIENCE,
        () -> {
          if (System.nanoTime() - last[0] > 500_000_000L) {
            last[0] = System.nanoTime();
            beat();
          }
          try (Catalog catalog = catalog()) {
            return catalog
                .partition(table, partition)
                .filter(p -> value.equals(p.properties().get(property)))
                .isPresent();
          } catch (CatalogException e) {
            throw new IllegalStateException(e);
          }
        });
  }

  private static void beat() {
    String time = Instant.parse("2026-03-02T12:30:00Z").plusMillis(++beats).toString();
    try {
      send(new Sent("beat-" + beats, "dan", time), "2026-03-02T12:33:00Z");
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void hoursAreWhatTheyWouldBeHadEverythingComeInTime(@TempDir Path folder) throws Exception {
    stack = Stack.shared();
    SimulatedTraffic.createTopics(stack.kafka(), NAME + "-", 1);
    EngagementConfig config =
        EngagementConfig.parse(
            "--kafka.bootstrap-servers",
            stack.kafka().bootstrap(),
            "--kafka.group",
            NAME,
            "--topics",
            TOPICS,
            "--time.out-of-orderness",
            "0 s",
            "--time.idleness",
            "1 s",
            "--sessions.topic",
            "",
            "--rollups.live-topic",
            "",
            "--anomalies.topic",
            "",
            "--lake.root",
            ROOT,
            "--lake.writer-memory",
            "32 mb",
            "--catalog.kind",
            "hive",
            "--catalog.uri",
            stack.metastore().uri().toString(),
            "--catalog.database",
            NAME);
    producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", stack.kafka().bootstrap()),
            new ByteArraySerializer(),
            new ByteArraySerializer());
    flink = stack.startFlink(1, 2, Map.of("execution.checkpointing.interval", "1 s"));
    try {
      StreamExecutionEnvironment env = flink.environment();
      env.configure(EngagementJob.flinkSettings(config));
      EngagementJob.build(env, config);
      JobID job = flink.submit(env);
      flink.waitUntilTasksRun(job, PATIENCE);
      streamWithLateEvents();
      List<List<String>> before = byPath(SAME);
      assertThat(before)
          .extracting(r -> r.get(0) + " " + r.get(12))
          .containsExactly(
              "across true",
              "first false",
              "first true",
              "late true",
              "late-too true",
              "second false");

      nothingIsChangedByADryRun(before);
      assertThat(byCatalog(TOTAL)).isEqualTo(List.of(List.of("5", "3")));
      List<List<List<String>>> expected = inTime(folder, List.of(LATE, LATE_ALONE, LATE_ACROSS));
      assertThat(expected.get(0)).hasSize(5);
      assertThat(expected.get(1)).hasSize(4);
      End end = backfill();
      assertThat(end.errors()).isEmpty();
      assertThat(end.code()).isZero();
      assertThat(end.lines())
          .anyMatch(l -> l.matches("app_events +" + hour(10).path() + " +swapped +4 +3 +0"))
          .anyMatch(l -> l.matches("app_events +" + hour(11).path() + " +swapped +2 +2 +0"))
          .contains(
              "Sessions go on across " + HOURS + ": 2026-03-01T09..2026-03-01T11 are published.")
          .anyMatch(l -> l.matches("sessions +" + hour(9).path() + " +swapped +1 +0 +0"))
          .anyMatch(l -> l.matches("app_events +" + hour(9).path() + " +swapped +2 +2 +0"))
          .anyMatch(l -> l.matches("sessions +" + hour(10).path() + " +swapped +1 +3 +0"))
          .anyMatch(l -> l.matches("sessions +" + hour(11).path() + " +swapped +0 +1 +0"))
          .anyMatch(l -> l.matches("daily_agg\\S+ +" + DAY.path() + " +swapped .*"))
          .noneMatch(l -> l.startsWith("Warning"));
      assertThat(recomputed()).isEqualTo(expected);
      assertThat(byCatalog(TOTAL)).isEqualTo(List.of(List.of("8", "5")));
      assertThat(byPath(SAME)).as("by path nothing moves").isEqualTo(before);
      assertThat(byPath(TOTAL)).isEqualTo(List.of(List.of("5", "3")));
      assertThat(
              byCatalog(
                  "SELECT event_id FROM app_events WHERE day = '01' AND hour NOT IN ('10', '11') ORDER BY 1"))
          .isEqualTo(List.of(List.of("after"), List.of("alone"), List.of("before")));
      assertThat(registered(10).location()).startsWith(ROOT + "/_generations/app_events/backfill-");
      assertThat(registered(10).properties())
          .containsEntry("millrace.complete", "true")
          .containsEntry("millrace.rows", "3");
      assertThat(registered(9).location()).startsWith(ROOT + "/_generations/app_events/backfill-");
      assertThat(registered(12).location()).startsWith(ROOT + "/processed/app_events/");
      theLedgerKeepsTheRunsApart();

      anInterruptedSwapGoesOn(expected);

      send(TOO_LATE_FOR_RAW, "2026-03-02T12:32:00Z");
      awaitComplete(10, "millrace.rows", "4");
      List<List<String>> late = byCatalog(SAME);
      assertThat(late)
          .extracting(r -> r.get(0) + " " + r.get(12))
          .containsExactly(
              "across false",
              "first false",
              "late false",
              "later true",
              "late-too false",
              "second false");
      assertThat(names(onDisk(registered(10).location())))
          .containsAll(newest(stack.lake().resolve(NAME + "/processed/app_events"), 10));

      whatWasComputedBesideAnErasureGoes();
      assertThat(byCatalog(SAME)).isEqualTo(late);
      assertThat(backfill().errors()).isEmpty();
      List<List<List<String>>> all =
          inTime(folder, List.of(LATE, LATE_ALONE, LATE_ACROSS, TOO_LATE_FOR_RAW));
      assertThat(recomputed()).isEqualTo(all);
      formerGenerationsAreCleaned();
      assertThat(recomputed()).isEqualTo(all);
      assertThat(flink.restarts(job)).isZero();
      flink.cancel(job);
    } finally {
      flink.close();
      producer.close();
    }
  }

  private static void streamWithLateEvents() throws Exception {
    for (Sent event : IN_TIME) {
      send(event, event.time());
    }
    awaitComplete(10, "millrace.complete", "true");
    awaitComplete(11, "millrace.complete", "true");
    awaitComplete(9, "millrace.complete", "true");
    awaitComplete(SessionTable.SCHEMA, hour(9), "millrace.complete", "true");
    awaitComplete(SessionTable.SCHEMA, hour(10), "millrace.complete", "true");
    awaitComplete(RollupTable.HOURLY, hour(9), "millrace.complete", "true");
    awaitComplete(RollupTable.HOURLY, hour(10), "millrace.complete", "true");
    awaitComplete(RollupTable.HOURLY, hour(11), "millrace.complete", "true");
    awaitComplete(RollupTable.DAILY, DAY, "millrace.complete", "true");
    send(LATE, "2026-03-02T12:30:01Z");
    send(LATE_ALONE, "2026-03-02T12:30:02Z");
    send(LATE_ACROSS, "2026-03-02T12:30:02Z");
    // A resend after more than a day: no longer recognised, and there twice.
    send(FIRST, "2026-03-02T12:30:03Z");
    awaitComplete(10, "millrace.rows", "4");
    awaitComplete(11, "millrace.rows", "2");
  }

  private static void nothingIsChangedByADryRun(List<List<String>> before) {
    End end = backfill("--dry-run");
    assertThat(end.errors()).isEmpty();
    assertThat(end.text())
        .contains("Events from 2026-02-27T23:30:00Z to 2026-03-02T00:30:00Z are read from ")
        .contains("app_events: 2 partitions are replaced, from " + hour(10).path() + " on")
        .endsWith("Nothing was changed.");
    assertThat(byCatalog(SAME)).isEqualTo(before);
    assertThat(stack.lake().resolve(NAME + "/_generations")).doesNotExist();
  }

  /** The same events, all in time, through the same job, in another lake. */
  private static List<List<List<String>>> inTime(Path folder, List<Sent> more) throws Exception {
    Path input = Files.createTempDirectory(folder, "in");
    Path out = input.resolveSibling(input.getFileName() + "-lake");
    List<Sent> all = new ArrayList<>(IN_TIME);
    all.addAll(more);
    Path topic = Files.createDirectories(input.resolve(NAME + "-session"));
    Files.write(topic.resolve("events.jsonl"), all.stream().map(Sent::json).toList());
    EngagementConfig config =
        EngagementConfig.parse(
            "--source",
            "files",
            "--input",
            input.toUri().toString(),
            "--topics",
            TOPICS,
            "--time.input-ends-at",
            "2026-03-02T12:00:00Z",
            "--lake.root",
            out.toUri().toString());
    Backfill.run(
        config,
        new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
        stack.s3Settings());
    try (LakeReader lake = LakeReader.ofFolder(out)) {
      List<List<List<String>>> tables = new ArrayList<>();
      tables.add(lake.query(SAME).rows());
      FINAL.forEach(query -> tables.add(lake.query(query).rows()));
      return tables;
    }
  }

  /** The same of the lake that the job writes, as its catalog tells. */
  private static List<List<List<String>>> recomputed() {
    List<List<List<String>>> tables = new ArrayList<>();
    tables.add(byCatalog(SAME));
    FINAL.forEach(query -> tables.add(byCatalog(query)));
    return tables;
  }

  private static void theLedgerKeepsTheRunsApart() {
    // The backfill left out what is of the next day; the resend is a duplicate for it.
    assertThat(
            byCatalog(
                "SELECT count(DISTINCT run_id), sum(received), sum(accepted), sum(duplicates),"
                    + " sum(late), sum(discrepancy) FROM ledger_totals WHERE mode = 'bounded'"))
        .isEqualTo(List.of(List.of("1", "9", "8", "1", "0", "0")));
    assertThat(
            byCatalog(
                "SELECT count(DISTINCT run_id), sum(received) - sum(accepted), sum(duplicates),"
                    + " sum(late), sum(discrepancy) FROM ledger_totals WHERE mode = 'streaming'"))
        .isEqualTo(List.of(List.of("1", "0", "0", "4", "0")));
  }

  /** As if the run had ended between the two partitions. */
  private static void anInterruptedSwapGoesOn(List<List<List<String>>> expected) throws Exception {
    BackfillPlan plan = BackfillPlan.read(PLAN).orElseThrow();
    assertThat(plan.stage()).isEqualTo(Stage.SWAPPED);
    String target = registered(11).location();
    try (Catalog catalog = catalog()) {
      String former = ROOT + "/processed/app_events/" + hour(11).path();
      catalog.place(AppEventTable.SCHEMA, Map.of(hour(11), new Placement(former, Map.of())));
    }
    assertThat(recomputed()).isNotEqualTo(expected);
    plan.at(Stage.WRITTEN).write(FLINK_ROOT);

    End end = backfill();
    assertThat(end.errors()).isEmpty();
    assertThat(end.lines())
        .contains("Run " + plan.runId() + " had not swapped all of them; going on.")
        .anyMatch(l -> l.matches("app_events +" + hour(10).path() + " +already +3 +3 +0"))
        .anyMatch(l -> l.matches("app_events +" + hour(11).path() + " +swapped +2 +2 +0"))
        .noneMatch(l -> l.startsWith("Done in"));
    assertThat(recomputed()).isEqualTo(expected);
    assertThat(registered(11).location()).isEqualTo(target);
  }

  /** Neither what waits to be swapped nor what is computed meanwhile may bring the person back. */
  private static void whatWasComputedBesideAnErasureGoes() throws Exception {
    ErasureRecord erasure = ErasureRecord.begin("e-1", "zoe", "asked", Instant.now().toString());
    erasure.write(FLINK_ROOT);
    assertThat(backfill().errors())
        .startsWith("scripts/backfill failed: erasure e-1, begun at ")
        .endsWith("again for the same person; nothing was changed\n");

    BackfillPlan waiting = BackfillPlan.read(PLAN).orElseThrow().at(Stage.WRITTEN);
    waiting.write(FLINK_ROOT);
    erasure.end(Instant.now().toString()).write(FLINK_ROOT);
    ErasureRecord later = ErasureRecord.begin("e-2", "zoe", "asked", Instant.now().toString());
    ByteArrayOutputStream out =
        new ByteArrayOutputStream() {
          @Override
          public synchronized void write(byte[] bytes, int from, int length) {
            super.write(bytes, from, length);
            if (new String(bytes, from, length, StandardCharsets.UTF_8).contains("Done in")) {
              try {
                later.end(Instant.now().toString()).write(FLINK_ROOT);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            }
          }
        };
    End end = backfill(out);
    assertThat(end.code()).isEqualTo(1);
    assertThat(end.lines())
        .anyMatch(
            l ->
                l.startsWith("What run " + waiting.runId() + " has written is of no use any more")
                    && l.contains("computed anew: erasure e-1 ended at "));
    assertThat(end.errors())
        .startsWith("scripts/backfill failed: erasure e-2 ended at ")
        .endsWith("; nothing was changed, and the same command computes anew\n");
    assertThat(BackfillPlan.read(PLAN)).isEmpty();
    assertThat(names(stack.lake().resolve(NAME + "/_generations/app_events")))
        .as("nothing of the second run is left")
        .containsExactly(waiting.runId());
  }

  /** Hour 10 was published twice, hour 9 was right after the first time. */
  private static void formerGenerationsAreCleaned() throws Exception {
    String used = BackfillPlan.read(PLAN).orElseThrow().runId();
    Path generations = stack.lake().resolve(NAME + "/_generations/app_events");
    String former = names(generations).stream().filter(run -> !run.equals(used)).findAny().get();
    Path formerHour = generations.resolve(former).resolve(hour(10).path());
    assertThat(onDisk(registered(9).location()))
        .isEqualTo(generations.resolve(former).resolve(hour(9).path()));
    assertThat(formerHour).isNotEmptyDirectory();

    End seen = partitions("clean-generations", "--older-than", "1 ms");
    assertThat(seen.errors()).isEmpty();
    assertThat(seen.lines()).last().asString().endsWith("; nothing was removed: --delete does");
    assertThat(formerHour).isNotEmptyDirectory();
    End end = partitions("clean-generations", "--older-than", "1 ms", "--delete");
    assertThat(end.errors()).isEmpty();
    assertThat(end.lines())
        .hasSameSizeAs(seen.lines())
        .anyMatch(l -> l.matches("app_events +" + former + " +" + hour(10).path() + " .* removed"))
        .noneMatch(l -> l.contains(used) && l.contains(hour(10).path()));
    assertThat(formerHour).doesNotExist();
    assertThat(onDisk(registered(9).location())).isNotEmptyDirectory();
  }

  private static List<String> names(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      return files.map(f -> f.getFileName().toString()).toList();
    }
  }

  /** The data file of an hour that was written last. */
  private static List<String> newest(Path table, int hour) throws IOException {
    Path folder = table.resolve(hour(hour).path());
    return names(folder).stream()
        .filter(n -> n.startsWith("part-"))
        .sorted(
            (a, b) ->
                Long.compare(
                    folder.resolve(b).toFile().lastModified(),
                    folder.resolve(a).toFile().lastModified()))
        .limit(1)
        .toList();
  }
}

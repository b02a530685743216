package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.lake.catalog.Catalog;
import io.millrace.lake.catalog.CatalogException;
import io.millrace.lake.catalog.CatalogSpec;
import io.millrace.lake.catalog.Column;
import io.millrace.lake.catalog.LakeType;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.parquet.RawEventTable;
import io.millrace.local.S3Faults.Fault;
import io.millrace.local.S3Faults.Operation;
import io.millrace.local.S3Faults.Rule;
import io.millrace.telemetry.MetricDocs;
import io.millrace.telemetry.Metrics;
import io.trino.hive.thrift.metastore.ThriftHiveMetastore;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.thrift.TConfiguration;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.transport.TSocket;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The shipped Prometheus, Alertmanager, rules and dashboards on a job that runs: each panel has
 * something to show, and alerts fire in faults and clear after them. {@code
 * scripts/monitoring-check} runs it; it is no part of the other tests.
 *
 * <p>Prometheus gets the rules with seconds for minutes: a fault of half a minute is enough. Faults
 * that leave each other alone come at the same time, and alerts clear while the next one lasts.
 */
class MonitoringCheck {
  private static final Duration PATIENCE = Duration.ofSeconds(75);

  /** Flink takes the mean of a minute for the time that a task is held up. */
  private static final Duration HELD_UP_PATIENCE = Duration.ofSeconds(150);

  private static final JobKind JOB = JobKind.ENGAGEMENT;
  private static final String JOB_NAME = "millrace-engagement";
  private static final int PARALLELISM = 2;
  private static final String DATABASE = "millrace";

  /** Faster than the job: the traffic ends as soon as there is a backlog. */
  private static final int MANY_PER_SECOND = 50_000;

  /** More than the job still reads, into buffers too, once its writers are held. */
  private static final int BACKLOG_RECORDS = 200_000;

  /** Seconds for minutes here, too: checkpoints, and what follows when they fail. */
  private static final Map<String, String> SETTINGS =
      Map.of(
          "execution.checkpointing.interval", "2 s",
          "execution.checkpointing.min-pause", "0",
          "execution.checkpointing.tolerable-failed-checkpoints", "1",
          "restart-strategy.exponential-delay.initial-backoff", "500 ms",
          "restart-strategy.exponential-delay.max-backoff", "1 s");

  private static final List<String> ARGUMENTS =
      List.of(
          "--time.out-of-orderness",
          "1 s",
          // Else the hours of the past are read a few minutes at a time.
          "--time.max-drift",
          "2 d",
          "--rollups.live-interval",
          "1 s",
          "--dimension.refresh",
          "1 s",
          // How many are not read is known as of the last fetch.
          "--kafka.properties.max.partition.fetch.bytes",
          "65536");

  /** The alerts that fire by a fault here, and clear after it; docs/metrics.md lists them. */
  static final Set<String> BY_FAULT =
      Set.of(
          "MillraceAnomalyStorm",
          "MillraceBackpressure",
          "MillraceCheckpointAge",
          "MillraceCheckpointsFailing",
          "MillraceConsumerLag",
          "MillraceCrossCheckViolation",
          "MillraceDimensionStale",
          "MillraceJobDown",
          "MillraceJobRestarting",
          "MillraceLateRatio",
          "MillraceLedgerDiscrepancy",
          "MillraceNoCheckpoint",
          "MillraceProcessDown",
          "MillraceRegistrationBacklog",
          "MillraceRejectedMost",
          "MillraceRejectedRatio",
          "MillraceTableRefused",
          "MillraceTableStale");

  /** By a table's partitions, apart from those of the one that the catalog refuses. */
  private static final String BACKLOG = "MillraceRegistrationBacklog of app_events";

  private static final String DIMENSION =
      "{\"kind\":\"country\",\"key\":\"DE\",\"name\":\"Germany\"}";

  private static final String PREFIX = "flink_taskmanager_job_task_operator_millrace_";
  private static final Pattern OURS =
      Pattern.compile("^" + PREFIX + "(\\w+)\\{", Pattern.MULTILINE);

  private static final PrintStream PRINT = System.out;

  private static Path folder;
  private static Path dimension;
  private static FaultyS3 s3;
  private static DetachedStack stack;
  private static PrometheusClient prometheus;
  private static AlertWatch watch;
  private static MonitoringTraffic traffic;

  @BeforeAll
  static void start() throws Exception {
    OptionalPackages.requirePrometheus();
    folder =
        Files.createTempDirectory(BuildFiles.classes().getParent(), "monitoring-")
            .toAbsolutePath()
            .resolve("stack");
    dimension = folder.resolveSibling("dimension.jsonl");
    writeDimension(DIMENSION);
    s3 = FaultyS3.before(() -> URI.create(StackState.read(folder).parts().get("s3").address()), 0);
    stack = up();
    quicken(folder.resolve("prometheus").resolve("conf"));
    signal("prometheus", "HUP");
    prometheus =
        new PrometheusClient(
            stack.server("prometheus").address(), stack.server("alertmanager").address());
    watch = new AlertWatch(prometheus, PRINT);
    traffic = new MonitoringTraffic(stack.kafka());
    makeAnotherTable();
    List<String> arguments = new ArrayList<>(ARGUMENTS);
    arguments.addAll(List.of("--dimension.file", dimension.toUri().toString()));
    new JobControl(stack, PRINT).submit(JOB, JobControl.builtJar(), arguments, PARALLELISM, null);
  }

  private static DetachedStack up() {
    Map<String, String> settings = new TreeMap<>(SETTINGS);
    settings.put("s3.endpoint", s3.endpoint().toString());
    return DetachedStack.up(folder, 0, settings, PRINT);
  }

  /**
   * Seconds for minutes in limits and waits, and two for each minute of windows, lest a scrape that
   * a busy machine delays is missed. An hour is a minute, and a backlog has a hundredth of the
   * records.
   */
  private static void quicken(Path conf) throws IOException {
    List<Path> files;
    try (Stream<Path> rules = Files.list(conf.resolve("rules"))) {
      files = new ArrayList<>(rules.toList());
    }
    for (Path rules : files) {
      String text = Files.readString(rules);
      String quick =
          Pattern.compile("(\\[|offset )(\\d+)m\\b")
              .matcher(text)
              .replaceAll(m -> m.group(1) + 2 * Integer.parseInt(m.group(2)) + "s")
              .replaceAll("(\\d+) \\* 60\\b", "$1")
              .replaceAll("for: (\\d+)m\\b", "for: $1s")
              .replace("[1h]", "[60s]")
              .replace("> 100000 ", "> 1000 ");
      assertThat(quick).isNotEqualTo(text);
      Files.writeString(rules, quick);
    }
    Path main = conf.resolve("prometheus.yml");
    Files.writeString(
        main,
        Files.readString(main)
            .replaceAll("(scrape_interval|evaluation_interval|scrape_timeout): \\d+s", "$1: 2s"));
  }

  /** As others may have made it: a column of the raw table has another type. */
  private static void makeAnotherTable() throws CatalogException {
    TableSchema ours = RawEventTable.SCHEMA;
    List<Column> columns =
        ours.columns().stream()
            .map(
                column ->
                    column.name().equals("kafka_offset")
                        ? Column.required(column.name(), LakeType.STRING, column.doc())
                        : column)
            .toList();
    assertThat(columns).isNotEqualTo(ours.columns());
    String lake = "s3://" + Stack.BUCKET + "/";
    CatalogSpec spec =
        CatalogSpec.hive(stack.metastore().uri().toString(), DATABASE).withDatabaseLocation(lake);
    try (Catalog catalog = spec.open()) {
      catalog.ensureTable(
          new TableSchema(ours.name(), ours.path(), columns, ours.doc()), lake + ours.path());
    }
  }

  private static void dropOtherTable() throws Exception {
    URI uri = stack.metastore().uri();
    try (TSocket socket = new TSocket(new TConfiguration(), uri.getHost(), uri.getPort())) {
      socket.open();
      new ThriftHiveMetastore.Client(new TBinaryProtocol(socket))
          .dropTable(DATABASE, RawEventTable.SCHEMA.name(), /* deleteData= */ false);
    }
  }

  private static void writeDimension(String line) throws IOException {
    Path draft = Files.writeString(dimension.resolveSibling("draft"), line + "\n");
    Files.move(draft, dimension, StandardCopyOption.ATOMIC_MOVE);
  }

  @AfterAll
  static void stop() throws Exception {
    try {
      if (traffic != null) {
        traffic.close();
      }
    } finally {
      if (folder != null) {
        DetachedStack.down(folder, true, PRINT);
        BuildFiles.deleteTree(folder.getParent());
      }
      if (s3 != null) {
        s3.close();
      }
    }
  }

  @Test
  void panelsShowAndAlertsFireAndClear() throws Exception {
    awaitReady();
    Path targets = folder.resolve("prometheus").resolve("conf").resolve("targets");
    try (LedgerFaultJob ledger = LedgerFaultJob.start(prometheus, targets.resolve("flink.json"))) {
      lostRecord(ledger);
      wrongInput();
      watch.awaitCleared(PATIENCE, "MillraceCrossCheckViolation");
    }
    silentS3();
    noRightToCheckpoints();
    heldUpByS3();
    assertEveryPanelShowsSomething();
    assertMetricsAreTheDocumentedOnes();
    noJobManager();
    watch.report();
    assertThat(watch.seen()).isEqualTo(BY_FAULT);
  }

  /**
   * The job has its first dimension, without which it would not go on, and its counters are known
   * as 0: what begins with its first value has not risen.
   */
  private static void awaitReady() {
    Await.until(
        "a dimension, and the counter of alerts, of each subtask",
        PATIENCE,
        () ->
            prometheus.query(PREFIX + "dimension_versions > 0").size() == PARALLELISM
                && prometheus.query(PREFIX + "alerts_opened == 0").size() == PARALLELISM);
  }

  /**
   * In a job beside the one of all other faults, in which both ends agree whatever is broken around
   * it. The check is quiet again an hour after the last violation.
   */
  private static void lostRecord(LedgerFaultJob ledger) {
    step("one of ten records is lost between the ends of a job");
    ledger.count(10, 10);
    String balanced = "{job_name=\"" + LedgerFaultJob.NAME + "\"} == 0";
    Await.until(
        "counts that balance",
        PATIENCE,
        () ->
            prometheus.query(PREFIX + "topic_ledger_discrepancy" + balanced).size() == 1
                && prometheus.query(PREFIX + "cross_check_violations" + balanced).size() == 1);
    watch.begin(PATIENCE, "MillraceLedgerDiscrepancy", "MillraceCrossCheckViolation");
    ledger.count(10, 9);
    watch.awaitFiring(PATIENCE, "MillraceLedgerDiscrepancy", "MillraceCrossCheckViolation");
    awaitRouted("MillraceLedgerDiscrepancy", "page");
    awaitRouted("MillraceCrossCheckViolation", "page");
    ledger.count(0, 1);
    watch.mended("MillraceLedgerDiscrepancy", "MillraceCrossCheckViolation");
    watch.awaitCleared(PATIENCE, "MillraceLedgerDiscrepancy");
  }

  /** Everything around the job is wrong, but for Flink itself. */
  private static void wrongInput() throws Exception {
    step("the table is another one, an hour has too much, much is wrong or late");
    watch.begin(
        PATIENCE,
        "MillraceTableRefused",
        "MillraceAnomalyStorm",
        "MillraceRejectedRatio",
        "MillraceRejectedMost",
        "MillraceLateRatio",
        "MillraceDimensionStale");
    writeDimension("nonsense");
    traffic.spoil(0.8, Duration.ofHours(20));
    traffic.start();
    watch.awaitFiring(PATIENCE, "MillraceTableRefused");
    dropOtherTable();
    watch.mended("MillraceTableRefused");

    step("the Metastore is away");
    watch.begin(PATIENCE, BACKLOG);
    stack.server("metastore").kill();
    // Hours that no table has yet.
    traffic.spoil(0.8, Duration.ofHours(22));
    watch.awaitFiring(
        PATIENCE,
        BACKLOG,
        "MillraceAnomalyStorm",
        "MillraceRejectedRatio",
        "MillraceRejectedMost",
        "MillraceLateRatio",
        "MillraceDimensionStale");
    // Its hour is over, and the next ones are as usual.
    watch.mended("MillraceAnomalyStorm");
    traffic.calm();
    writeDimension(DIMENSION);
    watch.mended(
        "MillraceRejectedRatio",
        "MillraceRejectedMost",
        "MillraceLateRatio",
        "MillraceDimensionStale");
  }

  /** After it the Metastore comes back, too, which needs it. */
  private static void silentS3() {
    step("S3 does not answer");
    watch.begin(PATIENCE, "MillraceCheckpointAge", "MillraceTableStale");
    signal("s3", "STOP");
    try {
      watch.awaitFiring(PATIENCE, "MillraceCheckpointAge", "MillraceTableStale");
    } finally {
      signal("s3", "CONT");
    }
    watch.mended("MillraceCheckpointAge", "MillraceTableStale");
    stack = up();
    watch.mended(BACKLOG);
    watch.awaitCleared(PATIENCE, "MillraceCheckpointAge");
  }

  /** Checkpoints fail at once, unlike those to an S3 that is silent; the job restarts for that. */
  private static void noRightToCheckpoints() {
    step("S3 refuses to write checkpoints");
    watch.begin(
        PATIENCE, "MillraceCheckpointsFailing", "MillraceJobRestarting", "MillraceNoCheckpoint");
    String path = "/flink/checkpoints/";
    s3.setRules(
        new Rule(Operation.PUT, path, Fault.ANSWER_403, 100),
        new Rule(Operation.CREATE, path, Fault.ANSWER_403, 100));
    watch.awaitFiring(
        PATIENCE, "MillraceCheckpointsFailing", "MillraceJobRestarting", "MillraceNoCheckpoint");
    s3.setRules();
    watch.mended("MillraceCheckpointsFailing", "MillraceJobRestarting", "MillraceNoCheckpoint");
    watch.awaitCleared(PATIENCE, "MillraceNoCheckpoint");
  }

  /**
   * The tasks that write wait for S3, and those before them for their buffers. A source tells its
   * lag as of its last fetch, so the backlog comes first.
   */
  private static void heldUpByS3() {
    step("there is a backlog, and S3 keeps each step of a table's file waiting");
    watch.begin(PATIENCE, "MillraceBackpressure", "MillraceConsumerLag");
    traffic.rise(MANY_PER_SECOND);
    Await.until(
        "a backlog",
        PATIENCE,
        () -> !prometheus.query("millrace:consumer_lag:records > " + BACKLOG_RECORDS).isEmpty());
    String lake = "/" + Stack.BUCKET + "/";
    s3.setRules(
        new Rule(Operation.CREATE, lake, Fault.HOLD, 100),
        new Rule(Operation.UPLOAD_PART, lake, Fault.HOLD, 100),
        new Rule(Operation.PUT, lake, Fault.HOLD, 100),
        new Rule(Operation.COMPLETE, lake, Fault.HOLD, 100));
    traffic.calm();
    watch.awaitFiring(HELD_UP_PATIENCE, "MillraceBackpressure", "MillraceConsumerLag");
    s3.setRules();
    // Their connections are closed, and they ask again.
    s3.release();
    watch.mended("MillraceBackpressure", "MillraceConsumerLag");
    awaitQuiet();
  }

  private static void noJobManager() {
    step("the JobManager is away");
    watch.begin(PATIENCE, "MillraceJobDown", "MillraceProcessDown");
    stack.server("jobmanager").kill();
    watch.awaitFiring(PATIENCE, "MillraceJobDown", "MillraceProcessDown");
    awaitRouted("MillraceJobDown", "page");
    awaitRouted("MillraceProcessDown", "chat");
    stack = up();
    watch.mended("MillraceJobDown", "MillraceProcessDown");
    awaitQuiet();
  }

  private static void step(String what) {
    PRINT.printf("%n%s: %s%n", Instant.now(), what);
  }

  /** Nothing fires, and it is not for want of series: all processes answer, and events come in. */
  private static void awaitQuiet() {
    watch.awaitQuiet(
        HELD_UP_PATIENCE,
        () ->
            prometheus.query("up{job=\"flink\"} == 1").size() == 3
                && !prometheus.query("millrace:received:rate5m > 0").isEmpty());
  }

  private static void assertEveryPanelShowsSomething() throws IOException {
    List<Dashboards.Query> queries = Dashboards.all();
    assertThat(queries).hasSizeGreaterThan(60);
    Await.until(
        () -> "figures in each panel; there are none in " + empty(queries),
        PATIENCE,
        () -> empty(queries).isEmpty());
    PRINT.printf("%d queries of panels return series%n", queries.size());
  }

  private static List<String> empty(List<Dashboards.Query> queries) {
    List<String> empty = new ArrayList<>();
    for (Dashboards.Query query : queries) {
      boolean any = false;
      for (JsonNode series : prometheus.query(query.of(JOB_NAME, "10s"))) {
        any |= !series.path("value").path(1).asText().equals("NaN");
      }
      if (!any) {
        empty.add(query.dashboard() + "/" + query.panel() + ": " + query.expression());
      }
    }
    return empty;
  }

  /** The same that other tests hold for the job; here with the names and labels of Prometheus. */
  private static void assertMetricsAreTheDocumentedOnes() {
    Set<String> documented = new TreeSet<>();
    for (MetricDocs.Entry entry : MetricDocs.engagement()) {
      entry
          .registered()
          .forEach(
              name ->
                  documented.add(
                      (name.endsWith(Metrics.BUCKET) ? "le_" : "")
                          + (entry.labels().isEmpty() ? "" : entry.labels().get(0) + "_")
                          + name));
    }
    String served =
        PrometheusClient.text(stack.server("taskmanager-1").address())
            + PrometheusClient.text(stack.server("taskmanager-2").address());
    Set<String> found = new TreeSet<>();
    Matcher names = OURS.matcher(served);
    while (names.find()) {
      found.add(names.group(1));
    }
    assertThat(found).isEqualTo(documented);
    // Labels have values of the configuration only, so there are only so many series of ours.
    long series = served.lines().filter(line -> OURS.matcher(line).find()).count();
    PRINT.printf(
        "%d names of ours in %d series, of %d in all%n",
        found.size(), series, served.lines().filter(line -> !line.startsWith("#")).count());
    assertThat(series).isLessThan(1_000);
    assertThat(served).contains("le=\"+Inf\"").contains("job_name=\"" + JOB_NAME + "\"");
  }

  /** Alertmanager has it, for that receiver. */
  private static void awaitRouted(String alert, String receiver) {
    Await.until(
        () -> alert + " in Alertmanager: " + prometheus.routed(),
        PATIENCE,
        () -> {
          for (JsonNode known : prometheus.routed()) {
            if (known.path("labels").path("alertname").asText().equals(alert)) {
              assertThat(known.path("receivers")).hasSize(1);
              assertThat(known.path("receivers").get(0).path("name").asText()).isEqualTo(receiver);
              return true;
            }
          }
          return false;
        });
  }

  private static void signal(String server, String signal) {
    List<String> command = List.of("kill", "-" + signal, Long.toString(stack.server(server).pid()));
    try {
      int code = new ProcessBuilder(command).inheritIO().start().waitFor();
      if (code != 0) {
        throw new IllegalStateException(String.join(" ", command) + " ends with " + code);
      }
    } catch (IOException e) {
      throw new IllegalStateException("cannot run " + String.join(" ", command), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted: " + String.join(" ", command), e);
    }
  }
}

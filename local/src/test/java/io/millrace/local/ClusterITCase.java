package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.datagen.SimulatorOptions;
import io.millrace.datagen.Truth;
import io.millrace.lake.catalog.Catalog;
import io.millrace.lake.catalog.CatalogSpec;
import io.millrace.lake.parquet.AppEventTable;
import io.millrace.local.DetachedStack.Health;
import io.millrace.local.JobControl.Upgraded;
import io.millrace.pipeline.StandardCatalog;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The life of a job on a cluster of processes: submitted, upgraded, scaled, rolled back, killed in
 * parts; and at its end each event is in the lake once.
 */
class ClusterITCase {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final JobKind JOB = JobKind.ENGAGEMENT;

  private static final ByteArrayOutputStream SAID = new ByteArrayOutputStream();
  private static final PrintStream PRINT = new PrintStream(SAID, true, StandardCharsets.UTF_8);

  private static Path folder;
  private static DetachedStack stack;
  private static JobControl jobs;

  @BeforeAll
  static void start() throws IOException {
    folder =
        Files.createTempDirectory(BuildFiles.classes().getParent(), "cluster-").resolve("stack");
    stack = up();
    jobs = new JobControl(stack, PRINT);
  }

  private static DetachedStack up() {
    return DetachedStack.up(
        folder,
        0,
        Map.of("execution.checkpointing.interval", "3 s", "execution.checkpointing.min-pause", "0"),
        PRINT);
  }

  @AfterAll
  static void stop() {
    DetachedStack.down(folder, true, PRINT);
    BuildFiles.deleteTree(folder.getParent());
    System.out.println(SAID.toString(StandardCharsets.UTF_8));
  }

  @Test
  void aJobLivesThroughUpgradesAndCrashes() throws Exception {
    assertASecondStartStartsNothing();
    assertAPipelineRuns();
    CompletableFuture<Truth> sending =
        CompletableFuture.supplyAsync(
            () ->
                SimulatedTraffic.send(
                    stack.kafka(),
                    "",
                    SimulatorOptions.of(120_000, 61)
                        .withTime(Instant.parse("2026-01-05T08:00:00Z"), Duration.ofHours(3))
                        .withMalformed(0.02)
                        .withDuplicates(0.02)
                        .withLate(0.02),
                    1_500,
                    sent -> {}));
    Path first = JobControl.builtJar();
    Submission begun = jobs.submit(JOB, first, List.of(), 2, null);
    awaitFreshPartitions();
    assertThatThrownBy(() -> jobs.submit(JOB, first, List.of(), 2, null))
        .hasMessage(
            "engagement is there already: job %s is RUNNING; scripts/upgrade engagement replaces"
                + " it",
            begun.jobId());

    Path second = nextVersion(first);
    Submission wide = upgraded(second, 4);
    assertThat(wide.jar()).isNotEqualTo(begun.jar());
    assertThat(stack.flink().progress(wide.jobId()).parallelism()).isEqualTo(4);

    assertAVersionThatDoesNotComeUpIsRolledBack(wide);

    Submission narrow = upgraded(second, 2);
    // Two slots can be of one TaskManager, and the other one be of no use to the job.
    killAndRecover(stack.flink().taskManagersOf(narrow.jobId()).iterator().next(), narrow);
    killAndRecover("jobmanager", narrow);
    Submission last = upgraded(second, 1);
    assertThat(stack.flink().progress(last.jobId()).parallelism()).isEqualTo(1);

    Truth truth = sending.join();
    assertThat(truth.total().received()).isEqualTo(120_000);
    awaitAllRead(last, truth);
    assertLogsAndMetrics();
    jobs.stop(jobs.running(JOB), true);
    assertThatThrownBy(() -> jobs.savepoint(JOB))
        .hasMessage("no engagement job runs; scripts/submit engagement starts one");
    assertTheLakeIsTheTruth(truth);
    assertDownStopsAll();
  }

  private static void assertASecondStartStartsNothing() {
    Map<String, Long> before = processes();
    up();
    assertThat(processes()).isEqualTo(before);
    assertThat(stack.health()).extracting(Health::trouble).containsOnly("");
    assertThat(before.keySet())
        .contains(
            "kafka",
            "s3",
            "metastore",
            "zookeeper",
            "jobmanager",
            "taskmanager-1",
            "taskmanager-2");
  }

  /** A pipeline of files, which the TaskManagers see under the same path. */
  private static void assertAPipelineRuns() throws IOException {
    Path root = Files.createDirectories(folder.resolve("data"));
    Files.writeString(root.resolve("people.csv"), "name,age\nann,31\nbob,\ncem,29\n");
    Path file =
        Files.writeString(
            root.resolve("people.yaml"),
            """
            pipeline:
              name: people
              steps:
                - {id: read, service: extract_csv, params: {file_path: people.csv}}
                - {id: check, service: data_quality, params: {rules: {check_duplicates: true}}, depends_on: [read]}
                - {id: fill, service: clean_nan, params: {strategy: fill_mean}, depends_on: [check]}
                - {id: save, service: load_data, params: {format: parquet}, depends_on: [fill]}
            """);
    StringWriter errors = new StringWriter();
    int code =
        PipelineCommand.run(
            PRINT,
            new PrintWriter(errors, true),
            StandardCatalog.standard(),
            BuildFiles.module().getParent(),
            "run",
            file.toString(),
            "--data-root",
            root.toString(),
            "--target",
            "127.0.0.1:" + stack.flink().port());
    assertThat(errors.toString()).isEmpty();
    assertThat(code).isZero();
    assertThat(SAID.toString(StandardCharsets.UTF_8))
        .containsPattern("fill +clean_nan +success +3 +3 +[0-9.]+ +.*nulls_handled 1");
    try (Connection duckdb = DriverManager.getConnection("jdbc:duckdb:");
        ResultSet rows =
            duckdb
                .createStatement()
                .executeQuery(
                    "SELECT string_agg(name || ' ' || age, ', ') FROM '"
                        + root.resolve("people/processed/save.parquet")
                        + "'")) {
      assertThat(rows.next()).isTrue();
      assertThat(rows.getString(1)).isEqualTo("ann 31.0, bob 30.0, cem 29.0");
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Map<String, Long> processes() {
    Map<String, Long> pids = new LinkedHashMap<>();
    DetachedStack.running(folder).health().forEach(h -> pids.put(h.part(), h.pid()));
    return pids;
  }

  private static void awaitFreshPartitions() {
    Await.until(
        "partitions of events in the catalog, with rows",
        PATIENCE,
        () -> {
          try (Catalog catalog = catalog();
              LakeReader lake = lake(catalog)) {
            return !catalog.partitions(new AppEventTable().schema()).isEmpty()
                && lake.number("SELECT count(*) FROM app_events") > 0;
          }
        });
  }

  /** The same classes in a jar of other bytes. */
  private static Path nextVersion(Path jar) throws IOException {
    Path next = Files.copy(jar, folder.resolve("next.jar"));
    try (FileSystem zip = java.nio.file.FileSystems.newFileSystem(next)) {
      Files.writeString(zip.getPath("/META-INF/next-version"), "next");
    }
    return next;
  }

  private static Submission upgraded(Path jar, int parallelism) throws IOException {
    Upgraded result = jobs.upgrade(JOB, jar, null, parallelism, PATIENCE);
    assertThat(result.failure()).isNull();
    assertThat(stack.flink().checkpoints(result.running().jobId()).completed()).isPositive();
    return result.running();
  }

  /** There are four slots: tasks of eight never run. */
  private static void assertAVersionThatDoesNotComeUpIsRolledBack(Submission old)
      throws IOException {
    Upgraded result = jobs.upgrade(JOB, Path.of(old.jar()), null, 8, Duration.ofSeconds(8));
    assertThat(result.failure())
        .startsWith("gave up waiting for every task of job ")
        .contains(" after 8 s (0 of ");
    assertThat(result.running().parallelism()).isEqualTo(4);
    assertThat(result.running().jar()).isEqualTo(old.jar());
    assertThat(jobs.running(JOB).id()).isEqualTo(result.running().jobId());
  }

  private static void killAndRecover(String part, Submission job) throws Exception {
    long restarts = restarts(job);
    long killed = stack.server(part).pid();
    stack.server(part).kill();
    assertThat(stack.health().stream().filter(h -> !h.isHealthy()).map(Health::part))
        .contains(part);
    stack = up();
    jobs = new JobControl(stack, PRINT);
    assertThat(stack.server(part).pid()).isNotEqualTo(killed);
    long begin = System.currentTimeMillis();
    Await.until(
        () -> "job " + job.jobId() + " to run again after the end of " + part + ": " + told(job),
        PATIENCE,
        () ->
            stack.flink().progress(job.jobId()).everyTaskRuns()
                && stack.flink().checkpoints(job.jobId()).lastEnd() > begin
                // A new JobManager counts anew.
                && (part.equals("jobmanager") || restarts(job) > restarts));
    assertThat(jobs.running(JOB).id()).isEqualTo(job.jobId());
  }

  private static String told(Submission job) {
    try {
      return stack.flink().progress(job.jobId())
          + ", "
          + stack.flink().checkpoints(job.jobId())
          + ", "
          + restarts(job)
          + " restarts";
    } catch (IOException e) {
      return e.getMessage();
    }
  }

  private static long restarts(Submission job) throws IOException {
    return stack.flink().restarts(job.jobId());
  }

  private static void awaitAllRead(Submission job, Truth truth) {
    Await.until(
        () -> truth.total().received() + " records in the ledger",
        PATIENCE,
        () -> {
          try (Catalog catalog = catalog();
              LakeReader lake = lake(catalog)) {
            return stack.flink().pending(job.jobId()) == 0
                && lake.number("SELECT coalesce(sum(received), 0) FROM ledger")
                    == truth.total().received();
          }
        });
  }

  private static void assertLogsAndMetrics() throws Exception {
    List<JsonNode> lines = new ArrayList<>();
    ObjectMapper json = new ObjectMapper();
    for (String line : Files.readAllLines(stack.server("taskmanager-2").log())) {
      lines.add(json.readTree(line));
    }
    assertThat(lines)
        .hasSizeGreaterThan(50)
        .allSatisfy(
            line -> {
              assertThat(line.path("timestamp").asText())
                  .matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z");
              assertThat(line.path("level").asText()).matches("[A-Z]+");
              assertThat(line.has("message")).isTrue();
            })
        .anySatisfy(
            line -> {
              assertThat(line.path("job").asText()).matches("[0-9a-f]{32}");
              assertThat(line.path("operator").asText()).contains("user-timeline");
              assertThat(line.path("subtask").asText()).matches("[1-4]");
            });
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(stack.server("jobmanager").address() + "/jobs/overview"))
            .build();
    assertThat(HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body())
        .contains("millrace-engagement");
    String metrics =
        List.of("taskmanager-1", "taskmanager-2").stream()
            .map(name -> get(stack.server(name).address()))
            .collect(Collectors.joining());
    assertThat(metrics).contains("millrace_received{").contains("job_name=\"millrace-engagement\"");
  }

  private static String get(String address) {
    try {
      return HttpClient.newHttpClient()
          .send(HttpRequest.newBuilder(URI.create(address)).build(), BodyHandlers.ofString())
          .body();
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException("no answer from " + address, e);
    }
  }

  private static void assertTheLakeIsTheTruth(Truth truth) {
    try (Catalog catalog = catalog();
        LakeReader lake = lake(catalog)) {
      Audit audit = Audit.of(truth, lake, "", true, catalog);
      assertThat(audit.failures()).isEmpty();
      assertThat(audit.findings()).hasSizeGreaterThan(15);
      assertThat(lake.number("SELECT count(DISTINCT run_id) FROM ledger")).isEqualTo(1);
    }
  }

  private static Catalog catalog() {
    return CatalogSpec.hive(stack.metastore().uri().toString(), "millrace").open();
  }

  private static LakeReader lake(Catalog catalog) {
    return LakeReader.ofCatalog(
        catalog, l -> stack.lake().resolve(l.replaceFirst("^s3a?://[^/]+/", "")));
  }

  private static void assertDownStopsAll() {
    List<Long> pids = List.copyOf(processes().values());
    assertThat(DetachedStack.down(folder, false, PRINT)).isTrue();
    assertThat(pids)
        .allSatisfy(
            pid -> assertThat(new DetachedProcess(pid, folder.toString()).isAlive()).isFalse());
    assertThat(DetachedStack.down(folder, false, PRINT)).isFalse();
    assertThatThrownBy(() -> DetachedStack.running(folder))
        .isInstanceOf(CommandFailure.class)
        .hasMessage("no stack is up in " + folder + "; scripts/up starts one");
  }
}

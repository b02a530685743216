package io.millrace.local;

import io.millrace.datagen.Truth;
import io.millrace.lake.catalog.Catalog;
import io.millrace.lake.catalog.CatalogException;
import io.millrace.lake.catalog.CatalogSpec;
import io.millrace.lake.parquet.AppEventTable;
import io.millrace.local.FlinkRest.Checkpoints;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** One row of the fault suite, from empty topics to figures. */
final class ChaosRun {
  private static final JobKind JOB = JobKind.ENGAGEMENT;
  private static final int PARALLELISM = 2;
  static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final Duration SENDING_PATIENCE = Duration.ofMinutes(15);
  private static final long ASK_EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  private final ChaosStack stack;
  private final ChaosRow row;
  private final boolean brief;
  private final long events;
  private final PrintStream print;
  private final Random random;
  private final ChaosTraffic traffic;
  private final List<Double> recoveries = new ArrayList<>();
  private final List<String> happened = new ArrayList<>();
  private Submission job;
  private long restarts;

  /**
   * A run that has not begun.
   *
   * @param brief whether few faults are enough
   * @param seed of events and of moments
   */
  ChaosRun(
      ChaosStack stack, ChaosRow row, boolean brief, long events, long seed, PrintStream print) {
    this.stack = stack;
    this.row = row;
    this.brief = brief;
    this.events = events;
    this.print = print;
    this.random = new Random(seed);
    this.traffic = new ChaosTraffic(row.kind(), prefix(), events, seed);
  }

  String prefix() {
    return row.label() + "-";
  }

  private String database() {
    return row.label().replace('-', '_');
  }

  String jobId() {
    return job.jobId();
  }

  void tell(String line) {
    print.println(line);
  }

  /** Runs it; whatever fails becomes a problem of the result. */
  ChaosResult run(Path folder) {
    Path list = folder.resolve(row.label() + "-sent.csv");
    long begin = System.nanoTime();
    CompletableFuture<Truth> sending = null;
    String problem;
    boolean skipped = false;
    Truth truth = null;
    double wall = 0;
    try {
      SimulatedTraffic.createTopics(stack.servers().kafka(), prefix(), ChaosTraffic.PARTITIONS);
      JobControl jobs = new JobControl(stack.servers(), print);
      synchronized (stack) {
        job = jobs.submit(JOB, JobControl.builtJar(), arguments(), PARALLELISM, null);
      }
      begin = System.nanoTime();
      // Fewer events come more slowly: what is broken is broken while they come.
      long seconds = row.seconds(brief) * Math.max(events, row.events(brief)) / row.events(brief);
      sending = CompletableFuture.supplyAsync(() -> send(list, (int) seconds), ChaosRun::start);
      awaitCheckpointAfter(System.currentTimeMillis());
      row.script().run(new ChaosFaults(this, stack, brief, random));
      stack.heal();
      traffic.faultsAreOver();
      truth = sending.get(SENDING_PATIENCE.toSeconds(), TimeUnit.SECONDS);
      awaitAllRead();
      countRestarts();
      if (row == ChaosRow.IDLE_PARTITION) {
        assertHoursAreComplete();
      }
      jobs.stop(self(), true);
      wall = (System.nanoTime() - begin) / 1e9;
      return result(truth, list, wall);
    } catch (ChaosFaults.Skipped e) {
      problem = e.getMessage();
      skipped = true;
    } catch (ExecutionException e) {
      problem = "sending failed: " + rootOf(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      problem = "interrupted";
    } catch (Exception e) {
      problem = rootOf(e) + lastFailure();
    }
    print.println("gave up        " + problem);
    traffic.giveUp();
    abandon(sending);
    return new ChaosResult(
        row.label(),
        today(),
        machine(),
        traffic.sent(),
        0,
        0,
        0,
        0,
        restarts,
        recoveries,
        (System.nanoTime() - begin) / 1e9,
        String.join(" ", happened),
        problem,
        skipped);
  }

  private static void start(Runnable task) {
    Thread thread = new Thread(task, "chaos-traffic");
    thread.setDaemon(true);
    thread.start();
  }

  private static String rootOf(Throwable e) {
    Throwable root = e;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root == e ? String.valueOf(e.getMessage()) : e.getMessage() + ": " + root.getMessage();
  }

  private String lastFailure() {
    try {
      String failure = job == null ? null : rest().lastFailure(job.jobId());
      return failure == null ? "" : "; the job's last failure: " + failure;
    } catch (IOException e) {
      return "; " + e.getMessage();
    }
  }

  /** Leaves the servers to the next row. */
  private void abandon(CompletableFuture<Truth> sending) {
    try {
      stack.heal();
      if (job != null) {
        rest().cancel(job.jobId());
      }
      if (sending != null) {
        sending.get(SENDING_PATIENCE.toSeconds(), TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Exception e) {
      print.println("gave up, too   " + rootOf(e));
    }
  }

  private Truth send(Path list, int seconds) {
    try {
      return traffic.send(stack.servers().kafka().bootstrap(), seconds, list);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + list, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while sending", e);
    }
  }

  private List<String> arguments() {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--job.name",
                "chaos-" + row.label(),
                "--kafka.group",
                row.label(),
                "--topics",
                String.format(
                    "%1$sinstall:install,%1$ssession:*,%1$sview_notification:view_notification,"
                        + "%1$sopen_notification:open_notification",
                    prefix()),
                "--sessions.topic",
                prefix() + "sessions",
                "--rollups.live-topic",
                prefix() + "rollups.live",
                "--anomalies.topic",
                prefix() + "anomalies",
                "--lake.root",
                "s3://" + Stack.BUCKET + "/" + row.label(),
                "--catalog.database",
                database(),
                // Event time runs fifty times as fast as the clock: else a topic with few events
                // holds the others back after each restart, until it is idle.
                "--time.max-drift",
                "6 h"));
    arguments.addAll(row.arguments());
    return arguments;
  }

  FlinkRest rest() {
    return stack.servers().flink();
  }

  private FlinkRest.Job self() throws IOException {
    return rest().jobs().stream()
        .filter(j -> j.id().equals(job.jobId()))
        .findFirst()
        .orElseThrow(() -> new CommandFailure("the JobManager has forgotten the job"));
  }

  /** A condition that is asked now and then; also the moment to look at the job itself. */
  void await(String what, Duration patience, Await.Condition condition) {
    long[] last = {0};
    String[] ended = {null};
    Await.until(
        what,
        patience,
        () -> {
          if (System.nanoTime() - last[0] < ASK_EVERY_NANOS) {
            return false;
          }
          last[0] = System.nanoTime();
          if (job != null && stack.servers().server("jobmanager").isRunning()) {
            String state = rest().progress(job.jobId()).state();
            ended[0] = Set.of("FAILED", "CANCELED").contains(state) ? state : null;
          }
          return ended[0] != null || condition.holds();
        });
    if (ended[0] != null) {
      throw new CommandFailure("the job is " + ended[0]);
    }
  }

  /** By the JobManager's log: its metric is of its own last start, and comes late. */
  long countRestarts() {
    String restarting = job.jobId() + ") switched from state RUNNING to RESTARTING";
    try (Stream<String> lines = Files.lines(stack.servers().server("jobmanager").log())) {
      restarts = lines.filter(line -> line.contains(restarting)).count();
      return restarts;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the JobManager's log", e);
    }
  }

  void awaitCheckpointAfter(long time) {
    await(
        "a checkpoint of the running job",
        PATIENCE,
        () -> {
          Checkpoints checkpoints = rest().checkpoints(job.jobId());
          return checkpoints.lastEnd() > time && rest().progress(job.jobId()).everyTaskRuns();
        });
  }

  /** Waits until the job is itself again, and notes how long it took. */
  void recover(long since) {
    awaitCheckpointAfter(since);
    try {
      double seconds = (rest().checkpoints(job.jobId()).lastEnd() - since) / 1e3;
      recoveries.add(seconds);
      countRestarts();
      print.printf(
          Locale.ROOT,
          "recovered      in %.1f s, %,d sent, %d restarts%n",
          seconds,
          traffic.sent(),
          restarts);
    } catch (IOException e) {
      throw new IllegalStateException("the JobManager is away again", e);
    }
  }

  void note(String format, Object... values) {
    happened.add(String.format(Locale.ROOT, format, values));
  }

  Checkpoints checkpoints() {
    try {
      return rest().checkpoints(job.jobId());
    } catch (IOException e) {
      throw new IllegalStateException("the JobManager does not tell its checkpoints", e);
    }
  }

  private void assertHoursAreComplete() throws CatalogException {
    try (Catalog catalog = catalog()) {
      long complete =
          catalog.partitions(new AppEventTable().schema()).stream()
              .filter(p -> "true".equals(p.properties().get("millrace.complete")))
              .count();
      if (complete == 0) {
        throw new CommandFailure("no hour was complete: the idle partition held all back");
      }
      note("%d hours were complete before the end.", complete);
    }
  }

  /** The offsets that the job has committed to the group are those of its last checkpoint. */
  private void awaitAllRead() throws Exception {
    try (Admin admin = stack.servers().kafka().admin()) {
      Map<TopicPartition, Long> ends = ends(admin);
      await(
          "all records to be read",
          PATIENCE,
          () -> {
            Map<TopicPartition, OffsetAndMetadata> read =
                admin.listConsumerGroupOffsets(row.label()).partitionsToOffsetAndMetadata().get();
            return ends.entrySet().stream()
                .allMatch(
                    end ->
                        end.getValue() == 0
                            || (read.get(end.getKey()) != null
                                && read.get(end.getKey()).offset() >= end.getValue()));
          });
    }
  }

  private Map<TopicPartition, Long> ends(Admin admin)
      throws InterruptedException, ExecutionException, TimeoutException {
    List<String> topics = SimulatedTraffic.TOPICS.stream().map(t -> prefix() + t).toList();
    Map<TopicPartition, OffsetSpec> wanted =
        admin.describeTopics(topics).allTopicNames().get(30, TimeUnit.SECONDS).values().stream()
            .flatMap(
                topic ->
                    topic.partitions().stream()
                        .map(p -> new TopicPartition(topic.name(), p.partition())))
            .collect(Collectors.toMap(p -> p, p -> OffsetSpec.latest()));
    return admin.listOffsets(wanted).all().get(30, TimeUnit.SECONDS).entrySet().stream()
        .collect(Collectors.toMap(Map.Entry::getKey, e -> e.getValue().offset()));
  }

  private Catalog catalog() {
    return CatalogSpec.hive(stack.servers().metastore().uri().toString(), database()).open();
  }

  private ChaosResult result(Truth truth, Path list, double wall) throws IOException {
    try (Catalog catalog = catalog();
        LakeReader lake =
            LakeReader.ofCatalog(
                catalog,
                l -> stack.servers().lake().resolve(l.replaceFirst("^s3a?://[^/]+/", "")))) {
      ChaosTally tally = ChaosTally.of(lake, list);
      List<String> problems = new ArrayList<>();
      if (tally.lost() + tally.doubled() + tally.unknown() > 0) {
        problems.add(
            "%d lost, %d doubled, %d never sent"
                .formatted(tally.lost(), tally.doubled(), tally.unknown()));
      }
      boolean usersMoved = row == ChaosRow.REBALANCE;
      for (Audit.Finding finding :
          Audit.of(truth, lake, prefix(), true, catalog, usersMoved).failures()) {
        problems.add(
            "%s: sent %s, found %s".formatted(finding.what(), finding.expected(), finding.found()));
      }
      if (row == ChaosRow.SKEWED_CLOCK) {
        long late = lake.number("SELECT count(*) FROM app_events WHERE late");
        note("%d events were sent late, %d are late.", truth.sentLate(), late);
        if (late > truth.sentLate()) {
          problems.add("the skewed clock made events late that were on time");
        }
      }
      if (problems.isEmpty()) {
        Files.delete(list);
      }
      return new ChaosResult(
          row.label(),
          today(),
          machine(),
          truth.total().received(),
          truth.uniqueEvents(),
          tally.lost(),
          tally.doubled(),
          tally.deadLetters(),
          restarts,
          recoveries,
          wall,
          String.join(" ", happened),
          String.join("; ", problems),
          false);
    }
  }

  private static String today() {
    return LocalDate.now(ZoneOffset.UTC).toString();
  }

  private static String machine() {
    Runtime jvm = Runtime.getRuntime();
    String memory = "";
    if (java.lang.management.ManagementFactory.getOperatingSystemMXBean()
        instanceof com.sun.management.OperatingSystemMXBean system) {
      memory = ", " + (system.getTotalMemorySize() >> 30) + " GiB of memory";
    }
    return jvm.availableProcessors() + " cores" + memory + ", JDK " + Runtime.version().feature();
  }
}

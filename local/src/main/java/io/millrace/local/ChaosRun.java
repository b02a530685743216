package io.millrace.local;

import io.millrace.datagen.Truth;
import io.millrace.lake.catalog.Catalog;
import io.millrace.lake.catalog.CatalogException;
import io.millrace.lake.catalog.CatalogSpec;
import io.millrace.lake.parquet.AppEventTable;
import io.millrace.local.FlinkRest.Checkpoints;
import io.millrace.local.S3Faults.Count;
import io.millrace.local.S3Faults.Fault;
import io.millrace.local.S3Faults.Operation;
import io.millrace.local.S3Faults.Rule;
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
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** One row of the fault suite, from empty topics to figures. */
final class ChaosRun {
  private static final JobKind JOB = JobKind.ENGAGEMENT;
  private static final int PARALLELISM = 2;
  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final Duration SENDING_PATIENCE = Duration.ofMinutes(15);
  private static final long ASK_EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
  private static final int SMALL_DISK_MEGABYTES = 320;

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

  /** Thrown when this machine cannot do what a row wants. */
  static final class Skipped extends Exception {
    Skipped(String message) {
      super(message);
    }
  }

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

  private String prefix() {
    return row.label() + "-";
  }

  private String database() {
    return row.label().replace('-', '_');
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
      row.script().run(this);
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
    } catch (Skipped e) {
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
                database()));
    arguments.addAll(row.arguments());
    return arguments;
  }

  private FlinkRest rest() {
    return stack.servers().flink();
  }

  private FlinkRest.Job self() throws IOException {
    return rest().jobs().stream()
        .filter(j -> j.id().equals(job.jobId()))
        .findFirst()
        .orElseThrow(() -> new CommandFailure("the JobManager has forgotten the job"));
  }

  /** A condition that is asked now and then; also the moment to look at the job itself. */
  private void await(String what, Duration patience, Await.Condition condition) {
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
  private void countRestarts() {
    String restarting = job.jobId() + ") switched from state RUNNING to RESTARTING";
    try (Stream<String> lines = Files.lines(stack.servers().server("jobmanager").log())) {
      restarts = lines.filter(line -> line.contains(restarting)).count();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the JobManager's log", e);
    }
  }

  private void awaitCheckpointAfter(long time) {
    await(
        "a checkpoint of the running job",
        PATIENCE,
        () -> {
          Checkpoints checkpoints = rest().checkpoints(job.jobId());
          return checkpoints.lastEnd() > time && rest().progress(job.jobId()).everyTaskRuns();
        });
  }

  /** Waits until the job is itself again, and notes how long it took. */
  private void recover(long since) {
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

  private void pause(double seconds) {
    long end = System.nanoTime() + (long) (seconds * 1e9);
    Await.until(
        "a moment", Duration.ofSeconds((long) seconds + 60), () -> System.nanoTime() - end > 0);
  }

  private void pauseBetween(double least, double most) {
    pause(least + random.nextDouble() * (most - least));
  }

  private void note(String format, Object... values) {
    happened.add(String.format(Locale.ROOT, format, values));
  }

  /** For rows whose traffic is all that is wrong. */
  void nothing() {}

  void killTaskManagers() throws IOException {
    int kills = brief ? 3 : 20;
    int recovering = 0;
    for (int i = 0; i < kills; i++) {
      // Most kills come whenever they come, also while the job recovers from the last one.
      pauseBetween(1, 12);
      List<String> busy = List.copyOf(rest().taskManagersOf(job.jobId()));
      List<String> known = List.of("taskmanager-1", "taskmanager-2");
      List<String> candidates = busy.stream().filter(known::contains).toList();
      candidates = candidates.isEmpty() ? known : candidates;
      recovering += rest().progress(job.jobId()).everyTaskRuns() ? 0 : 1;
      String victim = candidates.get(random.nextInt(candidates.size()));
      long killed = System.currentTimeMillis();
      stack.kill(victim);
      stack.revive(victim);
      if (i % 4 == 0 || i == kills - 1) {
        recover(killed);
      }
    }
    note("%d kills, %d of them while the job was recovering.", kills, recovering);
  }

  void killBeforeCommit() {
    int rounds = brief ? 1 : 2;
    long held = 0;
    for (int i = 0; i < rounds; i++) {
      for (int percent : List.of(100, 50)) {
        held += killWhileCommitting(percent);
      }
    }
    note(
        "%d times, while %d commits of files had been asked for and not been granted.",
        2 * rounds, held);
  }

  private int killWhileCommitting(int percent) {
    // Uploads to the lake are completed after their checkpoint only; the next one may wait for
    // them.
    stack
        .s3()
        .setRules(new Rule(Operation.COMPLETE, "/" + Stack.BUCKET + "/", Fault.HOLD, percent));
    await("a commit that is asked for and not granted", PATIENCE, () -> stack.s3().held() > 0);
    int held = stack.s3().held();
    long killed = System.currentTimeMillis();
    stack.kill("taskmanager-1");
    stack.kill("taskmanager-2");
    stack.s3().setRules();
    stack.s3().release();
    stack.revive("taskmanager-1");
    stack.revive("taskmanager-2");
    recover(killed);
    return held;
  }

  private Checkpoints checkpoints() {
    try {
      return rest().checkpoints(job.jobId());
    } catch (IOException e) {
      throw new IllegalStateException("the JobManager does not tell its checkpoints", e);
    }
  }

  void killJobManager() {
    int kills = brief ? 1 : 3;
    for (int i = 0; i < kills; i++) {
      pauseBetween(2, 10);
      long killed = System.currentTimeMillis();
      stack.kill("jobmanager");
      stack.revive("jobmanager");
      recover(killed);
    }
    note("%d kills.", kills);
  }

  void stopKafka() {
    int stops = brief ? 1 : 5;
    for (int i = 0; i < stops; i++) {
      pauseBetween(2, 8);
      stack.kill("kafka");
      stack.revive("kafka");
      recover(System.currentTimeMillis());
    }
    if (!brief) {
      stack.kill("kafka");
      pause(60);
      stack.revive("kafka");
      recover(System.currentTimeMillis());
    }
    note(brief ? "%d stop." : "%d stops at once up again, and one of 60 s.", stops);
  }

  /** Each step and each share in turn, long enough to meet at least one fault where it can be. */
  void failSteps(Fault fault) {
    double seconds = brief ? 5 : 10;
    List<String> counts = new ArrayList<>();
    for (Operation step : List.of(Operation.CREATE, Operation.UPLOAD_PART, Operation.COMPLETE)) {
      for (int percent : brief ? List.of(50) : List.of(1, 10, 50)) {
        Count before = stack.s3().count(step);
        stack.s3().setRules(new Rule(step, "/" + Stack.BUCKET + "/", fault, percent));
        pause(seconds);
        awaitOneFault(step, before, seconds);
        Count after = stack.s3().count(step);
        long faults = after.faults() - before.faults();
        counts.add(
            String.format(
                Locale.ROOT,
                "%s at %d %%: %d of %d",
                step,
                percent,
                faults,
                after.calls() - before.calls()));
        print.println("faults         " + counts.get(counts.size() - 1));
      }
    }
    stack.s3().setRules();
    long healed = System.currentTimeMillis();
    recover(healed);
    note("Failed calls: %s.", String.join(", ", counts));
  }

  private void awaitOneFault(Operation step, Count before, double seconds) {
    long end = System.nanoTime() + (long) (seconds * 1.5e9);
    await(
        "a fault of " + step,
        PATIENCE,
        () -> stack.s3().count(step).faults() > before.faults() || System.nanoTime() - end > 0);
  }

  void takeS3Away() {
    stack.s3().setMode(FaultyS3.Mode.RESET);
    pause(brief ? 20 : 120);
    stack.s3().setMode(FaultyS3.Mode.OK);
    recover(System.currentTimeMillis());
    note("%d connections were reset.", stack.s3().faults());
  }

  void takeMetastoreAway() throws IOException {
    countRestarts();
    long failedBefore = restarts;
    long before = checkpoints().completed();
    stack.kill("metastore");
    pause(brief ? 20 : 120);
    long meanwhile = checkpoints().completed() - before;
    stack.revive("metastore");
    recover(System.currentTimeMillis());
    note(
        "%d checkpoints were committed meanwhile, with %d restarts.",
        meanwhile, restarts - failedBefore);
  }

  void fillDisk() throws IOException, Skipped {
    String part = ChaosStack.SMALL_DISK;
    Path folder = stack.temporaryFolder(part);
    stack.kill(part);
    try {
      SmallDisk.mount(folder, SMALL_DISK_MEGABYTES);
    } catch (IOException e) {
      throw new Skipped("no small file system can be mounted here: " + e.getMessage());
    }
    try {
      stack.revive(part);
      awaitCheckpointAfter(System.currentTimeMillis());
      awaitTasksOn(part);
      countRestarts();
      long restartsBeforeFull = restarts;
      long bytes = SmallDisk.fill(folder);
      pause(30);
      SmallDisk.free(folder);
      recover(System.currentTimeMillis());
      note(
          "%d MB filled the disk of %d MB; %d restarts meanwhile.",
          bytes >> 20, SMALL_DISK_MEGABYTES, restarts - restartsBeforeFull);
    } finally {
      stack.kill(part);
      SmallDisk.unmount(folder);
    }
    long back = System.currentTimeMillis();
    stack.revive(part);
    recover(back);
  }

  /** A job that has moved to the other TaskManager comes back when that one is killed. */
  private void awaitTasksOn(String part) throws IOException {
    if (rest().taskManagersOf(job.jobId()).contains(part)) {
      return;
    }
    stack.kill("taskmanager-2");
    long killed = System.currentTimeMillis();
    await(
        "tasks on " + part,
        PATIENCE,
        () -> rest().taskManagersOf(job.jobId()).equals(Set.of(part)));
    stack.revive("taskmanager-2");
    awaitCheckpointAfter(killed);
  }

  void rebalance() throws Exception {
    pause(10);
    try (Admin admin = stack.servers().kafka().admin()) {
      Map<String, NewPartitions> wanted =
          SimulatedTraffic.TOPICS.stream()
              .collect(
                  Collectors.toMap(
                      topic -> prefix() + topic,
                      topic -> NewPartitions.increaseTo(2 * ChaosTraffic.PARTITIONS)));
      admin.createPartitions(wanted).all().get();
    }
    awaitCheckpointAfter(System.currentTimeMillis());
    note("From %d to %d partitions.", ChaosTraffic.PARTITIONS, 2 * ChaosTraffic.PARTITIONS);
  }

  void watchHoursComplete() {
    // Longer than a partition may say nothing: see time.idleness.
    pause(90);
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
      for (Audit.Finding finding : Audit.of(truth, lake, prefix(), true, catalog).failures()) {
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

package io.millrace.local;

import io.millrace.local.S3Faults.Count;
import io.millrace.local.S3Faults.Fault;
import io.millrace.local.S3Faults.Operation;
import io.millrace.local.S3Faults.Rule;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;

/** What is broken while a row's events come; a method for each kind of row. */
final class ChaosFaults {
  private static final int SMALL_DISK_MEGABYTES = 320;

  private final ChaosRun run;
  private final ChaosStack stack;
  private final boolean brief;
  private final Random random;

  /** Thrown when this machine cannot do what a row wants. */
  static final class Skipped extends Exception {
    Skipped(String message) {
      super(message);
    }
  }

  /**
   * The faults of a run.
   *
   * @param brief whether few faults are enough
   * @param random chooses moments and victims
   */
  ChaosFaults(ChaosRun run, ChaosStack stack, boolean brief, Random random) {
    this.run = run;
    this.stack = stack;
    this.brief = brief;
    this.random = random;
  }

  /** How long a fault lasts, or until the next one. */
  private void pause(double seconds) {
    long end = System.nanoTime() + (long) (seconds * 1e9);
    Await.until(
        "a moment", Duration.ofSeconds((long) seconds + 60), () -> System.nanoTime() - end > 0);
  }

  private void pauseBetween(double least, double most) {
    pause(least + random.nextDouble() * (most - least));
  }

  /** For rows whose traffic is all that is wrong. */
  void nothing() {}

  void killTaskManagers() throws IOException {
    int kills = brief ? 3 : 20;
    int recovering = 0;
    for (int i = 0; i < kills; i++) {
      // Most kills come whenever they come, also while the job recovers from the last one.
      pauseBetween(1, 12);
      List<String> busy = List.copyOf(run.rest().taskManagersOf(run.jobId()));
      List<String> known = List.of("taskmanager-1", "taskmanager-2");
      List<String> candidates = busy.stream().filter(known::contains).toList();
      candidates = candidates.isEmpty() ? known : candidates;
      recovering += run.rest().progress(run.jobId()).everyTaskRuns() ? 0 : 1;
      String victim = candidates.get(random.nextInt(candidates.size()));
      stack.kill(victim);
      long killed = System.currentTimeMillis();
      stack.revive(victim);
      if (i % 4 == 0 || i == kills - 1) {
        run.recover(killed);
      }
    }
    run.note("%d kills, %d of them while the job was recovering.", kills, recovering);
  }

  void killBeforeCommit() {
    int rounds = brief ? 1 : 2;
    long held = 0;
    for (int i = 0; i < rounds; i++) {
      for (int percent : List.of(100, 50)) {
        held += killWhileCommitting(percent);
      }
    }
    run.note(
        "%d times, while %d commits of files had been asked for and not been granted.",
        2 * rounds, held);
  }

  private int killWhileCommitting(int percent) {
    // Uploads to the lake are completed after their checkpoint, and the next one may wait for it.
    stack
        .s3()
        .setRules(new Rule(Operation.COMPLETE, "/" + Stack.BUCKET + "/", Fault.HOLD, percent));
    run.await(
        "a commit that is asked for and not granted",
        ChaosRun.PATIENCE,
        () -> stack.s3().held() > 0);
    int held = stack.s3().held();
    stack.kill("taskmanager-1");
    stack.kill("taskmanager-2");
    long killed = System.currentTimeMillis();
    stack.s3().setRules();
    stack.s3().release();
    stack.revive("taskmanager-1");
    stack.revive("taskmanager-2");
    run.recover(killed);
    return held;
  }

  void killJobManager() {
    int kills = brief ? 1 : 3;
    for (int i = 0; i < kills; i++) {
      pauseBetween(2, 10);
      stack.kill("jobmanager");
      long killed = System.currentTimeMillis();
      stack.revive("jobmanager");
      run.recover(killed);
    }
    run.note("%d kills.", kills);
  }

  void stopKafka() {
    int stops = brief ? 1 : 5;
    for (int i = 0; i < stops; i++) {
      pauseBetween(2, 8);
      stack.kill("kafka");
      stack.revive("kafka");
      run.recover(System.currentTimeMillis());
    }
    if (!brief) {
      stack.kill("kafka");
      pause(60);
      stack.revive("kafka");
      run.recover(System.currentTimeMillis());
    }
    run.note(brief ? "%d stop." : "%d stops at once up again, and one of 60 s.", stops);
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
        run.tell("faults         " + counts.get(counts.size() - 1));
      }
    }
    stack.s3().setRules();
    long healed = System.currentTimeMillis();
    run.recover(healed);
    run.note("Failed calls: %s.", String.join(", ", counts));
  }

  private void awaitOneFault(Operation step, Count before, double seconds) {
    long end = System.nanoTime() + (long) (seconds * 1.5e9);
    run.await(
        "a fault of " + step,
        ChaosRun.PATIENCE,
        () -> stack.s3().count(step).faults() > before.faults() || System.nanoTime() - end > 0);
  }

  void takeS3Away() {
    long before = stack.s3().faults();
    stack.s3().setMode(FaultyS3.Mode.RESET);
    pause(brief ? 20 : 120);
    stack.s3().setMode(FaultyS3.Mode.OK);
    run.recover(System.currentTimeMillis());
    run.note("%d connections were reset.", stack.s3().faults() - before);
  }

  void takeMetastoreAway() throws IOException {
    long restartsBefore = run.countRestarts();
    long before = run.checkpoints().completed();
    stack.kill("metastore");
    pause(brief ? 20 : 120);
    long meanwhile = run.checkpoints().completed() - before;
    stack.revive("metastore");
    run.recover(System.currentTimeMillis());
    run.note(
        "%d checkpoints were committed meanwhile, with %d restarts.",
        meanwhile, run.countRestarts() - restartsBefore);
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
      run.awaitCheckpointAfter(System.currentTimeMillis());
      awaitTasksOn(part);
      long restartsBefore = run.countRestarts();
      long failedBefore = run.checkpoints().failed();
      long bytes = SmallDisk.fill(folder);
      pause(30);
      SmallDisk.free(folder);
      run.recover(System.currentTimeMillis());
      long restarts = run.countRestarts() - restartsBefore;
      if (restarts == 0 && run.checkpoints().failed() == failedBefore) {
        throw new CommandFailure("nothing met the full disk: no restart, no failed checkpoint");
      }
      run.note(
          "%d MB filled the disk of %d MB; %d restarts meanwhile.",
          bytes >> 20, SMALL_DISK_MEGABYTES, restarts);
    } finally {
      stack.kill(part);
      SmallDisk.unmount(folder);
    }
    long back = System.currentTimeMillis();
    stack.revive(part);
    run.recover(back);
  }

  /** A job that has moved to the other TaskManager comes back when that one is killed. */
  private void awaitTasksOn(String part) throws IOException {
    if (run.rest().taskManagersOf(run.jobId()).contains(part)) {
      return;
    }
    stack.kill("taskmanager-2");
    long killed = System.currentTimeMillis();
    run.await(
        "tasks on " + part,
        ChaosRun.PATIENCE,
        () -> run.rest().taskManagersOf(run.jobId()).equals(Set.of(part)));
    stack.revive("taskmanager-2");
    run.awaitCheckpointAfter(killed);
  }

  void rebalance() throws Exception {
    pause(10);
    try (Admin admin = stack.servers().kafka().admin()) {
      Map<String, NewPartitions> wanted =
          SimulatedTraffic.TOPICS.stream()
              .collect(
                  Collectors.toMap(
                      topic -> run.prefix() + topic,
                      topic -> NewPartitions.increaseTo(2 * ChaosTraffic.PARTITIONS)));
      admin.createPartitions(wanted).all().get();
    }
    run.awaitCheckpointAfter(System.currentTimeMillis());
    run.note("From %d to %d partitions.", ChaosTraffic.PARTITIONS, 2 * ChaosTraffic.PARTITIONS);
  }

  void watchHoursComplete() {
    // Longer than a partition may say nothing: see time.idleness.
    pause(90);
  }
}

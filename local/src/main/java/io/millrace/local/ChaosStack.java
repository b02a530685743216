package io.millrace.local;

import io.millrace.local.DetachedStack.Health;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The servers of the fault suite: those of {@code scripts/up}, in a folder of their own, with a way
 * to S3 that can fail. They end with this JVM.
 */
final class ChaosStack implements AutoCloseable {
  /** What differs from `flink-conf`: a run of minutes instead of one of weeks. */
  static final Map<String, String> SETTINGS =
      Map.of(
          "execution.checkpointing.interval", "3 s",
          "execution.checkpointing.min-pause", "500 ms",
          "restart-strategy.exponential-delay.max-backoff", "5 s",
          "heartbeat.interval", "2 s",
          "heartbeat.timeout", "20 s",
          "metrics.fetcher.update-interval", "1000");

  /** The TaskManager whose disk may be small. */
  static final String SMALL_DISK = "taskmanager-1";

  private final Path folder;
  private final PrintStream print;
  private final FaultyS3 s3;
  private final DetachedStack stack;
  private final Thread hook;

  private ChaosStack(Path folder, FaultyS3 s3, DetachedStack stack, PrintStream print) {
    this.folder = folder;
    this.s3 = s3;
    this.stack = stack;
    this.print = print;
    this.hook = new Thread(this::end, "stop-chaos");
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /**
   * Starts all servers with empty data.
   *
   * @param seed of the dice that choose which requests to S3 fail
   */
  static ChaosStack start(Path folder, long seed, PrintStream print) {
    Path where = folder.toAbsolutePath().normalize();
    DetachedStack.down(where, false, print);
    unmount(where, print);
    BuildFiles.deleteTree(where);
    FaultyS3 s3 =
        FaultyS3.before(() -> URI.create(StackState.read(where).parts().get("s3").address()), seed);
    Map<String, String> settings = new LinkedHashMap<>(SETTINGS);
    settings.put("s3.endpoint", s3.endpoint().toString());
    try {
      return new ChaosStack(where, s3, DetachedStack.up(where, 0, settings, print), print);
    } catch (RuntimeException e) {
      DetachedStack.down(where, false, print);
      s3.close();
      throw e;
    }
  }

  DetachedStack servers() {
    return stack;
  }

  /** The way to S3 that Flink takes. */
  FaultyS3 s3() {
    return s3;
  }

  void kill(String part) {
    stack.server(part).kill();
    print.println("killed         " + part);
  }

  /** Starts a part again; returns when it answers. */
  void revive(String part) {
    stack.revive(part, print);
  }

  /** Ends all faults: S3 answers, and what is dead is started again. */
  void heal() {
    s3.setRules();
    s3.release();
    s3.setMode(FaultyS3.Mode.OK);
    List<String> dead =
        stack.health().stream()
            .filter(h -> !stack.server(h.part()).isRunning())
            .map(Health::part)
            .toList();
    // The JobManager first: TaskManagers answer when it knows them.
    dead.stream().filter(part -> !part.startsWith("taskmanager")).forEach(this::revive);
    dead.stream().filter(part -> part.startsWith("taskmanager")).forEach(this::revive);
  }

  /** A folder of a TaskManager for its state on the disk, its open files, and its jars. */
  Path temporaryFolder(String taskManager) {
    return temporaryFolder(folder, taskManager);
  }

  private static Path temporaryFolder(Path folder, String taskManager) {
    return folder.resolve(taskManager).resolve("tmp");
  }

  @Override
  public void close() {
    Runtime.getRuntime().removeShutdownHook(hook);
    end();
  }

  private void end() {
    DetachedStack.down(folder, false, print);
    s3.close();
    unmount(folder, print);
  }

  private static void unmount(Path folder, PrintStream print) {
    try {
      SmallDisk.unmount(temporaryFolder(folder, SMALL_DISK));
    } catch (IOException e) {
      print.println(e.getMessage());
    }
  }
}

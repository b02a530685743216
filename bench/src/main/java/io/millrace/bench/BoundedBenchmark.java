package io.millrace.bench;

import io.millrace.datagen.SimulatedFiles;
import io.millrace.datagen.SimulatorOptions;
import io.millrace.datagen.Truth;
import io.millrace.job.engagement.EngagementConfig;
import io.millrace.job.engagement.EngagementJob;
import io.millrace.local.Audit;
import io.millrace.local.Await;
import io.millrace.local.FlinkCluster;
import io.millrace.local.KafkaBroker;
import io.millrace.local.LakeReader;
import io.millrace.local.Progress;
import io.millrace.local.SimulatedTraffic;
import io.millrace.telemetry.Metrics;
import java.io.IOException;
import java.io.PrintStream;
import java.io.Writer;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.runtime.clusterframework.TaskExecutorProcessSpec;
import org.apache.flink.runtime.clusterframework.TaskExecutorProcessUtils;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.FileUtils;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Memory of the bounded mode, and state per user of the streaming mode; see {@code --help}. */
@Command(
    name = "bounded",
    mixinStandardHelpOptions = true,
    header = "Memory of the bounded mode, and state per user.",
    description = {
      "Runs the engagement job over files in a JVM with the heap, direct and managed",
      "memory of one TaskManager, and tells its peaks. Then it runs the job from a Kafka",
      "broker, stops it with a savepoint, and tells the savepoint's bytes per user. Both",
      "are held against the truth; exits with 0 only when they are right."
    },
    sortOptions = false)
final class BoundedBenchmark implements Callable<Integer> {
  private static final Duration PATIENCE = Duration.ofHours(2);
  private static final long RECORDS_PER_FILE = 500_000;
  private static final int PARTITIONS = 2;

  @Option(
      names = "--events",
      paramLabel = "N",
      defaultValue = "18000000",
      description = "Records of the bounded run (default: ${DEFAULT-VALUE}).")
  private long events;

  @Option(
      names = "--users",
      paramLabel = "N",
      defaultValue = "10000000",
      description = "Users of whom some come (default: ${DEFAULT-VALUE}).")
  private int users;

  @Option(
      names = "--process-size",
      paramLabel = "SIZE",
      defaultValue = "2 gb",
      description = "taskmanager.memory.process.size (default: ${DEFAULT-VALUE}).")
  private String processSize;

  @Option(
      names = "--state-users",
      paramLabel = "N",
      defaultValue = "100000",
      description = "Users of the streaming run, of whom some come (default: ${DEFAULT-VALUE}).")
  private int stateUsers;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "A new folder for everything written (default: target/bench-bounded).")
  private Path out;

  private final PrintStream print;
  private final Path home;

  BoundedBenchmark(PrintStream print, Path home) {
    this.print = print;
    this.home = home;
  }

  @Override
  public Integer call() throws Exception {
    if (events < 0 || users < 1 || stateUsers < 0) {
      throw new IllegalArgumentException("--events, --users and --state-users must be positive");
    }
    Path folder =
        (out == null ? home.resolve("target/bench-bounded") : out).toAbsolutePath().normalize();
    FileUtils.deleteDirectory(folder.toFile());
    Files.createDirectories(folder);
    List<String> wrong = new ArrayList<>();
    if (events > 0) {
      wrong.addAll(bounded(folder));
    }
    if (stateUsers > 0) {
      wrong.addAll(state(folder.resolve("state")));
    }
    wrong.forEach(e -> print.println("WRONG " + e));
    return wrong.isEmpty() ? 0 : 1;
  }

  private List<String> bounded(Path folder) throws Exception {
    SimulatorOptions options =
        SimulatorOptions.of(events, 1).withUsers(users).withMalformed(0.001).withDuplicates(0.01);
    Truth truth = SimulatedFiles.write(options, folder.resolve("input"), RECORDS_PER_FILE);
    print.printf(
        Locale.ROOT, "Input: %,d records over 24 h, out of %,d users, as files%n", events, users);
    TaskExecutorProcessSpec memory = memory();
    print.printf(
        Locale.ROOT,
        "JVM:   heap %,d MB, direct %,d MB, managed %,d MB: a TaskManager of %s%n",
        memory.getJvmHeapMemorySize().getMebiBytes(),
        memory.getJvmDirectMemorySize().getMebiBytes(),
        memory.getManagedMemorySize().getMebiBytes(),
        processSize);
    writePlan(folder, memory);
    Properties figures = measure(folder, memory);
    double seconds = Double.parseDouble(figures.getProperty(BoundedRun.SECONDS));
    print.printf(
        Locale.ROOT,
        "%,.0f events/s, %,.1f s; peak of the process %,.0f MB, of the heap after a collection"
            + " %,.0f MB%n",
        events / seconds,
        seconds,
        Double.parseDouble(figures.getProperty(BoundedRun.RESIDENT)) / (1 << 20),
        Double.parseDouble(figures.getProperty(BoundedRun.HEAP)) / (1 << 20));
    FileUtils.deleteDirectory(folder.resolve("input").toFile());
    FileUtils.deleteDirectory(folder.resolve("flink").toFile());
    try (LakeReader lake = LakeReader.ofFolder(folder.resolve("lake"))) {
      List<String> wrong = new ArrayList<>();
      Audit.of(truth, lake, "", false, null)
          .failures()
          .forEach(f -> wrong.add(f.what() + ": " + f.found() + " instead of " + f.expected()));
      print.printf(
          Locale.ROOT,
          "%,d sessions of %,d users%n",
          lake.number("SELECT count(*) FROM sessions"),
          lake.number("SELECT count(DISTINCT user_id) FROM sessions"));
      if (lake.number("SELECT sum(event_count) FROM sessions") != truth.total().accepted()) {
        wrong.add("events in sessions are not the accepted ones");
      }
      return wrong;
    }
  }

  private TaskExecutorProcessSpec memory() {
    Configuration taskManager = new Configuration();
    taskManager.set(TaskManagerOptions.TOTAL_PROCESS_MEMORY, MemorySize.parse(processSize));
    return TaskExecutorProcessUtils.processSpecFromConfig(taskManager);
  }

  private static void writePlan(Path folder, TaskExecutorProcessSpec memory) throws IOException {
    Properties plan = new Properties();
    String network = memory.getNetworkMemSize().getBytes() + "b";
    plan.setProperty(BoundedRun.FLINK + "taskmanager.memory.network.min", network);
    plan.setProperty(BoundedRun.FLINK + "taskmanager.memory.network.max", network);
    plan.setProperty(
        BoundedRun.FLINK + "taskmanager.memory.managed.size",
        memory.getManagedMemorySize().getBytes() + "b");
    // A run that fails has nothing to measure.
    plan.setProperty(BoundedRun.FLINK + "restart-strategy.type", "none");
    try (Writer file =
        Files.newBufferedWriter(folder.resolve(BoundedRun.PLAN), StandardCharsets.UTF_8)) {
      plan.store(file, null);
    }
  }

  private static Properties measure(Path folder, TaskExecutorProcessSpec memory)
      throws IOException, InterruptedException {
    List<String> flags = new ArrayList<>();
    Bench.flags().stream().filter(f -> !f.startsWith("-Xm")).forEach(flags::add);
    flags.add("-Xms" + memory.getJvmHeapMemorySize().getBytes());
    flags.add("-Xmx" + memory.getJvmHeapMemorySize().getBytes());
    flags.add("-XX:MaxDirectMemorySize=" + memory.getJvmDirectMemorySize().getBytes());
    flags.add(
        "-XX:MaxMetaspaceSize=" + memory.getJvmMetaspaceAndOverhead().getMetaspace().getBytes());
    // Flink's images have jemalloc; the C library's many arenas would be counted as the job's.
    Map<String, String> environment = Map.of("MALLOC_ARENA_MAX", "1");
    return MeasuredJvm.run(BoundedRun.class, folder, flags, environment, false);
  }

  private List<String> state(Path folder) throws Exception {
    long records = 10L * stateUsers;
    SimulatorOptions options =
        SimulatorOptions.of(records, 2)
            .withUsers(stateUsers)
            .withTime(Instant.parse("2026-01-05T00:00:00Z"), Duration.ofHours(20));
    try (KafkaBroker broker = KafkaBroker.start(folder.resolve("kafka"));
        FlinkCluster flink =
            FlinkCluster.start(
                folder.resolve("flink"),
                1,
                2,
                Map.of("execution.checkpointing.interval", "10 s"))) {
      SimulatedTraffic.createTopics(broker, "", PARTITIONS);
      Progress sending = new Progress(print, "sent", records);
      Truth truth = SimulatedTraffic.send(broker, "", options, sending::at);
      sending.done();
      EngagementConfig config =
          EngagementConfig.parse(
              new String[] {
                "--kafka.bootstrap-servers", broker.bootstrap(),
                "--kafka.start", "earliest",
                "--lake.root", folder.resolve("lake").toUri().toString(),
                "--lake.raw", "false",
                "--sessions.topic", "",
                "--rollups.live-topic", "",
                "--anomalies.topic", ""
              });
      StreamExecutionEnvironment env = flink.environment();
      env.configure(EngagementJob.flinkSettings(config));
      EngagementJob.build(env, config);
      JobID job = flink.submit(env);
      Await.until(
          () -> "all records to be accepted",
          PATIENCE,
          () ->
              flink.metrics().sum(job, Metrics.GROUP + "." + Metrics.ACCEPTED)
                  >= truth.total().accepted());
      long bytes = bytes(Path.of(URI.create(flink.stopWithSavepoint(job))));
      try (LakeReader lake = LakeReader.ofFolder(folder.resolve("lake"))) {
        long active = lake.number("SELECT count(DISTINCT user_id) FROM app_events");
        long rows = lake.number("SELECT count(*) FROM app_events");
        print.printf(
            Locale.ROOT,
            "State of %,d users with %,d events within 20 h: a savepoint of %,.1f MB, %,.0f bytes"
                + " per user%n",
            active,
            rows,
            bytes / 1e6,
            (double) bytes / active);
        return rows == truth.total().accepted()
            ? List.of()
            : List.of(rows + " rows instead of " + truth.total().accepted());
      }
    }
  }

  private static long bytes(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(Files::isRegularFile).mapToLong(f -> f.toFile().length()).sum();
    }
  }
}

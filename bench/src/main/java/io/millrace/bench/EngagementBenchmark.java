package io.millrace.bench;

import io.millrace.datagen.SimulatorOptions;
import io.millrace.datagen.Truth;
import io.millrace.local.Audit;
import io.millrace.local.KafkaBroker;
import io.millrace.local.LakeReader;
import io.millrace.local.LakeReader.Rows;
import io.millrace.local.Progress;
import io.millrace.local.SimulatedTraffic;
import io.millrace.local.Stack;
import io.millrace.local.TextTable;
import java.io.IOException;
import java.io.PrintStream;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import javax.annotation.Nullable;
import org.apache.flink.util.FileUtils;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The engagement job, whole and in parts, from a broker on this machine; see {@code --help}. */
@Command(
    name = "engagement",
    mixinStandardHelpOptions = true,
    header = "The engagement job, whole and in parts, from a broker on this machine.",
    description = {
      "Sends simulated records to a Kafka broker on this machine, drains them",
      "through the engagement job in a JVM of its own (parallelism 2, RocksDB, a",
      "checkpoint every 10 s), and tells the CPU time of that JVM per event. Every",
      "run is held against the truth; exits with 0 only when all are right."
    },
    sortOptions = false)
final class EngagementBenchmark implements Callable<Integer> {
  private static final int PARTITIONS = 2;

  private enum Lake {
    /** A folder, and no catalog. */
    FILE,
    /** A server that speaks S3, and a Hive Metastore. */
    S3
  }

  @Option(
      names = "--events",
      paramLabel = "N",
      defaultValue = "5000000",
      description = "Records to send (default: ${DEFAULT-VALUE}).")
  private long events;

  @Option(
      names = "--users",
      paramLabel = "N",
      defaultValue = "50000",
      description = "Users that share them (default: ${DEFAULT-VALUE}).")
  private int users;

  @Option(
      names = "--variant",
      paramLabel = "NAME",
      split = ",",
      description = "What to run: ${COMPLETION-CANDIDATES} (default: whole).")
  private List<Variant> variants = List.of(Variant.WHOLE);

  @Option(names = "--all", description = "Run every variant, one after the other.")
  private boolean all;

  @Option(
      names = "--runs",
      paramLabel = "N",
      defaultValue = "1",
      description = "How often each is run (default: ${DEFAULT-VALUE}).")
  private int runs;

  @Option(
      names = "--lake",
      paramLabel = "KIND",
      defaultValue = "file",
      description =
          "file: a folder; s3: an S3 server and a Hive Metastore (default: ${DEFAULT-VALUE}).")
  private Lake lake;

  @Option(
      names = "--job",
      paramLabel = "KEY=VALUE",
      description = "An option of the job, as in docs/options.md; can be repeated.")
  private Map<String, String> jobOptions = new LinkedHashMap<>();

  @Option(
      names = "--flink",
      paramLabel = "KEY=VALUE",
      description = "A setting of Flink; can be repeated.")
  private Map<String, String> flinkOptions = new LinkedHashMap<>();

  @Option(
      names = "--jvm",
      paramLabel = "FLAG",
      description = "A further flag of the measured JVM, as --jvm=-Xmx2g; can be repeated.")
  private List<String> jvmFlags = List.of();

  @Option(
      names = "--profile",
      description = "Record with Java Flight Recorder, and print the hottest methods of each run.")
  private boolean profile;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "A new or empty folder for everything written (default: target/bench).")
  private Path out;

  private final PrintStream print;
  private final Path home;

  EngagementBenchmark(PrintStream print, Path home) {
    this.print = print;
    this.home = home;
  }

  @Override
  public Integer call() throws Exception {
    if (events < 1 || runs < 1) {
      throw new IllegalArgumentException("--events and --runs must be at least 1");
    }
    Path folder = prepareFolder();
    Bench.printJvm(print, flags());
    SimulatorOptions options =
        SimulatorOptions.of(events, 1)
            .withUsers(users)
            .withMalformed(0.001)
            .withDuplicates(0.01)
            .withLate(0.01);
    print.printf(
        Locale.ROOT,
        "Input: %,d records of %,d users over 24 h; 1 %% duplicates, 1 %% sent late, 0.1 %%"
            + " malformed%n",
        events,
        users);
    if (lake == Lake.S3) {
      try (Stack stack = Stack.start(folder.resolve("servers"))) {
        return run(folder, stack.kafka(), stack, options);
      }
    }
    try (KafkaBroker broker = KafkaBroker.start(folder.resolve("kafka"))) {
      return run(folder, broker, null, options);
    }
  }

  private int run(Path folder, KafkaBroker broker, @Nullable Stack stack, SimulatorOptions options)
      throws Exception {
    SimulatedTraffic.createTopics(broker, "", PARTITIONS);
    Progress sending = new Progress(print, "sent", events);
    Truth truth = SimulatedTraffic.send(broker, "", options, sending::at);
    sending.done();

    List<List<String>> rows = new ArrayList<>();
    List<String> wrong = new ArrayList<>();
    List<Variant> wanted = all ? List.of(Variant.values()) : variants;
    for (Variant variant : wanted) {
      for (int run = 1; run <= runs; run++) {
        String name = variant + "-" + run;
        Path work = Files.createDirectories(folder.resolve(name));
        print.printf("%-16s %s%n", name, variant.meaning());
        writePlan(work, variant, name, broker, stack);
        Figures figures = measure(work);
        if (profile) {
          HotMethods.print(print, work.resolve(MeasuredJvm.RECORDING));
        }
        Path root = stack == null ? work.resolve("lake") : stack.lake().resolve(name);
        List<String> errors = errors(variant, figures, truth, root);
        errors.forEach(e -> print.println("WRONG " + e));
        wrong.addAll(errors);
        rows.add(row(name, figures, errors.isEmpty(), bytesPerRow(root, truth)));
        FileUtils.deleteDirectory(root.toFile());
        FileUtils.deleteDirectory(work.resolve("flink").toFile());
      }
    }
    print.println();
    TextTable.print(print, new Rows(HEADING, rows));
    print.println(
        """
        CPU: microseconds per event, user and system, of the JVM that runs Flink; k/s: thousands of
        events per second. Steady: between a fifth and nine tenths of the records; whole: from the
        first record to the last; to end: until all is committed and the job has ended. JIT: the
        JVM's compiler, which a longer run pays once. Heap: most in use after a collection.""");
    return wrong.isEmpty() ? 0 : 1;
  }

  private static final List<String> HEADING =
      List.of(
          "variant",
          "CPU steady",
          "of it JIT",
          "of it GC",
          "CPU whole",
          "CPU to end",
          "k/s steady",
          "k/s whole",
          "k/s to end",
          "heap MB",
          "bytes/row",
          "raw bytes/row",
          "checkpoints",
          "mean ms",
          "cache hit %",
          "right");

  private static List<String> row(String name, Figures f, boolean right, List<String> bytesPerRow) {
    List<String> row = new ArrayList<>(List.of(name));
    row.add(decimal(2, f.steady().cpuMicrosPerEvent()));
    row.add(decimal(2, f.steady().compilingMicrosPerEvent()));
    row.add(decimal(2, f.steady().collectingMicrosPerEvent()));
    row.add(decimal(2, f.whole().cpuMicrosPerEvent()));
    row.add(decimal(2, f.toEnd().cpuMicrosPerEvent()));
    row.add(decimal(0, f.steady().eventsPerSecond() / 1e3));
    row.add(decimal(0, f.whole().eventsPerSecond() / 1e3));
    row.add(decimal(0, f.toEnd().eventsPerSecond() / 1e3));
    row.add(decimal(0, f.heapBytes() / 1e6));
    row.addAll(bytesPerRow);
    row.add(Long.toString(f.checkpoints()));
    row.add(Long.toString(f.checkpointMillis()));
    row.add(Double.isNaN(f.cacheHitPercent()) ? "" : decimal(1, f.cacheHitPercent()));
    row.add(right ? "yes" : "NO");
    return row;
  }

  private void writePlan(
      Path work, Variant variant, String name, KafkaBroker broker, @Nullable Stack stack)
      throws IOException {
    Map<String, String> job = new LinkedHashMap<>();
    job.put("kafka.bootstrap-servers", broker.bootstrap());
    job.put("kafka.group", "bench-" + name);
    job.put("kafka.start", "earliest");
    job.put("kafka.bounded", "true");
    job.put("lake.raw", Boolean.toString(variant == Variant.RAW));
    Map<String, String> flink = new LinkedHashMap<>();
    flink.put("execution.checkpointing.interval", "10 s");
    flink.put("state.backend.type", variant.stateBackend());
    // A run that fails has nothing to measure.
    flink.put("restart-strategy.type", "none");
    job.put("sessions.enabled", Boolean.toString(variant.hasSessions()));
    job.put("rollups.enabled", Boolean.toString(variant.hasRollups()));
    job.put("anomalies.enabled", Boolean.toString(variant.hasRollups()));
    if (variant.hasSmallCache()) {
      job.put("users.cache-users", Integer.toString(Math.max(1, users / 100)));
    }
    if (stack == null) {
      job.put("lake.root", work.resolve("lake").toUri().toString());
    } else {
      job.put("lake.root", "s3://" + Stack.BUCKET + "/" + name);
      job.put("catalog.kind", "hive");
      job.put("catalog.uri", stack.metastore().uri().toString());
      job.put("catalog.database", name.replace('-', '_'));
      flink.putAll(stack.s3Settings());
      flink.put("s3.endpoint", stack.s3().endpoint().toString());
    }
    job.putAll(jobOptions);
    flink.putAll(flinkOptions);
    Properties plan = new Properties();
    plan.setProperty(MeasuredRun.VARIANT, variant.name());
    plan.setProperty(MeasuredRun.EVENTS, Long.toString(events));
    job.forEach((key, value) -> plan.setProperty(MeasuredRun.JOB + key, value));
    flink.forEach((key, value) -> plan.setProperty(MeasuredRun.FLINK + key, value));
    try (Writer file =
        Files.newBufferedWriter(work.resolve(MeasuredRun.PLAN), StandardCharsets.UTF_8)) {
      plan.store(file, null);
    }
  }

  /**
   * The flags of the measured JVM: those of this one, and what was asked for; and the whole heap
   * from the start, as Flink gives it to a TaskManager. One that grows is collected as a whole each
   * time before it does.
   */
  private List<String> flags() {
    List<String> flags = new ArrayList<>(Bench.flags());
    flags.addAll(jvmFlags);
    String most = "-Xmx";
    flags.stream()
        .filter(flag -> flag.startsWith(most))
        .reduce((first, last) -> last)
        .ifPresent(flag -> flags.add(flags.indexOf(flag), "-Xms" + flag.substring(most.length())));
    return flags;
  }

  private Figures measure(Path work) throws IOException, InterruptedException {
    return Figures.from(MeasuredJvm.run(MeasuredRun.class, work, flags(), Map.of(), profile));
  }

  /** What a run did that it should not have; empty when all is right. */
  private static List<String> errors(Variant variant, Figures figures, Truth truth, Path lakeRoot) {
    List<String> errors = new ArrayList<>();
    if (variant.judges()
        && (figures.accepted() != truth.total().accepted()
            || figures.duplicates() != truth.total().duplicates())) {
      errors.add(
          "%d accepted and %d duplicates, expected %d and %d"
              .formatted(
                  figures.accepted(),
                  figures.duplicates(),
                  truth.total().accepted(),
                  truth.total().duplicates()));
    }
    if (variant.writes()) {
      try (LakeReader reader = LakeReader.ofFolder(lakeRoot)) {
        Audit audit =
            variant.hasRollups()
                ? Audit.of(truth, reader, "", false, null)
                : Audit.ofEvents(truth, reader, "", variant == Variant.RAW);
        for (Audit.Finding f : audit.failures()) {
          errors.add(f.what() + ": expected " + f.expected() + ", found " + f.found());
        }
      }
    }
    return errors;
  }

  private static List<String> bytesPerRow(Path lakeRoot, Truth truth) throws IOException {
    long processed = parquetBytes(lakeRoot.resolve("processed/app_events"));
    long raw = parquetBytes(lakeRoot.resolve("raw/app_events"));
    return List.of(
        processed == 0 ? "" : decimal(1, (double) processed / truth.total().accepted()),
        raw == 0 ? "" : decimal(1, (double) raw / truth.total().received()));
  }

  private static long parquetBytes(Path table) throws IOException {
    if (!Files.isDirectory(table)) {
      return 0;
    }
    try (Stream<Path> files = Files.walk(table)) {
      return files
          .filter(f -> f.toString().endsWith(".parquet"))
          .mapToLong(f -> f.toFile().length())
          .sum();
    }
  }

  private Path prepareFolder() throws IOException {
    if (out == null) {
      Path folder = home.resolve("target/bench").toAbsolutePath().normalize();
      FileUtils.deleteDirectory(folder.toFile());
      return Files.createDirectories(folder);
    }
    Files.createDirectories(out);
    try (Stream<Path> content = Files.list(out)) {
      if (content.findAny().isPresent()) {
        throw new IllegalArgumentException(
            "--out is '" + out + "', but that folder is not empty; name a new one");
      }
    }
    return out.toAbsolutePath().normalize();
  }

  private static String decimal(int digits, double value) {
    return String.format(Locale.ROOT, "%." + digits + "f", value);
  }
}

package io.millrace.local;

import io.millrace.job.engagement.EngagementConfig;
import io.millrace.job.engagement.EngagementJob;
import io.millrace.lake.catalog.CatalogSpec;
import io.millrace.lake.publish.HourRange;
import io.millrace.local.LakeReader.Rows;
import io.millrace.telemetry.Metrics;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The engagement job in batch mode: over files, or over hours of a lake; see {@code --help}. */
@Command(
    name = "scripts/backfill",
    mixinStandardHelpOptions = true,
    version = "Millrace 0.1.0",
    description = {
      "Runs the engagement job in batch mode on this machine. Options of the job can be appended:"
          + " --time.allowed-lateness '5 min'. See docs/options.md.",
      "",
      "--input DIR --out DIR reads JSON-lines files (*.jsonl, *.jsonl.gz) into a new lake. A file"
          + " belongs to the topic whose name its folder has.",
      "",
      "--hours FIRST..LAST --lake URI --catalog-uri URI recomputes these hours of a lake from its"
          + " raw records, as if every event had come in time, and lets the catalog point at what"
          + " came out. The job that writes the lake may run on; its options have to be given here"
          + " too. The same command goes on with a swap that was interrupted. For S3 the keys are"
          + " read from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
      ""
    },
    sortOptions = false)
public final class Backfill implements Callable<Integer> {
  private static final int PARALLELISM = 2;

  @Option(names = "--input", paramLabel = "DIR", description = "The folder of the files.")
  private Path input;

  @Option(names = "--out", paramLabel = "DIR", description = "A new or empty folder for the lake.")
  private Path out;

  @Option(
      names = "--hours",
      paramLabel = "FIRST..LAST",
      description =
          "Hours of the events' own time in UTC, both included, as"
              + " 2026-01-05T10..2026-01-05T12. Tables by day are recomputed for the whole days.")
  private String hours;

  @Option(
      names = "--lake",
      paramLabel = "URI",
      description = "The lake's root, as s3://bucket/path or file:///path.")
  private String lake;

  @Option(
      names = "--catalog-uri",
      paramLabel = "URI",
      description = "thrift://HOST:PORT of the metastore.")
  private String catalogUri;

  @Option(
      names = "--database",
      paramLabel = "NAME",
      defaultValue = "millrace",
      description = "Database of the tables (default: ${DEFAULT-VALUE}).")
  private String database;

  @Option(
      names = "--raw-until",
      paramLabel = "INSTANT",
      description =
          "Raw hours (of the Kafka timestamp) that begin before are read, as 2026-01-06T00:00:00Z"
              + " (default: now).")
  private String rawUntil;

  @Option(
      names = "--context",
      paramLabel = "DURATION",
      description =
          "How much before the first day is read, so that sessions begin where they did (default:"
              + " '24 h' and a session gap, which is the least).")
  private String context;

  @Option(
      names = "--dry-run",
      description = "Tell what would be read and replaced, and change nothing.")
  private boolean dryRun;

  @Option(
      names = "--give-up",
      description =
          "Forget a backfill of these hours that was begun and has not ended, and remove what it"
              + " wrote, unless it was ready to be swapped.")
  private boolean giveUp;

  @Mixin private final S3Options s3 = new S3Options();

  @Parameters(arity = "0..*", hidden = true, description = "Options of the job.")
  private List<String> jobOptions = List.of();

  private final PrintStream print;
  private final Map<String, String> environment;

  Backfill(PrintStream print, Map<String, String> environment) {
    this.print = print;
    this.environment = environment;
  }

  public static void main(String[] args) {
    PrintStream print = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.exit(Commands.run(new Backfill(print, System.getenv()), args));
  }

  @Override
  public Integer call() throws Exception {
    if (hours == null) {
      require("--input", input, "--out", out);
      refuse(
          "without --hours",
          "--lake",
          lake,
          "--catalog-uri",
          catalogUri,
          "--raw-until",
          rawUntil,
          "--context",
          context,
          "--dry-run",
          dryRun ? true : null,
          "--give-up",
          giveUp ? true : null);
      return overFiles();
    }
    refuse("with --hours", "--input", input, "--out", out);
    if (giveUp) {
      refuse("with --give-up", "--dry-run", dryRun ? true : null);
    }
    require("--lake", lake, "--catalog-uri", catalogUri);
    s3.check(lake);
    String root = lake.replaceAll("/+$", "");
    HoursBackfill backfill =
        new HoursBackfill(
                print,
                hours(),
                root,
                CatalogSpec.hive(catalogUri, database).withDatabaseLocation(root + "/"),
                s3.access(environment).settings(),
                jobOptions)
            .rawUntil(rawUntil)
            .context(context);
    return giveUp ? backfill.giveUp() : backfill.run(dryRun);
  }

  private HourRange hours() {
    try {
      return HourRange.parse(hours);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("--hours is " + e.getMessage(), e);
    }
  }

  /** Names and values in turn: each has to be there. */
  private static void require(Object... options) {
    List<String> missing = new ArrayList<>();
    for (int i = 0; i < options.length; i += 2) {
      if (options[i + 1] == null) {
        missing.add(options[i].toString());
      }
    }
    if (!missing.isEmpty()) {
      throw new IllegalArgumentException(
          "missing "
              + String.join(" and ", missing)
              + "; it takes --input and --out, or --hours, --lake and --catalog-uri");
    }
  }

  /** Names and values in turn: none may be there. */
  private static void refuse(String when, Object... options) {
    for (int i = 0; i < options.length; i += 2) {
      if (options[i + 1] != null) {
        throw new IllegalArgumentException(options[i] + " is not allowed " + when);
      }
    }
  }

  private int overFiles() throws IOException {
    if (!Files.isDirectory(input)) {
      throw new IllegalArgumentException("--input is '" + input + "', which is not a folder");
    }
    Files.createDirectories(out);
    try (Stream<Path> content = Files.list(out)) {
      if (content.findAny().isPresent()) {
        throw new IllegalArgumentException(
            "--out is '" + out + "', but that folder is not empty; name a new one");
      }
    }
    Path folder = out.toAbsolutePath().normalize();
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--source", "files",
                "--input", input.toAbsolutePath().normalize().toUri().toString(),
                "--lake.root", folder.toUri().toString()));
    arguments.addAll(jobOptions);
    EngagementConfig config = EngagementConfig.parse(arguments.toArray(new String[0]));
    run(config, print, Map.of());
    try (LakeReader reader = LakeReader.ofFolder(folder)) {
      Rows ledger =
          reader.query(
              "SELECT topic, sum(received) AS received, sum(accepted) AS accepted, sum(rejected)"
                  + " AS rejected, sum(duplicates) AS duplicates, sum(received) - sum(accepted) -"
                  + " sum(rejected) - sum(duplicates) AS discrepancy FROM ledger GROUP BY topic"
                  + " ORDER BY topic");
      TextTable.print(print, ledger);
      print.println("Lake: " + folder);
      boolean balances = ledger.rows().stream().allMatch(row -> row.get(5).equals("0"));
      return balances ? CommandLine.ExitCode.OK : 1;
    }
  }

  /** Runs the job on a cluster of its own, and tells how far it is. */
  static void run(EngagementConfig config, PrintStream print, Map<String, String> settings)
      throws IOException {
    Path work = Files.createTempDirectory("millrace-backfill-");
    // What fails each time must be told: nothing else would ever change it.
    Map<String, String> all = new HashMap<>(settings);
    all.put("restart-strategy.fixed-delay.attempts", "3");
    try (FlinkCluster flink = FlinkCluster.start(work, 1, PARALLELISM, all)) {
      StreamExecutionEnvironment env = flink.environment();
      env.configure(EngagementJob.flinkSettings(config));
      EngagementJob.build(env, config);
      JobID job = flink.submit(env);
      long begin = System.nanoTime();
      long[] shown = {begin};
      Await.until(
          () -> "the end of the job",
          Duration.ofDays(7),
          () -> {
            long now = System.nanoTime();
            if (now - shown[0] > 1_000_000_000L) {
              shown[0] = now;
              print.printf(
                  "read %,12d   accepted %,12d%n",
                  flink.metrics().sum(job, Metrics.GROUP + "." + Metrics.RECEIVED),
                  flink.metrics().sum(job, Metrics.GROUP + "." + Metrics.ACCEPTED));
            }
            return flink.status(job).isGloballyTerminalState();
          });
      flink.waitUntilFinished(job, Duration.ofMinutes(1));
      print.printf("Done in %.1f s%n", (System.nanoTime() - begin) / 1e9);
    } finally {
      BuildFiles.deleteTree(work);
    }
  }
}

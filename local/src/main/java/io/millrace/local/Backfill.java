package io.millrace.local;

import io.millrace.job.engagement.EngagementConfig;
import io.millrace.job.engagement.EngagementJob;
import io.millrace.local.LakeReader.Rows;
import io.millrace.telemetry.Metrics;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The engagement job over files, in batch mode, into a fresh lake; see {@code --help}. */
@Command(
    name = "scripts/backfill",
    mixinStandardHelpOptions = true,
    version = "Millrace 0.1.0",
    description = {
      "Runs the engagement job over JSON-lines files (*.jsonl, *.jsonl.gz), in batch mode on this",
      "machine, into a new lake. A file belongs to the topic whose name its folder has. Options of",
      "the job can be appended: --time.allowed-lateness '5 min'. See docs/options.md."
    },
    sortOptions = false)
public final class Backfill implements Callable<Integer> {
  private static final int PARALLELISM = 2;

  @Option(
      names = "--input",
      paramLabel = "DIR",
      required = true,
      description = "The folder of the files.")
  private Path input;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      required = true,
      description = "A new or empty folder for the lake.")
  private Path out;

  @Parameters(arity = "0..*", hidden = true, description = "Options of the job.")
  private List<String> jobOptions = List.of();

  public static void main(String[] args) {
    System.exit(Commands.run(new Backfill(), args));
  }

  @Override
  public Integer call() throws IOException {
    PrintStream print = new PrintStream(System.out, true, StandardCharsets.UTF_8);
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
    Path lake = out.toAbsolutePath().normalize();
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--source", "files",
                "--input", input.toAbsolutePath().normalize().toUri().toString(),
                "--lake.root", lake.toUri().toString()));
    arguments.addAll(jobOptions);
    EngagementConfig config = EngagementConfig.parse(arguments.toArray(new String[0]));
    run(config, print);
    try (LakeReader reader = LakeReader.ofFolder(lake)) {
      Rows ledger =
          reader.query(
              "SELECT topic, sum(received) AS received, sum(accepted) AS accepted, sum(rejected)"
                  + " AS rejected, sum(duplicates) AS duplicates, sum(received) - sum(accepted) -"
                  + " sum(rejected) - sum(duplicates) AS discrepancy FROM ledger GROUP BY topic"
                  + " ORDER BY topic");
      TextTable.print(print, ledger);
      print.println("Lake: " + lake);
      boolean balances = ledger.rows().stream().allMatch(row -> row.get(5).equals("0"));
      return balances ? CommandLine.ExitCode.OK : 1;
    }
  }

  private static void run(EngagementConfig config, PrintStream print) throws IOException {
    Path work = Files.createTempDirectory("millrace-backfill-");
    try (FlinkCluster flink = FlinkCluster.start(work, 1, PARALLELISM, Map.of())) {
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

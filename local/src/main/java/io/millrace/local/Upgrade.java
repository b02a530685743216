package io.millrace.local;

import io.millrace.local.JobControl.Upgraded;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import javax.annotation.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Replaces a running job by another version of it; see {@code --help}. */
@Command(
    name = "scripts/upgrade",
    mixinStandardHelpOptions = true,
    description = {
      "Stops a job with a savepoint and starts the present build from it; nothing is lost or doubled.",
      "The new version is up when all tasks run, records move and a checkpoint is complete. When that",
      "does not come, the old version goes on from the same savepoint, and the exit code is 1."
    },
    version = "Millrace 0.1.0",
    sortOptions = false)
public final class Upgrade implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "JOB", description = "Which job.")
  private String job;

  @Parameters(
      index = "1..*",
      paramLabel = "--KEY VALUE",
      description = {
        "Options of the job. With any of them, or --config, the new version is told these alone;",
        "else it is told what the old one was."
      })
  private List<String> options = new ArrayList<>();

  @Option(names = "--config", paramLabel = "FILE", description = "The job's configuration.")
  @Nullable
  private Path config;

  @Option(
      names = "--parallelism",
      paramLabel = "N",
      defaultValue = "0",
      description = "Subtasks of each operator (default: as many as before).")
  private int parallelism;

  @Option(
      names = "--jar",
      paramLabel = "FILE",
      description = "A jar for clusters (default: that of this build).")
  @Nullable
  private Path jar;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      defaultValue = "180",
      description = "How long each step of the new version may take (default: ${DEFAULT-VALUE}).")
  private int timeout;

  private final PrintStream print;
  private final Path home;

  Upgrade(PrintStream print, Path home) {
    this.print = print;
    this.home = home;
  }

  public static void main(String[] args) {
    PrintStream print = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.exit(Commands.run(new Upgrade(print, Commands.home()), args));
  }

  @Override
  public Integer call() throws Exception {
    JobKind kind = JobKind.named(job);
    if (parallelism != 0) {
      Submit.requirePositive(parallelism);
    }
    if (timeout < 1) {
      throw new IllegalArgumentException("--timeout is " + timeout + ", but must be at least 1");
    }
    DetachedStack stack = DetachedStack.running(home.resolve(DetachedStack.FOLDER));
    List<String> given = Submit.arguments(config, options);
    Upgraded result =
        new JobControl(stack, print)
            .upgrade(
                kind,
                jar == null ? JobControl.builtJar() : Submit.file("--jar", jar),
                given.isEmpty() ? null : given,
                parallelism,
                Duration.ofSeconds(timeout));
    if (result.failure() != null) {
      throw new CommandFailure(
          "the new version did not come up, and the old one runs again: " + result.failure());
    }
    print.printf(
        "upgraded   %s runs as job %s from that savepoint, and makes progress%n",
        kind.label(), result.running().jobId());
    return 0;
  }
}

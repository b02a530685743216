package io.millrace.local;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import javax.annotation.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Submits a job to the local stack; see {@code --help}. */
@Command(
    name = "scripts/submit",
    mixinStandardHelpOptions = true,
    description = {
      "Submits a job to the Flink of scripts/up, and returns when all of its tasks run. The jobs:",
      "engagement."
    },
    version = "Millrace 0.1.0",
    sortOptions = false)
public final class Submit implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "JOB", description = "Which job.")
  private String job;

  @Parameters(
      index = "1..*",
      paramLabel = "--KEY VALUE",
      description = "Options of the job (docs/options.md); they win over the file.")
  private List<String> options = new ArrayList<>();

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "The job's configuration (default: one that names this stack's servers).")
  @Nullable
  private Path config;

  @Option(
      names = "--from-savepoint",
      paramLabel = "PATH",
      description = "Begin with the state of a savepoint or of a retained checkpoint.")
  @Nullable
  private String savepoint;

  @Option(
      names = "--parallelism",
      paramLabel = "N",
      defaultValue = "2",
      description = "Subtasks of each operator; there are 4 slots (default: ${DEFAULT-VALUE}).")
  private int parallelism;

  @Option(
      names = "--jar",
      paramLabel = "FILE",
      description = "A jar for clusters (default: that of this build).")
  @Nullable
  private Path jar;

  private final PrintStream print;
  private final Path home;

  Submit(PrintStream print, Path home) {
    this.print = print;
    this.home = home;
  }

  public static void main(String[] args) {
    PrintStream print = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.exit(Commands.run(new Submit(print, Commands.home()), args));
  }

  @Override
  public Integer call() throws Exception {
    JobKind kind = JobKind.named(job);
    requirePositive(parallelism);
    DetachedStack stack = DetachedStack.running(home.resolve(DetachedStack.FOLDER));
    new JobControl(stack, print)
        .submit(
            kind,
            jar == null ? JobControl.builtJar() : file("--jar", jar),
            arguments(config, options),
            parallelism,
            savepoint);
    print.println("Flink: " + stack.server("jobmanager").address());
    return 0;
  }

  static void requirePositive(int parallelism) {
    if (parallelism < 1 || parallelism > 128) {
      throw new IllegalArgumentException(
          "--parallelism is " + parallelism + ", but must be 1 to 128");
    }
  }

  /** The job's arguments, with the file's place independent of the folder that we are in. */
  static List<String> arguments(@Nullable Path config, List<String> options) {
    List<String> arguments = new ArrayList<>();
    if (config != null) {
      arguments.add("--config");
      arguments.add(file("--config", config).toString());
    }
    arguments.addAll(options);
    return arguments;
  }

  static Path file(String option, Path file) {
    if (!Files.isRegularFile(file)) {
      throw new IllegalArgumentException(option + " is '" + file + "', which is not a file");
    }
    return file.toAbsolutePath().normalize();
  }
}

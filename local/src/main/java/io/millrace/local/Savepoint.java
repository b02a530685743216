package io.millrace.local;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Takes a savepoint of a job; see {@code --help}. */
@Command(
    name = "scripts/savepoint",
    mixinStandardHelpOptions = true,
    description = "Takes a savepoint of a running job, waits for it, and prints where it lies.",
    version = "Millrace 0.1.0",
    sortOptions = false)
public final class Savepoint implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "JOB", description = "Which job.")
  private String job;

  @Option(
      names = "--stop",
      description = {
        "End the job with it. No window is closed for that: the job goes on by",
        "scripts/submit JOB --from-savepoint PATH."
      })
  private boolean stop;

  private final PrintStream print;
  private final Path home;

  Savepoint(PrintStream print, Path home) {
    this.print = print;
    this.home = home;
  }

  public static void main(String[] args) {
    PrintStream print = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.exit(Commands.run(new Savepoint(print, Commands.home()), args));
  }

  @Override
  public Integer call() throws Exception {
    JobKind kind = JobKind.named(job);
    DetachedStack stack = DetachedStack.running(home.resolve(DetachedStack.FOLDER));
    JobControl control = new JobControl(stack, print);
    print.println(stop ? control.stop(kind) : control.savepoint(kind));
    return 0;
  }
}

package io.millrace.local;

import io.millrace.local.LakeReader.Rows;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** Shows the jobs of the local stack; see {@code --help}. */
@Command(
    name = "scripts/jobs",
    mixinStandardHelpOptions = true,
    description = "Shows the jobs of the Flink of scripts/up, the newest first.",
    version = "Millrace 0.1.0",
    sortOptions = false)
public final class Jobs implements Callable<Integer> {
  private static final List<String> COLUMNS =
      List.of(
          "job",
          "name",
          "state",
          "tasks",
          "parallelism",
          "checkpoints",
          "last checkpoint",
          "restarts",
          "id");

  private final PrintStream print;
  private final Path home;

  Jobs(PrintStream print, Path home) {
    this.print = print;
    this.home = home;
  }

  public static void main(String[] args) {
    PrintStream print = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.exit(Commands.run(new Jobs(print, Commands.home()), args));
  }

  @Override
  public Integer call() throws Exception {
    DetachedStack stack = DetachedStack.running(home.resolve(DetachedStack.FOLDER));
    List<List<String>> rows = new JobControl(stack, print).table(System.currentTimeMillis());
    if (rows.isEmpty()) {
      print.println("No job yet; scripts/submit engagement starts one.");
    } else {
      TextTable.print(
          print, new Rows(COLUMNS, rows, Set.of("parallelism", "checkpoints", "restarts")));
    }
    return 0;
  }
}

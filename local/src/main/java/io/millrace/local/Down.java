package io.millrace.local;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Stops the local stack; see {@code --help}. */
@Command(
    name = "scripts/down",
    mixinStandardHelpOptions = true,
    description = {
      "Stops the processes that scripts/up has started, and no other. Their data stays: after the",
      "next scripts/up the jobs that ran go on from their last checkpoint."
    },
    version = "Millrace 0.1.0",
    sortOptions = false)
public final class Down implements Callable<Integer> {
  @Option(names = "--delete", description = "Delete the stack's data, too: lake, topics, jobs.")
  private boolean delete;

  private final PrintStream print;
  private final Path home;

  Down(PrintStream print, Path home) {
    this.print = print;
    this.home = home;
  }

  public static void main(String[] args) {
    PrintStream print = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.exit(Commands.run(new Down(print, Commands.home()), args));
  }

  @Override
  public Integer call() {
    Path folder = home.resolve(DetachedStack.FOLDER);
    boolean ran = DetachedStack.down(folder, delete, print);
    print.println(ran ? "Down." : "Nothing was running.");
    if (delete) {
      print.println("Deleted " + folder);
    }
    return 0;
  }
}

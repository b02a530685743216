package io.millrace.local;

import io.millrace.config.ConfigException;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** How every command of this module fails: with one clear line, and a trace only where it helps. */
final class Commands {
  private Commands() {}

  /** Runs a command; its exit code. */
  static int run(Callable<Integer> command, String[] args) {
    return new CommandLine(command)
        .setUnmatchedOptionsArePositionalParams(command instanceof Backfill)
        .setParameterExceptionHandler(Commands::oneLine)
        .setExecutionExceptionHandler(Commands::failed)
        .execute(args);
  }

  /** A wrong argument: what is wrong, and where to read on. */
  private static int oneLine(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    command.getErr().println(command.getCommandName() + ": " + e.getMessage());
    command.getErr().println("See " + command.getCommandName() + " --help");
    return 2;
  }

  /** A wrong value is told in a line; anything else with its trace, for it is our fault. */
  private static int failed(Exception e, CommandLine command, ParseResult parsed) {
    if (e instanceof IllegalArgumentException || e instanceof ConfigException) {
      command.getErr().println(command.getCommandName() + ": " + e.getMessage());
      return 2;
    }
    command.getErr().println(command.getCommandName() + " failed: " + e.getMessage());
    e.printStackTrace(command.getErr());
    return 1;
  }
}

package io.millrace.local;

import io.millrace.config.ConfigException;
import io.millrace.lake.catalog.CatalogException;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** How every command fails: with one clear line, and a trace only where it helps. */
public final class Commands {
  private static final Logger LOG = LoggerFactory.getLogger(Commands.class);

  private Commands() {}

  /** The folder of the sources: scripts say where it is. */
  static Path home() {
    return Path.of(System.getProperty("millrace.home", ".")).toAbsolutePath().normalize();
  }

  /** Runs a command, or one of those below it; its exit code. */
  public static int run(Callable<Integer> command, String[] args, Callable<?>... below) {
    return run(
        command,
        args,
        new PrintWriter(new OutputStreamWriter(System.err, StandardCharsets.UTF_8), true),
        below);
  }

  /** Runs a command whose failures are told elsewhere; its exit code. */
  static int run(
      Callable<Integer> command, String[] args, PrintWriter errors, Callable<?>... below) {
    CommandLine line = new CommandLine(command);
    for (Callable<?> subcommand : below) {
      line.addSubcommand(subcommand);
    }
    return line.setErr(errors)
        .setUnmatchedOptionsArePositionalParams(
            command instanceof Backfill || command instanceof Submit || command instanceof Upgrade)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler(Commands::oneLine)
        .setExecutionExceptionHandler(Commands::failed)
        .setUsageHelpWidth(100)
        .execute(args);
  }

  /** A wrong argument: what is wrong, and where to read on. */
  private static int oneLine(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    String name = command.getCommandSpec().qualifiedName();
    command.getErr().println(name + ": " + e.getMessage());
    command.getErr().println("See " + name + " --help");
    return 2;
  }

  /** Wrong values and servers that fail take a line; the rest is our fault and shows its trace. */
  private static int failed(Exception e, CommandLine command, ParseResult parsed) {
    String name = command.getCommandSpec().qualifiedName();
    if (e instanceof IllegalArgumentException || e instanceof ConfigException) {
      command.getErr().println(name + ": " + e.getMessage());
      return 2;
    }
    command.getErr().println(name + " failed: " + e.getMessage());
    if (e instanceof CommandFailure || e instanceof CatalogException || e instanceof IOException) {
      LOG.error("{} failed", name, e);
      return 1;
    }
    e.printStackTrace(command.getErr());
    return 1;
  }
}

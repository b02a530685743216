package io.millrace.local;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** SQL over a lake on this machine; see {@code --help}. */
@Command(
    name = "scripts/query",
    mixinStandardHelpOptions = true,
    version = "Millrace 0.1.0",
    description = {
      "Runs a query, in DuckDB, over the tables of a lake in a local folder: app_events, sessions,",
      "hourly_aggregates_with_dimensions and so on. docs/tables.md tells them and their columns;",
      "sql/queries has queries to begin with."
    },
    sortOptions = false)
public final class Query implements Callable<Integer> {
  @Option(
      names = "--lake",
      paramLabel = "DIR",
      description = "The lake's root (default: that of the last demo).")
  private Path lake;

  @Option(
      names = {"-f", "--file"},
      paramLabel = "FILE",
      description = "Read the query from a file.")
  private Path file;

  @Parameters(arity = "0..1", paramLabel = "SQL", description = "The query.")
  private String sql;

  private final Path home;

  Query(Path home) {
    this.home = home;
  }

  public static void main(String[] args) {
    System.exit(Commands.run(new Query(Path.of(System.getProperty("millrace.home", "."))), args));
  }

  @Override
  public Integer call() throws Exception {
    Path root = lake == null ? home.resolve("target/demo/servers/s3/buckets/lake") : lake;
    if (!Files.isDirectory(root)) {
      throw new IllegalArgumentException("--lake is '" + root + "', which is not a folder");
    }
    if ((sql == null) == (file == null)) {
      throw new IllegalArgumentException("give one query: as an argument, or with --file");
    }
    if (file != null && !Files.isRegularFile(file)) {
      throw new IllegalArgumentException("--file is '" + file + "', which is not a file");
    }
    String query = file == null ? sql : Files.readString(file);
    try (LakeReader reader = LakeReader.ofFolder(root)) {
      TextTable.print(
          new PrintStream(System.out, true, StandardCharsets.UTF_8), reader.query(query));
    } catch (IllegalStateException e) {
      if (e.getCause() instanceof SQLException refused) {
        throw new IllegalArgumentException(
            "the query is refused: " + refused.getMessage().lines().findFirst().orElse(""), e);
      }
      throw e;
    }
    return CommandLine.ExitCode.OK;
  }
}

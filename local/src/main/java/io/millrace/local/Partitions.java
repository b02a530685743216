package io.millrace.local;

import io.millrace.lake.catalog.Catalog;
import io.millrace.lake.catalog.CatalogException;
import io.millrace.lake.catalog.CatalogSpec;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.publish.Generations;
import io.millrace.lake.publish.Generations.Unused;
import io.millrace.lake.publish.Repair;
import io.millrace.lake.publish.Repair.Found;
import io.millrace.lake.publish.Repair.Report;
import io.millrace.lake.publish.SuccessFile;
import io.millrace.local.LakeReader.Rows;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import javax.annotation.Nullable;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.fs.Path;
import org.apache.flink.util.TimeUtils;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Holds the catalog against the lake, and adds what it lacks; see {@code --help}. */
@Command(
    name = "scripts/partitions",
    mixinStandardHelpOptions = true,
    version = "Millrace 0.1.0",
    description = {
      "Compares the partitions of a lake with those in a Hive Metastore. 'list' shows"
          + " them and changes nothing. 'repair' registers what the catalog lacks and sets the"
          + " properties of complete partitions; it changes no file, may be repeated, and may run"
          + " beside the job.",
      "'clean-generations --older-than DURATION' lists what backfills have written and readers are"
          + " sent to no more, since that long; with --delete it removes that.",
      "For S3 the keys are read from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
    },
    sortOptions = false)
public final class Partitions implements Callable<Integer> {
  private static final String LIST = "list";
  private static final String REPAIR = "repair";
  private static final String CLEAN = "clean-generations";

  @Parameters(
      arity = "1",
      paramLabel = "list|repair|clean-generations",
      description = "What to do.")
  private String action;

  @Option(
      names = "--lake",
      paramLabel = "URI",
      required = true,
      description = "The lake's root, as s3://bucket/path or file:///path.")
  private String lake;

  @Option(
      names = "--catalog-uri",
      paramLabel = "URI",
      required = true,
      description = "thrift://HOST:PORT of the metastore.")
  private String catalogUri;

  @Option(
      names = "--database",
      paramLabel = "NAME",
      defaultValue = "millrace",
      description = "Database of the tables (default: ${DEFAULT-VALUE}).")
  private String database;

  @Option(
      names = "--older-than",
      paramLabel = "DURATION",
      description =
          "Of clean-generations: how long nobody was sent there, as '7 d'; longer than the longest"
              + " query, and than the longest backfill.")
  private String olderThan;

  @Option(names = "--delete", description = "Of clean-generations: remove what is listed.")
  private boolean delete;

  @Mixin private final S3Options s3 = new S3Options();

  private final PrintStream print;
  private final Map<String, String> environment;

  Partitions(PrintStream print, Map<String, String> environment) {
    this.print = print;
    this.environment = environment;
  }

  public static void main(String[] args) {
    PrintStream print = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.exit(Commands.run(new Partitions(print, System.getenv()), args));
  }

  @Override
  public Integer call() throws Exception {
    check();
    FileSystems.initialize(Configuration.fromMap(s3.access(environment).settings()));
    CatalogSpec spec = CatalogSpec.hive(catalogUri, database);
    try (Catalog catalog = spec.withDatabaseLocation(root() + "/").open()) {
      if (action.equals(CLEAN)) {
        clean(new Generations(new Path(root()), catalog));
        return CommandLine.ExitCode.OK;
      }
      List<Table> tables = survey(catalog);
      if (action.equals(LIST)) {
        list(tables);
      } else {
        repair(tables, catalog);
      }
    }
    return CommandLine.ExitCode.OK;
  }

  private void check() {
    if (!List.of(LIST, REPAIR, CLEAN).contains(action)) {
      throw new IllegalArgumentException(
          "'" + action + "' is not known, allowed are 'list', 'repair' and 'clean-generations'");
    }
    if (action.equals(CLEAN) != (olderThan != null) || (delete && !action.equals(CLEAN))) {
      throw new IllegalArgumentException(
          "clean-generations needs --older-than, and may have --delete; nothing else takes them");
    }
    if (olderThan != null) {
      lastUsedBefore();
    }
    s3.check(lake);
  }

  private Instant lastUsedBefore() {
    try {
      return Instant.now().minus(TimeUtils.parseDuration(olderThan));
    } catch (IllegalArgumentException | ArithmeticException | DateTimeException e) {
      throw new IllegalArgumentException(
          "--older-than is '" + olderThan + "', but must be a duration, as '7 d'", e);
    }
  }

  private void clean(Generations generations) throws IOException, CatalogException {
    List<Unused> all = generations.unused(LakeReader.TABLES, lastUsedBefore());
    List<List<String>> rows = new ArrayList<>();
    for (Unused unused : all) {
      String outcome = delete ? generations.remove(unused) ? "removed" : "in use again" : "unused";
      rows.add(
          List.of(
              unused.table().name(),
              unused.run(),
              unused.partition().path(),
              unused.lastUsed().truncatedTo(ChronoUnit.SECONDS).toString(),
              String.valueOf(unused.files()),
              String.valueOf(unused.bytes()),
              outcome));
    }
    TextTable.print(
        print,
        new Rows(
            List.of("table", "run", "partition", "last used", "files", "bytes", "outcome"), rows));
    print.printf(
        Locale.ROOT,
        "%,d partitions of former generations, %,d bytes%s%n",
        rows.size(),
        all.stream().mapToLong(Unused::bytes).sum(),
        delete || rows.isEmpty() ? "" : "; nothing was removed: --delete does");
  }

  private String root() {
    return lake.replaceAll("/+$", "");
  }

  /** A table and what was found of it, in the lake or the catalog. */
  private record Table(TableSchema schema, Path base, List<Found> found) {
    int count(Predicate<Found> what) {
      return (int) found.stream().filter(what).count();
    }
  }

  private List<Table> survey(Catalog catalog) throws IOException, CatalogException {
    List<Table> tables = new ArrayList<>();
    for (TableSchema schema : LakeReader.TABLES) {
      Path base = new Path(root(), schema.path());
      Repair repair = repairOf(schema, base, catalog);
      tables.add(new Table(schema, base, repair.survey()));
    }
    // A mistyped root must not become the location of new tables.
    if (tables.stream().allMatch(t -> t.count(f -> f.files() > 0) == 0)) {
      throw new IllegalArgumentException(
          "--lake is '" + lake + "', but no table of Millrace has a partition there");
    }
    return tables;
  }

  private Repair repairOf(TableSchema schema, Path base, Catalog catalog) {
    long[] shown = {System.nanoTime()};
    return new Repair(schema, base, base.toString(), catalog)
        .onProgress(
            seen -> {
              long now = System.nanoTime();
              if (now - shown[0] > TimeUnit.SECONDS.toNanos(1)) {
                shown[0] = now;
                print.printf(Locale.ROOT, "%-15s %,11d partitions read%n", schema.name(), seen);
              }
            });
  }

  private void list(List<Table> tables) {
    List<List<String>> rows = new ArrayList<>();
    for (Table table : tables) {
      for (Found found : table.found()) {
        rows.add(row(table.schema(), found));
      }
    }
    TextTable.print(
        print,
        new Rows(List.of("table", "partition", "files", "registered", "complete", "rows"), rows));
    int lacking = tables.stream().mapToInt(t -> t.count(f -> !f.registered() || !f.marked())).sum();
    print.printf(
        Locale.ROOT,
        "%,d partitions, %s%n",
        rows.size(),
        lacking == 0
            ? "the catalog tells all of them"
            : "the catalog lacks something of " + lacking + ": repair adds it");
  }

  private static List<String> row(TableSchema table, Found found) {
    @Nullable SuccessFile success = found.success().orElse(null);
    return List.of(
        table.name(),
        found.partition().path(),
        String.valueOf(found.files()),
        found.registered() ? "yes" : "no",
        success == null ? "no" : found.marked() ? "yes" : "not in the catalog",
        success == null ? "" : String.valueOf(success.rows()));
  }

  private void repair(List<Table> tables, Catalog catalog) throws IOException, CatalogException {
    List<List<String>> rows = new ArrayList<>();
    for (Table table : tables) {
      if (table.count(f -> f.files() > 0) > 0) {
        Report report = repairOf(table.schema(), table.base(), catalog).run();
        rows.add(
            List.of(
                table.schema().name(),
                String.valueOf(report.inLake()),
                String.valueOf(report.added().size()),
                String.valueOf(report.marked().size()),
                String.valueOf(report.withoutFiles().size())));
      }
    }
    TextTable.print(
        print, new Rows(List.of("table", "in lake", "added", "marked", "without files"), rows));
  }
}

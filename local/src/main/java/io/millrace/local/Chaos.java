package io.millrace.local;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Breaks the stack under a running job, and counts what is in the lake; see {@code --help}. */
@Command(
    name = "scripts/chaos",
    mixinStandardHelpOptions = true,
    description = {
      "Starts Kafka, S3, a Hive Metastore and a Flink cluster as processes, runs the engagement",
      "job under traffic once for each row, and breaks something meanwhile: kills processes, lets",
      "S3 fail, sends poison. At the end every event and every rejected record that the broker",
      "took must be in the lake, once, and the ledger must agree with the producer. Exits with 0",
      "only when all rows are right. A row takes two to ten minutes on a machine of two cores."
    },
    version = "Millrace 0.1.0",
    sortOptions = false)
public final class Chaos implements Callable<Integer> {
  @Option(
      names = "--row",
      paramLabel = "NAME",
      arity = "1..*",
      description = "The rows to run (default: all; with --short, the short ones).")
  private List<String> names = List.of();

  @Option(names = "--short", description = "Few rows, with fewer events and fewer faults.")
  private boolean brief;

  @Option(names = "--list", description = "Tell the rows, and run nothing.")
  private boolean list;

  @Option(
      names = "--events",
      paramLabel = "N",
      description = "Events of each row, over the row's own time (default: the row's).")
  private long events;

  @Option(
      names = "--seed",
      paramLabel = "S",
      defaultValue = "1",
      description = "Of the events, and of when and what fails (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Figures as ROW.json, and the servers' folders (default: target/chaos).")
  private Path out;

  @Option(
      names = "--docs",
      description = {
        "Write the figures of all rows that ran into --out to docs/reliability.md. Runs rows only",
        "when --row names them."
      })
  private boolean docs;

  private final PrintStream print;
  private final Path home;

  Chaos(PrintStream print, Path home) {
    this.print = print;
    this.home = home;
  }

  public static void main(String[] args) {
    PrintStream print = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.exit(Commands.run(new Chaos(print, Commands.home()), args));
  }

  @Override
  public Integer call() throws IOException {
    if (events < 0) {
      throw new IllegalArgumentException("--events is " + events + ", but must be at least 1");
    }
    List<ChaosRow> rows = rows();
    if (list) {
      rows.forEach(
          row ->
              print.printf(
                  Locale.ROOT, "%-16s %,9d  %s%n", row.label(), row.events(brief), row.title()));
      return 0;
    }
    Path folder =
        Files.createDirectories(out == null ? home.resolve("target").resolve("chaos") : out);
    boolean right = true;
    if (!docs || !names.isEmpty()) {
      List<ChaosResult> results = run(rows, folder);
      TextTable.print(print, ChaosResult.table(results));
      for (ChaosResult result : results) {
        if (!result.isRight()) {
          print.println(result.row() + ": " + result.problem());
        }
        right &= result.isRight() || result.skipped();
      }
      print.println(
          right
              ? "Nothing lost, nothing doubled: " + results.size() + " rows are right."
              : "Not every row is right.");
    }
    if (docs) {
      ChaosResult.writeDocs(
          home.resolve("docs").resolve("reliability.md"), ChaosResult.readAll(folder));
    }
    return right ? 0 : 1;
  }

  private List<ChaosRow> rows() {
    if (!names.isEmpty()) {
      return names.stream().map(ChaosRow::named).toList();
    }
    return Arrays.stream(ChaosRow.values()).filter(row -> !brief || row.isShort()).toList();
  }

  private List<ChaosResult> run(List<ChaosRow> rows, Path folder) throws IOException {
    List<ChaosResult> results = new ArrayList<>();
    try (ChaosStack stack = ChaosStack.start(folder.resolve("stack"), seed, print)) {
      for (List<ChaosRow> together : together(rows)) {
        together.forEach(row -> print.printf("%n%s: %s%n", row.label(), row.title()));
        List<CompletableFuture<ChaosResult>> running =
            together.stream()
                .map(row -> CompletableFuture.supplyAsync(() -> run(row, stack, folder), Chaos::go))
                .toList();
        for (CompletableFuture<ChaosResult> run : running) {
          ChaosResult result = run.join();
          result.write(folder);
          results.add(result);
          print.println(result.row() + ": " + result.happened());
        }
      }
    }
    return results;
  }

  private ChaosResult run(ChaosRow row, ChaosStack stack, Path folder) {
    long wanted = events == 0 ? row.events(brief) : events;
    return new ChaosRun(stack, row, brief, wanted, seed, print).run(folder);
  }

  private static void go(Runnable run) {
    new Thread(run, "chaos-row").start();
  }

  /** Rows one by one, but for those that leave the servers alone: two of them share the cluster. */
  private static List<List<ChaosRow>> together(List<ChaosRow> rows) {
    List<List<ChaosRow>> groups = new ArrayList<>();
    for (ChaosRow row : rows) {
      List<ChaosRow> last = groups.isEmpty() ? List.of() : groups.get(groups.size() - 1);
      if (last.size() == 1 && last.get(0).isTrafficOnly() && row.isTrafficOnly()) {
        last.add(row);
      } else {
        groups.add(new ArrayList<>(List.of(row)));
      }
    }
    return groups;
  }
}

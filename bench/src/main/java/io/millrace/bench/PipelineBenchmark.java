package io.millrace.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.local.LakeReader.Rows;
import io.millrace.local.TextTable;
import java.io.IOException;
import java.io.PrintStream;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.apache.flink.util.FileUtils;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** A pipeline over files of several lengths; see {@code --help}. */
@Command(
    name = "pipeline",
    mixinStandardHelpOptions = true,
    header = "The pipeline of staff over files of several lengths.",
    description = {
      "Makes files of the shape of the sample of staff (35 columns, 0.5 % outliers, 2 % gaps in"
          + " five",
      "columns) and runs jobs/pipelines/hr.yaml over each, in a JVM of its own. Time is that of",
      "reading and checking the pipeline, finding the types of columns, compiling and running it,",
      "without the start of the JVM and of Flink. Exits with 0 only when the rows that are left"
          + " are",
      "those that the generator meant to be left. Files and results are deleted."
    },
    sortOptions = false)
final class PipelineBenchmark implements Callable<Integer> {
  private static final String INPUT = "staff.csv";
  private static final int COLUMNS_LEFT = 32;

  @Option(
      names = "--rows",
      paramLabel = "N",
      split = ",",
      defaultValue = "1000,10000,50000,100000,500000",
      description = "Lengths of the files (default: ${DEFAULT-VALUE}).")
  private List<Long> lengths;

  @Option(
      names = "--runs",
      paramLabel = "N",
      defaultValue = "4",
      description = "How often each is run in its JVM (default: ${DEFAULT-VALUE}).")
  private int runs;

  @Option(
      names = "--heap",
      paramLabel = "SIZE",
      defaultValue = "1g",
      description = "The heap of the measured JVM (default: ${DEFAULT-VALUE}).")
  private String heap;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "42",
      description = "Another seed makes other rows (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      defaultValue = "csv",
      description = "What is written: csv, json or parquet (default: ${DEFAULT-VALUE}).")
  private String format;

  @Option(
      names = "--profile",
      description = "Record with Java Flight Recorder, and print the hottest methods of each run.")
  private boolean profile;

  private final PrintStream print;
  private final Path home;

  PipelineBenchmark(PrintStream print, Path home) {
    this.print = print;
    this.home = home;
  }

  @Override
  public Integer call() throws Exception {
    if (runs < 1 || lengths.stream().anyMatch(rows -> rows < 1)) {
      throw new IllegalArgumentException("--rows and --runs must be at least 1");
    }
    Path folder = home.resolve("target/bench-pipeline").toAbsolutePath().normalize();
    Bench.printJvm(print, flags());
    List<List<String>> table = new ArrayList<>();
    boolean right = true;
    try {
      for (long rows : lengths) {
        FileUtils.deleteDirectory(folder.toFile());
        Files.createDirectories(folder);
        StaffFile.Truth truth = StaffFile.write(folder.resolve(INPUT), rows, seed);
        print.printf(Locale.ROOT, "%,d rows, %,d MB%n", rows, truth.bytes() / 1_000_000);
        Properties figures = measure(folder);
        List<String> wrong = errors(truth, folder);
        wrong.forEach(error -> print.println("WRONG " + error));
        right &= wrong.isEmpty();
        table.add(row(rows, truth, figures, wrong.isEmpty()));
      }
    } finally {
      if (!profile) {
        FileUtils.deleteDirectory(folder.toFile());
      }
    }
    print.println();
    TextTable.print(
        print,
        new Rows(
            List.of(
                "rows",
                "first s",
                "then s",
                "of it compile s",
                "CPU s",
                "rows/s",
                "MB/s",
                "heap MB",
                "process MB",
                "outliers",
                "rows left",
                "right"),
            table));
    print.println(
        """
        first: the first run in its JVM, whose code is not compiled yet; then: the median of the others,
        from the YAML to the file that is written. compile: until the job is submitted, the types of
        the columns found. heap: most in use after a collection; process: most memory that the JVM
        ever had.\
        """);
    return right ? 0 : 1;
  }

  private List<String> row(long rows, StaffFile.Truth truth, Properties figures, boolean right) {
    int median = medianRun(figures);
    double seconds = number(figures, PipelineRun.of(median, "seconds"));
    return List.of(
        Long.toString(rows),
        decimal(2, number(figures, PipelineRun.of(1, "seconds"))),
        decimal(2, seconds),
        decimal(2, number(figures, PipelineRun.of(median, "compile"))),
        decimal(2, number(figures, PipelineRun.of(median, "cpu"))),
        decimal(0, rows / seconds),
        decimal(1, truth.bytes() / 1e6 / seconds),
        decimal(0, number(figures, PipelineRun.HEAP) / 1e6),
        decimal(0, number(figures, PipelineRun.RESIDENT) / 1e6),
        Long.toString(truth.outliers()),
        Long.toString(truth.kept()),
        right ? "yes" : "NO");
  }

  /** The run whose time is the median, the first one aside where there are others. */
  private int medianRun(Properties figures) {
    List<Integer> others = new ArrayList<>();
    for (int run = Math.min(2, runs); run <= runs; run++) {
      others.add(run);
    }
    others.sort(
        (a, b) ->
            Double.compare(
                number(figures, PipelineRun.of(a, "seconds")),
                number(figures, PipelineRun.of(b, "seconds"))));
    return others.get(others.size() / 2);
  }

  private static double number(Properties figures, String key) {
    return Double.parseDouble(figures.getProperty(key));
  }

  private List<String> flags() {
    List<String> flags = new ArrayList<>(Bench.flags());
    flags.removeIf(flag -> flag.startsWith("-Xmx"));
    flags.add("-Xmx" + heap);
    return flags;
  }

  private Properties measure(Path folder) throws IOException, InterruptedException {
    Properties plan = new Properties();
    plan.setProperty(PipelineRun.FILE, home.resolve("jobs/pipelines/hr.yaml").toString());
    plan.setProperty(PipelineRun.SETTINGS, "extract.file_path=" + INPUT + " save.format=" + format);
    plan.setProperty(PipelineRun.RUNS, Integer.toString(runs));
    try (Writer file =
        Files.newBufferedWriter(folder.resolve(PipelineRun.PLAN), StandardCharsets.UTF_8)) {
      plan.store(file, null);
    }
    List<String> flags = flags();
    flags.add("-Djava.io.tmpdir=" + Files.createDirectories(folder.resolve("tmp")));
    Properties figures = MeasuredJvm.run(PipelineRun.class, folder, flags, Map.of(), profile);
    if (profile) {
      HotMethods.print(print, folder.resolve(MeasuredJvm.RECORDING));
    }
    return figures;
  }

  /** What the last run did that it should not have; empty when all is right. */
  private List<String> errors(StaffFile.Truth truth, Path folder) throws IOException {
    JsonNode report = new ObjectMapper().readTree(Files.readString(folder.resolve("report.json")));
    List<String> errors = new ArrayList<>();
    for (JsonNode step : report.get("steps")) {
      switch (step.get("step_id").asText()) {
        case "extract" -> compare("rows read", truth.rows(), step.get("rows_out"), errors);
        case "quality" ->
            compare("duplicates", 0, step.at("/checks/duplicates/duplicate_rows"), errors);
        case "usual" -> compare("outliers", truth.outliers(), step.get("removed_outliers"), errors);
        case "save" -> compare("rows written", truth.kept(), step.get("rows_out"), errors);
        default -> {
          // Its figures follow from the others.
        }
      }
    }
    if (format.equals("csv")) {
      try (Stream<String> lines = Files.lines(folder.resolve("hr/processed/save.csv"))) {
        long[] seen = {0, 0};
        lines
            .skip(1)
            .forEach(
                line -> {
                  long number = Long.parseLong(line.substring(0, line.indexOf(',')));
                  boolean sound =
                      number > seen[1]
                          && line.chars().filter(c -> c == ',').count() == COLUMNS_LEFT - 1
                          && !line.contains(",,");
                  seen[0] += sound ? 1 : 0;
                  seen[1] = number;
                });
        if (seen[0] != truth.kept()) {
          errors.add("the file has " + seen[0] + " whole rows in order, expected " + truth.kept());
        }
      }
    }
    return errors;
  }

  private static void compare(String what, long expected, JsonNode found, List<String> errors) {
    if (found == null || !found.isNumber() || found.asLong() != expected) {
      errors.add(what + ": expected " + expected + ", found " + found);
    }
  }

  private static String decimal(int digits, double value) {
    return String.format(Locale.ROOT, "%." + digits + "f", value);
  }
}

package io.millrace.local;

import io.millrace.anomaly.DetectorOptions;
import io.millrace.anomaly.Floor;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import javax.annotation.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The anomaly detector over files of any series; see {@code --help}. */
@Command(
    name = "scripts/detect",
    mixinStandardHelpOptions = true,
    version = "Millrace 0.1.0",
    description = {
      "Looks for anomalies in the series of a CSV file with a header, or of all *.csv files below a",
      "folder, each row judged by the rows before it only. For every row, in order, it writes time,",
      "value, expected, score (0 to 1; 0.5 is as rare as once in 10,000 rows) and severity (none,",
      "warning, critical). A row whose time or value cannot be read keeps its place and has no",
      "score. docs/anomalies.md tells how values are judged."
    },
    sortOptions = false)
public final class Detect implements Callable<Integer> {
  @Option(
      names = "--input",
      paramLabel = "FILE|DIR",
      required = true,
      description = "A CSV file, or a folder of them.")
  private Path input;

  @Option(
      names = "--time",
      paramLabel = "COL",
      required = true,
      description = {
        "The column of the time: ISO 8601, 'yyyy-MM-dd HH:mm:ss', or epoch seconds or",
        "milliseconds; UTC where it names no zone."
      })
  private String time;

  @Option(
      names = "--value",
      paramLabel = "COL",
      required = true,
      description = "The column of the value, a number.")
  private String value;

  @Option(
      names = "--key",
      paramLabel = "COL",
      description = "A column that tells series apart; written first.")
  @Nullable
  private String key;

  @Option(
      names = "--out",
      paramLabel = "FILE|DIR",
      required = true,
      description = "The file to write, or the folder for files of the same names.")
  private Path out;

  @Option(
      names = "--min-samples",
      paramLabel = "N",
      defaultValue = "10",
      description = "Rows of a series before the first that is judged (default: ${DEFAULT-VALUE}).")
  private int minSamples;

  @Option(
      names = "--patience",
      paramLabel = "N",
      defaultValue = "48",
      description = {
        "Anomalous rows in a row after which the series is taken to have changed for good",
        "(default: ${DEFAULT-VALUE})."
      })
  private int patience;

  private final PrintStream print;

  Detect(PrintStream print) {
    this.print = print;
  }

  public static void main(String[] args) {
    System.exit(
        Commands.run(new Detect(new PrintStream(System.out, true, StandardCharsets.UTF_8)), args));
  }

  @Override
  public Integer call() throws IOException {
    SeriesFiles files =
        new SeriesFiles(
            time, value, key, DetectorOptions.with(Floor.NEGLIGIBLE).with(minSamples, patience));
    if (Files.isRegularFile(input)) {
      if (Files.isDirectory(out)) {
        throw new IllegalArgumentException(
            "--out is the folder '" + out + "', but must be a file, as --input is");
      }
      files.detect(input, out);
    } else if (Files.isDirectory(input)) {
      if (Files.exists(out) && !Files.isDirectory(out)) {
        throw new IllegalArgumentException(
            "--out is the file '" + out + "', but must be a folder, as --input is");
      }
      folder(files);
    } else {
      throw new IllegalArgumentException("--input is '" + input + "', which does not exist");
    }
    print.printf(
        "%,d rows of %,d series, %,d anomalous: %s%n",
        files.rows(), files.series(), files.anomalous(), out);
    return CommandLine.ExitCode.OK;
  }

  private void folder(SeriesFiles files) throws IOException {
    List<Path> found;
    try (Stream<Path> paths = Files.walk(input)) {
      found =
          paths
              .filter(Files::isRegularFile)
              .filter(path -> path.getFileName().toString().endsWith(".csv"))
              .filter(path -> !path.toAbsolutePath().startsWith(out.toAbsolutePath()))
              .sorted()
              .toList();
    }
    if (found.isEmpty()) {
      throw new IllegalArgumentException("--input is '" + input + "', which holds no *.csv file");
    }
    Progress progress = new Progress(print, "files", found.size());
    for (int i = 0; i < found.size(); i++) {
      files.detect(found.get(i), out.resolve(input.relativize(found.get(i))));
      progress.at(i + 1);
    }
  }
}

package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.anomaly.SeriesTime;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The files of scripts/detect, and its errors in one line. */
class DetectTest {
  @TempDir Path dir;

  /** What the command said and how it ended. */
  private record End(int code, String output, String errors) {}

  private static End run(String... args) {
    StringWriter errors = new StringWriter();
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    int code =
        Commands.run(
            new Detect(new PrintStream(output, true, StandardCharsets.UTF_8)),
            args,
            new PrintWriter(errors, true));
    return new End(code, output.toString(StandardCharsets.UTF_8), errors.toString());
  }

  private End detect(Path input, Path out, String... more) {
    return run(
        Stream.concat(
                Stream.of("--input", input.toString(), "--out", out.toString()), Stream.of(more))
            .toArray(String[]::new));
  }

  private static String minute(int row) {
    return LocalDateTime.of(2026, 1, 1, 0, 0)
        .plusMinutes(5L * row)
        .format(DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT));
  }

  /** A noisy level with one spike. */
  private static String series(int rows, int spike) {
    Random random = new Random(5);
    StringBuilder csv = new StringBuilder("timestamp,value\n");
    for (int i = 0; i < rows; i++) {
      double value = 10 + random.nextGaussian() + (i == spike ? 50 : 0);
      csv.append(minute(i)).append(String.format(Locale.ROOT, ",%.3f%n", value));
    }
    return csv.toString();
  }

  @Test
  void everyRowIsWrittenInOrder() throws IOException {
    Path in = Files.writeString(dir.resolve("in.csv"), series(300, 250));
    Path out = dir.resolve("new/out.csv");
    End end = detect(in, out, "--time", "timestamp", "--value", "value");
    assertThat(end.errors()).isEmpty();
    assertThat(end.output()).isEqualTo("300 rows of 1 series, 1 anomalous: " + out + "\n");
    assertThat(end.code()).isZero();
    List<String> lines = Files.readAllLines(out);
    List<String> given = Files.readAllLines(in);
    assertThat(lines).hasSize(301);
    assertThat(lines.get(0)).isEqualTo("time,value,expected,score,severity");
    for (int i = 1; i <= 300; i++) {
      assertThat(lines.get(i)).startsWith(given.get(i) + ",");
    }
    assertThat(lines.get(1)).endsWith(",,0.000000,none");
    String[] spike = lines.get(251).split(",", -1);
    assertThat(Double.parseDouble(spike[2])).isBetween(8.0, 12.0);
    assertThat(Double.parseDouble(spike[3])).isBetween(0.5, 1.0);
    assertThat(spike[4]).isEqualTo("critical");
    assertThat(lines.stream().filter(l -> l.endsWith(",none")).count()).isEqualTo(299);
    try (Stream<Path> files = Files.list(out.getParent())) {
      assertThat(files).containsExactly(out);
    }
  }

  @Test
  void noRowIsLookedAtBeforeItsTime() throws IOException {
    Path whole = Files.writeString(dir.resolve("whole.csv"), series(300, 250));
    Path part = Files.writeString(dir.resolve("part.csv"), series(200, 250));
    detect(whole, dir.resolve("a"), "--time", "timestamp", "--value", "value");
    detect(part, dir.resolve("b"), "--time", "timestamp", "--value", "value");
    assertThat(Files.readAllLines(dir.resolve("a")).subList(0, 201))
        .isEqualTo(Files.readAllLines(dir.resolve("b")));
  }

  @Test
  void aFolderKeepsItsNames() throws IOException {
    Files.createDirectories(dir.resolve("in/deep"));
    Files.writeString(dir.resolve("in/a.csv"), series(100, 90));
    Files.writeString(dir.resolve("in/deep/b.csv"), series(50, 60));
    Files.writeString(dir.resolve("in/notes.txt"), "not a series");
    End end =
        detect(dir.resolve("in"), dir.resolve("out"), "--time", "timestamp", "--value", "value");
    assertThat(end.output()).startsWith("150 rows of 2 series, 1 anomalous");
    assertThat(Files.readAllLines(dir.resolve("out/a.csv"))).hasSize(101);
    assertThat(Files.readAllLines(dir.resolve("out/deep/b.csv"))).hasSize(51);
    assertThat(dir.resolve("out/notes.txt")).doesNotExist();
  }

  @Test
  void aKeyTellsSeriesApart() throws IOException {
    Path alone = Files.writeString(dir.resolve("alone.csv"), series(200, 150));
    List<String> rows = Files.readAllLines(alone);
    StringBuilder both = new StringBuilder("host,timestamp,value\n");
    for (int i = 1; i <= 200; i++) {
      both.append("a,").append(rows.get(i)).append('\n');
      both.append("\"b, 1\",").append(minute(i)).append(",7\n");
    }
    Path in = Files.writeString(dir.resolve("both.csv"), both);
    End end =
        detect(in, dir.resolve("k"), "--key", "host", "--time", "timestamp", "--value", "value");
    assertThat(end.output()).startsWith("400 rows of 2 series, 1 anomalous");
    detect(alone, dir.resolve("s"), "--time", "timestamp", "--value", "value");
    List<String> keyed = Files.readAllLines(dir.resolve("k"));
    assertThat(keyed.get(0)).isEqualTo("host,time,value,expected,score,severity");
    assertThat(keyed.stream().filter(l -> l.startsWith("a,")).map(l -> l.substring(2)))
        .containsExactlyElementsOf(Files.readAllLines(dir.resolve("s")).subList(1, 201));
    assertThat(keyed.get(2)).startsWith("\"b, 1\",2026-01-01 00:05:00,7,");
  }

  @Test
  void aRowThatCannotBeReadKeepsItsPlace() throws IOException {
    Path in =
        Files.writeString(
            dir.resolve("in.csv"),
            "\uFEFFt,v,x\n1767225600,1,\n1767225660,n/a,\nnever,2,\n1767225780\n1767225840,3,\n");
    End end = detect(in, dir.resolve("out.csv"), "--time", "t", "--value", "v");
    assertThat(end.errors()).isEmpty();
    assertThat(Files.readAllLines(dir.resolve("out.csv")))
        .containsExactly(
            "time,value,expected,score,severity",
            "1767225600,1,,0.000000,none",
            "1767225660,n/a,,,",
            "never,2,,,",
            "1767225780,,,,",
            "1767225840,3,1.0,0.000000,none");
  }

  @ParameterizedTest
  @CsvSource({
    "2026-01-01T00:00:00Z, 1767225600000",
    "2026-01-01T01:00:00+01:00, 1767225600000",
    "2026-01-01 00:00:00, 1767225600000",
    "2026-01-01 00:00:00.250000, 1767225600250",
    "2026-01-01T00:00, 1767225600000",
    "2026-01-01 0:00:00, 1767225600000",
    "2026-01-01, 1767225600000",
    "1767225600, 1767225600000",
    "1767225600.5, 1767225600500",
    "1767225600123, 1767225600123",
    "yesterday, ",
    "2026-13-01, ",
    "'', "
  })
  void timesOfEveryFormAreRead(String text, Long expected) {
    assertThat(SeriesTime.parse(text)).isEqualTo(expected);
  }

  @Test
  void whatIsWrongIsToldInALine() throws IOException {
    Path in = Files.writeString(dir.resolve("in.csv"), "t,v\n1,2\n");
    Path empty = Files.writeString(dir.resolve("empty.csv"), "");
    Path folder = Files.createDirectory(dir.resolve("folder"));
    Path out = dir.resolve("out");
    assertLine(
        detect(in, out, "--time", "time", "--value", "v"),
        "--time is 'time', but " + in + " has the columns t, v");
    assertLine(
        detect(in, out, "--time", "t", "--value", "value"),
        "--value is 'value', but " + in + " has the columns t, v");
    assertLine(
        detect(in, out, "--time", "t", "--value", "v", "--key", "k"),
        "--key is 'k', but " + in + " has the columns t, v");
    assertLine(
        detect(empty, out, "--time", "t", "--value", "v"),
        empty + " is empty, but must start with a header");
    assertLine(
        detect(dir.resolve("nowhere"), out, "--time", "t", "--value", "v"),
        "--input is '" + dir.resolve("nowhere") + "', which does not exist");
    assertLine(
        detect(folder, out, "--time", "t", "--value", "v"),
        "--input is '" + folder + "', which holds no *.csv file");
    assertLine(
        detect(in, folder, "--time", "t", "--value", "v"),
        "--out is the folder '" + folder + "', but must be a file, as --input is");
    assertLine(
        detect(folder, in, "--time", "t", "--value", "v"),
        "--out is the file '" + in + "', but must be a folder, as --input is");
    assertLine(
        detect(in, out, "--time", "t", "--value", "v", "--patience", "0"),
        "patience must be at least 1, was 0");
    assertThat(run("--input", in.toString()).errors())
        .startsWith("scripts/detect: Missing required option");
    assertThat(out).doesNotExist();
  }

  private static void assertLine(End end, String message) {
    assertThat(end.errors()).isEqualTo("scripts/detect: " + message + "\n");
    assertThat(end.code()).isEqualTo(2);
  }
}

package io.millrace.local;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.SequenceWriter;
import com.fasterxml.jackson.dataformat.csv.CsvGenerator;
import com.fasterxml.jackson.dataformat.csv.CsvMapper;
import com.fasterxml.jackson.dataformat.csv.CsvParser;
import com.fasterxml.jackson.dataformat.csv.CsvSchema;
import io.millrace.anomaly.Detector;
import io.millrace.anomaly.DetectorOptions;
import io.millrace.anomaly.SeriesTime;
import io.millrace.anomaly.Verdict;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.Writer;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.annotation.Nullable;

/** Runs the detector over CSV files, each of which has its own series. */
final class SeriesFiles {
  private static final CsvMapper CSV =
      CsvMapper.builder()
          .enable(CsvParser.Feature.WRAP_AS_ARRAY)
          .enable(CsvParser.Feature.TRIM_SPACES)
          .enable(CsvParser.Feature.SKIP_EMPTY_LINES)
          .enable(CsvGenerator.Feature.STRICT_CHECK_FOR_QUOTING)
          .build();
  private static final ObjectReader ROWS = CSV.readerFor(String[].class);
  private static final ObjectWriter OUTPUT =
      CSV.writer(CsvSchema.emptySchema()).without(JsonGenerator.Feature.AUTO_CLOSE_TARGET);

  private final String time;
  private final String value;
  @Nullable private final String key;
  private final DetectorOptions options;
  private long rows;
  private long series;
  private long anomalous;

  SeriesFiles(String time, String value, @Nullable String key, DetectorOptions options) {
    this.time = time;
    this.value = value;
    this.key = key;
    this.options = options;
  }

  /** Judges every row of a file; the output is there as a whole or not at all. */
  void detect(Path input, Path output) throws IOException {
    Path folder = output.toAbsolutePath().getParent();
    Files.createDirectories(folder);
    Path partial = Files.createTempFile(folder, "." + output.getFileName(), ".partial");
    try {
      try (Reader reader =
              new InputStreamReader(Files.newInputStream(input), StandardCharsets.UTF_8);
          MappingIterator<String[]> in = ROWS.readValues(reader);
          Writer writer = Files.newBufferedWriter(partial, StandardCharsets.UTF_8);
          SequenceWriter out = OUTPUT.writeValues(writer)) {
        detect(input, in, out);
      } catch (JsonProcessingException e) {
        throw new IllegalArgumentException(
            input + " is not CSV: " + e.getOriginalMessage().lines().findFirst().orElse(""), e);
      }
      Files.move(partial, output, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(partial);
    }
  }

  private void detect(Path input, MappingIterator<String[]> in, SequenceWriter out)
      throws IOException {
    if (!in.hasNextValue()) {
      throw new IllegalArgumentException(input + " is empty, but must start with a header");
    }
    String[] header = in.nextValue();
    if (header[0].startsWith("\uFEFF")) {
      header[0] = header[0].substring(1);
    }
    int timeAt = column(input, header, "--time", time);
    int valueAt = column(input, header, "--value", value);
    int keyAt = key == null ? -1 : column(input, header, "--key", key);
    List<String> names = new ArrayList<>();
    if (key != null) {
      names.add(key);
    }
    names.addAll(List.of("time", "value", "expected", "score", "severity"));
    out.write(names.toArray(new String[0]));
    Map<String, Detector> detectors = new HashMap<>();
    while (in.hasNextValue()) {
      String[] row = in.nextValue();
      String name = keyAt < 0 ? "" : cell(row, keyAt);
      Detector detector = detectors.computeIfAbsent(name, n -> new Detector(options));
      List<String> line = new ArrayList<>(names.size());
      if (keyAt >= 0) {
        line.add(name);
      }
      judge(detector, cell(row, timeAt), cell(row, valueAt), line);
      out.write(line.toArray(new String[0]));
      rows++;
    }
    series += detectors.size();
  }

  private void judge(Detector detector, String timeText, String valueText, List<String> line) {
    line.add(timeText);
    line.add(valueText);
    Long at = SeriesTime.parse(timeText);
    double number = number(valueText);
    if (at == null || Double.isNaN(number)) {
      line.addAll(List.of("", "", ""));
      return;
    }
    Verdict verdict = detector.observe(at, number);
    anomalous += verdict.anomalous() ? 1 : 0;
    line.add(Double.isNaN(verdict.expected()) ? "" : rounded(verdict.expected()));
    line.add(String.format(Locale.ROOT, "%.6f", verdict.score()));
    line.add(verdict.severity().code());
  }

  /** Seven digits: an expectation is not known better. */
  private static String rounded(double number) {
    return Double.toString(new BigDecimal(number).round(new MathContext(7)).doubleValue());
  }

  private static double number(String text) {
    try {
      double number = Double.parseDouble(text);
      return Double.isInfinite(number) ? Double.NaN : number;
    } catch (NumberFormatException e) {
      return Double.NaN;
    }
  }

  private static String cell(String[] row, int column) {
    return column < row.length && row[column] != null ? row[column] : "";
  }

  private static int column(Path input, String[] header, String option, String name) {
    int at = Arrays.asList(header).indexOf(name);
    if (at < 0) {
      throw new IllegalArgumentException(
          option
              + " is '"
              + name
              + "', but "
              + input
              + " has the columns "
              + String.join(", ", header));
    }
    return at;
  }

  long rows() {
    return rows;
  }

  long series() {
    return series;
  }

  long anomalous() {
    return anomalous;
  }
}

package io.millrace.local;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.millrace.local.LakeReader.Rows;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * The figures of one row of the fault suite.
 *
 * @param row its name
 * @param day on which it ran, UTC
 * @param machine on which it ran
 * @param records that were sent
 * @param events different valid ones among them
 * @param lost events and dead letters that were sent and are not in the lake
 * @param doubled rows of events and of dead letters beyond the first of each
 * @param deadLetters in the lake
 * @param restarts of the job by Flink
 * @param recoveries seconds from each fault, or from its end when it lasts, to the next complete
 *     checkpoint
 * @param wallSeconds from the first record to the last commit
 * @param happened what was done to it, and what was counted meanwhile
 * @param problem what is wrong, or why it was skipped; empty when it is right
 * @param skipped whether this machine cannot do it
 */
record ChaosResult(
    String row,
    String day,
    String machine,
    long records,
    long events,
    long lost,
    long doubled,
    long deadLetters,
    long restarts,
    List<Double> recoveries,
    double wallSeconds,
    String happened,
    String problem,
    boolean skipped) {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
  private static final List<String> COLUMNS =
      List.of(
          "row",
          "events",
          "lost",
          "doubled",
          "dead letters",
          "restarts",
          "recovery s",
          "wall s",
          "result");
  private static final String BEGIN = "<!-- figures: written by scripts/chaos --docs -->";
  private static final String END = "<!-- end of figures -->";

  boolean isRight() {
    return problem.isEmpty();
  }

  void write(Path folder) throws IOException {
    JSON.writeValue(Files.createDirectories(folder).resolve(row + ".json").toFile(), this);
  }

  /** What former runs have left in a folder, in the order of the suite. */
  static List<ChaosResult> readAll(Path folder) {
    return Arrays.stream(ChaosRow.values())
        .map(row -> read(folder.resolve(row.label() + ".json")))
        .filter(Objects::nonNull)
        .toList();
  }

  private static ChaosResult read(Path file) {
    try {
      return JSON.readValue(Files.readAllBytes(file), ChaosResult.class);
    } catch (NoSuchFileException e) {
      return null;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    }
  }

  /** A table of results, for a terminal. */
  static Rows table(List<ChaosResult> results) {
    return new Rows(COLUMNS, results.stream().map(ChaosResult::cells).toList());
  }

  private List<String> cells() {
    if (skipped) {
      return List.of(row, "", "", "", "", "", "", "", "skipped");
    }
    return List.of(
        row,
        Long.toString(events),
        Long.toString(lost),
        Long.toString(doubled),
        Long.toString(deadLetters),
        Long.toString(restarts),
        recovery(),
        String.format(Locale.ROOT, "%.0f", wallSeconds),
        isRight() ? "right" : "WRONG");
  }

  /** Median and longest. */
  private String recovery() {
    if (recoveries.isEmpty()) {
      return "";
    }
    List<Double> sorted = recoveries.stream().sorted().toList();
    int size = sorted.size();
    double median = (sorted.get((size - 1) / 2) + sorted.get(size / 2)) / 2;
    double longest = sorted.get(size - 1);
    return size == 1
        ? String.format(Locale.ROOT, "%.1f", longest)
        : String.format(Locale.ROOT, "%.1f to %.1f", median, longest);
  }

  /** Writes the figures of all results between the marks of a page. */
  static void writeDocs(Path page, List<ChaosResult> results) throws IOException {
    String text = Files.readString(page);
    int begin = text.indexOf(BEGIN);
    int end = text.indexOf(END);
    if (begin < 0 || end < begin) {
      throw new CommandFailure(page + " has no lines '" + BEGIN + "' and '" + END + "'");
    }
    Files.writeString(
        page, text.substring(0, begin + BEGIN.length()) + markdown(results) + text.substring(end));
  }

  private static String markdown(List<ChaosResult> results) {
    List<String> lines = new ArrayList<>();
    lines.add("");
    lines.add("");
    lines.add("| row | " + String.join(" | ", COLUMNS.subList(1, COLUMNS.size() - 1)) + " | day |");
    lines.add("|---|" + "---:|".repeat(COLUMNS.size() - 2) + "---|");
    for (ChaosResult result : results) {
      List<String> cells = new ArrayList<>(result.cells());
      cells.set(
          0, "[" + result.row + "](#" + result.row + ")" + (result.isRight() ? "" : " **wrong**"));
      cells.set(cells.size() - 1, result.day);
      lines.add("| " + String.join(" | ", cells) + " |");
    }
    lines.add("");
    for (ChaosResult result : results) {
      lines.add("#### " + result.row);
      lines.add("");
      lines.add(ChaosRow.named(result.row).title() + ". " + result.happened);
      if (!result.problem.isEmpty()) {
        lines.add("");
        lines.add((result.skipped ? "Skipped: " : "Wrong: ") + result.problem);
      }
      lines.add("");
    }
    lines.add(
        "Machine: "
            + String.join("; ", results.stream().map(ChaosResult::machine).distinct().toList())
            + ".");
    lines.add("");
    return String.join("\n", lines) + "\n";
  }
}

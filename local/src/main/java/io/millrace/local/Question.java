package io.millrace.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A file of {@code sql/queries}: its first line is a comment, the question in plain words; further
 * comment lines say how to read the answer; then comes the query. A line {@code -- chart: bars of
 * installs, users by country} names the columns that a report draws.
 *
 * @param name the file's name without its ending
 * @param charts a chart each; empty for a table alone
 */
public record Question(String name, String text, String note, String sql, List<Chart> charts) {
  private static final Pattern CHART =
      Pattern.compile("chart: (bars|columns|lines) of (\\w+(?:, \\w+)*) by (\\w+)");

  /** How an answer is shown. */
  public enum Kind {
    /** The single row's values as figures. */
    TILES,
    /** A bar for each name, the first on top. */
    BARS,
    /** A column for each time. */
    COLUMNS,
    /** A line over time. */
    LINES
  }

  /** A column of the answer, drawn by another; both are empty for tiles. */
  public record Chart(Kind kind, String value, String category) {}

  public Question {
    charts = List.copyOf(charts);
  }

  /** Every question of a folder, in the order of their names. */
  public static List<Question> all(Path folder) throws IOException {
    List<Question> questions = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".sql")).sorted().toList()) {
        String name = file.getFileName().toString().replaceFirst("\\.sql$", "");
        questions.add(parse(name, Files.readString(file)));
      }
    }
    return questions;
  }

  static Question parse(String name, String content) {
    List<String> lines = content.lines().toList();
    List<String> comments =
        lines.stream().takeWhile(l -> l.startsWith("--")).map(l -> l.substring(2).strip()).toList();
    if (comments.isEmpty()) {
      throw new IllegalArgumentException(
          name
              + ".sql begins with '"
              + lines.get(0)
              + "', but must begin with -- and its question");
    }
    List<Chart> charts = new ArrayList<>();
    List<String> note = new ArrayList<>();
    for (String comment : comments.subList(1, comments.size())) {
      if (comment.startsWith("chart:")) {
        charts.addAll(charts(name, comment));
      } else {
        note.add(comment);
      }
    }
    String sql = String.join("\n", lines.subList(comments.size(), lines.size())).strip();
    return new Question(name, comments.get(0), String.join(" ", note), sql, charts);
  }

  private static List<Chart> charts(String name, String comment) {
    if (comment.equals("chart: tiles")) {
      return List.of(new Chart(Kind.TILES, "", ""));
    }
    Matcher chart = CHART.matcher(comment);
    if (!chart.matches()) {
      throw new IllegalArgumentException(
          name
              + ".sql says '"
              + comment
              + "', but must say chart: tiles, or chart: bars|columns|lines of COLUMN, ... by COLUMN");
    }
    Kind kind = Kind.valueOf(chart.group(1).toUpperCase(Locale.ROOT));
    return Stream.of(chart.group(2).split(", "))
        .map(value -> new Chart(kind, value, chart.group(3)))
        .toList();
  }
}

package io.millrace.local;

import io.millrace.local.LakeReader.Rows;
import io.millrace.pipeline.RunReport;
import io.millrace.pipeline.RunReport.StepReport;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Prints what a run of a pipeline did, for a person. */
final class PipelineReport {
  private static final int LONGEST_FIGURE = 60;

  private PipelineReport() {}

  /** A line per step with what it counted, and how the run ended. */
  static void print(PrintStream print, RunReport report) {
    List<List<String>> rows = new ArrayList<>();
    for (StepReport step : report.steps()) {
      rows.add(
          List.of(
              step.stepId(),
              step.service(),
              step.status().name().toLowerCase(Locale.ROOT),
              String.valueOf(step.rowsIn()),
              String.valueOf(step.rowsOut()),
              String.format(Locale.ROOT, "%.1f", step.durationSeconds()),
              figures(step.figures())));
    }
    TextTable.print(
        print,
        new Rows(
            List.of("step", "service", "status", "rows in", "rows out", "seconds", "figures"),
            rows));
    String ended =
        switch (report.status()) {
          case COMPLETED -> "Completed";
          case STOPPED -> "Stopped";
          case QUALITY_FAILED -> "Quality gate failed";
          case FAILED -> "Failed";
        };
    print.printf(
        Locale.ROOT, "%s after %.1f s, run %s%n", ended, report.durationSeconds(), report.runId());
    if (report.savepoint() != null) {
      print.printf("To go on: --from %s%n", report.savepoint());
    }
  }

  /** Short ones only: a whole quality report is for the file. */
  private static String figures(Map<String, Object> figures) {
    return figures.entrySet().stream()
        .filter(figure -> !(figure.getValue() instanceof Iterable))
        .filter(figure -> !(figure.getValue() instanceof Map))
        .map(figure -> figure.getKey() + " " + figure.getValue())
        .filter(text -> text.length() <= LONGEST_FIGURE || text.startsWith("output_file "))
        .collect(Collectors.joining(", "));
  }
}

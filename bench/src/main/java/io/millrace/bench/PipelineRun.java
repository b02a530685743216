package io.millrace.bench;

import io.millrace.bench.JvmWatch.Reading;
import io.millrace.pipeline.EmbeddedCluster;
import io.millrace.pipeline.PipelineCheck;
import io.millrace.pipeline.PipelineCompiler.Compilation;
import io.millrace.pipeline.PipelineFile;
import io.millrace.pipeline.PipelineParser;
import io.millrace.pipeline.PipelineRunner;
import io.millrace.pipeline.PipelineValidator;
import io.millrace.pipeline.PipelineValidator.Validation;
import io.millrace.pipeline.RunReport;
import io.millrace.pipeline.StandardCatalog;
import io.millrace.transform.Catalog;
import io.millrace.transform.DataRoot;
import java.io.Reader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;

/** A pipeline in a JVM of its own, as scripts/pipeline runs it, once or several times. */
final class PipelineRun {
  static final String PLAN = "plan.properties";
  static final String FILE = "file";
  static final String SETTINGS = "settings";
  static final String RUNS = "runs";
  static final String START = "start-seconds";
  static final String RESIDENT = "resident-bytes";
  static final String HEAP = "heap-bytes";

  private PipelineRun() {}

  /** The key of a figure of a run. */
  static String of(int run, String figure) {
    return "run." + run + "." + figure;
  }

  /**
   * Runs what the plan in a folder says, which is also the data root; figures and the last run's
   * report stay there.
   */
  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args[0]);
    Properties plan = new Properties();
    try (Reader in = Files.newBufferedReader(folder.resolve(PLAN), StandardCharsets.UTF_8)) {
      plan.load(in);
    }
    JvmWatch watch = new JvmWatch();
    Properties figures = new Properties();
    long begin = System.nanoTime();
    try (EmbeddedCluster cluster =
        EmbeddedCluster.start(Runtime.getRuntime().availableProcessors())) {
      figures.setProperty(START, seconds(begin, System.nanoTime()));
      int runs = Integer.parseInt(plan.getProperty(RUNS));
      for (int run = 1; run <= runs; run++) {
        Reading before = watch.read();
        PipelineFile file =
            PipelineParser.read(
                Path.of(plan.getProperty(FILE)), List.of(plan.getProperty(SETTINGS).split(" ")));
        Catalog catalog = StandardCatalog.standard();
        Validation validation = PipelineValidator.validate(file, catalog);
        Compilation compilation =
            PipelineCheck.compile(
                file,
                validation,
                catalog,
                cluster.environment(validation.bounded()),
                DataRoot.at(folder));
        Reading compiled = watch.read();
        RunReport report = PipelineRunner.run(compilation, (step, rows, done) -> {});
        Reading after = watch.read();
        if (report.error() != null) {
          throw new IllegalStateException(report.error());
        }
        figures.setProperty(of(run, "compile"), seconds(before.nanos(), compiled.nanos()));
        figures.setProperty(of(run, "seconds"), seconds(before.nanos(), after.nanos()));
        figures.setProperty(of(run, "cpu"), seconds(before.cpuNanos(), after.cpuNanos()));
        Files.writeString(folder.resolve("report.json"), report.toJson());
      }
    }
    figures.setProperty(RESIDENT, Long.toString(JvmWatch.mostResident()));
    figures.setProperty(HEAP, Long.toString(watch.mostHeapAfterGc()));
    try (Writer out =
        Files.newBufferedWriter(folder.resolve(MeasuredJvm.FIGURES), StandardCharsets.UTF_8)) {
      figures.store(out, null);
    }
    System.exit(0);
  }

  private static String seconds(long from, long to) {
    return Double.toString((to - from) / 1e9);
  }
}

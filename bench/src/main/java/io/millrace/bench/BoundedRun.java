package io.millrace.bench;

import io.millrace.job.engagement.EngagementConfig;
import io.millrace.job.engagement.EngagementJob;
import io.millrace.local.FlinkCluster;
import java.io.Reader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Properties;
import java.util.stream.Collectors;
import org.apache.flink.api.common.JobID;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** The job in bounded mode, in a JVM that has the memory of one TaskManager and no more. */
final class BoundedRun {
  static final String PLAN = "plan.properties";
  static final String FLINK = "flink.";
  static final String SECONDS = "seconds";
  static final String RESIDENT = "resident-bytes";
  static final String HEAP = "heap-bytes";

  private static final Duration PATIENCE = Duration.ofHours(6);
  private static final int PARALLELISM = 2;

  private BoundedRun() {}

  /** Runs the job over the folder's {@code input} into its {@code lake}; figures stay there. */
  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args[0]);
    Properties plan = new Properties();
    try (Reader in = Files.newBufferedReader(folder.resolve(PLAN), StandardCharsets.UTF_8)) {
      plan.load(in);
    }
    JvmWatch watch = new JvmWatch();
    Properties figures = new Properties();
    try (FlinkCluster flink =
        FlinkCluster.start(
            folder.resolve("flink"),
            1,
            PARALLELISM,
            plan.stringPropertyNames().stream()
                .filter(key -> key.startsWith(FLINK))
                .collect(Collectors.toMap(k -> k.substring(FLINK.length()), plan::getProperty)))) {
      EngagementConfig config =
          EngagementConfig.parse(
              new String[] {
                "--source", "files",
                "--input", folder.resolve("input").toUri().toString(),
                "--lake.root", folder.resolve("lake").toUri().toString(),
                "--lake.raw", "false",
                "--lake.writer-memory", "32 mb"
              });
      StreamExecutionEnvironment env = flink.environment();
      env.configure(EngagementJob.flinkSettings(config));
      EngagementJob.build(env, config);
      long begin = System.nanoTime();
      JobID job = flink.submit(env);
      flink.waitUntilFinished(job, PATIENCE);
      figures.setProperty(SECONDS, Double.toString((System.nanoTime() - begin) / 1e9));
    }
    figures.setProperty(RESIDENT, Long.toString(JvmWatch.mostResident()));
    figures.setProperty(HEAP, Long.toString(watch.mostHeapAfterGc()));
    try (Writer out =
        Files.newBufferedWriter(folder.resolve(MeasuredJvm.FIGURES), StandardCharsets.UTF_8)) {
      figures.store(out, null);
    }
    System.exit(0);
  }
}

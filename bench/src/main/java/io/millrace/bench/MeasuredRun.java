package io.millrace.bench;

import io.millrace.bench.JvmWatch.Reading;
import io.millrace.job.engagement.EngagementConfig;
import io.millrace.job.engagement.EngagementJob;
import io.millrace.local.Await;
import io.millrace.local.FlinkCluster;
import io.millrace.telemetry.Metrics;
import java.io.Reader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;
import org.apache.flink.api.common.JobID;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * One variant in a JVM of its own, so that nothing but Flink is in its CPU time and no earlier run
 * has compiled its code.
 */
final class MeasuredRun {
  static final String PLAN = "plan.properties";
  static final String VARIANT = "variant";
  static final String EVENTS = "events";
  static final String JOB = "job.";
  static final String FLINK = "flink.";

  private static final Duration PATIENCE = Duration.ofHours(2);
  // Looking costs CPU time of the measured JVM: metrics of all operators, CPU time of all threads.
  private static final long LOOK_NANOS = Duration.ofMillis(500).toNanos();
  private static final int PARALLELISM = 2;
  private static final double STEADY_FROM = 0.2;
  private static final double STEADY_TO = 0.9;

  private final JvmWatch watch = new JvmWatch();
  private final long events;
  private long looked = System.nanoTime();
  private Mark first;
  private Mark steadyFrom;
  private Mark steadyTo;
  private Mark last;

  private record Mark(long received, Reading reading) {}

  private MeasuredRun(long events) {
    this.events = events;
  }

  /** Runs the plan in a folder, and leaves the figures there. */
  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args[0]);
    Properties plan = new Properties();
    try (Reader in = Files.newBufferedReader(folder.resolve(PLAN), StandardCharsets.UTF_8)) {
      plan.load(in);
    }
    MeasuredRun run = new MeasuredRun(Long.parseLong(plan.getProperty(EVENTS)));
    Figures figures = run.measure(folder, plan);
    try (Writer out =
        Files.newBufferedWriter(folder.resolve(MeasuredJvm.FIGURES), StandardCharsets.UTF_8)) {
      figures.toProperties().store(out, null);
    }
    System.exit(0);
  }

  private Figures measure(Path folder, Properties plan) {
    Variant variant = Variant.valueOf(plan.getProperty(VARIANT));
    List<String> arguments = new ArrayList<>();
    below(JOB, plan)
        .forEach(
            (key, value) -> {
              arguments.add("--" + key);
              arguments.add(value);
            });
    EngagementConfig config = EngagementConfig.parse(arguments.toArray(new String[0]));
    try (FlinkCluster flink =
        FlinkCluster.start(folder.resolve("flink"), 1, PARALLELISM, below(FLINK, plan))) {
      StreamExecutionEnvironment env = flink.environment();
      env.configure(EngagementJob.flinkSettings(config));
      variant.build(env, config);
      JobID job = flink.submit(env);
      Await.until(() -> "the end of the job", PATIENCE, () -> sample(flink, job));
      flink.waitUntilFinished(job, Duration.ofMinutes(1));
      return figures(flink, job, watch.read());
    }
  }

  /** Notes where the job is; true at its end. */
  private boolean sample(FlinkCluster flink, JobID job) {
    if (System.nanoTime() - looked < LOOK_NANOS) {
      return false;
    }
    looked = System.nanoTime();
    long received = count(flink, job, Metrics.RECEIVED);
    if (last == null && received > 0) {
      Mark now = new Mark(received, watch.read());
      first = first == null ? now : first;
      steadyFrom = steadyFrom == null && received >= STEADY_FROM * events ? now : steadyFrom;
      steadyTo = steadyTo == null && received >= STEADY_TO * events ? now : steadyTo;
      last = received >= events ? now : null;
    }
    return flink.status(job).isGloballyTerminalState();
  }

  private Figures figures(FlinkCluster flink, JobID job, Reading end) {
    if (last == null) {
      throw new IllegalStateException(
          "only " + count(flink, job, Metrics.RECEIVED) + " of " + events + " records came");
    }
    return new Figures(
        Figures.Stretch.between(
            steadyFrom.reading(), steadyTo.reading(), steadyTo.received() - steadyFrom.received()),
        Figures.Stretch.between(
            first.reading(), last.reading(), last.received() - first.received()),
        Figures.Stretch.between(first.reading(), end, last.received() - first.received()),
        watch.mostHeapAfterGc(),
        flink.completedCheckpoints(job),
        flink.meanCheckpointMillis(job),
        count(flink, job, Metrics.ACCEPTED),
        count(flink, job, Metrics.DUPLICATES),
        count(flink, job, Metrics.CACHE_HITS),
        count(flink, job, Metrics.CACHE_MISSES));
  }

  private static long count(FlinkCluster flink, JobID job, String metric) {
    return flink.metrics().sum(job, Metrics.GROUP + "." + metric);
  }

  private static Map<String, String> below(String prefix, Properties plan) {
    return plan.stringPropertyNames().stream()
        .filter(key -> key.startsWith(prefix))
        .collect(Collectors.toMap(key -> key.substring(prefix.length()), plan::getProperty));
  }
}

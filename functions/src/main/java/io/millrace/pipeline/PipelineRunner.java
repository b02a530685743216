package io.millrace.pipeline;

import io.millrace.pipeline.ObserveRows.Counts;
import io.millrace.pipeline.PipelineCompiler.Compilation;
import io.millrace.pipeline.PipelineCompiler.LoweredStep;
import io.millrace.pipeline.RunReport.Status;
import io.millrace.pipeline.RunReport.StepReport;
import io.millrace.pipeline.RunReport.StepStatus;
import io.millrace.transform.Outcome;
import io.millrace.transform.Problem;
import io.millrace.transform.QualityGateException;
import io.millrace.transform.Step;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import javax.annotation.Nullable;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.util.ExceptionUtils;

/** Runs a compiled pipeline as one Flink job, tells of its progress, and reports. */
public final class PipelineRunner {
  private static final int POLLS_OF_A_RUN = 20;
  private static final long LEAST_POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
  private static final long TELL_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  /** Hears of the rows that each step has counted so far, about twice a second. */
  @FunctionalInterface
  public interface Progress {
    /** A step that has seen the end of its input is done. */
    void counted(String stepId, long rows, boolean done);
  }

  private final Compilation compilation;
  private final Map<String, Counts> counts = new HashMap<>();
  private final Map<String, List<String>> told = new HashMap<>();

  private final BooleanSupplier stop;
  @Nullable private String savepoint;

  private PipelineRunner(Compilation compilation, BooleanSupplier stop) {
    this.compilation = compilation;
    this.stop = stop;
  }

  /**
   * Runs the job to its end, and moves what the loads have written to its place; when it fails,
   * nothing is moved, and what was written is removed.
   *
   * @throws IllegalArgumentException when the compilation has errors
   */
  public static RunReport run(Compilation compilation, Progress progress) {
    return run(compilation, progress, () -> false);
  }

  /**
   * Runs the job to its end, or until it is to stop; then with a savepoint, from which another run
   * can go on.
   *
   * @param stop whether it is to stop; asked about twice a second
   * @throws IllegalArgumentException when the compilation has errors
   */
  public static RunReport run(Compilation compilation, Progress progress, BooleanSupplier stop) {
    requireRunnable(compilation);
    return new PipelineRunner(compilation, stop).run(progress);
  }

  /**
   * Hands an unbounded pipeline to its cluster, where it runs on.
   *
   * @return the job's id
   * @throws IllegalArgumentException when the compilation has errors
   */
  public static String submit(Compilation compilation) throws Exception {
    requireRunnable(compilation);
    return compilation
        .environment()
        .executeAsync(compilation.pipeline().name())
        .getJobID()
        .toString();
  }

  private static void requireRunnable(Compilation compilation) {
    if (!compilation.mayRun()) {
      throw new IllegalArgumentException("the pipeline has errors: " + compilation.problems());
    }
  }

  private RunReport run(Progress progress) {
    Instant begin = Instant.now();
    Throwable failure = null;
    try {
      execute(progress);
      publish(false);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      failure = e;
    } catch (Exception e) {
      failure = ExceptionUtils.stripExecutionException(e);
      if (isGate(failure)) {
        failure = publishAfter(failure);
      }
    } finally {
      removeTemporaries();
    }
    return report(begin, failure);
  }

  private void execute(Progress progress) throws Exception {
    JobClient client = compilation.environment().executeAsync(compilation.pipeline().name());
    CountDownLatch never = new CountDownLatch(1);
    long begin = System.nanoTime();
    long told = begin;
    try {
      // The client of a cluster would hear of the end up to two seconds late.
      while (!client.getJobStatus().get().isGloballyTerminalState()) {
        if (System.nanoTime() - told >= TELL_NANOS) {
          told = System.nanoTime();
          take(client.getAccumulators().get());
          tell(progress);
        }
        if (savepoint == null && stop.getAsBoolean()) {
          savepoint = stopWithSavepoint(client);
        }
        long runs = (System.nanoTime() - begin) / POLLS_OF_A_RUN;
        never.await(Math.max(LEAST_POLL_NANOS, Math.min(runs, TELL_NANOS)), TimeUnit.NANOSECONDS);
      }
    } catch (InterruptedException e) {
      client.cancel().get(10, TimeUnit.SECONDS);
      throw e;
    }
    try {
      take(client.getJobExecutionResult().get().getAllAccumulatorResults());
      tell(progress);
    } catch (ExecutionException e) {
      // The job is over, and its last figures are still to be had.
      take(client.getAccumulators().get());
      tell(progress);
      throw e;
    }
  }

  private String stopWithSavepoint(JobClient client) throws Exception {
    String folder =
        compilation.environment().getConfiguration().get(CheckpointingOptions.SAVEPOINT_DIRECTORY);
    try {
      return client.stopWithSavepoint(false, folder, SavepointFormatType.CANONICAL).get();
    } catch (ExecutionException e) {
      client.cancel().get(10, TimeUnit.SECONDS);
      throw e;
    }
  }

  @SuppressWarnings("unchecked")
  private void take(Map<String, Object> accumulators) {
    for (LoweredStep lowered : compilation.steps()) {
      Step step = lowered.step();
      if (accumulators.get(ObserveRows.accumulator(step.id())) instanceof Counts counted) {
        counts.put(step.id(), counted);
      }
      for (String name : step.collected().keySet()) {
        String accumulator = CollectTexts.accumulator(step.id(), name);
        if (accumulators.get(accumulator) instanceof List<?> texts) {
          told.put(accumulator, (List<String>) texts);
        }
      }
    }
  }

  private void tell(Progress progress) {
    for (LoweredStep lowered : compilation.steps()) {
      Counts counted = counts.get(lowered.step().id());
      if (counted != null) {
        progress.counted(lowered.step().id(), counted.rows(), counted.ended() > 0);
      }
    }
  }

  private static boolean isGate(Throwable failure) {
    return ExceptionUtils.findSerializedThrowable(
            failure, QualityGateException.class, PipelineRunner.class.getClassLoader())
        .isPresent();
  }

  /** Publishes what is due also after that failure; the failure that there is then. */
  private Throwable publishAfter(Throwable failure) {
    try {
      publish(true);
      return failure;
    } catch (IOException e) {
      e.addSuppressed(failure);
      return e;
    }
  }

  private void publish(boolean gateClosed) throws IOException {
    for (LoweredStep lowered : compilation.steps()) {
      for (Step.Publication publication : lowered.step().publications()) {
        boolean due =
            !gateClosed || (publication.always() && Files.exists(publication.temporary()));
        if (!due) {
          continue;
        }
        Path target = publication.target();
        Path former = target.resolveSibling("." + target.getFileName() + ".former");
        if (Files.isDirectory(target)) {
          // A folder cannot be replaced at once; the former one goes when the new one is there.
          delete(former);
          Files.move(target, former, StandardCopyOption.ATOMIC_MOVE);
        }
        Files.move(
            publication.temporary(),
            target,
            StandardCopyOption.ATOMIC_MOVE,
            StandardCopyOption.REPLACE_EXISTING);
        delete(former);
      }
    }
  }

  private void removeTemporaries() {
    for (LoweredStep lowered : compilation.steps()) {
      for (Step.Publication publication : lowered.step().publications()) {
        try {
          delete(publication.temporary());
        } catch (IOException e) {
          throw new UncheckedIOException("cannot remove " + publication.temporary(), e);
        }
      }
    }
  }

  private static void delete(Path path) throws IOException {
    if (!Files.exists(path)) {
      return;
    }
    try (Stream<Path> files = Files.walk(path)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  private RunReport report(Instant begin, @Nullable Throwable failure) {
    List<StepReport> steps = new ArrayList<>();
    for (LoweredStep lowered : compilation.steps()) {
      steps.add(report(lowered, failure == null));
    }
    boolean gate = failure != null && isGate(failure);
    return new RunReport(
        compilation.runId(),
        compilation.pipeline().name(),
        failure == null
            ? (savepoint == null ? Status.COMPLETED : Status.STOPPED)
            : gate ? Status.QUALITY_FAILED : Status.FAILED,
        begin.truncatedTo(ChronoUnit.MILLIS).toString(),
        ChronoUnit.MILLIS.between(begin, Instant.now()) / 1000.0,
        steps,
        compilation.problems().stream().map(Problem::toString).toList(),
        failure == null ? null : reason(failure),
        savepoint);
  }

  private StepReport report(LoweredStep lowered, boolean completed) {
    Step step = lowered.step();
    Counts counted = counts.get(step.id());
    List<Outcome.Counts> in = new ArrayList<>();
    for (String input : lowered.inputs()) {
      LoweredStep from =
          compilation.steps().stream()
              .filter(other -> other.step().id().equals(input))
              .findFirst()
              .orElseThrow();
      in.add(outcome(counts.get(input), from.columns()));
    }
    Outcome.Counts out = outcome(counted, lowered.columns());
    Map<String, List<String>> texts = new LinkedHashMap<>();
    for (String name : step.collected().keySet()) {
      texts.put(name, told.getOrDefault(CollectTexts.accumulator(step.id(), name), List.of()));
    }
    StepStatus status;
    if (completed || (counted != null && counted.ended() > 0)) {
      status = StepStatus.SUCCESS;
    } else {
      boolean hadInput =
          lowered.inputs().stream()
              .allMatch(id -> counts.containsKey(id) && counts.get(id).rows() > 0);
      status = hadInput ? StepStatus.FAILED : StepStatus.SKIPPED;
    }
    return new StepReport(
        step.id(),
        step.service(),
        status,
        in.stream().mapToLong(Outcome.Counts::rows).sum(),
        out.rows(),
        counted == null ? 0 : counted.durationMillis() / 1000.0,
        lowered.entry().figures(new Outcome(step.arguments(), in, out, texts, step.facts())));
  }

  private static Outcome.Counts outcome(@Nullable Counts counted, List<String> columns) {
    if (counted == null) {
      return new Outcome.Counts(0, columns, columns.stream().map(column -> 0L).toList());
    }
    List<Long> nulls = new ArrayList<>();
    for (long n : counted.nulls()) {
      nulls.add(n);
    }
    return new Outcome.Counts(counted.rows(), columns, nulls);
  }

  /** The innermost cause says it; what stands around it is Flink's own. */
  private static String reason(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null && cause.getCause() != cause) {
      cause = cause.getCause();
    }
    String message = cause.getMessage() == null ? cause.toString() : cause.getMessage();
    return message.strip().lines().findFirst().orElse(cause.toString());
  }
}

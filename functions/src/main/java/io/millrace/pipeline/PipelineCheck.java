package io.millrace.pipeline;

import io.millrace.pipeline.PipelineCompiler.Compilation;
import io.millrace.pipeline.PipelineValidator.Validation;
import io.millrace.transform.Catalog;
import io.millrace.transform.DataRoot;
import io.millrace.transform.Problem;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExecutionOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * All that can be told about a pipeline before it runs: its validation, and what compiling finds.
 */
public final class PipelineCheck {
  private static final DateTimeFormatter RUN_TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);

  private PipelineCheck() {}

  /**
   * Every problem, by line. Steps with which something is wrong do not keep the others' columns and
   * expressions from being checked. Nothing is opened but local files.
   */
  public static List<Problem> check(PipelineFile file, Catalog catalog, DataRoot files) {
    Validation validation = PipelineValidator.validate(file, catalog);
    List<Problem> problems = new ArrayList<>(validation.problems());
    if (!validation.sound().isEmpty()) {
      PipelineDef sound =
          new PipelineDef(
              file.pipeline().name(), file.pipeline().description(), validation.sound());
      Configuration configuration = new Configuration();
      configuration.set(
          ExecutionOptions.RUNTIME_MODE,
          validation.bounded() ? RuntimeExecutionMode.BATCH : RuntimeExecutionMode.STREAMING);
      Compilation compilation =
          PipelineCompiler.compile(
              sound,
              catalog,
              validation.arguments(),
              StreamExecutionEnvironment.getExecutionEnvironment(configuration),
              files,
              newRunId(),
              validation.bounded(),
              true);
      problems.addAll(file.locate(compilation.problems()));
    }
    problems.sort(PipelineFile.BY_LINE);
    return problems;
  }

  /**
   * Compiles a valid pipeline to run it.
   *
   * @return with the validation's warnings, and every problem with its line
   */
  public static Compilation compile(
      PipelineFile file,
      Validation validation,
      Catalog catalog,
      StreamExecutionEnvironment environment,
      DataRoot files) {
    Compilation compilation =
        PipelineCompiler.compile(
            file.pipeline(),
            catalog,
            validation.arguments(),
            environment,
            files,
            newRunId(),
            validation.bounded(),
            false);
    List<Problem> problems = new ArrayList<>(validation.problems());
    problems.addAll(file.locate(compilation.problems()));
    problems.sort(PipelineFile.BY_LINE);
    return new Compilation(
        compilation.pipeline(),
        compilation.runId(),
        compilation.environment(),
        compilation.steps(),
        List.copyOf(problems));
  }

  /**
   * A name for a run that no other run has, in the order of time: {@code 20260105T101500Z-1f0c...}.
   */
  private static String newRunId() {
    return RUN_TIME.format(Instant.now()) + "-" + UUID.randomUUID().toString().substring(0, 8);
  }
}

package io.millrace.pipeline;

import io.millrace.transform.Problem;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A pipeline that was read from YAML.
 *
 * @param pipeline what could be read of it; what is missing is empty
 * @param problems why it is not what it should be, none of which the validator finds again
 * @param complete false when reading stopped early, so that what is absent says nothing
 */
public record PipelineFile(
    PipelineDef pipeline, List<Problem> problems, boolean complete, SourceLines lines) {
  /** Problems by line, errors and warnings mixed; those without a line come first. */
  public static final Comparator<Problem> BY_LINE = Comparator.comparingInt(Problem::line);

  public PipelineFile {
    problems = List.copyOf(problems);
  }

  /** A pipeline that was made by code. */
  static PipelineFile of(PipelineDef pipeline) {
    return new PipelineFile(pipeline, List.of(), true, SourceLines.NONE);
  }

  /** Problems that were found in the pipeline later, with the lines that they are about. */
  public List<Problem> locate(List<Problem> found) {
    List<Problem> located = new ArrayList<>();
    for (Problem problem : found) {
      located.add(lines.locate(problem, pipeline.steps()));
    }
    return located;
  }
}

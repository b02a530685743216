package io.millrace.pipeline;

import io.millrace.pipeline.PipelineDef.StepDef;
import io.millrace.transform.Problem;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.annotation.Nullable;

/**
 * Where things stand in a pipeline's file, for problems that are found after it was read.
 *
 * @param lines by place, see {@link #place}
 * @param broken places that cannot be read and have been reported: what is missing or wrong there
 *     is no problem of its own
 */
public record SourceLines(Map<String, Integer> lines, Set<String> broken) {
  /** Of a pipeline that was not read from a file. */
  public static final SourceLines NONE = new SourceLines(Map.of(), Set.of());

  public SourceLines {
    lines = Map.copyOf(lines);
    broken = Set.copyOf(broken);
  }

  /** A key of the pipeline itself, such as {@code name}. */
  static String place(String key) {
    return "." + key;
  }

  /** A step, by its position; with a key, such as {@code service}, that key of it. */
  static String place(int step, @Nullable String key) {
    return key == null ? step + "" : step + "." + key;
  }

  /** A parameter of a step. */
  static String parameter(int step, String name) {
    return step + ".params." + name;
  }

  /** The line of a step's key, parameter or, where neither is written, of the step; 0 for none. */
  int lineOf(int step, @Nullable String key) {
    Integer line = key == null ? null : lines.get(parameter(step, key));
    if (line == null) {
      line = lines.get(place(step, key));
    }
    return line == null ? lines.getOrDefault(place(step, null), 0) : line;
  }

  /** The problem with its line, as far as its step and key tell. */
  Problem locate(Problem problem, List<StepDef> steps) {
    if (problem.line() > 0 || problem.step() == null) {
      return problem;
    }
    for (int i = 0; i < steps.size(); i++) {
      if (steps.get(i).id().equals(problem.step())) {
        return problem.atLine(lineOf(i, problem.key()));
      }
    }
    return problem;
  }
}

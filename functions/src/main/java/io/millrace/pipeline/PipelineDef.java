package io.millrace.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A pipeline as it is written, checked for nothing but its shape.
 *
 * @param steps in the order of the file
 */
public record PipelineDef(String name, String description, List<StepDef> steps) {
  public PipelineDef {
    steps = List.copyOf(steps);
  }

  /**
   * A step as it is written.
   *
   * @param params in the order of the file, values as YAML types them
   * @param line where it begins in the file, or 0
   */
  public record StepDef(
      String id, String service, Map<String, JsonNode> params, List<String> dependsOn, int line) {
    public StepDef {
      params = Collections.unmodifiableMap(new LinkedHashMap<>(params));
      dependsOn = List.copyOf(dependsOn);
    }

    /** The same step with one parameter set, as {@code --set step.param=value} has it. */
    public StepDef with(String param, JsonNode value) {
      Map<String, JsonNode> changed = new LinkedHashMap<>(params);
      changed.put(param, value);
      return new StepDef(id, service, changed, dependsOn, line);
    }
  }

  /** The same pipeline with one step replaced by another of its id. */
  public PipelineDef with(StepDef step) {
    List<StepDef> changed = new ArrayList<>();
    for (StepDef old : steps) {
      changed.add(old.id().equals(step.id()) ? step : old);
    }
    return new PipelineDef(name, description, changed);
  }
}

package io.millrace.pipeline;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.millrace.pipeline.PipelineDef.StepDef;

/** Writes pipelines as the YAML that {@link PipelineParser} reads. */
public final class PipelineYaml {
  private static final YAMLMapper YAML =
      YAMLMapper.builder()
          .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
          .disable(YAMLGenerator.Feature.SPLIT_LINES)
          .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
          .enable(YAMLGenerator.Feature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
          .enable(YAMLGenerator.Feature.INDENT_ARRAYS_WITH_INDICATOR)
          .build();

  private PipelineYaml() {}

  /** YAML that reads as the same pipeline. */
  public static String write(PipelineDef pipeline) {
    ObjectNode inner = JsonNodeFactory.instance.objectNode();
    inner.put("name", pipeline.name());
    if (!pipeline.description().isEmpty()) {
      inner.put("description", pipeline.description());
    }
    ArrayNode steps = inner.putArray("steps");
    for (StepDef step : pipeline.steps()) {
      ObjectNode written = steps.addObject();
      written.put("id", step.id());
      written.put("service", step.service());
      if (!step.params().isEmpty()) {
        written.putObject("params").setAll(step.params());
      }
      if (!step.dependsOn().isEmpty()) {
        ArrayNode inputs = written.putArray("depends_on");
        step.dependsOn().forEach(inputs::add);
      }
    }
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.set("pipeline", inner);
    try {
      return YAML.writeValueAsString(root);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}

package io.millrace.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.pipeline.PipelineDef.StepDef;
import io.millrace.transform.Problem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.annotation.Nullable;

/**
 * Reads a pipeline from YAML, strictly: no unknown or duplicate keys, no aliases, anchors or tags,
 * one document of bounded size and depth. What is wrong is collected, and the rest is read.
 */
public final class PipelineParser {
  /** More steps than any pipeline has that one job should run. */
  public static final int MAX_STEPS = 500;

  private static final String ROOT = "pipeline";
  private static final String STEPS = "pipeline/steps";
  private static final List<String> PIPELINE_KEYS = List.of("name", "description", "steps");
  private static final List<String> STEP_KEYS = List.of("id", "service", "params", "depends_on");

  private final YamlTree.Document document;
  private final List<Problem> problems = new ArrayList<>();
  private final Map<String, Integer> lines = new HashMap<>();
  private final Set<String> broken = new HashSet<>();

  private PipelineParser(YamlTree.Document document) {
    this.document = document;
  }

  /**
   * Reads a file of UTF-8 text.
   *
   * @param settings {@code step.param=value} each, which win over the file
   * @throws IOException when the file is not there, too large or no text, in one line
   */
  public static PipelineFile read(Path file, List<String> settings) throws IOException {
    if (Files.isDirectory(file)) {
      throw new IOException("'" + file + "' is a folder, but must be a YAML file");
    }
    try {
      long bytes = Files.size(file);
      if (bytes > 4L * YamlTree.MAX_LENGTH) {
        throw new IOException(
            "'" + file + "' has " + bytes + " bytes, more than any pipeline needs");
      }
      ByteBuffer content = ByteBuffer.wrap(Files.readAllBytes(file));
      return parse(StandardCharsets.UTF_8.newDecoder().decode(content).toString(), settings);
    } catch (NoSuchFileException e) {
      throw new IOException("there is no file '" + file + "'", e);
    } catch (CharacterCodingException e) {
      throw new IOException("'" + file + "' is not UTF-8 text", e);
    }
  }

  /** Reads YAML text. */
  public static PipelineFile parse(String yaml) {
    return parse(yaml, List.of());
  }

  /** Reads YAML text, over which {@code step.param=value} settings win. */
  public static PipelineFile parse(String yaml, List<String> settings) {
    return new PipelineParser(YamlTree.read(yaml)).pipeline(settings);
  }

  private PipelineFile pipeline(List<String> settings) {
    PipelineDef pipeline = pipeline();
    for (YamlTree.Fault fault : document.faults()) {
      problems.add(problemOf(fault, pipeline.steps()));
    }
    for (String setting : settings) {
      pipeline = set(pipeline, setting);
    }
    boolean complete = document.complete() && document.root() != null;
    problems.sort(PipelineFile.BY_LINE);
    return new PipelineFile(pipeline, problems, complete, new SourceLines(lines, broken));
  }

  /** A fault of the document, with the step and key that its path leads to. */
  private static Problem problemOf(YamlTree.Fault fault, List<StepDef> steps) {
    String[] path = fault.path().split("/", -1);
    String step = null;
    if (path.length > 2 && fault.path().startsWith(STEPS + "/")) {
      int index = Integer.parseInt(path[2]);
      step =
          index < steps.size() && !steps.get(index).id().isEmpty() ? steps.get(index).id() : null;
    }
    String key = fault.path().isEmpty() ? null : path[path.length - 1];
    return Problem.error(step, key, fault.message()).atLine(fault.line());
  }

  private PipelineDef pipeline() {
    JsonNode root = document.root();
    JsonNode pipeline = null;
    if (root == null || root.isNull()) {
      if (document.faults().isEmpty()) {
        problem(null, "", "the file is empty, but must hold 'pipeline:' with a name and steps");
      }
    } else if (!root.isObject()) {
      problem(null, "", "the file must be a map with the one key 'pipeline'");
    } else {
      refuseUnknown(null, "", root, List.of(ROOT));
      pipeline = root.get(ROOT);
      if (pipeline == null && document.complete()) {
        problem(null, "", "missing required key 'pipeline'");
      } else if (pipeline != null && !pipeline.isObject()) {
        wrong(null, ROOT, "pipeline", pipeline, "a map with a name and steps");
        pipeline = null;
      }
    }
    if (pipeline == null) {
      // What is not there has been reported.
      broken.add(SourceLines.place("name"));
      broken.add(SourceLines.place("steps"));
      return new PipelineDef("", "", List.of());
    }
    refuseUnknown(null, ROOT, pipeline, PIPELINE_KEYS);
    String name = name(null, ROOT, pipeline, "name", SourceLines.place("name"));
    JsonNode description = pipeline.path("description");
    if (!description.isTextual() && !description.isNull() && !description.isMissingNode()) {
      wrong(null, ROOT + "/description", "description", description, "a text");
    }
    return new PipelineDef(name, description.asText(""), steps(pipeline.get("steps")));
  }

  private List<StepDef> steps(@Nullable JsonNode given) {
    List<StepDef> steps = new ArrayList<>();
    if (given == null || given.isNull()) {
      markBroken(STEPS, SourceLines.place("steps"));
    } else if (!given.isArray()) {
      wrong(null, STEPS, "steps", given, "a list of steps, each with an id and a service");
      broken.add(SourceLines.place("steps"));
    } else if (given.size() > MAX_STEPS) {
      problem(
          "steps",
          STEPS,
          "there are " + given.size() + " steps, but at most " + MAX_STEPS + " may be");
      broken.add(SourceLines.place("steps"));
    } else {
      for (int i = 0; i < given.size(); i++) {
        steps.add(step(i, given.get(i)));
      }
    }
    line(SourceLines.place("steps"), STEPS);
    return steps;
  }

  private StepDef step(int index, JsonNode given) {
    String path = STEPS + "/" + index;
    line(SourceLines.place(index, null), path);
    int line = document.lines().getOrDefault(path, 0);
    if (!given.isObject()) {
      if (!document.broken().contains(path)) {
        problem(
            null,
            path,
            "the step is "
                + Shown.value("", given)
                + ", but must be a map with an id and a service");
      }
      STEP_KEYS.forEach(key -> broken.add(SourceLines.place(index, key)));
      return new StepDef("", "", Map.of(), List.of(), line);
    }
    String id = name(null, path, given, "id", SourceLines.place(index, "id"));
    String step = id.isEmpty() ? null : id;
    refuseUnknown(step, path, given, STEP_KEYS);
    String service = text(step, path, given, "service", SourceLines.place(index, "service"));
    return new StepDef(
        id,
        service,
        params(step, index, path, given.get("params")),
        dependsOn(step, index, path, given.get("depends_on")),
        line);
  }

  private Map<String, JsonNode> params(
      @Nullable String step, int index, String stepPath, @Nullable JsonNode given) {
    String path = stepPath + "/params";
    String place = SourceLines.place(index, "params");
    line(place, path);
    Map<String, JsonNode> params = new LinkedHashMap<>();
    if (given == null || given.isNull()) {
      markBroken(path, place);
    } else if (!given.isObject()) {
      wrong(step, path, "params", given, "a map of parameters and values");
      broken.add(place);
    } else {
      for (Iterator<String> names = given.fieldNames(); names.hasNext(); ) {
        String name = names.next();
        String parameter = SourceLines.parameter(index, name);
        line(parameter, path + "/" + name);
        params.put(name, given.get(name));
        String below = path + "/" + name;
        if (document.broken().stream()
            .anyMatch(b -> b.equals(below) || b.startsWith(below + "/"))) {
          broken.add(parameter);
        }
      }
    }
    return params;
  }

  private List<String> dependsOn(
      @Nullable String step, int index, String stepPath, @Nullable JsonNode given) {
    String path = stepPath + "/depends_on";
    String place = SourceLines.place(index, "depends_on");
    line(place, path);
    List<String> ids = new ArrayList<>();
    if (given == null || given.isNull()) {
      markBroken(path, place);
    } else if (!given.isArray()) {
      wrong(step, path, "depends_on", given, "a list of step ids, as [a, b]");
      broken.add(place);
    } else {
      for (int i = 0; i < given.size(); i++) {
        JsonNode id = given.get(i);
        if (id.isTextual() || id.isIntegralNumber()) {
          ids.add(id.asText());
        } else {
          broken.add(place);
          if (!document.broken().contains(path + "/" + i)) {
            problem(
                step,
                path,
                "depends_on holds "
                    + Shown.value("", id)
                    + ", but must be a list of step ids, as [a, b]",
                "depends_on");
          }
        }
      }
    }
    return ids;
  }

  /** A text or whole number, as ids and names may be written. */
  private String name(
      @Nullable String step, String parent, JsonNode map, String key, String place) {
    JsonNode value = map.get(key);
    if (value != null && value.isIntegralNumber()) {
      line(place, parent + "/" + key);
      return value.asText();
    }
    return text(step, parent, map, key, place);
  }

  /** A text; empty when it is missing, and marked as broken when it is anything else. */
  private String text(
      @Nullable String step, String parent, JsonNode map, String key, String place) {
    String path = parent + "/" + key;
    line(place, path);
    JsonNode value = map.get(key);
    if (value == null || value.isNull()) {
      markBroken(path, place);
      return "";
    } else if (!value.isTextual()) {
      wrong(step, path, key, value, "a text");
      broken.add(place);
      return "";
    }
    return value.asText();
  }

  private void markBroken(String path, String place) {
    if (document.broken().contains(path)) {
      broken.add(place);
    }
  }

  private void line(String place, String path) {
    Integer line = document.lines().get(path);
    if (line != null) {
      lines.put(place, line);
    }
  }

  private void refuseUnknown(@Nullable String step, String path, JsonNode map, List<String> known) {
    for (Iterator<String> names = map.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      if (!known.contains(name)) {
        String shown = Shown.clip(name);
        problem(
            step,
            path.isEmpty() ? name : path + "/" + name,
            "there is no key '" + shown + "' here" + Shown.nearest(name, known),
            shown);
      }
    }
  }

  private void wrong(
      @Nullable String step, String path, String key, JsonNode value, String allowed) {
    if (!document.broken().contains(path)) {
      problem(step, path, key + " is " + Shown.value(key, value) + ", but must be " + allowed, key);
    }
  }

  private void problem(@Nullable String key, String path, String message) {
    problem(null, path, message, key);
  }

  private void problem(@Nullable String step, String path, String message, @Nullable String key) {
    problems.add(Problem.error(step, key, message).atLine(document.lines().getOrDefault(path, 0)));
  }

  private PipelineDef set(PipelineDef pipeline, String setting) {
    int equals = setting.indexOf('=');
    int dot = setting.indexOf('.');
    if (dot <= 0 || equals < dot + 2) {
      // The value is not repeated: it may be a secret.
      String name = equals < 0 ? setting : setting.substring(0, equals);
      problems.add(
          Problem.error(
              null, "--set", "--set is '" + Shown.clip(name) + "', but must be step.param=value"));
      return pipeline;
    }
    String id = setting.substring(0, dot);
    String param = setting.substring(dot + 1, equals);
    List<StepDef> steps = new ArrayList<>(pipeline.steps());
    for (int i = 0; i < steps.size(); i++) {
      if (steps.get(i).id().equals(id)) {
        steps.set(i, steps.get(i).with(param, YamlTree.value(setting.substring(equals + 1))));
        lines.remove(SourceLines.parameter(i, param));
        return new PipelineDef(pipeline.name(), pipeline.description(), steps);
      }
    }
    List<String> ids = steps.stream().map(StepDef::id).filter(s -> !s.isEmpty()).toList();
    problems.add(
        Problem.error(
            null,
            "--set",
            "--set names the step '"
                + Shown.clip(id)
                + "', but there is no such step"
                + Shown.nearest(id, ids)));
    return pipeline;
  }
}

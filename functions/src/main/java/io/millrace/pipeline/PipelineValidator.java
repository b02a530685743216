package io.millrace.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.pipeline.ParameterCheck.MisfitException;
import io.millrace.pipeline.PipelineDef.StepDef;
import io.millrace.transform.Arguments;
import io.millrace.transform.Catalog;
import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Parameter;
import io.millrace.transform.Problem;
import io.millrace.transform.Transform;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.annotation.Nullable;

/**
 * Finds everything wrong with a pipeline that can be told without its data: its shape, its graph,
 * and its parameters by the entries' declarations. Columns and SQL are for the compiler to check.
 */
public final class PipelineValidator {
  /** What names of pipelines and ids of steps are made of: they name folders, files and uids. */
  static final String NAME = "[a-zA-Z0-9_-]{1,128}";

  /** A pipeline with more problems than a person reads is not checked on. */
  private static final int MAX_PROBLEMS = 200;

  private static final Pattern NAME_PATTERN = Pattern.compile(NAME);
  private static final String NAME_RULE =
      "1 to 128 letters, digits, hyphens and underscores (a-z, A-Z, 0-9, - and _)";

  /**
   * What was found.
   *
   * @param arguments of each step whose parameters are right, completed by defaults
   * @param sound the steps with which nothing is wrong, nor with any that they depend on; in the
   *     order of the file
   * @param bounded false when an extract never ends, so that the pipeline streams
   * @param problems by line
   */
  public record Validation(
      Map<String, Arguments> arguments,
      List<StepDef> sound,
      boolean bounded,
      List<Problem> problems) {
    public Validation {
      arguments = Map.copyOf(arguments);
      sound = List.copyOf(sound);
      problems = List.copyOf(problems);
    }

    /** Whether there is no error. */
    public boolean isValid() {
      return problems.stream().noneMatch(Problem::isError);
    }
  }

  private final PipelineDef pipeline;
  private final List<StepDef> steps;
  private final Catalog catalog;
  private final SourceLines lines;
  private final Map<String, Integer> positions = new LinkedHashMap<>();
  private final Map<String, Arguments> arguments = new LinkedHashMap<>();
  private final List<Problem> problems = new ArrayList<>();

  private PipelineValidator(PipelineDef pipeline, Catalog catalog, SourceLines lines) {
    this.pipeline = pipeline;
    this.steps = pipeline.steps();
    this.catalog = catalog;
    this.lines = lines;
  }

  /** What is wrong with a pipeline that was made by code. */
  public static Validation validate(PipelineDef pipeline, Catalog catalog) {
    return new PipelineValidator(pipeline, catalog, SourceLines.NONE).validate();
  }

  /** What is wrong with a file, together with what the parser found. */
  public static Validation validate(PipelineFile file, Catalog catalog) {
    PipelineValidator validator = new PipelineValidator(file.pipeline(), catalog, file.lines());
    validator.problems.addAll(file.problems());
    return file.complete()
        ? validator.validate()
        : new Validation(Map.of(), List.of(), true, file.problems());
  }

  private Validation validate() {
    checkPipeline();
    for (int i = 0; i < steps.size(); i++) {
      checkId(i);
    }
    for (int i = 0; i < steps.size() && problems.size() < MAX_PROBLEMS; i++) {
      checkService(i);
      checkDependencies(i);
    }
    boolean bounded = true;
    if (problems.size() < MAX_PROBLEMS) {
      checkCycles();
      checkEnds();
      bounded = checkScopes();
    }
    problems.sort(PipelineFile.BY_LINE);
    return new Validation(arguments, sound(), bounded, problems);
  }

  private List<StepDef> sound() {
    Set<String> flawed =
        problems.stream().filter(Problem::isError).map(Problem::step).collect(Collectors.toSet());
    Set<String> sound = new HashSet<>();
    boolean grown = true;
    while (grown) {
      grown = false;
      for (StepDef step : steps) {
        grown |=
            arguments.containsKey(step.id())
                && !flawed.contains(step.id())
                && sound.containsAll(step.dependsOn())
                && sound.add(step.id());
      }
    }
    return steps.stream().filter(step -> sound.contains(step.id())).toList();
  }

  private void checkPipeline() {
    if (pipeline.name().isEmpty()) {
      reportPipeline("name", "missing required key 'name'");
    } else if (!NAME_PATTERN.matcher(pipeline.name()).matches()) {
      reportPipeline(
          "name", "name is '" + Shown.clip(pipeline.name()) + "', but must be " + NAME_RULE);
    }
    if (steps.isEmpty()) {
      boolean written = lines.lines().containsKey(SourceLines.place("steps"));
      reportPipeline(
          "steps",
          written
              ? "steps is empty, but a pipeline has at least one step"
              : "missing required key 'steps'");
    }
  }

  private void checkId(int i) {
    String id = steps.get(i).id();
    if (id.isEmpty()) {
      report(i, "id", "missing required key 'id'");
      return;
    }
    if (!NAME_PATTERN.matcher(id).matches()) {
      report(i, "id", "id is '" + Shown.clip(id) + "', but must be " + NAME_RULE);
    }
    Integer first = positions.putIfAbsent(id, i);
    if (first != null) {
      int line = lines.lineOf(first, "id");
      report(
          i,
          "id",
          "id is '"
              + Shown.clip(id)
              + "', as that of "
              + (line > 0 ? "the step in line " + line : "step " + (first + 1) + " of the list")
              + " is, but must be unique");
    }
  }

  private void checkService(int i) {
    StepDef step = steps.get(i);
    if (step.service().isEmpty()) {
      report(i, "service", "missing required key 'service'");
      return;
    }
    Declaration declaration = declaration(step);
    if (declaration == null) {
      report(
          i,
          "service",
          "service is '"
              + Shown.clip(step.service())
              + "', but there is no such service"
              + Shown.nearest(step.service(), catalog.services()));
    } else if (!lines.broken().contains(SourceLines.place(i, "params"))) {
      checkParameters(i, declaration);
    }
  }

  private void checkParameters(int i, Declaration declaration) {
    StepDef step = steps.get(i);
    int before = problems.size();
    boolean readable = true;
    for (String name : step.params().keySet()) {
      readable &= !lines.broken().contains(SourceLines.parameter(i, name));
      if (declaration.parameter(name).isEmpty()) {
        report(
            i,
            name,
            "there is no parameter '"
                + Shown.clip(name)
                + "' of "
                + declaration.service()
                + Shown.nearest(name, declaration.parameterNames()));
      }
    }
    Map<String, JsonNode> complete = new LinkedHashMap<>();
    for (Parameter parameter : declaration.parameters()) {
      if (!lines.broken().contains(SourceLines.parameter(i, parameter.name()))) {
        complete(i, parameter, complete);
      }
    }
    if (problems.size() == before && readable && isFirst(i)) {
      arguments.put(step.id(), new Arguments(complete));
    }
  }

  private void complete(int i, Parameter parameter, Map<String, JsonNode> complete) {
    String name = parameter.name();
    JsonNode given = steps.get(i).params().get(name);
    if (given == null || given.isNull()) {
      ParameterCheck.fallback(parameter).ifPresent(value -> complete.put(name, value));
      if (parameter.required() && !complete.containsKey(name)) {
        report(
            i,
            name,
            "missing required parameter '"
                + name
                + "', which must be "
                + ParameterCheck.allowed(parameter));
      }
      return;
    }
    try {
      complete.put(name, ParameterCheck.check(parameter, given));
    } catch (MisfitException e) {
      report(i, name, e.getMessage());
    }
  }

  private void checkDependencies(int i) {
    StepDef step = steps.get(i);
    Set<String> seen = new HashSet<>();
    Set<String> twice = new LinkedHashSet<>();
    for (String input : step.dependsOn()) {
      if (problems.size() >= MAX_PROBLEMS) {
        return;
      }
      Integer position = positions.get(input);
      if (!seen.add(input)) {
        if (twice.add(input)) {
          report(i, "depends_on", "depends_on names '" + Shown.clip(input) + "' more than once");
        }
      } else if (position == null) {
        List<String> others =
            positions.keySet().stream().filter(id -> !id.equals(step.id())).toList();
        report(
            i,
            "depends_on",
            "depends_on names '"
                + Shown.clip(input)
                + "', but there is no such step"
                + Shown.nearest(input, others));
      } else if (kind(steps.get(position)) == Kind.LOAD) {
        report(
            i,
            "depends_on",
            "depends_on names '"
                + input
                + "', but "
                + steps.get(position).service()
                + " hands on no rows");
      }
    }
    Declaration declaration = declaration(step);
    if (declaration != null) {
      checkNumberOfInputs(i, declaration);
    }
  }

  private void checkNumberOfInputs(int i, Declaration declaration) {
    int given = steps.get(i).dependsOn().size();
    Inputs inputs = declaration.inputs();
    if (given < inputs.min() || given > inputs.max()) {
      String names = given == 0 ? "no step" : given == 1 ? "1 step" : given + " steps";
      report(
          i,
          "depends_on",
          "depends_on names "
              + names
              + ", but "
              + declaration.service()
              + " takes "
              + takes(inputs));
    }
  }

  /** {@code no input}, {@code 2 inputs}, {@code 2 or more inputs}. */
  static String takes(Inputs inputs) {
    if (inputs.max() == 0) {
      return "no input";
    }
    String number =
        inputs.max() == Integer.MAX_VALUE
            ? inputs.min() + " or more"
            : inputs.min() == inputs.max()
                ? inputs.min() + ""
                : inputs.min() + " to " + inputs.max();
    return number + (number.equals("1") ? " input" : " inputs");
  }

  /** Names each cycle once, from the step of it that comes first in the file. */
  private void checkCycles() {
    Map<String, Boolean> done = new HashMap<>();
    for (String id : positions.keySet()) {
      for (List<String> cycle : cyclesFrom(id, done)) {
        String first =
            cycle.stream()
                .min((a, b) -> Integer.compare(positions.get(a), positions.get(b)))
                .orElseThrow();
        int turn = cycle.indexOf(first);
        List<String> named = new ArrayList<>(cycle.subList(turn, cycle.size()));
        named.addAll(cycle.subList(0, turn));
        named.add(first);
        report(
            positions.get(first),
            "depends_on",
            "depends_on leads back to the step itself: " + String.join(" -> ", named));
      }
    }
  }

  /**
   * Follows what a step depends on; the cycles that are met. Without recursion, since code can make
   * pipelines of any length.
   *
   * @param done false for steps on the way, true for those behind which there is nothing new
   */
  private List<List<String>> cyclesFrom(String start, Map<String, Boolean> done) {
    List<String> way = new ArrayList<>();
    List<Integer> next = new ArrayList<>();
    List<List<String>> found = new ArrayList<>();
    if (done.putIfAbsent(start, false) == null) {
      way.add(start);
      next.add(0);
    }
    while (!way.isEmpty()) {
      int top = way.size() - 1;
      List<String> inputs = steps.get(positions.get(way.get(top))).dependsOn();
      int at = next.get(top);
      if (at == inputs.size()) {
        done.put(way.remove(top), true);
        next.remove(top);
        continue;
      }
      next.set(top, at + 1);
      String input = inputs.get(at);
      if (!positions.containsKey(input)) {
        continue;
      }
      Boolean state = done.putIfAbsent(input, false);
      if (state == null) {
        way.add(input);
        next.add(0);
      } else if (!state) {
        found.add(List.copyOf(way.subList(way.indexOf(input), way.size())));
      }
    }
    return found;
  }

  /** That something goes in and comes out; not asked while a service is not known. */
  private void checkEnds() {
    boolean known = !steps.isEmpty() && steps.stream().allMatch(s -> declaration(s) != null);
    if (!known) {
      return;
    }
    if (steps.stream().noneMatch(s -> kind(s) == Kind.EXTRACT)) {
      reportPipeline(
          "steps", "no step extracts data; a pipeline begins with " + names(Kind.EXTRACT));
    }
    if (steps.stream().noneMatch(s -> kind(s) == Kind.LOAD)) {
      warn(null, "steps", "nothing is loaded; a pipeline ends with " + names(Kind.LOAD));
      return;
    }
    Set<String> used =
        steps.stream().flatMap(s -> s.dependsOn().stream()).collect(Collectors.toSet());
    for (int i = 0; i < steps.size(); i++) {
      if (kind(steps.get(i)) != Kind.LOAD && !used.contains(steps.get(i).id()) && isFirst(i)) {
        warn(i, null, "no step depends on it, so its rows go nowhere");
      }
    }
  }

  private String names(Kind kind) {
    return catalog.entries().stream()
        .map(Transform::declaration)
        .filter(declaration -> declaration.kind() == kind)
        .map(Declaration::service)
        .collect(Collectors.joining(" or "));
  }

  /** That statistics of what never ends have a scope; whether everything ends. */
  private boolean checkScopes() {
    Set<String> unbounded = new HashSet<>();
    for (StepDef step : steps) {
      Arguments given = arguments.get(step.id());
      if (kind(step) == Kind.EXTRACT && given != null && entry(step).isUnbounded(given)) {
        unbounded.add(step.id());
      }
    }
    if (unbounded.isEmpty()) {
      return true;
    }
    boolean grown = true;
    while (grown) {
      grown = false;
      for (StepDef step : steps) {
        grown |=
            step.dependsOn().stream().anyMatch(unbounded::contains) && unbounded.add(step.id());
      }
    }
    for (int i = 0; i < steps.size(); i++) {
      StepDef step = steps.get(i);
      Arguments given = arguments.get(step.id());
      if (unbounded.contains(step.id())
          && kind(step) == Kind.TRANSFORM
          && given != null
          && isFirst(i)
          && entry(step).needsScope(given)) {
        requireScope(i, given, "key", "the columns of whose values each has statistics of its own");
        requireScope(i, given, "over", "the event time that they cover, such as 1 h, or all");
      }
    }
    return false;
  }

  private void requireScope(int i, Arguments given, String parameter, String what) {
    boolean empty = !given.has(parameter) || given.texts(parameter).isEmpty();
    if (empty) {
      report(
          i,
          parameter,
          "missing parameter '"
              + parameter
              + "': the input never ends, so statistics need a scope, here "
              + what);
    }
  }

  private boolean isFirst(int i) {
    return Integer.valueOf(i).equals(positions.get(steps.get(i).id()));
  }

  private Transform entry(StepDef step) {
    return catalog.find(step.service()).orElseThrow();
  }

  @Nullable
  private Declaration declaration(StepDef step) {
    return catalog.find(step.service()).map(Transform::declaration).orElse(null);
  }

  @Nullable
  private Kind kind(StepDef step) {
    Declaration declaration = declaration(step);
    return declaration == null ? null : declaration.kind();
  }

  private void reportPipeline(String key, String message) {
    String place = SourceLines.place(key);
    if (!lines.broken().contains(place)) {
      problems.add(Problem.error(null, key, message).atLine(lines.lines().getOrDefault(place, 0)));
    }
  }

  private void report(int i, String key, String message) {
    if (!lines.broken().contains(SourceLines.place(i, key))) {
      problems.add(Problem.error(name(i), key, message).atLine(lines.lineOf(i, key)));
    }
  }

  private void warn(@Nullable Integer i, @Nullable String key, String message) {
    problems.add(
        i == null
            ? Problem.warning(null, key, message)
                .atLine(lines.lines().getOrDefault(SourceLines.place(key), 0))
            : Problem.warning(name(i), key, message).atLine(lines.lineOf(i, key)));
  }

  /** The step's id or, as it has none, its position. */
  private String name(int i) {
    String id = steps.get(i).id();
    return id.isEmpty() ? (i + 1) + "" : Shown.clip(id);
  }
}

package io.millrace.pipeline;

import io.millrace.config.NearestKey;
import io.millrace.pipeline.PipelineDef.StepDef;
import io.millrace.transform.Arguments;
import io.millrace.transform.Catalog;
import io.millrace.transform.DataRoot;
import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Parameter;
import io.millrace.transform.Problem;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.Transform;
import io.millrace.transform.column.EventTime;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import javax.annotation.Nullable;
import org.apache.flink.api.dag.Transformation;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.TableException;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.api.bridge.java.StreamStatementSet;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.catalog.Column;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;

/**
 * Lowers every step of a pipeline, in an order in which inputs come first, to one Flink job.
 *
 * <pre>
 * step's Table -> toDataStream -> observe, uid = the step's id -> Table for the steps behind it
 * </pre>
 *
 * <p>Lowering is also what finds out about columns and SQL expressions, so a validation compiles
 * and does not run. Whatever the planner makes of a step gets a uid made of the step's id and a
 * number.
 */
public final class PipelineCompiler {
  /**
   * A pipeline that was lowered.
   *
   * @param steps in the order in which they were lowered
   * @param problems errors, because of which it must not run, and warnings
   */
  public record Compilation(
      PipelineDef pipeline,
      String runId,
      StreamExecutionEnvironment environment,
      List<LoweredStep> steps,
      List<Problem> problems) {
    public boolean mayRun() {
      return problems.stream().noneMatch(Problem::isError);
    }
  }

  /**
   * A step that was lowered.
   *
   * @param columns what it counts nulls of; empty when they are not known
   */
  public record LoweredStep(Step step, Transform entry, List<String> inputs, List<String> columns) {
    public boolean isLoad() {
      return entry.declaration().kind() == Kind.LOAD;
    }
  }

  private final Catalog catalog;
  private final StreamTableEnvironment tables;
  private final Step.Site site;
  private final List<Problem> problems = new ArrayList<>();
  private final Map<String, Rows> results = new LinkedHashMap<>();
  private final Map<String, Transformation<?>> observed = new LinkedHashMap<>();
  private final List<LoweredStep> lowered = new ArrayList<>();

  private PipelineCompiler(
      PipelineDef pipeline,
      Catalog catalog,
      StreamExecutionEnvironment environment,
      DataRoot files,
      String runId,
      boolean bounded,
      boolean offline) {
    this.catalog = catalog;
    this.tables = StreamTableEnvironment.create(environment);
    tables.getConfig().setLocalTimeZone(ZoneOffset.UTC);
    StreamStatementSet statements = tables.createStatementSet();
    this.site =
        new Step.Site(
            pipeline.name(),
            runId,
            environment,
            tables,
            statements,
            files,
            bounded,
            offline,
            problems::add);
  }

  /**
   * Lowers a pipeline that the validator has no error for.
   *
   * @param environment batch for a bounded pipeline, else streaming; nothing of it has run
   * @param arguments of each step, by id
   * @param offline true to validate only: nothing is opened but local files
   */
  public static Compilation compile(
      PipelineDef pipeline,
      Catalog catalog,
      Map<String, Arguments> arguments,
      StreamExecutionEnvironment environment,
      DataRoot files,
      String runId,
      boolean bounded,
      boolean offline) {
    PipelineCompiler compiler =
        new PipelineCompiler(pipeline, catalog, environment, files, runId, bounded, offline);
    for (StepDef step : inputsFirst(pipeline.steps())) {
      compiler.lower(step, arguments.get(step.id()));
    }
    compiler.refuseSharedTargets();
    return new Compilation(
        pipeline,
        runId,
        environment,
        List.copyOf(compiler.lowered),
        List.copyOf(compiler.problems));
  }

  private void lower(StepDef def, Arguments arguments) {
    Transform entry = catalog.find(def.service()).orElseThrow();
    Declaration declaration = entry.declaration();
    Step step = new Step(def.id(), def.service(), arguments, site);
    List<Rows> inputs = new ArrayList<>();
    for (String input : def.dependsOn()) {
      Rows rows = results.get(input);
      if (rows == null) {
        // What comes in is not known: it has a problem itself, or is only known when it runs.
        return;
      }
      inputs.add(rows);
    }
    if (!inputs.isEmpty() && !columnsAreThere(step, declaration, inputs.get(0))) {
      return;
    }
    boolean load = declaration.kind() == Kind.LOAD;
    List<String> columns = List.of();
    List<Transformation<?>> before = List.of();
    try {
      if (load) {
        columns = inputs.get(0).columns();
        inputs.set(0, observe(step, inputs.get(0)));
        before = List.copyOf(site.environment().getTransformations());
      }
      Rows rows = entry.lower(step, inputs);
      if (!load) {
        if (rows == null) {
          return;
        }
        columns = rows.columns();
        results.put(def.id(), observe(step, rows));
      }
      collect(step);
      if (load) {
        attach(step, before);
      }
    } catch (ValidationException | TableException | UnsupportedOperationException e) {
      problems.add(Problem.error(def.id(), null, oneLine(e)).atLine(def.line()));
      return;
    }
    lowered.add(new LoweredStep(step, entry, def.dependsOn(), columns));
  }

  /** A file has one writer, and is in no folder that another one replaces as a whole. */
  private void refuseSharedTargets() {
    Map<Path, String> writers = new LinkedHashMap<>();
    for (LoweredStep step : lowered) {
      for (Step.Publication publication : step.step().publications()) {
        Path target = publication.target();
        writers.forEach(
            (other, writer) -> {
              if (target.startsWith(other) || other.startsWith(target)) {
                problems.add(
                    Problem.error(
                        step.step().id(),
                        null,
                        "writes " + target + ", but step '" + writer + "' writes " + other));
              }
            });
        writers.put(target, step.step().id());
      }
    }
  }

  /** Checks the columns that arguments name against what comes in. */
  private boolean columnsAreThere(Step step, Declaration declaration, Rows input) {
    if (step.arguments().optionalText("missing_columns").filter("ignore"::equals).isPresent()) {
      return true;
    }
    List<String> known = input.columns();
    boolean all = true;
    for (Parameter parameter : declaration.parameters()) {
      boolean names =
          parameter.type() == Parameter.Type.COLUMN || parameter.type() == Parameter.Type.COLUMNS;
      if (!names || !step.arguments().has(parameter.name())) {
        continue;
      }
      List<String> wanted =
          parameter.type() == Parameter.Type.COLUMN
              ? List.of(step.arguments().text(parameter.name()))
              : step.arguments().texts(parameter.name());
      for (String column : wanted) {
        if (!known.contains(column)) {
          step.error(parameter.name(), noSuchColumn(parameter.name(), column, known));
          all = false;
        }
      }
    }
    return all;
  }

  /** {@code columns is 'Agee', but there is no such column; did you mean 'Age'?}. */
  static String noSuchColumn(String key, String column, List<String> known) {
    return key
        + " is '"
        + column
        + "', but there is no such column here"
        + NearestKey.find(column, known)
            .map(near -> "; did you mean '" + near + "'?")
            .orElse("; there are " + String.join(", ", known));
  }

  private Rows observe(Step step, Rows rows) {
    Table table = rows.table();
    List<Column> columns = table.getResolvedSchema().getColumns();
    DataType type = EventTime.rowType(table);
    DataStream<RowData> stream = tables.toDataStream(table, type);
    nameOperators(step.id(), stream.getTransformation());
    int[] visible =
        IntStream.range(0, columns.size())
            .filter(i -> !Rows.isHidden(columns.get(i).getName()))
            .toArray();
    DataStream<RowData> counted =
        stream
            .transform(
                step.id(),
                InternalTypeInfo.of(type.getLogicalType()),
                new ObserveRows(
                    ObserveRows.accumulator(step.id()), (RowType) type.getLogicalType(), visible))
            .uid(step.id());
    observed.put(step.id(), counted.getTransformation());
    return rows.with(EventTime.ofStream(tables, counted, table));
  }

  private void collect(Step step) {
    step.collected()
        .forEach(
            (name, texts) -> {
              nameOperators(step.id() + ":" + name, texts.getTransformation());
              String uid = step.id() + ":collect-" + name;
              texts
                  .transform(
                      uid,
                      org.apache.flink.api.common.typeinfo.Types.STRING,
                      new CollectTexts(CollectTexts.accumulator(step.id(), name)))
                  .uid(uid)
                  .setParallelism(1)
                  .sinkTo(new DiscardingSink<>())
                  .uid(uid + "-end")
                  .name(uid + "-end")
                  .setParallelism(1);
            });
  }

  /** Adds what a load inserts to the job, and names what is new there. */
  private void attach(Step step, List<Transformation<?>> before) {
    if (step.inserts() && !site.offline()) {
      site.statements().attachAsDataStream();
    }
    Set<Transformation<?>> seen = new HashSet<>(observed.values());
    int[] number = {0};
    for (Transformation<?> added : site.environment().getTransformations()) {
      if (!before.contains(added)) {
        name(step.id() + ":write", added, seen, number);
      }
    }
  }

  /** Gives what the planner made of a step uids that the step's id and the plan's shape decide. */
  private void nameOperators(String prefix, Transformation<?> last) {
    int[] number = {0};
    name(prefix, last, new HashSet<>(observed.values()), number);
  }

  private static void name(
      String prefix, Transformation<?> node, Set<Transformation<?>> seen, int[] number) {
    if (!seen.add(node)) {
      return;
    }
    if (node.getUid() == null) {
      node.setUid(prefix + ":" + number[0]++);
    }
    for (Transformation<?> input : node.getInputs()) {
      name(prefix, input, seen, number);
    }
  }

  /**
   * The planner's messages go on with its own grammar or plan; their first line says what is wrong.
   */
  private static String oneLine(Throwable thrown) {
    Throwable cause = thrown;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    String message = cause.getMessage() == null ? cause.toString() : cause.getMessage();
    return message.strip().lines().findFirst().orElse(cause.toString());
  }

  /** Steps in the order of the file, each after those that it depends on; there is no cycle. */
  private static List<StepDef> inputsFirst(List<StepDef> steps) {
    Map<String, StepDef> byId = new LinkedHashMap<>();
    steps.forEach(step -> byId.put(step.id(), step));
    Map<String, StepDef> done = new LinkedHashMap<>();
    steps.forEach(step -> place(step, byId, done));
    return List.copyOf(done.values());
  }

  private static void place(
      @Nullable StepDef step, Map<String, StepDef> byId, Map<String, StepDef> done) {
    if (step == null || done.containsKey(step.id())) {
      return;
    }
    step.dependsOn().forEach(input -> place(byId.get(input), byId, done));
    done.put(step.id(), step);
  }
}

package io.millrace.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.IntNode;
import io.millrace.pipeline.PipelineCompiler.Compilation;
import io.millrace.pipeline.PipelineDef.StepDef;
import io.millrace.pipeline.RunReport.Status;
import io.millrace.pipeline.RunReport.StepStatus;
import io.millrace.transform.Arguments;
import io.millrace.transform.Catalog;
import io.millrace.transform.DataRoot;
import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Outcome;
import io.millrace.transform.Parameter;
import io.millrace.transform.Problem;
import io.millrace.transform.QualityGateException;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.Transform;
import io.millrace.transform.clean.CleanNan;
import io.millrace.transform.connector.LoadData;
import io.millrace.transform.quality.AssessQuality;
import io.millrace.transform.shape.DeriveColumns;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.table.api.Expressions;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Entries of the test's own, so that what is shown is the compiler and the runner. */
class PipelineRunnerTest {
  private static final String ODD = "CO(GT) `x`.y";

  private static EmbeddedCluster cluster;

  @TempDir Path temp;

  @BeforeAll
  static void start() throws Exception {
    cluster = EmbeddedCluster.start(2);
  }

  @AfterAll
  static void stop() throws Exception {
    cluster.close();
  }

  /** The numbers from 1 to n, every third one null. */
  private static final class Count implements Transform {
    @Override
    public Declaration declaration() {
      return new Declaration(
          "count",
          Kind.EXTRACT,
          Inputs.NONE,
          "Counts.",
          List.of(Parameter.integer("n").require()),
          List.of());
    }

    @Override
    public Rows lower(Step step, List<Rows> inputs) {
      DataStream<Row> rows =
          step.site()
              .environment()
              .fromSequence(1, step.arguments().integer("n"))
              .uid(step.id() + "-read")
              .map((MapFunction<Long, Row>) i -> Row.of(i % 3 == 0 ? null : i, "row " + i, i))
              .uid(step.id() + "-rows")
              .returns(
                  Types.ROW_NAMED(
                      new String[] {ODD, "text", Rows.orderColumn(0)},
                      Types.LONG,
                      Types.STRING,
                      Types.LONG));
      return new Rows(step.tables().fromDataStream(rows), List.of(Rows.orderColumn(0)));
    }
  }

  /** Keeps rows that have a number, and tells its column's sum; its input is read twice. */
  private static final class Keep implements Transform {
    @Override
    public Declaration declaration() {
      return new Declaration(
          "keep",
          Kind.TRANSFORM,
          Inputs.ONE,
          "Keeps.",
          List.of(Parameter.column("column").require()),
          List.of());
    }

    @Override
    public Rows lower(Step step, List<Rows> inputs) {
      Rows in = inputs.get(0);
      String column = step.arguments().text("column");
      DataStream<Row> sum =
          step.tables().toDataStream(in.table().select(Expressions.$(column).sum().as("s")));
      step.collect(
          "sum", sum.map((MapFunction<Row, String>) String::valueOf).returns(Types.STRING));
      return in.with(in.table().filter(Expressions.$(column).isNotNull()));
    }

    @Override
    public Map<String, Object> figures(Outcome outcome) {
      return Map.of(
          "dropped",
          outcome.in().get(0).rows() - outcome.out().rows(),
          "nulls",
          outcome.in().get(0).allNulls(),
          "sum",
          outcome.collected().get("sum").get(0));
    }
  }

  /** A gate that nothing passes. */
  private static final class Refuse implements Transform {
    @Override
    public Declaration declaration() {
      return new Declaration(
          "refuse", Kind.TRANSFORM, Inputs.ONE, "Refuses.", List.of(), List.of());
    }

    @Override
    public Rows lower(Step step, List<Rows> inputs) {
      // Behind a shuffle, as a gate is that waits for its verdict.
      DataStream<Row> in = step.tables().toDataStream(inputs.get(0).table()).rebalance();
      DataStream<Row> rows = in.map(new Throw()).uid(step.id() + "-throw").returns(in.getType());
      return inputs.get(0).with(step.tables().fromDataStream(rows));
    }
  }

  /** Throws at its first row. */
  public static final class Throw extends RichMapFunction<Row, Row> {
    private static final long serialVersionUID = 1L;

    @Override
    public void open(OpenContext context) {}

    @Override
    public Row map(Row value) {
      throw new QualityGateException("gate", "min_rows");
    }
  }

  /** Writes a file before the job runs, which is then published or removed. */
  private static final class Write implements Transform {
    @Override
    public Declaration declaration() {
      return new Declaration("write", Kind.LOAD, Inputs.ONE, "Writes.", List.of(), List.of());
    }

    @Override
    public Rows lower(Step step, List<Rows> inputs) {
      Path target = step.defaultOutput("txt");
      Path temporary = step.temporary(target);
      try {
        Files.createDirectories(target.getParent());
        Files.writeString(temporary, "written");
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
      step.publish(temporary, target);
      step.fact("output_file", target.toString());
      step.tables()
          .toDataStream(inputs.get(0).table())
          .sinkTo(new DiscardingSink<>())
          .uid(step.id() + "-write");
      return null;
    }

    @Override
    public Map<String, Object> figures(Outcome outcome) {
      return outcome.facts();
    }
  }

  private static final Catalog CATALOG =
      new Catalog(List.of(new Count(), new Keep(), new Refuse(), new Write()));

  private static StepDef step(String id, String service, Map<String, JsonNode> p, String... on) {
    return new StepDef(id, service, p, List.of(on), 0);
  }

  private Compilation compile(boolean offline, StepDef... steps) {
    return compile(CATALOG, offline, steps);
  }

  private Compilation compile(Catalog catalog, boolean offline, StepDef... steps) {
    Map<String, Arguments> arguments = new LinkedHashMap<>();
    for (StepDef step : steps) {
      arguments.put(step.id(), new Arguments(step.params()));
    }
    return PipelineCompiler.compile(
        new PipelineDef("numbers", "", List.of(steps)),
        catalog,
        arguments,
        cluster.environment(true),
        DataRoot.at(temp),
        "r1",
        true,
        offline);
  }

  private static JsonNode json(Object value) {
    return new ObjectMapper().valueToTree(value);
  }

  @Test
  void countsWhatGoesThroughAFanOutAndPublishesWhatIsWritten() throws Exception {
    Map<String, Long> seen = new LinkedHashMap<>();
    Compilation compilation =
        compile(
            false,
            step("all", "write", Map.of(), "in"),
            step("in", "count", Map.of("n", IntNode.valueOf(1_000))),
            step("kept", "keep", Map.of("column", json(ODD)), "in"),
            step("out", "write", Map.of(), "kept"));
    RunReport report =
        PipelineRunner.run(compilation, (id, rows, done) -> seen.put(id, done ? rows : -1));

    assertThat(report.error()).isNull();
    assertThat(report.status()).isEqualTo(Status.COMPLETED);
    assertThat(report.steps())
        .extracting(s -> s.stepId() + " " + s.rowsIn() + " " + s.rowsOut() + " " + s.status())
        .containsExactlyInAnyOrder(
            "in 0 1000 SUCCESS",
            "all 1000 1000 SUCCESS",
            "kept 1000 667 SUCCESS",
            "out 667 667 SUCCESS");
    assertThat(report.step("kept").figures())
        .containsEntry("dropped", 333L)
        .containsEntry("nulls", 333L)
        .containsEntry("sum", "+I[" + (500_500L - 3L * 333 * 334 / 2) + "]");
    assertThat(seen).containsEntry("out", 667L).containsEntry("all", 1_000L);
    try (Stream<Path> files = Files.list(temp.resolve("numbers/processed"))) {
      assertThat(files)
          .extracting(f -> f.getFileName().toString())
          .containsExactlyInAnyOrder("all.txt", "out.txt");
    }
    assertThat(report.toJson()).contains("\"step_id\" : \"kept\"", "\"dropped\" : 333");
  }

  @Test
  void aGateThatFailsLeavesNothingWrittenAndIsReported() throws Exception {
    RunReport report =
        PipelineRunner.run(
            compile(
                false,
                step("in", "count", Map.of("n", IntNode.valueOf(10))),
                step("gate", "refuse", Map.of(), "in"),
                step("out", "write", Map.of(), "gate")),
            (id, rows, done) -> {});

    assertThat(report.status()).isEqualTo(Status.QUALITY_FAILED);
    assertThat(report.error()).isEqualTo("quality checks of step 'gate' failed: min_rows");
    assertThat(report.step("in").rowsOut()).isEqualTo(10);
    assertThat(report.step("gate").status()).isEqualTo(StepStatus.FAILED);
    assertThat(report.step("out").status()).isEqualTo(StepStatus.SKIPPED);
    try (Stream<Path> files = Files.list(temp.resolve("numbers/processed"))) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void whatIsInQuarantineOutlivesAClosedGateWhichIsNotTriedAgain() throws Exception {
    Catalog catalog = new Catalog(List.of(new Count(), new AssessQuality(), new Write()));
    Map<String, JsonNode> rules =
        Map.of(
            "rules",
            json(Map.of("min_rows", 100, "not_null", List.of(ODD))),
            "on_fail",
            json("quarantine"),
            "fail_on_errors",
            json(true));
    Compilation compilation =
        compile(
            catalog,
            false,
            step("in", "count", Map.of("n", IntNode.valueOf(9))),
            step("gate", "data_quality", rules, "in"),
            step("out", "write", Map.of(), "gate"));
    Configuration patient = new Configuration();
    patient.set(RestartStrategyOptions.RESTART_STRATEGY, "fixed-delay");
    patient.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_DELAY, Duration.ofHours(1));
    compilation.environment().configure(patient);
    RunReport report = PipelineRunner.run(compilation, (id, rows, done) -> {});

    assertThat(report.status()).isEqualTo(Status.QUALITY_FAILED);
    assertThat(report.error()).isEqualTo("quality checks of step 'gate' failed: min_rows");
    assertThat(report.step("gate").figures()).containsKey("quarantine_file");
    assertThat(Files.readAllLines(temp.resolve("numbers/quarantine/gate.jsonl")))
        .containsExactly(
            "{\"" + ODD + "\":null,\"text\":\"row 3\",\"_reasons\":[\"" + ODD + " is null\"]}",
            "{\"" + ODD + "\":null,\"text\":\"row 6\",\"_reasons\":[\"" + ODD + " is null\"]}",
            "{\"" + ODD + "\":null,\"text\":\"row 9\",\"_reasons\":[\"" + ODD + " is null\"]}");
    try (Stream<Path> files = Files.list(temp.resolve("numbers/quarantine"))) {
      assertThat(files).hasSize(1);
    }
    assertThat(temp.resolve("numbers/processed/out.txt")).doesNotExist();
  }

  /** Counted as clean_nan treats it; else rows would be dropped for nothing that was missing. */
  @Test
  void whatIsNotANumberIsMissing() {
    Catalog catalog = new Catalog(List.of(new Count(), new DeriveColumns(), new CleanNan()));
    Map<String, JsonNode> ratio =
        Map.of(
            "columns",
            json(
                Map.of(
                    "ratio", "CASE WHEN text = 'row 1' THEN CAST('NaN' AS DOUBLE) ELSE 1e0 END")));
    RunReport report =
        PipelineRunner.run(
            compile(
                catalog,
                false,
                step("in", "count", Map.of("n", IntNode.valueOf(9))),
                step("ratio", "derive", ratio, "in"),
                step("clean", "clean_nan", Map.of("strategy", json("drop")), "ratio")),
            (id, rows, done) -> {});

    assertThat(report.error()).isNull();
    assertThat(report.step("clean").rowsOut()).isEqualTo(5);
    assertThat(report.step("clean").figures())
        .containsEntry("nulls_total", 4L)
        .containsEntry("nulls_handled", 4L);
  }

  @Test
  void twoStepsDoNotWriteOnePlace() {
    Catalog catalog = new Catalog(List.of(new Count(), new LoadData()));
    Compilation compilation =
        compile(
            catalog,
            true,
            step("in", "count", Map.of("n", IntNode.valueOf(10))),
            step("one", "load_data", load("out", 2), "in"),
            step("two", "load_data", load("out/x.csv", 1), "in"),
            step("other", "load_data", load("outer.csv", 1), "in"),
            step("same", "load_data", load("outer.csv", 1), "in"));

    Path root = compilation.steps().get(1).step().site().files().root();
    assertThat(compilation.problems())
        .extracting(Problem::toString)
        .containsExactly(
            String.format(
                "step 'two': writes %1$s/out/x.csv, but step 'one' writes %1$s/out", root),
            String.format(
                "step 'same': writes %1$s/outer.csv, but step 'other' writes %1$s/outer.csv",
                root));
  }

  private static Map<String, JsonNode> load(String path, int files) {
    return Map.of(
        "format", json("csv"),
        "path", json(path),
        "files", IntNode.valueOf(files),
        "lines", json(false));
  }

  @Test
  void aFolderIsReplacedAsAWhole() throws Exception {
    Path folder = Files.createDirectories(temp.resolve("out"));
    Files.writeString(folder.resolve("part-00007.csv"), "old");
    Catalog catalog = new Catalog(List.of(new Count(), new LoadData()));
    RunReport report =
        PipelineRunner.run(
            compile(
                catalog,
                false,
                step("in", "count", Map.of("n", IntNode.valueOf(10))),
                step("save", "load_data", load("out", 2), "in")),
            (id, rows, done) -> {});

    assertThat(report.error()).isNull();
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.map(f -> f.getFileName().toString()))
          .containsExactlyInAnyOrder("part-00000.csv", "part-00001.csv");
    }
    try (Stream<Path> files = Files.list(temp)) {
      assertThat(files).containsExactly(folder);
    }
  }

  @Test
  void aColumnThatIsNotThereIsAProblemAndWhatIsBehindItIsNot() {
    Compilation compilation =
        compile(
            true,
            step("in", "count", Map.of("n", IntNode.valueOf(10))),
            step("kept", "keep", Map.of("column", json("txet")), "in"),
            step("again", "keep", Map.of("column", json("nothing")), "kept"));

    assertThat(compilation.mayRun()).isFalse();
    assertThat(compilation.problems())
        .extracting(Problem::toString)
        .containsExactly(
            "step 'kept': column is 'txet', but there is no such column here; did you mean"
                + " 'text'?");
  }
}

package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.pipeline.PipelineCheck;
import io.millrace.pipeline.PipelineEnvironments;
import io.millrace.pipeline.PipelineEnvironments.State;
import io.millrace.pipeline.PipelineFile;
import io.millrace.pipeline.PipelineParser;
import io.millrace.pipeline.PipelineValidator;
import io.millrace.pipeline.PipelineValidator.Validation;
import io.millrace.pipeline.StandardCatalog;
import io.millrace.transform.DataRoot;
import io.millrace.transform.Problem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Pipelines over topics, as far as they need no broker. */
class TopicPipelinesTest {
  private static final Set<String> SERVICES = Set.of("extract_kafka", "load_kafka", "load_lake");

  @TempDir Path dir;

  static List<String> examples() {
    return StandardCatalog.standard().entries().stream()
        .filter(entry -> SERVICES.contains(entry.declaration().service()))
        .flatMap(entry -> entry.declaration().examples().stream())
        .toList();
  }

  private List<String> check(String yaml) {
    return PipelineCheck.check(
            PipelineParser.parse(yaml), StandardCatalog.standard(), DataRoot.at(dir))
        .stream()
        .map(Problem::toString)
        .toList();
  }

  @ParameterizedTest
  @MethodSource("examples")
  void examplesAreValid(String yaml) throws Exception {
    Files.writeString(dir.resolve("orders.csv"), "id,amount\n1,2.5\n");
    assertThat(check(yaml)).isEmpty();
  }

  private static final String STEPS =
      """
      pipeline:
        name: steps
        steps:
          - id: read
            service: extract_kafka
            params:
              topic: t
              bootstrap_servers: localhost:1
              columns: {k: STRING, at: BIGINT, x: BIGINT, y: DOUBLE}
              time: at
              record_time: written
              out_of_orderness: 2 d
              idle_after: 1 min
          - id: rates
            service: extract_kafka
            params:
              topic: r
              bootstrap_servers: localhost:1
              columns: {k: STRING, since: TIMESTAMP_LTZ(3), rate: DOUBLE}
              time: since
              format: arrow
              on_error: skip
          - id: once
            service: deduplicate
            depends_on: [read]
            params: {key: [k, x], over: 1 h}
          - id: mean
            service: clean_nan
            depends_on: [once]
            params: {strategy: fill_mean, columns: [x], key: k, over: 1 h}
          - id: carried
            service: clean_nan
            depends_on: [mean]
            params: {strategy: ffill, columns: [y], key: k, over: all}
          - id: usual
            service: outlier_detection
            depends_on: [carried]
            params: {column: y, key: k, over: 1 d}
          - id: good
            service: data_quality
            depends_on: [usual]
            params:
              rules: {not_null: [k], z_score: {x: 4}}
              on_fail: drop
              key: k
              over: 1 d
          - id: rated
            service: join_datasets
            depends_on: [good, rates]
            params: {join_key: k, join_type: left, partner: latest}
          - id: save
            service: load_kafka
            depends_on: [rated]
            params: {topic: o, bootstrap_servers: localhost:1, key: [k, x]}
          - id: keep
            service: load_lake
            depends_on: [rated]
            params: {root: lake, table: rated, partition: day}
      """;

  @Test
  void everyOperatorHasAUidThatBeginsWithItsStep() throws Exception {
    PipelineFile file = PipelineParser.parse(STEPS);
    Validation validation = PipelineValidator.validate(file, StandardCatalog.standard());
    assertThat(validation.problems()).isEmpty();
    StreamExecutionEnvironment environment =
        PipelineEnvironments.remote("localhost", 1, 2, validation.bounded());
    PipelineEnvironments.keep(environment, new State(null, Duration.ofSeconds(1), null));
    assertThat(
            PipelineCheck.compile(
                    file, validation, StandardCatalog.standard(), environment, DataRoot.at(dir))
                .problems())
        .isEmpty();
    // Fails for an operator without one.
    StreamGraph graph = environment.getStreamGraph();
    assertThat(graph.getCheckpointConfig().isCheckpointingEnabled()).isTrue();
    assertThat(graph.getStreamNodes())
        .hasSizeGreaterThan(30)
        .extracting(node -> node.getTransformationUID().replace("Sink Committer: ", ""))
        .allMatch(
            uid ->
                file.pipeline().steps().stream()
                    .anyMatch(step -> uid.equals(step.id()) || uid.startsWith(step.id() + ":")));
    assertThat(
            StreamSupport.stream(graph.getStreamNodes().spliterator(), false)
                .map(StreamNode::getTransformationUID))
        .contains(
            "once:drop-duplicates",
            "mean:fill",
            "carried:fill",
            "usual:usual",
            "good:judge-by-key");
  }

  @Test
  void aScopeThatIsMissingIsSaid() {
    assertThat(
            check(
                STEPS
                    .replace(", key: k, over: 1 h}", "}")
                    .replace("{column: y, key: k, over: 1 d}", "{column: y, key: k}")))
        .containsExactly(
            "line 27: step 'mean': missing parameter 'key': the input never ends, so statistics"
                + " need a scope, here the columns of whose values each has statistics of its own",
            "line 27: step 'mean': missing parameter 'over': the input never ends, so statistics"
                + " need a scope, here the event time that they cover, such as 1 h, or all",
            "line 35: step 'usual': missing parameter 'over': the input never ends, so statistics"
                + " need a scope, here the event time that they cover, such as 1 h, or all");
  }

  @Test
  void aTypeThatAFormatDoesNotKnowIsSaid() {
    assertThat(check(STEPS.replace("y: DOUBLE", "y: \"MULTISET<INT>\"")))
        .containsExactly(
            "line 4: step 'read': JSON format doesn't support non-string as key type of map. The"
                + " type is: MULTISET<INT>");
  }
}

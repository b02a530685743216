package io.millrace.job.engagement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.config.ConfigException;
import io.millrace.config.OptionDocs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.streaming.api.graph.StreamEdge;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The job graph as one line per operator: a change of a uid or an edge shows in review. */
class EngagementTopologyTest {
  private static final String[] EVERYTHING = {
    "--kafka.bootstrap-servers", "localhost:9092",
    "--lake.root", "file:///tmp/lake",
    "--users.pseudonym-key", "env:KEY",
    "--users.erasures-topic", "erasures",
    "--dimension.file", "file:///tmp/dimension.jsonl",
    "--rollups.jdbc.url", "jdbc:postgresql://localhost/millrace"
  };

  private static StreamExecutionEnvironment environment(EngagementConfig config) {
    StreamExecutionEnvironment env =
        StreamExecutionEnvironment.getExecutionEnvironment(EngagementJob.flinkSettings(config));
    env.setParallelism(2);
    return env;
  }

  private static StreamGraph graph(String... arguments) {
    EngagementConfig config = EngagementConfig.parse(arguments);
    StreamExecutionEnvironment env = environment(config);
    EngagementJob.build(env, config);
    return env.getStreamGraph();
  }

  private static String lines(StreamGraph graph) {
    List<String> lines = new ArrayList<>();
    for (StreamNode node : graph.getStreamNodes()) {
      List<String> upstream = new ArrayList<>();
      for (StreamEdge edge : node.getInEdges()) {
        String tag = edge.getOutputTag() == null ? "" : " @" + edge.getOutputTag().getId();
        upstream.add(
            graph.getStreamNode(edge.getSourceId()).getTransformationUID()
                + tag
                + " "
                + edge.getPartitioner());
      }
      upstream.sort(null);
      lines.add(node.getTransformationUID() + " x" + node.getParallelism() + " <- " + upstream);
    }
    lines.sort(null);
    return String.join("\n", lines) + "\n";
  }

  @Test
  void theStreamingTopologyIsGolden() {
    OptionDocs.verify(
        Path.of("src/test/resources/topology/engagement.txt"), lines(graph(EVERYTHING)));
  }

  @Test
  void theBoundedTopologyIsGolden(@TempDir Path input) throws IOException {
    Files.createFile(input.resolve("a.jsonl"));
    OptionDocs.verify(
        Path.of("src/test/resources/topology/engagement-files.txt"),
        lines(graph(boundedFrom(input))));
  }

  @Test
  void aFolderWithoutAFileToReadFailsBeforeItIsSubmitted(@TempDir Path input) throws IOException {
    Files.createFile(input.resolve("a.json"));
    Files.createFile(input.resolve(".b.jsonl"));
    assertThatThrownBy(() -> graph(boundedFrom(input)))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("input is '" + input.toUri())
        .hasMessageContaining("no file *.jsonl or *.jsonl.gz");
    assertThatThrownBy(() -> graph(boundedFrom(input.resolve("absent"))))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("absent', where there is no file *.jsonl or *.jsonl.gz");
  }

  private static String[] boundedFrom(Path input) {
    return new String[] {
      "--source", "files", "--input", input.toUri().toString(), "--lake.root", "file:///tmp/lake"
    };
  }

  @Test
  void aStreamingJobWithoutCheckpointsIsRefused() {
    EngagementConfig config = EngagementConfig.parse(EVERYTHING);
    assertThatThrownBy(() -> EngagementJob.requireCheckpoints(environment(config), config))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("execution.checkpointing.interval is not set");
  }

  /** Defaults: a transaction of 14 minutes, a checkpoint of at most 10. */
  @Test
  void checkpointsThatTransactionsDoNotOutliveAreRefused() {
    EngagementConfig config = EngagementConfig.parse(EVERYTHING);
    StreamExecutionEnvironment env = environment(config);
    env.enableCheckpointing(Duration.ofMinutes(4).toMillis() - 1);
    assertThatCode(() -> EngagementJob.requireCheckpoints(env, config)).doesNotThrowAnyException();
    env.enableCheckpointing(Duration.ofMinutes(4).toMillis());
    assertThatThrownBy(() -> EngagementJob.requireCheckpoints(env, config))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(
            "kafka.properties.transaction.timeout.ms is '840000', but must be more than 840000"
                + " milliseconds: execution.checkpointing.interval (240 s) and"
                + " execution.checkpointing.timeout (600 s) together; or leave sessions.topic and"
                + " anomalies.topic empty");

    EngagementConfig longer = with("--kafka.properties.transaction.timeout.ms", "3600000");
    assertThatCode(() -> EngagementJob.requireCheckpoints(env, longer)).doesNotThrowAnyException();
    env.getCheckpointConfig().setCheckpointTimeout(Duration.ofHours(1).toMillis());
    assertThatThrownBy(() -> EngagementJob.requireCheckpoints(env, longer))
        .hasMessageStartingWith(
            "kafka.properties.transaction.timeout.ms is '3600000', but must be");
    assertThatThrownBy(
            () ->
                EngagementJob.requireCheckpoints(
                    env, with("--kafka.properties.transaction.timeout.ms", "14 min")))
        .hasMessageStartingWith("kafka.properties.transaction.timeout.ms is '14 min', but must be");
    EngagementConfig none = with("--sessions.topic", "", "--anomalies.topic", "");
    assertThatCode(() -> EngagementJob.requireCheckpoints(env, none)).doesNotThrowAnyException();
  }

  private static EngagementConfig with(String... more) {
    List<String> all = new ArrayList<>(List.of(EVERYTHING));
    for (int i = 0; i < more.length; i += 2) {
      int known = all.indexOf(more[i]);
      if (known >= 0) {
        all.set(known + 1, more[i + 1]);
      } else {
        all.addAll(List.of(more[i], more[i + 1]));
      }
    }
    return EngagementConfig.parse(all.toArray(new String[0]));
  }

  @Test
  void everyOperatorHasAUidOfItsOwn() {
    List<String> uids =
        graph(EVERYTHING).getStreamNodes().stream().map(StreamNode::getTransformationUID).toList();
    assertThat(uids).doesNotContainNull().doesNotHaveDuplicates().hasSizeGreaterThan(20);
  }

  @Test
  void anOperatorWithoutAUidFailsTheGraph() {
    EngagementConfig config = EngagementConfig.parse(EVERYTHING);
    StreamExecutionEnvironment env = environment(config);
    env.fromData(1, 2).print();
    assertThatThrownBy(() -> env.getStreamGraph().getJobGraph())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("Auto generated UIDs have been disabled");
  }

  /** A type that Flink could only send through Kryo. */
  static final class NotASerializableRecord {
    final Object content;

    NotASerializableRecord(Object content) {
      this.content = content;
    }
  }

  @Test
  void aKryoTypeFailsTheGraph() {
    assertThatThrownBy(() -> graphOf(NotASerializableRecord.class))
        .isInstanceOf(UnsupportedOperationException.class)
        .hasMessageContaining("Generic types have been disabled")
        .hasMessageContaining("NotASerializableRecord");
    assertThat(graphOf(String.class).getStreamNodes()).hasSize(3);
  }

  /** A graph, under the job's own settings, with a stream of the type. */
  private static <T> StreamGraph graphOf(Class<T> type) {
    StreamExecutionEnvironment env = environment(EngagementConfig.parse(EVERYTHING));
    env.fromSequence(0, 0)
        .uid("numbers")
        .map(number -> (T) null)
        .returns(TypeInformation.of(type))
        .uid("records")
        .rebalance()
        .sinkTo(new DiscardingSink<>())
        .uid("discard");
    return env.getStreamGraph();
  }
}

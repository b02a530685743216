package io.millrace.pipeline;

import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExecutionOptions;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** The settings that pipelines run with. */
public final class PipelineEnvironments {
  private PipelineEnvironments() {}

  /**
   * An environment whose jobs run on the cluster at that REST address.
   *
   * @param jars what the cluster needs besides Flink; none for a cluster within this JVM
   */
  public static StreamExecutionEnvironment remote(
      String host, int port, int parallelism, boolean bounded, String... jars) {
    Configuration configuration = new Configuration();
    configuration.set(
        ExecutionOptions.RUNTIME_MODE,
        bounded ? RuntimeExecutionMode.BATCH : RuntimeExecutionMode.STREAMING);
    configuration.set(PipelineOptions.OBJECT_REUSE, true);
    configuration.set(PipelineOptions.GENERIC_TYPES, false);
    if (bounded) {
      // A bounded run either succeeds or says why not: rows that fail would fail again.
      configuration.set(RestartStrategyOptions.RESTART_STRATEGY, "none");
    }
    StreamExecutionEnvironment environment =
        StreamExecutionEnvironment.createRemoteEnvironment(host, port, configuration, jars);
    environment.setParallelism(parallelism);
    return environment;
  }
}

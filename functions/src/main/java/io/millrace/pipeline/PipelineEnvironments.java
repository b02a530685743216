package io.millrace.pipeline;

import io.millrace.transform.DataRoot;
import java.time.Duration;
import javax.annotation.Nullable;
import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExecutionOptions;
import org.apache.flink.configuration.ExternalizedCheckpointRetention;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.StateRecoveryOptions;
import org.apache.flink.core.execution.CheckpointingMode;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** The settings that pipelines run with. */
public final class PipelineEnvironments {
  /** In a row, with growing pauses: about two minutes. */
  private static final int MOST_RESTARTS = 10;

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

  /**
   * What an unbounded pipeline keeps, so that it can go on where it was.
   *
   * @param folder where checkpoints and savepoints go, a URI; null for what the cluster has
   * @param from a savepoint or retained checkpoint to go on from; null to begin anew
   */
  public record State(@Nullable String folder, Duration interval, @Nullable String from) {
    /** That of a pipeline which begins anew, in its folder below the data root. */
    public static State below(DataRoot files, String pipeline) {
      String folder = files.resolve(pipeline + "/state").toUri().toString();
      return new State(folder, Duration.ofSeconds(10), null);
    }
  }

  /** Has a streaming environment take checkpoints, and give up on what fails again and again. */
  public static void keep(StreamExecutionEnvironment environment, State state) {
    Configuration configuration = new Configuration();
    configuration.set(PipelineOptions.AUTO_GENERATE_UIDS, false);
    configuration.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, state.interval());
    configuration.set(
        CheckpointingOptions.CHECKPOINTING_CONSISTENCY_MODE, CheckpointingMode.EXACTLY_ONCE);
    configuration.set(
        CheckpointingOptions.EXTERNALIZED_CHECKPOINT_RETENTION,
        ExternalizedCheckpointRetention.RETAIN_ON_CANCELLATION);
    if (state.folder() != null) {
      configuration.set(
          CheckpointingOptions.CHECKPOINTS_DIRECTORY, state.folder() + "/checkpoints");
      configuration.set(CheckpointingOptions.SAVEPOINT_DIRECTORY, state.folder() + "/savepoints");
    }
    if (state.from() != null) {
      configuration.set(StateRecoveryOptions.SAVEPOINT_PATH, state.from());
    }
    configuration.set(RestartStrategyOptions.RESTART_STRATEGY, "exponential-delay");
    configuration.set(
        RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_ATTEMPTS, MOST_RESTARTS);
    environment.configure(configuration);
  }

  /** Has state on the disk, for a cluster that has no setting of its own. */
  public static void keepOnDisk(StreamExecutionEnvironment environment) {
    Configuration configuration = new Configuration();
    configuration.set(StateBackendOptions.STATE_BACKEND, "rocksdb");
    environment.configure(configuration);
  }
}

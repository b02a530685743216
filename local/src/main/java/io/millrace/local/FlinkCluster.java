package io.millrace.local;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.flink.api.common.JobExecutionResult;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.CheckpointType;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.core.plugin.PluginManager;
import org.apache.flink.metrics.MetricConfig;
import org.apache.flink.runtime.checkpoint.CheckpointStatsSnapshot;
import org.apache.flink.runtime.client.JobStatusMessage;
import org.apache.flink.runtime.execution.ExecutionState;
import org.apache.flink.runtime.executiongraph.AccessExecutionVertex;
import org.apache.flink.runtime.executiongraph.ErrorInfo;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.jobgraph.SavepointRestoreSettings;
import org.apache.flink.runtime.jobmaster.JobResult;
import org.apache.flink.runtime.metrics.MetricRegistryConfiguration;
import org.apache.flink.runtime.metrics.MetricRegistryImpl;
import org.apache.flink.runtime.metrics.ReporterSetup;
import org.apache.flink.runtime.metrics.filter.ReporterFilter;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * Flink in this JVM: TaskManagers that can be killed, RocksDB state, and S3 by the plugin of a real
 * cluster.
 *
 * <p>File systems belong to the JVM: the S3 settings of the cluster that was started last hold for
 * all.
 */
public final class FlinkCluster implements AutoCloseable {
  private static final Duration REQUEST_TIMEOUT = Duration.ofMinutes(1);
  private static final String RESTARTS = "numRestarts";
  private static final Duration SAVEPOINT_TIMEOUT = Duration.ofMinutes(3);

  private final MiniCluster cluster;
  private final Configuration configuration;
  private final JobMetrics metrics;

  private FlinkCluster(MiniCluster cluster, Configuration configuration, JobMetrics metrics) {
    this.cluster = cluster;
    this.configuration = configuration;
    this.metrics = metrics;
  }

  /**
   * Starts a cluster.
   *
   * @param folder holds local state, and checkpoints unless the settings say otherwise
   * @param settings Flink's keys, which win over the defaults of this class
   */
  public static FlinkCluster start(
      Path folder, int taskManagers, int slotsPerTaskManager, Map<String, String> settings) {
    Configuration configuration = defaults(folder.toAbsolutePath());
    configuration.setString(
        "parallelism.default", Integer.toString(taskManagers * slotsPerTaskManager));
    settings.forEach(configuration::setString);
    JobMetrics metrics = new JobMetrics();
    try {
      PluginManager plugins = FileSystems.initialize(configuration);
      MiniCluster cluster =
          new MeasuredCluster(
              new MiniClusterConfiguration.Builder()
                  .setConfiguration(configuration)
                  .setNumTaskManagers(taskManagers)
                  .setNumSlotsPerTaskManager(slotsPerTaskManager)
                  .setPluginManager(plugins)
                  .withRandomPorts()
                  .build(),
              metrics);
      cluster.start();
      return new FlinkCluster(cluster, configuration, metrics);
    } catch (Exception e) {
      throw new IllegalStateException("cannot start Flink in " + folder, e);
    }
  }

  private static Configuration defaults(Path folder) {
    Configuration defaults = new Configuration();
    defaults.setString("state.backend.type", "rocksdb");
    defaults.setString("execution.checkpointing.incremental", "true");
    defaults.setString(
        "state.backend.rocksdb.compression.per.level",
        "[NO_COMPRESSION, NO_COMPRESSION, SNAPPY_COMPRESSION]");
    defaults.setString(
        "execution.checkpointing.dir", folder.resolve("checkpoints").toUri().toString());
    defaults.setString(
        "execution.checkpointing.savepoint-dir", folder.resolve("savepoints").toUri().toString());
    defaults.setString("io.tmp.dirs", folder.resolve("tmp").toString());
    defaults.setString("taskmanager.memory.managed.size", "256m");
    defaults.setString("taskmanager.memory.network.min", "96m");
    defaults.setString("taskmanager.memory.network.max", "96m");
    defaults.setString("restart-strategy.type", "fixed-delay");
    defaults.setString("restart-strategy.fixed-delay.attempts", "2147483647");
    defaults.setString("restart-strategy.fixed-delay.delay", "1 s");
    // A lost TaskManager is noticed soon, a busy machine is not taken for a lost TaskManager.
    defaults.setString("heartbeat.interval", "2 s");
    defaults.setString("heartbeat.timeout", "15 s");
    defaults.setString("pekko.ask.timeout", "60 s");
    defaults.setString("rest.address", "127.0.0.1");
    defaults.setString("rest.bind-address", "127.0.0.1");
    defaults.setString("web.submit.enable", "false");
    // Jobs are on the class path: there is no class loader to leak.
    defaults.setString("classloader.check-leaked-classloader", "false");
    return defaults;
  }

  /** An environment with this cluster's settings, to be wired and then submitted. */
  public StreamExecutionEnvironment environment() {
    return StreamExecutionEnvironment.getExecutionEnvironment(new Configuration(configuration));
  }

  /** Submits what was wired in an environment. */
  public JobID submit(StreamExecutionEnvironment environment) {
    return submit(environment.getStreamGraph().getJobGraph());
  }

  /** Submits what was wired in an environment, with the state of a savepoint or checkpoint. */
  public JobID submit(StreamExecutionEnvironment environment, String savepoint) {
    JobGraph graph = environment.getStreamGraph().getJobGraph();
    graph.setSavepointRestoreSettings(SavepointRestoreSettings.forPath(savepoint, false));
    return submit(graph);
  }

  /** Submits a job graph; it is known to the JobManager when this returns, but may not run yet. */
  public JobID submit(JobGraph graph) {
    JobID job =
        get("submit " + graph.getName(), cluster.submitJob(graph), REQUEST_TIMEOUT).getJobID();
    Await.until(
        "the initialization of job " + job,
        REQUEST_TIMEOUT,
        () -> status(job) != JobStatus.INITIALIZING);
    return job;
  }

  /** Waits for a job to end by itself; a failed or cancelled one throws with its cause. */
  public JobExecutionResult waitUntilFinished(JobID job, Duration timeout) {
    CompletableFuture<JobResult> end = cluster.requestJobResult(job);
    Await.until(() -> "the end of " + describe(job), timeout, end::isDone);
    try {
      return end.get().toJobExecutionResult(FlinkCluster.class.getClassLoader());
    } catch (Exception e) {
      throw new IllegalStateException(describe(job) + " did not finish", e);
    }
  }

  /** Waits for a job's status. */
  public void waitUntil(JobID job, JobStatus wanted, Duration timeout) {
    Await.until(() -> describe(job) + " to be " + wanted, timeout, () -> status(job) == wanted);
  }

  /** Waits until every task of a job runs, which its status RUNNING does not say. */
  public void waitUntilTasksRun(JobID job, Duration timeout) {
    Await.until(
        () -> "every task of " + describe(job) + " to run",
        timeout,
        () -> status(job) == JobStatus.RUNNING && everyTaskRuns(job));
  }

  private boolean everyTaskRuns(JobID job) throws Exception {
    for (AccessExecutionVertex vertex :
        cluster.getArchivedExecutionGraph(job).get().getAllExecutionVertices()) {
      if (vertex.getExecutionState() != ExecutionState.RUNNING) {
        return false;
      }
    }
    return true;
  }

  public JobStatus status(JobID job) {
    return get("read the status of job " + job, cluster.getJobStatus(job), REQUEST_TIMEOUT);
  }

  /** Cancels every job that still runs. */
  public void cancelAll() {
    for (JobStatusMessage job : get("list jobs", cluster.listJobs(), REQUEST_TIMEOUT)) {
      if (!job.getJobState().isGloballyTerminalState()) {
        cancel(job.getJobId());
      }
    }
  }

  /** Cancels a job and waits until it is gone; its output is not committed any further. */
  public void cancel(JobID job) {
    get("cancel job " + job, cluster.cancelJob(job), REQUEST_TIMEOUT);
    get("cancel job " + job, cluster.requestJobResult(job), REQUEST_TIMEOUT);
  }

  /** Takes a checkpoint now and waits for it. */
  public void checkpoint(JobID job) {
    get(
        "checkpoint job " + job,
        cluster.triggerCheckpoint(job, CheckpointType.CONFIGURED),
        SAVEPOINT_TIMEOUT);
  }

  /** Stops a job with a savepoint in the configured folder, and returns its path. */
  public String stopWithSavepoint(JobID job) {
    String folder = configuration.get(CheckpointingOptions.SAVEPOINT_DIRECTORY);
    String path =
        get(
            "stop job " + job + " with a savepoint",
            cluster.stopWithSavepoint(job, folder, false, SavepointFormatType.CANONICAL),
            SAVEPOINT_TIMEOUT);
    get("wait for the end of job " + job, cluster.requestJobResult(job), REQUEST_TIMEOUT);
    return path;
  }

  /**
   * Ends a TaskManager, and the tasks on it fail; the first is 0, and the others keep their
   * numbers.
   */
  public void terminateTaskManager(int index) {
    get("terminate TaskManager " + index, cluster.terminateTaskManager(index), REQUEST_TIMEOUT);
  }

  /** Adds a TaskManager, with the next number. */
  public void startTaskManager() {
    try {
      cluster.startTaskManager();
    } catch (Exception e) {
      throw new IllegalStateException("cannot start another TaskManager", e);
    }
  }

  /** How often a job was restarted after a failure. */
  public long restarts(JobID job) {
    return metrics.read(job, RESTARTS).values().stream()
        .mapToLong(Number::longValue)
        .max()
        .orElseThrow(() -> new IllegalStateException("job " + job + " never ran here"));
  }

  /** How many checkpoints a job has completed. */
  public long completedCheckpoints(JobID job) {
    CheckpointStatsSnapshot stats = checkpoints(job);
    return stats == null ? 0 : stats.getCounts().getNumberOfCompletedCheckpoints();
  }

  /** The mean time that they took, in ms; 0 while there is none. */
  public long meanCheckpointMillis(JobID job) {
    CheckpointStatsSnapshot stats = checkpoints(job);
    return stats == null || stats.getCounts().getNumberOfCompletedCheckpoints() == 0
        ? 0
        : stats.getSummaryStats().getEndToEndDurationStats().getAverage();
  }

  private CheckpointStatsSnapshot checkpoints(JobID job) {
    return get(
            "read the checkpoints of job " + job,
            cluster.getArchivedExecutionGraph(job),
            REQUEST_TIMEOUT)
        .getCheckpointStatsSnapshot();
  }

  public JobMetrics metrics() {
    return metrics;
  }

  /** The address of the REST interface and of the web interface. */
  public String webUrl() {
    return get("read the address", cluster.getRestAddress(), REQUEST_TIMEOUT).toString();
  }

  /** The settings that jobs of this cluster start from. */
  public Configuration configuration() {
    return new Configuration(configuration);
  }

  /** Cancels whatever still runs, and ends the TaskManagers and the JobManager. */
  @Override
  public void close() {
    get("close Flink", cluster.closeAsync(), REQUEST_TIMEOUT);
  }

  private String describe(JobID job) {
    ErrorInfo failure =
        get(
                "read the failures of job " + job,
                cluster.getArchivedExecutionGraph(job),
                REQUEST_TIMEOUT)
            .getFailureInfo();
    String last = failure == null ? "" : ", last failure: " + failure.getExceptionAsString();
    // One that failed before its tasks were deployed has none.
    long restarts =
        metrics.read(job, RESTARTS).values().stream().mapToLong(Number::longValue).sum();
    return "job " + job + " (" + status(job) + ", " + restarts + " restarts" + last + ")";
  }

  private static <T> T get(String what, CompletableFuture<T> future, Duration timeout) {
    try {
      return future.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new IllegalStateException(
          "gave up after " + timeout.toSeconds() + " s, trying to " + what, e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("cannot " + what, e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted, trying to " + what, e);
    }
  }

  /** A cluster whose metrics go to this JVM. Its inherited close() may be interrupted. */
  @SuppressWarnings("try")
  private static final class MeasuredCluster extends MiniCluster {
    private final JobMetrics metrics;

    MeasuredCluster(MiniClusterConfiguration configuration, JobMetrics metrics) {
      super(configuration);
      this.metrics = metrics;
    }

    @Override
    protected MetricRegistryImpl createMetricRegistry(
        Configuration configuration, long maximumMessageBytes) {
      return new MetricRegistryImpl(
          MetricRegistryConfiguration.fromConfiguration(configuration, maximumMessageBytes),
          List.of(
              new ReporterSetup(
                  "local", new MetricConfig(), metrics, ReporterFilter.getNoOpFilter(), Map.of())));
    }
  }
}

package io.millrace.local;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.millrace.event.CrossCheck;
import io.millrace.event.LedgerEntry;
import io.millrace.event.SessionBalance;
import io.millrace.ledger.CheckSessions;
import io.millrace.ledger.Reconcile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.FlatMapFunction;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiterStrategy;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.core.plugin.DefaultPluginManager;
import org.apache.flink.core.plugin.DirectoryBasedPluginFinder;
import org.apache.flink.core.plugin.PluginConfig;
import org.apache.flink.core.plugin.PluginManager;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.streaming.api.graph.StreamGraph;

/**
 * The operators of the engagement job that hold counts against each other, in a job of their own in
 * this JVM. A test feeds the counts: of the engagement job itself none is ever missing, whatever is
 * broken around it.
 *
 * <p>A Prometheus scrapes it from {@link #start} to {@link #close}.
 */
final class LedgerFaultJob implements AutoCloseable {
  static final String NAME = "millrace-ledger-fault";

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration CHECKPOINTS = Duration.ofSeconds(1);
  private static final double LOOKS_PER_SECOND = 5;
  private static final String MODE = "streaming";
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What the job has not taken yet; static, since the job runs on copies of its functions. */
  private static final Queue<LedgerEntry> COUNTS = new ConcurrentLinkedQueue<>();

  private final MiniCluster cluster;
  private final Port port;
  private final PrometheusClient prometheus;
  private final Path targets;
  private final byte[] otherTargets;

  private LedgerFaultJob(
      MiniCluster cluster, Port port, PrometheusClient prometheus, Path targets, byte[] others) {
    this.cluster = cluster;
    this.port = port;
    this.prometheus = prometheus;
    this.targets = targets;
    this.otherTargets = others;
  }

  /**
   * Starts the job.
   *
   * @param targets the file of Flink's addresses that the Prometheus reads
   */
  static LedgerFaultJob start(PrometheusClient prometheus, Path targets) throws Exception {
    COUNTS.clear();
    byte[] others = Files.readAllBytes(targets);
    Port port = Port.claim();
    Configuration settings = settings(port);
    MiniCluster cluster;
    try {
      cluster = cluster(settings);
    } catch (Exception e) {
      port.close();
      throw e;
    }
    LedgerFaultJob job = new LedgerFaultJob(cluster, port, prometheus, targets, others);
    try {
      cluster.start();
      cluster.submitJob(graph(settings).getJobGraph()).join();
      ArrayNode more = (ArrayNode) JSON.readTree(others);
      more.addObject().putArray("targets").add(job.address());
      job.setTargets(JSON.writeValueAsBytes(more));
      return job;
    } catch (Exception e) {
      try {
        job.close();
      } catch (Exception second) {
        e.addSuppressed(second);
      }
      throw e;
    }
  }

  /** With the shipped reporter, from where the processes of the stack have it. */
  private static MiniCluster cluster(Configuration settings) throws IOException {
    PluginManager plugins =
        new DefaultPluginManager(
            new DirectoryBasedPluginFinder(FlinkProcess.distribution().resolve("plugins"))
                .findPlugins(),
            PluginConfig.fromConfiguration(settings).getAlwaysParentFirstPatterns());
    return new MiniCluster(
        new MiniClusterConfiguration.Builder()
            .setConfiguration(settings)
            .setPluginManager(plugins)
            .withRandomPorts()
            .build());
  }

  private static Configuration settings(Port port) {
    Configuration settings = new Configuration();
    settings.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, CHECKPOINTS);
    String reporter = "metrics.reporter.prom.";
    settings.setString(
        reporter + "factory.class",
        "org.apache.flink.metrics.prometheus.PrometheusReporterFactory");
    settings.setString(reporter + "port", Integer.toString(port.number()));
    settings.setString(reporter + "filterLabelValueCharacters", "false");
    // A job that was once seen to run is missed for six hours after its end.
    settings.setString(reporter + "filter.includes", "taskmanager.job.task.operator.millrace*");
    return settings;
  }

  private static StreamGraph graph(Configuration settings) {
    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(settings);
    env.setParallelism(1);
    DataStream<LedgerEntry> counts =
        env.fromSource(
                new DataGeneratorSource<>(
                    tick -> tick,
                    Long.MAX_VALUE,
                    RateLimiterStrategy.perSecond(LOOKS_PER_SECOND),
                    Types.LONG),
                WatermarkStrategy.noWatermarks(),
                "ticks")
            .uid("ticks")
            .flatMap(takeCounts())
            .returns(TypeInformation.of(LedgerEntry.class))
            .uid("counts")
            .name("counts");
    counts
        .transform("reconcile", TypeInformation.of(LedgerEntry.class), new Reconcile())
        .uid("reconcile")
        .sinkTo(new DiscardingSink<>())
        .uid("ledger")
        .name("ledger");
    counts
        .map(LedgerFaultJob::ofSessions)
        .returns(TypeInformation.of(SessionBalance.class))
        .uid("balances")
        .name("balances")
        .transform(
            "check-sessions", TypeInformation.of(CrossCheck.class), new CheckSessions(NAME, MODE))
        .uid("check-sessions")
        .sinkTo(new DiscardingSink<>())
        .uid("cross-checks")
        .name("cross-checks");
    StreamGraph graph = env.getStreamGraph();
    graph.setJobName(NAME);
    return graph;
  }

  private static FlatMapFunction<Long, LedgerEntry> takeCounts() {
    return (tick, out) -> {
      for (LedgerEntry entry = COUNTS.poll(); entry != null; entry = COUNTS.poll()) {
        out.collect(entry);
      }
    };
  }

  /** What was received as events on time, what was accepted as those in closed sessions. */
  private static SessionBalance ofSessions(LedgerEntry entry) {
    return new SessionBalance(
        entry.runId(), entry.mode(), entry.checkpoint(), entry.received(), entry.accepted(), 0);
  }

  /** So many more records at the one end, and at the other. */
  void count(long received, long accepted) {
    COUNTS.add(new LedgerEntry(NAME, MODE, 0, "app-events", 0, received, accepted, 0, 0, 0));
  }

  private String address() {
    return "127.0.0.1:" + port.number();
  }

  private void setTargets(byte[] content) throws IOException {
    Path draft = Files.write(targets.resolveSibling("draft"), content);
    Files.move(draft, targets, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Prometheus forgets it before it ends: else a process would be missed. */
  @Override
  public void close() throws IOException {
    try (port) {
      setTargets(otherTargets);
      String up = "up{instance=\"" + address() + "\"}";
      Await.until("no more of " + up, PATIENCE, () -> prometheus.query(up).isEmpty());
    } finally {
      cluster.closeAsync().join();
    }
  }
}

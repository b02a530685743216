package io.millrace.pipeline;

import java.net.URI;
import java.time.Duration;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.NettyShuffleEnvironmentOptions;
import org.apache.flink.configuration.NettyShuffleEnvironmentOptions.CompressionCodec;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.configuration.WebOptions;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * A Flink cluster inside this JVM, on loopback, that pipelines run on when no other is named. Jobs
 * reach it as they reach any cluster, so their figures outlive them.
 */
public final class EmbeddedCluster implements AutoCloseable {
  private final MiniCluster cluster;
  private final URI address;
  private final int parallelism;

  private EmbeddedCluster(MiniCluster cluster, URI address, int parallelism) {
    this.cluster = cluster;
    this.address = address;
    this.parallelism = parallelism;
  }

  /** Starts one with that many slots. */
  public static EmbeddedCluster start(int parallelism) throws Exception {
    Configuration configuration = new Configuration();
    configuration.set(RestOptions.BIND_PORT, "0");
    configuration.set(RestOptions.ADDRESS, "localhost");
    configuration.set(RestOptions.BIND_ADDRESS, "localhost");
    // A run asks for its last figures once it is over; an older answer would do for a page only.
    configuration.set(WebOptions.REFRESH_INTERVAL, Duration.ofMillis(50));
    // What goes from task to task stays on this machine; compressing it would cost more than it
    // saves.
    configuration.set(
        NettyShuffleEnvironmentOptions.SHUFFLE_COMPRESSION_CODEC, CompressionCodec.NONE);
    configuration.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(512));
    configuration.set(TaskManagerOptions.NETWORK_MEMORY_MIN, MemorySize.ofMebiBytes(128));
    configuration.set(TaskManagerOptions.NETWORK_MEMORY_MAX, MemorySize.ofMebiBytes(128));
    MiniCluster cluster =
        new MiniCluster(
            new MiniClusterConfiguration.Builder()
                .setConfiguration(configuration)
                .setNumTaskManagers(1)
                .setNumSlotsPerTaskManager(parallelism)
                .build());
    cluster.start();
    return new EmbeddedCluster(cluster, cluster.getRestAddress().get(), parallelism);
  }

  public String host() {
    return address.getHost();
  }

  public int port() {
    return address.getPort();
  }

  /** An environment whose jobs run here. */
  public StreamExecutionEnvironment environment(boolean bounded) {
    return PipelineEnvironments.remote(host(), port(), parallelism, bounded);
  }

  @Override
  public void close() throws Exception {
    cluster.close();
  }
}

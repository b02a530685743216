package io.millrace.job.engagement;

import io.millrace.codec.json.JsonEventDecoder;
import io.millrace.config.ConfigReader;
import io.millrace.config.PassThrough;
import io.millrace.config.Secret;
import io.millrace.lake.catalog.CatalogSpec;
import io.millrace.rollup.RollupSpec;
import io.millrace.session.SessionRules;
import io.millrace.validation.ValidationRules;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.annotation.Nullable;
import org.apache.flink.configuration.MemorySize;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Everything that the engagement job can be told; built once, in {@link EngagementJob#main}. */
public record EngagementConfig(
    String jobName,
    @Nullable String runId,
    int maxParallelism,
    Input input,
    Map<String, Set<String>> topics,
    ValidationRules rules,
    JsonEventDecoder.Limits limits,
    Time time,
    Users users,
    @Nullable Dimension dimension,
    Sessions sessions,
    Rollups rollups,
    Anomalies anomalies,
    DeadLetters deadLetters,
    Lake lake,
    CatalogSpec catalog) {

  private static final Logger LOG = LoggerFactory.getLogger(EngagementConfig.class);

  /** Where events are read from. */
  public enum SourceKind {
    /** Topics of a Kafka cluster. */
    KAFKA,
    /** JSON-lines files, once, in batch mode. */
    FILES,
    /** The lake's own raw records, as the plan of a backfill names them, once, in batch mode. */
    RAW
  }

  /** Where reading a topic begins when there is no checkpoint. */
  public enum Start {
    /** At the group's committed offsets, at the earliest record where there are none. */
    COMMITTED,
    /** At the earliest record that the broker has. */
    EARLIEST,
    /** After the newest record. */
    LATEST
  }

  /**
   * The input.
   *
   * @param files a folder of JSON-lines files, for {@link SourceKind#FILES}; the plan of a
   *     backfill, for {@link SourceKind#RAW}
   * @param bounded whether to stop at the records that are there at the start
   */
  public record Input(
      SourceKind kind,
      @Nullable String files,
      String bootstrapServers,
      String group,
      Start start,
      boolean bounded,
      String correlationHeader,
      PassThrough kafkaProperties) {}

  /** Event time. */
  public record Time(
      Duration outOfOrderness, Duration idleness, Duration maxDrift, Duration allowedLateness) {}

  /** What is kept per user. */
  public record Users(
      Duration dedupTtl,
      int cacheUsers,
      MemorySize cacheSize,
      @Nullable Secret pseudonymKey,
      @Nullable String erasuresTopic) {}

  /**
   * The dimension; one of file and topic is set.
   *
   * @param refresh how often it is looked for changes
   */
  public record Dimension(@Nullable String file, @Nullable String topic, Duration refresh) {}

  /**
   * Sessions.
   *
   * @param topic null when they go to the lake only
   */
  public record Sessions(boolean enabled, SessionRules rules, @Nullable String topic) {}

  /**
   * Rollups.
   *
   * @param maxCells cells of a window that get rows of their own
   * @param liveInterval how often changed cells are told
   * @param liveRetention how long a cell is told after its final row, in event time
   * @param liveTopic null for none
   * @param jdbc null for none
   */
  public record Rollups(
      boolean enabled,
      RollupSpec spec,
      int maxCells,
      Duration liveInterval,
      Duration liveRetention,
      @Nullable String liveTopic,
      @Nullable Jdbc jdbc) {

    /** Whether anything takes the present values of cells. */
    public boolean isLive() {
      return liveTopic != null || jdbc != null;
    }
  }

  /** A PostgreSQL database with a table per window. */
  public record Jdbc(
      String url, @Nullable String user, @Nullable Secret password, String tablePrefix) {}

  /** Which rollups are looked at for anomalies. */
  public enum AnomalyInput {
    /** The final rows. */
    FINAL,
    /** The present values. */
    LIVE
  }

  /**
   * Anomaly detection.
   *
   * @param metrics figures of the rollups
   * @param cells grouping sets that are watched, as masks of dimensions
   * @param maxEmptyHours hours without a row after which a cell is forgotten
   * @param topic null when anomalies go to the lake only
   */
  public record Anomalies(
      boolean enabled,
      AnomalyInput input,
      List<String> metrics,
      Set<Integer> cells,
      int maxEmptyHours,
      @Nullable String topic) {}

  /**
   * Where rejected records go besides the lake.
   *
   * @param topics whether they go to {@code <topic><suffix>}
   * @param maxPayload longest part of the record in such a message
   */
  public record DeadLetters(boolean topics, String suffix, MemorySize maxPayload) {}

  /** The lake. */
  public record Lake(
      String root,
      boolean raw,
      int zstdLevel,
      MemorySize rowGroupSize,
      MemorySize writerMemory,
      Duration publishTimeout) {}

  /** Whether the input ends and the job runs in batch mode. */
  public boolean isBatch() {
    return input.kind() != SourceKind.KAFKA;
  }

  /**
   * How far the watermark has to be past a window's end before its rows are final: sessions that
   * end in it are known after the gap.
   */
  public Duration finalAfter() {
    Duration gap = sessions.enabled() ? sessions.rules().gap() : Duration.ZERO;
    return time.allowedLateness().plus(gap);
  }

  /** The run's mode, as it stands in the ledger. */
  public String mode() {
    return isBatch() ? "bounded" : "streaming";
  }

  public EngagementConfig {
    topics = Map.copyOf(topics);
  }

  /**
   * Reads the configuration.
   *
   * @throws io.millrace.config.ConfigException with every problem at once
   */
  public static EngagementConfig parse(String... arguments) {
    return ConfigReader.of(EngagementOptions.OPTIONS)
        .arguments(arguments)
        .build(
            settings -> {
              LOG.info("Configuration, secrets left out:\n{}", settings.describe());
              return EngagementOptions.from(settings);
            });
  }
}

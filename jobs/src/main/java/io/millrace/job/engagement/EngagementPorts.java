package io.millrace.job.engagement;

import io.millrace.codec.json.JsonEventDecoder;
import io.millrace.config.ConfigException;
import io.millrace.enrichment.DimensionFile;
import io.millrace.enrichment.DimensionReader;
import io.millrace.event.AppEvent;
import io.millrace.event.DeadLetter;
import io.millrace.event.LedgerEntry;
import io.millrace.event.Received;
import io.millrace.job.engagement.EngagementConfig.Dimension;
import io.millrace.job.engagement.EngagementConfig.Input;
import io.millrace.job.engagement.EngagementConfig.Lake;
import io.millrace.job.engagement.EngagementConfig.SourceKind;
import io.millrace.job.engagement.EngagementConfig.Start;
import io.millrace.lake.catalog.CatalogSpec;
import io.millrace.lake.parquet.AppEventTable;
import io.millrace.lake.parquet.DeadLetterTable;
import io.millrace.lake.parquet.EventTimeBucket;
import io.millrace.lake.parquet.LakeTable;
import io.millrace.lake.parquet.LedgerTable;
import io.millrace.lake.parquet.Lineage;
import io.millrace.lake.parquet.ParquetFooter;
import io.millrace.lake.parquet.ParquetOptions;
import io.millrace.lake.parquet.ParquetRowWriter;
import io.millrace.lake.parquet.RawEventTable;
import io.millrace.lake.publish.BackfillPlan;
import io.millrace.lake.publish.LakeSink;
import io.millrace.lake.publish.PublishSettings;
import io.millrace.validation.Validate;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.annotation.Nullable;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiterStrategy;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.enumerate.NonSplittingRecursiveEnumerator;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.KafkaSourceBuilder;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.core.fs.Path;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * What the engagement job reads from and writes to; the only place that knows connectors.
 *
 * @param events a source per topic
 * @param raw absent when raw is off
 * @param deadLetterTopics absent when rejected records go to the lake only
 */
public record EngagementPorts(
    List<EventSource> events,
    @Nullable DimensionSource dimension,
    Sink<AppEvent> appEvents,
    @Nullable Sink<Received> raw,
    Sink<DeadLetter> quarantine,
    @Nullable Sink<DeadLetter> deadLetterTopics,
    Sink<LedgerEntry> ledger) {

  private static final Duration BROKER_TIMEOUT = Duration.ofSeconds(30);

  /**
   * A source of records.
   *
   * @param name the topic; part of the operators' uids
   */
  public record EventSource(String name, Source<Received, ?, ?> source) {}

  /**
   * When to look for a new dimension, and where.
   *
   * @param ticks null for input that ends, which takes the dimension as it is at the start
   */
  public record DimensionSource(@Nullable Source<Long, ?, ?> ticks, DimensionReader reader) {}

  /**
   * Connects everything as configured; nothing is opened yet.
   *
   * @throws io.millrace.config.ConfigException when the input is a folder without a file to read
   */
  public static EngagementPorts connect(EngagementConfig config, RunInfo run) {
    @Nullable BackfillPlan plan = plan(config);
    Validate validate = new Validate(config.rules(), new JsonEventDecoder(config.limits()));
    Lineage lineage = new Lineage(config.jobName(), run.version(), run.id());
    PublishSettings whenPassed =
        PublishSettings.completeAfter(config.time().allowedLateness())
            .withCloseTimeout(config.lake().publishTimeout());
    PublishSettings never =
        PublishSettings.neverComplete().withCloseTimeout(config.lake().publishTimeout());
    return new EngagementPorts(
        events(config, plan, validate),
        dimension(config),
        table(config, plan, lineage, new AppEventTable(), whenPassed),
        config.lake().raw() && plan == null
            ? table(config, plan, lineage, new RawEventTable(), never)
            : null,
        table(config, plan, lineage, new DeadLetterTable(), never),
        config.deadLetters().topics() ? deadLetterTopics(config) : null,
        // The ledger knows runs: a backfill's counts stand beside those of the live run.
        table(config, null, lineage, new LedgerTable(), never));
  }

  /**
   * Asks the broker for every topic that the job reads and writes, so that a wrong name is told at
   * submission and not by the first rejected record.
   *
   * @throws IllegalStateException in one line, when the broker or a topic is not there
   */
  public static void verify(EngagementConfig config) {
    if (config.isBatch()) {
      return;
    }
    Set<String> wanted = new TreeSet<>(config.topics().keySet());
    if (config.deadLetters().topics()) {
      config.topics().keySet().forEach(t -> wanted.add(t + config.deadLetters().suffix()));
    }
    if (config.dimension() != null && config.dimension().topic() != null) {
      wanted.add(config.dimension().topic());
    }
    Properties client = config.input().kafkaProperties().toProperties();
    client.setProperty(
        AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, config.input().bootstrapServers());
    Set<String> missing = new TreeSet<>();
    try (Admin admin = Admin.create(client)) {
      for (Map.Entry<String, KafkaFuture<TopicDescription>> topic :
          admin.describeTopics(wanted).topicNameValues().entrySet()) {
        try {
          topic.getValue().get(BROKER_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
          if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
            throw new IllegalStateException(
                "topic " + topic.getKey() + ": " + e.getCause().getMessage(), e.getCause());
          }
          missing.add(topic.getKey());
        }
      }
    } catch (KafkaException | TimeoutException e) {
      throw new IllegalStateException(
          "no answer from kafka.bootstrap-servers " + config.input().bootstrapServers(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while asking for topics", e);
    }
    if (!missing.isEmpty()) {
      throw new IllegalStateException(
          "these topics do not exist: "
              + String.join(", ", missing)
              + " (dead-letters.topics=false does without the topics of dead letters)");
    }
  }

  /** What a backfill of hours reads, and where it writes; null for every other run. */
  @Nullable
  private static BackfillPlan plan(EngagementConfig config) {
    if (config.input().kind() != SourceKind.RAW) {
      return null;
    }
    Path file = new Path(config.input().files());
    try {
      return BackfillPlan.read(file)
          .orElseThrow(
              () ->
                  new ConfigException(
                      List.of("input is '" + file + "', where there is no plan of a backfill")));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the plan " + file, e);
    }
  }

  private static List<EventSource> events(
      EngagementConfig config, @Nullable BackfillPlan plan, Validate validate) {
    Input input = config.input();
    if (plan != null) {
      FileSource<Received> raw =
          FileSource.forBulkFileFormat(
                  new RawRecords(validate, plan),
                  plan.rawFiles().stream().map(Path::new).toArray(Path[]::new))
              .setFileEnumerator(NonSplittingRecursiveEnumerator::new)
              .build();
      return List.of(new EventSource("raw", raw));
    }
    if (config.isBatch()) {
      JsonLinesFiles.require(input.files());
      JsonLines lines =
          new JsonLines(config.topics().keySet(), validate, config.rules().maxRecordBytes());
      FileSource<Received> files =
          FileSource.forBulkFileFormat(lines, new Path(input.files()))
              .setFileEnumerator(JsonLinesFiles::new)
              .build();
      return List.of(new EventSource("files", files));
    }
    List<EventSource> sources = new ArrayList<>();
    for (String topic : new TreeSet<>(config.topics().keySet())) {
      KafkaSourceBuilder<Received> source =
          KafkaSource.<Received>builder()
              .setProperties(input.kafkaProperties().toProperties())
              .setBootstrapServers(input.bootstrapServers())
              .setGroupId(input.group())
              .setClientIdPrefix(input.group() + "-" + topic)
              .setTopics(topic)
              .setStartingOffsets(startingOffsets(input.start()))
              .setDeserializer(new ReceivedDeserializer(validate));
      if (input.bounded()) {
        source.setBounded(OffsetsInitializer.latest());
      }
      sources.add(new EventSource(topic, source.build()));
    }
    return sources;
  }

  // The connector's interface still asks for the deprecated type.
  @SuppressWarnings("deprecation")
  private static OffsetsInitializer startingOffsets(Start start) {
    return switch (start) {
      case COMMITTED -> OffsetsInitializer.committedOffsets(OffsetResetStrategy.EARLIEST);
      case EARLIEST -> OffsetsInitializer.earliest();
      case LATEST -> OffsetsInitializer.latest();
    };
  }

  @Nullable
  private static DimensionSource dimension(EngagementConfig config) {
    Dimension dimension = config.dimension();
    if (dimension == null) {
      return null;
    }
    DimensionReader reader =
        dimension.file() != null
            ? new DimensionFile(dimension.file())
            : new DimensionTopic(
                config.input().bootstrapServers(),
                dimension.topic(),
                config.input().kafkaProperties());
    if (config.isBatch() || config.input().bounded()) {
      return new DimensionSource(null, reader);
    }
    DataGeneratorSource<Long> ticks =
        new DataGeneratorSource<>(
            tick -> tick,
            Long.MAX_VALUE,
            RateLimiterStrategy.perSecond(1000.0 / dimension.refresh().toMillis()),
            Types.LONG);
    return new DimensionSource(ticks, reader);
  }

  /** A table of the lake, or with a plan its new generation, which no catalog has yet. */
  private static <T> Sink<T> table(
      EngagementConfig config,
      @Nullable BackfillPlan plan,
      Lineage lineage,
      LakeTable<T> table,
      PublishSettings publish) {
    Lake lake = config.lake();
    Path root = new Path(lake.root());
    Path base =
        plan == null ? new Path(root, table.schema().path()) : plan.folder(root, table.schema());
    CatalogSpec catalog =
        plan == null
            ? config.catalog().withDatabaseLocation(lake.root() + "/")
            : CatalogSpec.none();
    ParquetOptions options =
        ParquetOptions.DEFAULT
            .withZstdLevel(lake.zstdLevel())
            .withRowGroupBytes(lake.rowGroupSize().getBytes())
            .withMemoryBytes(lake.writerMemory().getBytes());
    return LakeSink.builder(
            table.schema(),
            base,
            new ParquetRowWriter.Factory<>(table, lineage, options),
            new EventTimeBucket<>(table),
            ParquetFooter::rows)
        .catalog(catalog)
        .publishing(publish)
        .build();
  }

  private static Sink<DeadLetter> deadLetterTopics(EngagementConfig config) {
    Properties properties = config.input().kafkaProperties().toProperties();
    return KafkaSink.<DeadLetter>builder()
        .setBootstrapServers(config.input().bootstrapServers())
        .setKafkaProducerConfig(properties)
        .setDeliveryGuarantee(DeliveryGuarantee.AT_LEAST_ONCE)
        .setRecordSerializer(
            new DeadLetterMessage(
                config.deadLetters().suffix(), (int) config.deadLetters().maxPayload().getBytes()))
        .build();
  }
}

package io.millrace.job.engagement;

import io.millrace.codec.json.JsonEventDecoder;
import io.millrace.config.ConfigException;
import io.millrace.enrichment.DimensionFile;
import io.millrace.enrichment.DimensionReader;
import io.millrace.event.Anomaly;
import io.millrace.event.AppEvent;
import io.millrace.event.CrossCheck;
import io.millrace.event.DeadLetter;
import io.millrace.event.Event;
import io.millrace.event.LedgerEntry;
import io.millrace.event.LiveRollup;
import io.millrace.event.Received;
import io.millrace.event.Rollup;
import io.millrace.event.Session;
import io.millrace.job.engagement.EngagementConfig.Anomalies;
import io.millrace.job.engagement.EngagementConfig.Dimension;
import io.millrace.job.engagement.EngagementConfig.Input;
import io.millrace.job.engagement.EngagementConfig.Lake;
import io.millrace.job.engagement.EngagementConfig.Rollups;
import io.millrace.job.engagement.EngagementConfig.Sessions;
import io.millrace.job.engagement.EngagementConfig.SourceKind;
import io.millrace.job.engagement.EngagementConfig.Start;
import io.millrace.lake.catalog.CatalogSpec;
import io.millrace.lake.catalog.Column;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.parquet.AnomalyTable;
import io.millrace.lake.parquet.AppEventTable;
import io.millrace.lake.parquet.CrossCheckTable;
import io.millrace.lake.parquet.DeadLetterTable;
import io.millrace.lake.parquet.EventTimeBucket;
import io.millrace.lake.parquet.LakeTable;
import io.millrace.lake.parquet.LedgerTable;
import io.millrace.lake.parquet.Lineage;
import io.millrace.lake.parquet.ParquetFooter;
import io.millrace.lake.parquet.ParquetOptions;
import io.millrace.lake.parquet.ParquetRowWriter;
import io.millrace.lake.parquet.RawEventTable;
import io.millrace.lake.parquet.RollupTable;
import io.millrace.lake.parquet.SessionTable;
import io.millrace.lake.publish.BackfillPlan;
import io.millrace.lake.publish.LakeSink;
import io.millrace.lake.publish.PublishSettings;
import io.millrace.rollup.RollupSpec;
import io.millrace.validation.Validate;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.annotation.Nullable;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiterStrategy;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.enumerate.NonSplittingRecursiveEnumerator;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.KafkaSourceBuilder;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.core.fs.Path;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the engagement job reads from and writes to; the only place that knows connectors.
 *
 * @param events a source per topic
 * @param raw absent when raw is off
 * @param deadLetterTopics absent when rejected records go to the lake only
 * @param sessions absent, with the topic, when there are no sessions
 * @param sessionTopic absent when sessions go to the lake only
 * @param hourly absent, with the other ports of rollups, when there are no rollups
 * @param liveTopic takes the records of a cell in order, from one subtask
 * @param liveTable the same
 * @param erasures words to forget a user; absent without a topic of them
 * @param anomalies absent, with the topic, when none are looked for
 */
public record EngagementPorts(
    List<EventSource> events,
    @Nullable Source<Event, ?, ?> erasures,
    @Nullable DimensionSource dimension,
    Sink<AppEvent> appEvents,
    @Nullable Sink<Received> raw,
    Sink<DeadLetter> quarantine,
    @Nullable Sink<DeadLetter> deadLetterTopics,
    Sink<LedgerEntry> ledger,
    @Nullable Sink<Session> sessions,
    @Nullable Sink<Session> sessionTopic,
    @Nullable Sink<Rollup> hourly,
    @Nullable Sink<Rollup> daily,
    @Nullable Sink<LiveRollup> liveTopic,
    @Nullable Sink<LiveRollup> liveTable,
    @Nullable Sink<Anomaly> anomalies,
    @Nullable Sink<Anomaly> anomalyTopic,
    Sink<CrossCheck> crossChecks) {

  private static final Logger LOG = LoggerFactory.getLogger(EngagementPorts.class);
  private static final Duration BROKER_TIMEOUT = Duration.ofSeconds(30);

  /**
   * How long the broker keeps a transaction open that nobody ends. A broker takes at most 15
   * minutes unless told otherwise, and a longer wait for the next checkpoint loses messages.
   */
  private static final Duration TRANSACTION_TIMEOUT = Duration.ofMinutes(14);

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
    PublishSettings whenFinal =
        PublishSettings.completeAfter(config.finalAfter())
            .withCloseTimeout(config.lake().publishTimeout());
    Sessions sessions = config.sessions();
    Rollups rollups = config.rollups();
    Anomalies anomalies = config.anomalies();
    List<String> dimensions = dimensionColumns(rollups.spec());
    List<String> counters = List.copyOf(rollups.spec().counters().keySet());
    return new EngagementPorts(
        events(config, plan, validate),
        erasures(config),
        dimension(config),
        table(config, plan, lineage, new AppEventTable(), whenPassed),
        config.lake().raw() && plan == null
            ? table(config, plan, lineage, new RawEventTable(), never)
            : null,
        table(config, plan, lineage, new DeadLetterTable(), never),
        config.deadLetters().topics() ? deadLetterTopics(config) : null,
        // These know runs: what a backfill tells stands beside what the live run tells.
        table(config, null, lineage, new LedgerTable(), never),
        sessions.enabled() ? table(config, plan, lineage, new SessionTable(), whenFinal) : null,
        sessions.topic() != null
            ? transactional(config, run, "sessions", new SessionMessage(sessions.topic()))
            : null,
        rollups.enabled()
            ? table(config, plan, lineage, RollupTable.hourly(dimensions, counters), whenFinal)
            : null,
        rollups.enabled()
            ? table(config, plan, lineage, RollupTable.daily(dimensions, counters), whenFinal)
            : null,
        rollups.liveTopic() != null ? liveTopic(config, run, rollups) : null,
        rollups.jdbc() != null ? liveTable(rollups).sink(rollups.jdbc()) : null,
        anomalies.enabled() ? table(config, plan, lineage, new AnomalyTable(), never) : null,
        anomalies.topic() != null
            ? transactional(config, run, "anomalies", new AnomalyMessage(anomalies.topic()))
            : null,
        table(config, null, lineage, new CrossCheckTable(), never));
  }

  /** The tables that are made from events as a whole: those that a backfill recomputes. */
  public static List<TableSchema> recomputed(EngagementConfig config) {
    List<TableSchema> tables = new ArrayList<>(List.of(AppEventTable.SCHEMA));
    if (config.sessions().enabled()) {
      tables.add(SessionTable.SCHEMA);
    }
    if (config.rollups().enabled()) {
      RollupSpec spec = config.rollups().spec();
      List<String> counters = List.copyOf(spec.counters().keySet());
      tables.add(RollupTable.hourly(dimensionColumns(spec), counters).schema());
      tables.add(RollupTable.daily(dimensionColumns(spec), counters).schema());
    }
    return tables;
  }

  private static List<String> dimensionColumns(RollupSpec spec) {
    return IntStream.range(0, spec.dimensions().size()).mapToObj(spec::column).toList();
  }

  private static List<Column> liveColumns(RollupSpec spec) {
    return LiveRow.columns(dimensionColumns(spec), List.copyOf(spec.counters().keySet()));
  }

  private static LiveRollupTable liveTable(Rollups rollups) {
    return new LiveRollupTable(rollups.jdbc().tablePrefix(), liveColumns(rollups.spec()));
  }

  /**
   * Asks broker and database for everything that the job reads and writes there, so that a wrong
   * name is told at submission and not by the first record.
   *
   * @throws IllegalStateException in one line, when the broker, a topic, the database or its table
   *     is not there, or the live topic is not compacted
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
    Stream.of(
            config.users().erasuresTopic(),
            config.sessions().topic(),
            config.rollups().liveTopic(),
            config.anomalies().topic())
        .filter(Objects::nonNull)
        .forEach(wanted::add);
    Properties client = KafkaSecrets.properties(config.input().kafkaProperties());
    client.setProperty(
        AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, config.input().bootstrapServers());
    try (Admin admin = Admin.create(client)) {
      requireTopics(admin, wanted);
      if (config.rollups().liveTopic() != null) {
        requireCompacted(admin, config.rollups().liveTopic());
      }
    } catch (AuthenticationException e) {
      throw new IllegalStateException(
          "kafka.bootstrap-servers "
              + config.input().bootstrapServers()
              + " and this job do not trust each other, see kafka.properties: "
              + e.getMessage(),
          e);
    } catch (TimeoutException e) {
      throw new IllegalStateException(
          "no answer from kafka.bootstrap-servers " + config.input().bootstrapServers(), e);
    } catch (KafkaException e) {
      throw new IllegalStateException("no client can be made of kafka.properties: " + reason(e), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while asking for topics", e);
    }
    if (config.rollups().jdbc() != null) {
      liveTable(config.rollups()).verify(config.rollups().jdbc());
    }
  }

  /**
   * A transaction is open from one checkpoint to the end of the next. One that the broker aborts
   * before has lost its messages.
   *
   * @throws IllegalStateException in one line, when the broker may do so
   */
  static void requireTransactionsOutlive(
      EngagementConfig config, Duration checkpointInterval, Duration checkpointTimeout) {
    if (config.sessions().topic() == null && config.anomalies().topic() == null) {
      return;
    }
    String key = ProducerConfig.TRANSACTION_TIMEOUT_CONFIG;
    String given =
        config
            .input()
            .kafkaProperties()
            .resolve()
            .getOrDefault(key, Long.toString(TRANSACTION_TIMEOUT.toMillis()));
    Duration open = checkpointInterval.plus(checkpointTimeout);
    if (!given.matches("\\d{1,10}") || Long.parseLong(given) <= open.toMillis()) {
      throw new IllegalStateException(
          ("kafka.properties.%s is '%s', but must be more than %d milliseconds:"
                  + " execution.checkpointing.interval (%d s) and"
                  + " execution.checkpointing.timeout (%d s) together; or leave sessions.topic and"
                  + " anomalies.topic empty")
              .formatted(
                  key,
                  given,
                  open.toMillis(),
                  checkpointInterval.toSeconds(),
                  checkpointTimeout.toSeconds()));
    }
  }

  private static Properties transactions(EngagementConfig config) {
    Properties properties = producer(config);
    properties.putIfAbsent(
        ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, Long.toString(TRANSACTION_TIMEOUT.toMillis()));
    return properties;
  }

  /** The innermost that Kafka says, with its reason: what is around it repeats it or says less. */
  private static String reason(KafkaException failure) {
    KafkaException inner = failure;
    while (inner.getCause() instanceof KafkaException cause) {
      inner = cause;
    }
    return inner.getCause() == null
        ? inner.getMessage()
        : inner.getMessage() + ": " + inner.getCause().getMessage();
  }

  private static void requireTopics(Admin admin, Set<String> wanted)
      throws InterruptedException, TimeoutException {
    Set<String> missing = new TreeSet<>();
    for (Map.Entry<String, KafkaFuture<TopicDescription>> topic :
        admin.describeTopics(wanted).topicNameValues().entrySet()) {
      try {
        topic.getValue().get(BROKER_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
      } catch (ExecutionException e) {
        if (e.getCause() instanceof AuthenticationException refused) {
          throw refused;
        }
        if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
          throw new IllegalStateException(
              "topic " + topic.getKey() + ": " + e.getCause().getMessage(), e.getCause());
        }
        missing.add(topic.getKey());
      }
    }
    if (!missing.isEmpty()) {
      throw new IllegalStateException(
          "these topics do not exist: "
              + String.join(", ", missing)
              + " (dead-letters.topics=false does without those of dead letters; an empty"
              + " sessions.topic, rollups.live-topic or anomalies.topic without that one)");
    }
  }

  /** Without compaction a live topic never forgets, or forgets what is still current. */
  private static void requireCompacted(Admin admin, String topic)
      throws InterruptedException, TimeoutException {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    try {
      String policy =
          admin
              .describeConfigs(List.of(resource))
              .values()
              .get(resource)
              .get(BROKER_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
              .get(TopicConfig.CLEANUP_POLICY_CONFIG)
              .value();
      if (!policy.contains(TopicConfig.CLEANUP_POLICY_COMPACT)) {
        throw new IllegalStateException(
            "topic "
                + topic
                + " (rollups.live-topic) has cleanup.policy="
                + policy
                + ", but must have cleanup.policy=compact");
      }
    } catch (ExecutionException e) {
      LOG.warn(
          "cannot see whether topic {} (rollups.live-topic) is compacted: {}",
          topic,
          e.getCause().getMessage());
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
              .setProperties(consumer(input))
              .setBootstrapServers(input.bootstrapServers())
              .setGroupId(input.group())
              .setClientIdPrefix(input.group() + "-" + topic)
              .setTopics(topic)
              .setStartingOffsets(startingOffsets(input.start()))
              .setDeserializer(new ReceivedDeserializer(validate));
      if (input.bounded()) {
        source.setBounded(OffsetsInitializer.latest());
      }
      sources.add(new EventSource(topic, new TopicSource(source.build())));
    }
    return sources;
  }

  @Nullable
  private static Source<Event, ?, ?> erasures(EngagementConfig config) {
    Input input = config.input();
    if (config.users().erasuresTopic() == null) {
      return null;
    }
    KafkaSourceBuilder<Event> source =
        KafkaSource.<Event>builder()
            .setProperties(consumer(input))
            .setBootstrapServers(input.bootstrapServers())
            .setGroupId(input.group())
            .setClientIdPrefix(input.group() + "-erasures")
            .setTopics(config.users().erasuresTopic())
            // A state from before may hold whoever is named there.
            .setStartingOffsets(OffsetsInitializer.earliest())
            .setDeserializer(new ErasureDeserializer());
    if (input.bounded()) {
      source.setBounded(OffsetsInitializer.latest());
    }
    return source.build();
  }

  private static Properties consumer(Input input) {
    Properties client = KafkaSecrets.properties(input.kafkaProperties());
    // A replay that was interrupted leaves records of which its manifest knows nothing.
    client.putIfAbsent(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    // Each poll is handed to another thread; what is fetched, and so memory, has limits of its own.
    client.putIfAbsent(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, "2000");
    return client;
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

  /** Results go to topics in batches: a request for each few messages costs more than they do. */
  private static Properties producer(EngagementConfig config) {
    Properties properties = KafkaSecrets.properties(config.input().kafkaProperties());
    properties.putIfAbsent(ProducerConfig.LINGER_MS_CONFIG, "100");
    properties.putIfAbsent(ProducerConfig.BATCH_SIZE_CONFIG, Integer.toString(128 << 10));
    properties.putIfAbsent(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4");
    return properties;
  }

  private static Sink<DeadLetter> deadLetterTopics(EngagementConfig config) {
    return new TopicSink<>(
        KafkaSink.<DeadLetter>builder()
            .setBootstrapServers(config.input().bootstrapServers())
            .setKafkaProducerConfig(producer(config))
            .setDeliveryGuarantee(DeliveryGuarantee.AT_LEAST_ONCE)
            .setRecordSerializer(
                new DeadLetterMessage(
                    config.deadLetters().suffix(),
                    (int) config.deadLetters().maxPayload().getBytes()))
            .build());
  }

  /**
   * Messages in transactions: a reader of committed messages gets each once.
   *
   * @param name part of the transactions' ids, by which a restored job finds those that it left
   */
  private static <T> Sink<T> transactional(
      EngagementConfig config,
      RunInfo run,
      String name,
      KafkaRecordSerializationSchema<T> messages) {
    return new TopicSink<>(
        KafkaSink.<T>builder()
            .setBootstrapServers(config.input().bootstrapServers())
            .setKafkaProducerConfig(transactions(config))
            .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
            .setTransactionalIdPrefix(config.jobName() + "-" + name)
            .setRecordSerializer(new OfRun<>(messages, config.input().correlationHeader(), run))
            .build());
  }

  private static Sink<LiveRollup> liveTopic(EngagementConfig config, RunInfo run, Rollups rollups) {
    return new TopicSink<>(
        KafkaSink.<LiveRollup>builder()
            .setBootstrapServers(config.input().bootstrapServers())
            .setKafkaProducerConfig(producer(config))
            .setDeliveryGuarantee(DeliveryGuarantee.AT_LEAST_ONCE)
            .setRecordSerializer(
                new OfRun<>(
                    new LiveRollupMessage(rollups.liveTopic(), liveColumns(rollups.spec())),
                    config.input().correlationHeader(),
                    run))
            .build());
  }
}

package io.millrace.job.engagement;

import static org.apache.flink.configuration.ConfigOptions.key;

import io.millrace.codec.json.JsonEventDecoder;
import io.millrace.config.Check;
import io.millrace.config.OptionSet;
import io.millrace.config.Settings;
import io.millrace.job.engagement.EngagementConfig.AnomalyInput;
import io.millrace.job.engagement.EngagementConfig.DeadLetters;
import io.millrace.job.engagement.EngagementConfig.Dimension;
import io.millrace.job.engagement.EngagementConfig.Input;
import io.millrace.job.engagement.EngagementConfig.Lake;
import io.millrace.job.engagement.EngagementConfig.Rollups;
import io.millrace.job.engagement.EngagementConfig.Sessions;
import io.millrace.job.engagement.EngagementConfig.SourceKind;
import io.millrace.job.engagement.EngagementConfig.Start;
import io.millrace.job.engagement.EngagementConfig.Time;
import io.millrace.job.engagement.EngagementConfig.Users;
import io.millrace.lake.catalog.CatalogSpec;
import io.millrace.validation.Admit;
import io.millrace.validation.ValidationRules;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.MemorySize;

/** The options of the engagement job, and its configuration made of them. */
final class EngagementOptions {
  static final ConfigOption<String> JOB_NAME =
      key("job.name")
          .stringType()
          .defaultValue("millrace-engagement")
          .withDescription("Name of the job in Flink and in the footer of each file.");
  static final ConfigOption<String> RUN_ID =
      key("job.run-id")
          .stringType()
          .noDefaultValue()
          .withDescription(
              "Names this run in the ledger; a fresh one is made when it is not set. Keep it over "
                  + "restarts of the same run.");
  static final ConfigOption<Integer> MAX_PARALLELISM =
      key("job.max-parallelism")
          .intType()
          .defaultValue(128)
          .withDescription(
              "Number of key groups: the highest parallelism there can ever be. Part of the state; "
                  + "it cannot be changed for a running job.");

  static final ConfigOption<SourceKind> SOURCE =
      key("source")
          .enumType(SourceKind.class)
          .defaultValue(SourceKind.KAFKA)
          .withDescription("Where events are read from.");
  static final ConfigOption<String> INPUT =
      key("input")
          .stringType()
          .noDefaultValue()
          .withDescription(
              "With source files: a folder of *.jsonl and *.jsonl.gz files. The topic of a file is"
                  + " the name of its folder, where that is a configured topic. With source raw:"
                  + " the plan that scripts/backfill --hours has written.");

  static final ConfigOption<String> KAFKA_BOOTSTRAP =
      key("kafka.bootstrap-servers")
          .stringType()
          .defaultValue("")
          .withDescription("HOST:PORT of brokers, by comma; required with source kafka.");
  static final ConfigOption<String> KAFKA_GROUP =
      key("kafka.group")
          .stringType()
          .defaultValue("millrace-engagement")
          .withDescription(
              "Consumer group that offsets are committed to, for monitoring; recovery uses the "
                  + "checkpoint.");
  static final ConfigOption<Start> KAFKA_START =
      key("kafka.start")
          .enumType(Start.class)
          .defaultValue(Start.COMMITTED)
          .withDescription("Where reading begins when the job starts without a checkpoint.");
  static final ConfigOption<Boolean> KAFKA_BOUNDED =
      key("kafka.bounded")
          .booleanType()
          .defaultValue(false)
          .withDescription("Stop at the records that are there when the job starts.");
  static final ConfigOption<String> KAFKA_CORRELATION =
      key("kafka.correlation-header")
          .stringType()
          .defaultValue(Admit.CORRELATION_HEADER)
          .withDescription(
              "Header that names a record's batch: the log has it as correlation_id. In the topics"
                  + " of sessions, anomalies and live values it names the run.");
  static final String KAFKA_PROPERTIES = "kafka.properties";

  static final ConfigOption<Map<String, String>> TOPICS =
      key("topics")
          .mapType()
          .defaultValue(
              new TreeMap<>(
                  Map.of(
                      "install", "install",
                      "session", "*",
                      "view_notification", "view_notification",
                      "open_notification", "open_notification")))
          .withDescription(
              "Topics that are read, each with the event types that it carries, by space; * for "
                  + "any.");

  static final ConfigOption<Boolean> TYPES_PER_TOPIC =
      key("validation.types-per-topic")
          .booleanType()
          .defaultValue(false)
          .withDescription(
              "Reject a type on a topic that does not carry it (type_not_allowed_on_topic).");
  static final ConfigOption<MemorySize> MAX_RECORD_SIZE =
      key("validation.max-record-size")
          .memoryType()
          .defaultValue(MemorySize.ofMebiBytes(1))
          .withDescription("A larger value is too_large and is not read.");
  static final ConfigOption<Integer> MAX_DEPTH =
      key("validation.max-depth")
          .intType()
          .defaultValue(32)
          .withDescription("Deepest nesting of the JSON; deeper is too_deep.");
  static final ConfigOption<Integer> MAX_PROPERTIES =
      key("validation.max-properties")
          .intType()
          .defaultValue(64)
          .withDescription("Most entries of properties; more is too_many_properties.");
  static final ConfigOption<MemorySize> MAX_PROPERTY_SIZE =
      key("validation.max-property-size")
          .memoryType()
          .defaultValue(MemorySize.parse("1 kb"))
          .withDescription("Longest property value, in characters; longer is field_too_long.");
  static final ConfigOption<Duration> MAX_AHEAD =
      key("validation.max-ahead")
          .durationType()
          .defaultValue(Duration.ofMinutes(10))
          .withDescription(
              "How far an event may be ahead of its Kafka timestamp (with source files: of "
                  + "received_at), and a Kafka timestamp ahead of the clock; further is "
                  + "timestamp_in_future.");
  static final ConfigOption<Duration> MAX_AGE =
      key("validation.max-age")
          .durationType()
          .noDefaultValue()
          .withDescription(
              "How far an event may be behind; further is timestamp_too_old. Off when not set.");
  static final ConfigOption<Boolean> KEEP_UNKNOWN =
      key("validation.keep-unknown-fields")
          .booleanType()
          .defaultValue(true)
          .withDescription(
              "Keep unknown fields as properties, as far as the limits allow; else they are "
                  + "ignored. They never reject a record.");

  static final ConfigOption<Duration> OUT_OF_ORDERNESS =
      key("time.out-of-orderness")
          .durationType()
          .defaultValue(Duration.ofMinutes(2))
          .withDescription("How far the watermark stays behind the newest event of a partition.");
  static final ConfigOption<Duration> IDLENESS =
      key("time.idleness")
          .durationType()
          .defaultValue(Duration.ofMinutes(1))
          .withDescription("After how long without a valid event a partition holds nobody back.");
  static final ConfigOption<Duration> MAX_DRIFT =
      key("time.max-drift")
          .durationType()
          .defaultValue(Duration.ofMinutes(10))
          .withDescription(
              "How far ahead of the slowest partition of all topics another one is read, in event "
                  + "time; it waits then. Of no use without a backlog.");
  static final ConfigOption<Duration> ALLOWED_LATENESS =
      key("time.allowed-lateness")
          .durationType()
          .defaultValue(Duration.ofMinutes(10))
          .withDescription(
              "An event at or before watermark minus this is late: it is stored and flagged, and is"
                  + " in no final row.");

  static final ConfigOption<Duration> DEDUP_TTL =
      key("users.dedup-ttl")
          .durationType()
          .defaultValue(Duration.ofHours(24))
          .withDescription(
              "How far behind the watermark a resend is still recognised, in event time.");
  static final ConfigOption<Integer> CACHE_USERS =
      key("users.cache-users")
          .intType()
          .defaultValue(50_000)
          .withDescription("Most users that a subtask keeps on the heap, before RocksDB.");
  static final ConfigOption<MemorySize> CACHE_SIZE =
      key("users.cache-size")
          .memoryType()
          .defaultValue(MemorySize.ofMebiBytes(128))
          .withDescription("Most heap that a subtask spends on them.");
  static final ConfigOption<String> PSEUDONYM_KEY =
      key("users.pseudonym-key")
          .stringType()
          .noDefaultValue()
          .withDescription(
              "With it user_id becomes HMAC-SHA256(key, user_id). raw and quarantine still hold "
                  + "plain ids: see lake.raw.");

  static final ConfigOption<String> DIMENSION_FILE =
      key("dimension.file")
          .stringType()
          .noDefaultValue()
          .withDescription("JSON-lines file of device and country rows, on any file system.");
  static final ConfigOption<String> ERASURES_TOPIC =
      key("users.erasures-topic")
          .stringType()
          .noDefaultValue()
          .withDescription(
              "Topic whose keys are users to be forgotten, as scripts/erase writes them.");
  static final ConfigOption<String> DIMENSION_TOPIC =
      key("dimension.topic")
          .stringType()
          .noDefaultValue()
          .withDescription("Compacted topic of such rows, instead of a file.");
  static final ConfigOption<Duration> DIMENSION_REFRESH =
      key("dimension.refresh")
          .durationType()
          .defaultValue(Duration.ofSeconds(30))
          .withDescription(
              "How often the dimension is looked for changes; one is taken up at the next look. "
                  + "Input that ends takes the dimension as it is at the start.");

  static final ConfigOption<Boolean> DLQ_TOPICS =
      key("dead-letters.topics")
          .booleanType()
          .defaultValue(true)
          .withDescription(
              "Send rejected records to a topic beside their own, too; it has to exist.");
  static final ConfigOption<String> DLQ_SUFFIX =
      key("dead-letters.suffix")
          .stringType()
          .defaultValue(".dlq")
          .withDescription("What is appended to a topic's name for its dead letters.");
  static final ConfigOption<MemorySize> DLQ_MAX_PAYLOAD =
      key("dead-letters.max-payload")
          .memoryType()
          .defaultValue(MemorySize.parse("256 kb"))
          .withDescription(
              "Longest part of a record in such a message; quarantine keeps all of it. Text can"
                  + " take twice that in JSON: keep it well below what the broker and the producer"
                  + " take.");

  static final ConfigOption<String> LAKE_ROOT =
      key("lake.root")
          .stringType()
          .noDefaultValue()
          .withDescription("Folder of all tables, as s3://bucket/path or file:///path.");
  static final ConfigOption<Boolean> LAKE_RAW =
      key("lake.raw")
          .booleanType()
          .defaultValue(true)
          .withDescription("Write every record as received to raw/app_events.");
  static final ConfigOption<Integer> ZSTD_LEVEL =
      key("lake.zstd-level")
          .intType()
          .defaultValue(1)
          .withDescription("Compression level of Parquet pages.");
  static final ConfigOption<MemorySize> ROW_GROUP_SIZE =
      key("lake.row-group-size")
          .memoryType()
          .defaultValue(MemorySize.ofMebiBytes(64))
          .withDescription("Size at which a row group is closed.");
  static final ConfigOption<MemorySize> WRITER_MEMORY =
      key("lake.writer-memory")
          .memoryType()
          .defaultValue(MemorySize.ofMebiBytes(256))
          .withDescription(
              "Most that the open files of a subtask and table hold in memory; beyond, the largest "
                  + "closes its row group.");
  static final ConfigOption<Duration> PUBLISH_TIMEOUT =
      key("lake.publish-timeout")
          .durationType()
          .defaultValue(Duration.ofSeconds(60))
          .withDescription(
              "How long the end of the job waits for the catalog to take the last partitions.");

  static final ConfigOption<CatalogSpec.Kind> CATALOG =
      key("catalog.kind")
          .enumType(CatalogSpec.Kind.class)
          .defaultValue(CatalogSpec.Kind.NONE)
          .withDescription("Which catalog tables and partitions are registered in.");
  static final ConfigOption<String> CATALOG_URI =
      key("catalog.uri")
          .stringType()
          .defaultValue("")
          .withDescription("thrift://HOST:PORT of a Hive Metastore.");
  static final ConfigOption<String> CATALOG_DATABASE =
      key("catalog.database")
          .stringType()
          .defaultValue("millrace")
          .withDescription("Database of the tables; created where it is missing.");

  /** All of the above. */
  static final OptionSet OPTIONS =
      OptionSet.builder()
          .option(JOB_NAME)
          .option(RUN_ID)
          .option(MAX_PARALLELISM, Check.between(1, 32768))
          .option(SOURCE)
          .option(INPUT)
          .option(KAFKA_BOOTSTRAP)
          .option(KAFKA_GROUP)
          .option(KAFKA_START)
          .option(KAFKA_BOUNDED)
          .option(KAFKA_CORRELATION)
          .passThrough(
              KAFKA_PROPERTIES,
              "Any property of Kafka's clients (TLS, SASL and the rest); a value may hold "
                  + "${env:NAME} and ${file:/path}. Without one of its own a consumer has "
                  + "isolation.level read_committed and max.poll.records 2000.")
          .option(TOPICS, Check.of("at least one topic", t -> !t.isEmpty()))
          .option(TYPES_PER_TOPIC)
          .option(MAX_RECORD_SIZE, Check.between(new MemorySize(1), MemorySize.ofMebiBytes(256)))
          .option(MAX_DEPTH, Check.between(2, 1000))
          .option(MAX_PROPERTIES, Check.between(0, 10_000))
          .option(MAX_PROPERTY_SIZE, Check.between(new MemorySize(1), MemorySize.ofMebiBytes(16)))
          .option(MAX_AHEAD, Check.atLeast(Duration.ZERO))
          .option(MAX_AGE, Check.moreThan(Duration.ZERO))
          .option(KEEP_UNKNOWN)
          .option(OUT_OF_ORDERNESS, Check.atLeast(Duration.ZERO))
          .option(IDLENESS, Check.moreThan(Duration.ZERO))
          .option(MAX_DRIFT, Check.moreThan(Duration.ZERO))
          .option(ALLOWED_LATENESS, Check.atLeast(Duration.ZERO))
          .option(DEDUP_TTL, Check.moreThan(Duration.ZERO))
          .option(CACHE_USERS, Check.atLeast(1))
          .option(CACHE_SIZE, Check.atLeast(MemorySize.ofMebiBytes(1)))
          .secret(PSEUDONYM_KEY)
          .option(ERASURES_TOPIC)
          .option(DIMENSION_FILE)
          .option(DIMENSION_TOPIC)
          .option(DIMENSION_REFRESH, Check.atLeast(Duration.ofSeconds(1)))
          .include(SessionOptions.OPTIONS)
          .include(RollupOptions.OPTIONS)
          .include(AnomalyOptions.OPTIONS)
          .option(DLQ_TOPICS)
          .option(DLQ_SUFFIX, Check.matching("[A-Za-z0-9._-]+"))
          .option(DLQ_MAX_PAYLOAD, Check.between(new MemorySize(1024), MemorySize.ofMebiBytes(16)))
          .required(LAKE_ROOT, Check.matching("[a-z][a-z0-9+.-]*:/.+"))
          .option(LAKE_RAW)
          .option(ZSTD_LEVEL, Check.between(1, 22))
          .option(ROW_GROUP_SIZE, Check.atLeast(MemorySize.ofMebiBytes(1)))
          .option(WRITER_MEMORY, Check.atLeast(MemorySize.ofMebiBytes(16)))
          .option(PUBLISH_TIMEOUT, Check.atLeast(Duration.ZERO))
          .option(CATALOG)
          .option(CATALOG_URI)
          .option(CATALOG_DATABASE, Check.matching("[a-z][a-z0-9_]{0,127}"))
          .rule(
              s -> s.get(SOURCE) != SourceKind.KAFKA || !s.get(KAFKA_BOOTSTRAP).isBlank(),
              "source is kafka, so kafka.bootstrap-servers is required",
              SOURCE,
              KAFKA_BOOTSTRAP)
          .rule(
              s -> s.get(SOURCE) != SourceKind.FILES || s.find(INPUT).isPresent(),
              "source is files, so input is required",
              SOURCE,
              INPUT)
          .rule(
              s -> s.get(SOURCE) != SourceKind.RAW || s.find(INPUT).isPresent(),
              "source is raw, so input is required: the plan of a backfill",
              SOURCE,
              INPUT)
          .rule(
              s -> s.find(DIMENSION_FILE).isEmpty() || s.find(DIMENSION_TOPIC).isEmpty(),
              "dimension.file and dimension.topic exclude each other",
              DIMENSION_FILE,
              DIMENSION_TOPIC)
          .rule(
              s -> s.get(SOURCE) == SourceKind.KAFKA || s.find(DIMENSION_TOPIC).isEmpty(),
              "dimension.topic needs source kafka; with source files or raw use dimension.file",
              SOURCE,
              DIMENSION_TOPIC)
          .rule(
              s -> s.get(CATALOG) == CatalogSpec.Kind.NONE || !s.get(CATALOG_URI).isBlank(),
              "a catalog is chosen, so catalog.uri is required",
              CATALOG,
              CATALOG_URI)
          .rule(
              s -> s.get(DEDUP_TTL).compareTo(s.get(ALLOWED_LATENESS)) >= 0,
              "users.dedup-ttl must be at least time.allowed-lateness",
              DEDUP_TTL,
              ALLOWED_LATENESS)
          .rule(
              s -> !s.get(AnomalyOptions.ENABLED) || s.get(RollupOptions.ENABLED),
              "anomalies are looked for in rollups: with rollups.enabled false, anomalies.enabled"
                  + " must be false, too",
              AnomalyOptions.ENABLED,
              RollupOptions.ENABLED)
          .rule(
              s ->
                  s.get(SOURCE) != SourceKind.FILES
                      || s.get(AnomalyOptions.INPUT) != AnomalyInput.LIVE,
              "anomalies.input live needs source kafka",
              SOURCE,
              AnomalyOptions.INPUT)
          .build();

  static EngagementConfig from(Settings s) {
    Map<String, Set<String>> topics = new LinkedHashMap<>();
    s.get(TOPICS)
        .forEach(
            (topic, types) ->
                topics.put(topic, new TreeSet<>(Arrays.asList(types.strip().split("[\\s,]+")))));
    Map<String, Set<String>> allowed = new LinkedHashMap<>(topics);
    allowed.values().removeIf(types -> types.contains("*"));
    int maxRecord = (int) s.get(MAX_RECORD_SIZE).getBytes();
    boolean kafka = s.get(SOURCE) == SourceKind.KAFKA;
    Optional<String> dimensionFile = s.find(DIMENSION_FILE);
    Optional<String> dimensionTopic = s.find(DIMENSION_TOPIC);
    // First, so that their problems are noted even where a required option is missing.
    Sessions sessions = SessionOptions.from(s, kafka);
    Rollups rollups = RollupOptions.from(s, kafka);
    return new EngagementConfig(
        s.get(JOB_NAME),
        s.find(RUN_ID).orElse(null),
        s.get(MAX_PARALLELISM),
        new Input(
            s.get(SOURCE),
            s.find(INPUT).orElse(null),
            s.get(KAFKA_BOOTSTRAP),
            s.get(KAFKA_GROUP),
            s.get(KAFKA_START),
            s.get(KAFKA_BOUNDED),
            s.get(KAFKA_CORRELATION),
            s.properties(KAFKA_PROPERTIES)),
        topics,
        new ValidationRules(
            maxRecord,
            ValidationRules.DEFAULTS.maxIdLength(),
            ValidationRules.DEFAULTS.maxTextLength(),
            s.get(MAX_AHEAD),
            s.find(MAX_AGE).orElse(null),
            s.get(TYPES_PER_TOPIC) ? allowed : Map.of()),
        new JsonEventDecoder.Limits(
            maxRecord,
            s.get(MAX_DEPTH),
            s.get(MAX_PROPERTIES),
            (int) s.get(MAX_PROPERTY_SIZE).getBytes(),
            128,
            s.get(KEEP_UNKNOWN)),
        new Time(
            s.get(OUT_OF_ORDERNESS), s.get(IDLENESS), s.get(MAX_DRIFT), s.get(ALLOWED_LATENESS)),
        new Users(
            s.get(DEDUP_TTL),
            s.get(CACHE_USERS),
            s.get(CACHE_SIZE),
            s.findSecret(PSEUDONYM_KEY).orElse(null),
            s.get(SOURCE) == SourceKind.KAFKA ? s.find(ERASURES_TOPIC).orElse(null) : null),
        dimensionFile.isEmpty() && dimensionTopic.isEmpty()
            ? null
            : new Dimension(
                dimensionFile.orElse(null), dimensionTopic.orElse(null), s.get(DIMENSION_REFRESH)),
        sessions,
        rollups,
        AnomalyOptions.from(s, rollups.spec(), kafka),
        new DeadLetters(s.get(DLQ_TOPICS) && kafka, s.get(DLQ_SUFFIX), s.get(DLQ_MAX_PAYLOAD)),
        new Lake(
            s.get(LAKE_ROOT).replaceAll("/+$", ""),
            s.get(LAKE_RAW),
            s.get(ZSTD_LEVEL),
            s.get(ROW_GROUP_SIZE),
            s.get(WRITER_MEMORY),
            s.get(PUBLISH_TIMEOUT)),
        s.get(CATALOG) == CatalogSpec.Kind.NONE
            ? CatalogSpec.none()
            : CatalogSpec.hive(s.get(CATALOG_URI), s.get(CATALOG_DATABASE)));
  }

  private EngagementOptions() {}
}

package io.millrace.bench;

import io.millrace.event.AppEvent;
import io.millrace.event.Event;
import io.millrace.event.Received;
import io.millrace.identity.Deduplicate;
import io.millrace.job.engagement.EngagementConfig;
import io.millrace.job.engagement.EngagementJob;
import io.millrace.job.engagement.EngagementPorts;
import io.millrace.job.engagement.EngagementPorts.EventSource;
import io.millrace.job.engagement.KafkaSecrets;
import io.millrace.job.engagement.RunInfo;
import io.millrace.telemetry.Metrics;
import io.millrace.timeline.SourceWatermarks;
import io.millrace.timeline.TimelineOptions;
import io.millrace.timeline.UserTimeline;
import io.millrace.validation.Admit;
import java.util.Locale;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichFilterFunction;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.metrics.Counter;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** How far events get before they are thrown away, and with which options. */
enum Variant {
  SOURCE("bytes from Kafka, discarded"),
  DECODE("+ decode, validate and admit, discarded"),
  TIMELINE_HEAP("+ keyBy and the timeline with state on the heap, discarded"),
  TIMELINE("+ keyBy and the timeline with state in RocksDB, discarded"),
  WHOLE("+ Parquet: every event, no analytics; raw off, RocksDB"),
  RAW("the same with raw on"),
  SMALL_CACHE("the same, raw off, with a cache of 1 % of the users per subtask"),
  SESSIONS("every event, and sessions with table and topic"),
  ANALYTICS("the whole job: sessions, rollups, anomalies, all tables and topics"),
  ANALYTICS_SMALL_CACHE("the whole job with a cache of 1 % of the users per subtask");

  private final String meaning;

  Variant(String meaning) {
    this.meaning = meaning;
  }

  String meaning() {
    return meaning;
  }

  /** The name on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Whether there is a lake to hold against the truth. */
  boolean writes() {
    return compareTo(WHOLE) >= 0;
  }

  /** Whether duplicates are told apart. */
  boolean judges() {
    return compareTo(TIMELINE_HEAP) >= 0;
  }

  /** Whether there are sessions, and rollups with anomalies. */
  boolean hasSessions() {
    return compareTo(SESSIONS) >= 0;
  }

  boolean hasRollups() {
    return compareTo(ANALYTICS) >= 0;
  }

  boolean hasSmallCache() {
    return this == SMALL_CACHE || this == ANALYTICS_SMALL_CACHE;
  }

  String stateBackend() {
    return this == TIMELINE_HEAP ? "hashmap" : "rocksdb";
  }

  /** Wires the variant, from the parts that the job itself is made of. */
  void build(StreamExecutionEnvironment env, EngagementConfig config) {
    switch (this) {
      case SOURCE -> bytes(env, config);
      case DECODE -> admitted(env, config).sinkTo(new DiscardingSink<>()).uid("discard");
      case TIMELINE_HEAP, TIMELINE ->
          judged(admitted(env, config), config).sinkTo(new DiscardingSink<>()).uid("discard");
      case WHOLE, RAW, SMALL_CACHE, SESSIONS, ANALYTICS, ANALYTICS_SMALL_CACHE ->
          EngagementJob.build(env, config);
    }
  }

  private static void bytes(StreamExecutionEnvironment env, EngagementConfig config) {
    DataStream<byte[]> all = null;
    for (String topic : config.topics().keySet()) {
      KafkaSource<byte[]> source =
          KafkaSource.<byte[]>builder()
              .setProperties(KafkaSecrets.properties(config.input().kafkaProperties()))
              .setBootstrapServers(config.input().bootstrapServers())
              .setGroupId(config.input().group())
              .setClientIdPrefix(config.input().group() + "-" + topic)
              .setTopics(topic)
              .setStartingOffsets(OffsetsInitializer.earliest())
              .setBounded(OffsetsInitializer.latest())
              .setDeserializer(new Bytes())
              .build();
      DataStream<byte[]> counted =
          env.fromSource(source, WatermarkStrategy.noWatermarks(), "source-" + topic)
              .uid("source-" + topic)
              .filter(new CountAll())
              .uid("count-" + topic);
      all = all == null ? counted : all.union(counted);
    }
    all.sinkTo(new DiscardingSink<>()).uid("discard");
  }

  private static DataStream<Event> admitted(
      StreamExecutionEnvironment env, EngagementConfig config) {
    RunInfo run = new RunInfo("bench", "bench");
    WatermarkStrategy<Received> watermarks =
        new SourceWatermarks(
            config.time().outOfOrderness(), config.time().idleness(), config.time().maxDrift());
    DataStream<Event> all = null;
    for (EventSource topic : EngagementPorts.connect(config, run).events()) {
      DataStream<Event> admitted =
          env.fromSource(topic.source(), watermarks, "source-" + topic.name())
              .uid("source-" + topic.name())
              .transform(
                  "admit-" + topic.name(),
                  TypeInformation.of(Event.class),
                  new Admit(false, run.version(), run.id(), config.mode()))
              .uid("admit-" + topic.name());
      all = all == null ? admitted : all.union(admitted);
    }
    return all;
  }

  private static DataStream<AppEvent> judged(DataStream<Event> events, EngagementConfig config) {
    return events
        .keyBy(Event::userId)
        .transform(
            "user-timeline",
            TypeInformation.of(AppEvent.class),
            new UserTimeline(
                new TimelineOptions(
                    config.time().allowedLateness(),
                    new Deduplicate(config.users().dedupTtl()),
                    null,
                    null,
                    config.finalAfter(),
                    config.rollups().liveInterval(),
                    config.users().cacheUsers(),
                    config.users().cacheSize().getBytes(),
                    "bench",
                    config.isBatch())))
        .uid("user-timeline");
  }

  private static final class Bytes implements KafkaRecordDeserializationSchema<byte[]> {
    private static final long serialVersionUID = 1L;

    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<byte[]> out) {
      out.collect(record.value() == null ? new byte[0] : record.value());
    }

    @Override
    public TypeInformation<byte[]> getProducedType() {
      return PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO;
    }
  }

  /** Counts as {@link Admit} does, and lets nothing pass. */
  private static final class CountAll extends RichFilterFunction<byte[]> {
    private static final long serialVersionUID = 1L;

    private transient Counter received;

    @Override
    public void open(OpenContext context) {
      received =
          getRuntimeContext().getMetricGroup().addGroup(Metrics.GROUP).counter(Metrics.RECEIVED);
    }

    @Override
    public boolean filter(byte[] value) {
      received.inc();
      return false;
    }
  }
}

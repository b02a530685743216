package io.millrace.bench;

import io.millrace.bench.JvmWatch.Reading;
import io.millrace.codec.arrow.ArrowCompression;
import io.millrace.codec.arrow.ArrowEncoder;
import io.millrace.codec.arrow.ArrowLimits;
import io.millrace.codec.arrow.ArrowRowDeserializer;
import io.millrace.codec.json.JsonEventDecoder;
import io.millrace.datagen.EngagementSimulator;
import io.millrace.datagen.SimulatorOptions;
import io.millrace.event.EventDraft;
import io.millrace.local.FlinkCluster;
import io.millrace.local.KafkaBroker;
import io.millrace.local.LakeReader.Rows;
import io.millrace.local.TextTable;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.formats.json.JsonRowDataSerializationSchema;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.RowDataSerializer;
import org.apache.flink.util.Collector;
import org.apache.flink.util.FileUtils;
import org.apache.flink.util.SimpleUserCodeClassLoader;
import org.apache.flink.util.UserCodeClassLoader;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The same events as JSON and as Arrow data; see {@code --help}. */
@Command(
    name = "arrow",
    mixinStandardHelpOptions = true,
    header = "The same events as JSON and as Arrow data, in memory and on Kafka.",
    description = {
      "Decodes the same simulated events from JSON (by Flink's format json and by",
      "the job's own decoder) and from Arrow data: first in memory, on one thread;",
      "then from a Kafka broker on this machine, in a Flink job of parallelism 2",
      "that copies every row as a shuffle would. Exits with 0 only when every run",
      "gave every row."
    },
    sortOptions = false)
final class ArrowBenchmark implements Callable<Integer> {
  private static final int WARM_UP_ROUNDS = 5;
  private static final int ROUNDS = 9;
  private static final int PARTITIONS = 2;
  private static final Duration PATIENCE = Duration.ofMinutes(20);

  @Option(
      names = "--events",
      paramLabel = "N",
      defaultValue = "3000000",
      description = "Events on Kafka, in each form (default: ${DEFAULT-VALUE}).")
  private int events;

  @Option(
      names = "--memory-events",
      paramLabel = "N",
      defaultValue = "100000",
      description = "Events in memory (default: ${DEFAULT-VALUE}).")
  private int memoryEvents;

  @Option(
      names = "--batch-rows",
      paramLabel = "N",
      defaultValue = "500",
      description = "Rows of an Arrow record (default: ${DEFAULT-VALUE}).")
  private int batchRows;

  @Option(
      names = "--runs",
      paramLabel = "N",
      defaultValue = "2",
      description = "How often each form is read from Kafka (default: ${DEFAULT-VALUE}).")
  private int runs;

  private final PrintStream print;
  private final Path home;
  private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();

  /** How events stand in records, and what reads them. */
  private enum Form {
    JSON_FLINK("JSON, Flink's format json", "json", null),
    JSON_OWN("JSON, the job's own decoder", "json", null),
    ARROW("Arrow", "arrow", ArrowCompression.NONE),
    ARROW_LZ4("Arrow, lz4", "arrow-lz4", ArrowCompression.LZ4),
    ARROW_ZSTD("Arrow, zstd", "arrow-zstd", ArrowCompression.ZSTD);

    private final String shown;
    private final String topic;
    private final ArrowCompression compression;

    Form(String shown, String topic, ArrowCompression compression) {
      this.shown = shown;
      this.topic = topic;
      this.compression = compression;
    }

    DeserializationSchema<RowData> schema() {
      return switch (this) {
        case JSON_FLINK -> EventRows.fromJson();
        case JSON_OWN -> new EventRows.ByOwnDecoder();
        case ARROW, ARROW_LZ4, ARROW_ZSTD ->
            new ArrowRowDeserializer(
                EventRows.TYPE,
                ArrowLimits.OF_RECORDS,
                ArrowRowDeserializer.OnError.FAIL,
                EventRows.TYPE_INFO);
      };
    }
  }

  ArrowBenchmark(PrintStream print, Path home) {
    this.print = print;
    this.home = home;
  }

  @Override
  public Integer call() throws Exception {
    if (events < 1 || memoryEvents < 1 || batchRows < 1 || runs < 1) {
      throw new IllegalArgumentException(
          "--events, --memory-events, --batch-rows and --runs must be at least 1");
    }
    Bench.printJvm(print, Bench.flags());
    inMemory();
    return onKafka() ? 0 : 1;
  }

  private static List<RowData> rows(int count) {
    List<RowData> rows = new ArrayList<>(count);
    forEachRow(count, rows::add);
    return rows;
  }

  private interface RowTarget {
    void accept(RowData row);
  }

  private static void forEachRow(int count, RowTarget target) {
    EngagementSimulator simulator = new EngagementSimulator(SimulatorOptions.of(count, 1));
    JsonEventDecoder decoder = EventRows.decoder();
    EventDraft draft = new EventDraft();
    simulator.forEachRemaining(
        r -> {
          draft.reset();
          decoder.decode(r.value(), draft);
          target.accept(EventRows.of(draft));
        });
  }

  // ---- in memory -----------------------------------------------------------------------------

  private void inMemory() throws Exception {
    List<RowData> rows = rows(memoryEvents);
    JsonRowDataSerializationSchema toJson = EventRows.toJson();
    List<byte[]> json = rows.stream().map(toJson::serialize).toList();
    List<List<String>> table = new ArrayList<>();
    double[] bestJson = {Double.MAX_VALUE, Double.MAX_VALUE};
    for (Form form : Form.values()) {
      List<byte[]> records = form.compression == null ? json : arrow(rows, form.compression);
      double decoded = median(form, records, false);
      double copied = median(form, records, true);
      if (form.compression == null) {
        bestJson[0] = Math.min(bestJson[0], decoded);
        bestJson[1] = Math.min(bestJson[1], copied);
      }
      long bytes = records.stream().mapToLong(r -> r.length).sum();
      table.add(
          List.of(
              form.shown,
              Long.toString(bytes / memoryEvents),
              decimal(3, decoded),
              decimal(1, bestJson[0] / decoded),
              decimal(3, copied),
              decimal(1, bestJson[1] / copied)));
    }
    double draft = medianOfDrafts(json);
    print.println();
    TextTable.print(
        print,
        new Rows(
            List.of(
                "form", "bytes/event", "decoded", "times cheaper", "and copied", "times cheaper"),
            table));
    print.printf(
        Locale.ROOT,
        "decoded: CPU microseconds per event until there are rows; and copied: until each row is one"
            + " of%nFlink's binary rows, as a shuffle or state needs them; medians of %d rounds of %,d"
            + " events on one thread.%nThe job's own decoder without rows, into an event draft: %.3f."
            + "%ntimes cheaper: than the cheaper of the JSON ones.%n%n",
        ROUNDS,
        memoryEvents,
        draft);
  }

  private List<byte[]> arrow(List<RowData> rows, ArrowCompression compression) {
    ArrowEncoder encoder = new ArrowEncoder(EventRows.TYPE, compression);
    List<byte[]> records = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      encoder.add(rows.get(i));
      if (encoder.rows() == batchRows || i == rows.size() - 1) {
        records.add(encoder.toStream());
      }
    }
    return records;
  }

  private double median(Form form, List<byte[]> records, boolean copy) throws Exception {
    DeserializationSchema<RowData> schema = form.schema();
    RowDataSerializer serializer = new RowDataSerializer(EventRows.TYPE);
    CountingCollector collector = new CountingCollector(copy ? serializer : null);
    schema.open(new Unregistered());
    double[] micros = new double[ROUNDS];
    for (int round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
      collector.rows = 0;
      long begin = threads.getCurrentThreadCpuTime();
      for (byte[] record : records) {
        schema.deserialize(record, collector);
      }
      long nanos = threads.getCurrentThreadCpuTime() - begin;
      if (collector.rows != memoryEvents) {
        throw new IllegalStateException(
            form + " gave " + collector.rows + " rows of " + memoryEvents);
      }
      if (round >= 0) {
        micros[round] = nanos / 1e3 / memoryEvents;
      }
    }
    Arrays.sort(micros);
    return micros[ROUNDS / 2];
  }

  private double medianOfDrafts(List<byte[]> json) {
    JsonEventDecoder decoder = EventRows.decoder();
    EventDraft draft = new EventDraft();
    double[] micros = new double[ROUNDS];
    for (int round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
      long begin = threads.getCurrentThreadCpuTime();
      for (byte[] record : json) {
        draft.reset();
        decoder.decode(record, draft);
      }
      if (round >= 0) {
        micros[round] = (threads.getCurrentThreadCpuTime() - begin) / 1e3 / memoryEvents;
      }
    }
    Arrays.sort(micros);
    return micros[ROUNDS / 2];
  }

  /** There are no metrics in memory. */
  private static final class Unregistered implements DeserializationSchema.InitializationContext {
    @Override
    public MetricGroup getMetricGroup() {
      return new UnregisteredMetricsGroup();
    }

    @Override
    public UserCodeClassLoader getUserCodeClassLoader() {
      return SimpleUserCodeClassLoader.create(ArrowBenchmark.class.getClassLoader());
    }
  }

  /** Counts rows, and copies them where there is something to copy with. */
  private static final class CountingCollector implements Collector<RowData> {
    private final RowDataSerializer serializer;
    private long rows;

    CountingCollector(RowDataSerializer serializer) {
      this.serializer = serializer;
    }

    @Override
    public void collect(RowData row) {
      if (serializer == null || serializer.toBinaryRow(row).getSizeInBytes() > 0) {
        rows++;
      }
    }

    @Override
    public void close() {
      // Nothing is held.
    }
  }

  // ---- on Kafka ------------------------------------------------------------------------------

  private boolean onKafka() throws Exception {
    Path folder = home.resolve("target/bench-arrow").toAbsolutePath().normalize();
    FileUtils.deleteDirectory(folder.toFile());
    Files.createDirectories(folder);
    boolean right = true;
    List<List<String>> table = new ArrayList<>();
    try (KafkaBroker broker = KafkaBroker.start(folder.resolve("kafka"));
        FlinkCluster flink =
            FlinkCluster.start(
                folder.resolve("flink"),
                1,
                PARTITIONS,
                Map.of(
                    "state.backend.type", "hashmap",
                    "pipeline.object-reuse", "true",
                    "restart-strategy.type", "none"))) {
      Map<String, Long> bytes = send(broker);
      for (int run = 1; run <= runs; run++) {
        for (Form form : Form.values()) {
          JvmWatch watch = new JvmWatch();
          Reading begin = watch.read();
          long rows = run(flink, broker, form);
          Reading end = watch.read();
          right &= rows == events;
          double seconds = (end.nanos() - begin.nanos()) / 1e9;
          table.add(
              List.of(
                  form.shown,
                  Integer.toString(run),
                  Long.toString(bytes.get(form.topic) / events),
                  decimal(2, (end.cpuNanos() - begin.cpuNanos()) / 1e3 / events),
                  decimal(2, (end.compilerNanos() - begin.compilerNanos()) / 1e3 / events),
                  decimal(0, events / seconds / 1e3),
                  rows == events ? "yes" : "NO"));
        }
      }
    }
    TextTable.print(
        print,
        new Rows(
            List.of("form", "run", "bytes/event", "CPU", "of it JIT", "k events/s", "right"),
            table));
    print.printf(
        Locale.ROOT,
        "%,d events from Kafka, each row copied to one of Flink's binary rows. CPU: microseconds per"
            + " event%nof the JVM that runs Flink, from the submission of the job to its end, the"
            + " client and lz4 of%nKafka's producer included.%n",
        events);
    return right;
  }

  private Map<String, Long> send(KafkaBroker broker) throws Exception {
    Map<String, Long> bytes = new LinkedHashMap<>();
    AtomicReference<Exception> failure = new AtomicReference<>();
    JsonRowDataSerializationSchema toJson = EventRows.toJson();
    Map<Form, ArrowEncoder> encoders = new LinkedHashMap<>();
    for (Form form : Form.values()) {
      if (bytes.putIfAbsent(form.topic, 0L) == null) {
        broker.createTopic(form.topic, PARTITIONS);
      }
      if (form.compression != null) {
        encoders.put(form, new ArrowEncoder(EventRows.TYPE, form.compression));
      }
    }
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of(
                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                broker.bootstrap(),
                ProducerConfig.LINGER_MS_CONFIG,
                20,
                ProducerConfig.BATCH_SIZE_CONFIG,
                256 << 10,
                ProducerConfig.COMPRESSION_TYPE_CONFIG,
                "lz4"),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      int[] sent = {0};
      int[] records = {0};
      forEachRow(
          events,
          row -> {
            boolean last = ++sent[0] == events;
            put(producer, "json", sent[0], toJson.serialize(row), bytes, failure);
            encoders.forEach(
                (form, encoder) -> {
                  encoder.add(row);
                  if (encoder.rows() == batchRows || last) {
                    put(producer, form.topic, records[0]++, encoder.toStream(), bytes, failure);
                  }
                });
          });
      producer.flush();
    }
    if (failure.get() != null) {
      throw new IllegalStateException("the broker did not take every record", failure.get());
    }
    return bytes;
  }

  private static void put(
      KafkaProducer<byte[], byte[]> producer,
      String topic,
      int number,
      byte[] value,
      Map<String, Long> bytes,
      AtomicReference<Exception> failure) {
    bytes.merge(topic, (long) value.length, Long::sum);
    // Round robin over blocks of a hundred, so that both partitions have as much.
    int partition = topic.equals("json") ? number / 100 % PARTITIONS : number / 3 % PARTITIONS;
    Future<?> unused =
        producer.send(
            new ProducerRecord<>(topic, partition, null, value),
            (metadata, e) -> failure.compareAndSet(null, e));
  }

  /** Reads a topic to its end; rows that came. */
  private static long run(FlinkCluster flink, KafkaBroker broker, Form form) {
    StreamExecutionEnvironment env = flink.environment();
    KafkaSource<RowData> source =
        KafkaSource.<RowData>builder()
            .setBootstrapServers(broker.bootstrap())
            .setGroupId("bench-arrow")
            .setTopics(form.topic)
            .setStartingOffsets(OffsetsInitializer.earliest())
            .setBounded(OffsetsInitializer.latest())
            .setDeserializer(KafkaRecordDeserializationSchema.valueOnly(form.schema()))
            .build();
    env.fromSource(source, WatermarkStrategy.noWatermarks(), "source", EventRows.TYPE_INFO)
        .uid("source")
        .filter(new CountRows())
        .uid("count")
        .sinkTo(new DiscardingSink<>())
        .uid("discard");
    JobID job = flink.submit(env);
    return flink.waitUntilFinished(job, PATIENCE).<Long>getAccumulatorResult(CountRows.ROWS);
  }

  private static String decimal(int digits, double value) {
    return String.format(Locale.ROOT, "%." + digits + "f", value);
  }
}

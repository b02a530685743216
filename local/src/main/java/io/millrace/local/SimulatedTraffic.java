package io.millrace.local;

import io.millrace.datagen.EngagementSimulator;
import io.millrace.datagen.SimulatedRecord;
import io.millrace.datagen.SimulatorOptions;
import io.millrace.datagen.Truth;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Sends simulated events to a broker, as an app's collector would: keyed by user. */
public final class SimulatedTraffic {
  /** The topics of the simulator; each has a {@code .dlq} beside it. */
  public static final List<String> TOPICS =
      List.of("install", "open_notification", "session", "view_notification");

  private static final long REPORT_EVERY = 10_000;
  private static final long PACE_EVERY = 100;

  private SimulatedTraffic() {}

  /** Creates the topics, those of their dead letters, and those of the job's results. */
  public static void createTopics(KafkaBroker broker, String prefix, int partitions) {
    Map<String, String> large = Map.of("max.message.bytes", Integer.toString(20 << 20));
    for (String topic : TOPICS) {
      broker.createTopic(prefix + topic, partitions, large);
      broker.createTopic(prefix + topic + ".dlq", 1, large);
    }
    broker.createTopic(prefix + "sessions", partitions);
    broker.createTopic(prefix + "rollups.live", partitions, Map.of("cleanup.policy", "compact"));
    broker.createTopic(prefix + "anomalies", partitions);
  }

  /**
   * Sends everything and waits for the broker to have it.
   *
   * @param prefix stands before each topic's name; the truth is without it
   * @param progress gets the number of records sent so far, now and then
   */
  public static Truth send(
      KafkaBroker broker, String prefix, SimulatorOptions options, LongConsumer progress) {
    return send(broker, prefix, options, Long.MAX_VALUE, progress);
  }

  /**
   * The same, not faster than a rate.
   *
   * @param perSecond records
   */
  public static Truth send(
      KafkaBroker broker,
      String prefix,
      SimulatorOptions options,
      long perSecond,
      LongConsumer progress) {
    long begin = System.nanoTime();
    EngagementSimulator simulator = new EngagementSimulator(options);
    AtomicReference<Exception> failure = new AtomicReference<>();
    long sent = 0;
    try (KafkaProducer<byte[], byte[]> producer = producer(broker)) {
      while (simulator.hasNext()) {
        SimulatedRecord r = simulator.next();
        Future<?> unused =
            producer.send(
                new ProducerRecord<>(prefix + r.topic(), null, r.timestamp(), r.key(), r.value()),
                (metadata, e) -> failure.compareAndSet(null, e));
        sent++;
        if (sent % PACE_EVERY == 0) {
          double due = sent * 1e9 / perSecond;
          LockSupport.parkNanos((long) (due - (System.nanoTime() - begin)));
        }
        if (sent % REPORT_EVERY == 0) {
          progress.accept(sent);
        }
      }
      producer.flush();
    }
    progress.accept(sent);
    if (failure.get() != null) {
      throw new IllegalStateException("the broker did not take every record", failure.get());
    }
    return simulator.truth();
  }

  private static KafkaProducer<byte[], byte[]> producer(KafkaBroker broker) {
    return new KafkaProducer<>(
        Map.of(
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
            broker.bootstrap(),
            ProducerConfig.ACKS_CONFIG,
            "all",
            ProducerConfig.LINGER_MS_CONFIG,
            20,
            ProducerConfig.BATCH_SIZE_CONFIG,
            256 << 10,
            ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
            20 << 20,
            ProducerConfig.COMPRESSION_TYPE_CONFIG,
            "lz4"),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }
}

package io.millrace.local;

import io.millrace.event.Header;
import io.millrace.event.Origin;
import io.millrace.lake.parquet.DeadLetterReader.StoredLetter;
import io.millrace.validation.Admit;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Sends dead letters back to their topics, each in one transaction with its entry in the manifest.
 * There is one such producer at a time: the next one ends what a former one has left open, before
 * the manifest is read.
 */
final class ReplayProducer implements AutoCloseable {
  /** Kafka header with the record's first delivery, as {@code <topic>-<partition>-<offset>}. */
  static final String ORIGIN_HEADER = "millrace-origin";

  private static final int RECORDS_PER_TRANSACTION = 1_000;
  private static final long BYTES_PER_TRANSACTION = 16L << 20;

  /** Readers of committed records wait for a transaction, and slow files must not time it out. */
  static final long OPEN_NANOS = TimeUnit.SECONDS.toNanos(5);

  /** A reader of committed records waits as long as this for a producer that was killed. */
  private static final int TRANSACTION_TIMEOUT_MS = 60_000;

  /** The broker alone tells what is too large: it took the record once. */
  private static final int MAX_REQUEST = 256 << 20;

  private final KafkaProducer<byte[], byte[]> producer;
  private final ReplayManifest manifest;
  private final String replay;
  private final LongConsumer committed;
  private final LongSupplier nanos;
  private final Map<String, Integer> partitions = new HashMap<>();
  private long sent;
  private int open;
  private long openBytes;
  private long openedAt;

  /**
   * Takes over.
   *
   * @param client Kafka's properties
   * @param replay this run's name
   * @param committed gets the number of records that are sent for good
   */
  ReplayProducer(Properties client, String manifestTopic, String replay, LongConsumer committed) {
    this(client, manifestTopic, replay, committed, System::nanoTime);
  }

  /**
   * The same.
   *
   * @param nanos a clock
   */
  ReplayProducer(
      Properties client,
      String manifestTopic,
      String replay,
      LongConsumer committed,
      LongSupplier nanos) {
    this.replay = replay;
    this.committed = committed;
    this.nanos = nanos;
    ReplayManifest.create(client, manifestTopic);
    Properties properties = new Properties();
    properties.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, MAX_REQUEST);
    properties.put(ProducerConfig.BUFFER_MEMORY_CONFIG, (long) MAX_REQUEST);
    properties.put(ProducerConfig.LINGER_MS_CONFIG, 20);
    properties.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4");
    properties.putAll(client);
    properties.put(ProducerConfig.ACKS_CONFIG, "all");
    properties.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
    properties.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, manifestTopic);
    properties.put(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, TRANSACTION_TIMEOUT_MS);
    this.producer =
        new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
    try {
      producer.initTransactions();
      this.manifest = ReplayManifest.read(client, manifestTopic);
    } catch (RuntimeException e) {
      producer.close();
      throw e;
    }
  }

  ReplayManifest manifest() {
    return manifest;
  }

  /** How many records are sent for good. */
  long sent() {
    return sent;
  }

  /** Sends a dead letter as its next attempt. */
  void send(StoredLetter letter) {
    int attempt = letter.attempt() + 1;
    guarded(
        () -> {
          if (open == 0) {
            producer.beginTransaction();
            openedAt = nanos.getAsLong();
          }
          // What cannot be sent is told by the commit.
          Future<?> unusedRecord = producer.send(record(letter, attempt));
          Future<?> unusedEntry = producer.send(manifest.note(letter.origin(), attempt, replay));
          open++;
          openBytes += letter.value() == null ? 0 : letter.value().length;
        });
    if (open >= RECORDS_PER_TRANSACTION || openBytes >= BYTES_PER_TRANSACTION) {
      commit();
    }
    commitInTime();
  }

  /** To be called between files: what was sent is not held back while the next ones are read. */
  void commitInTime() {
    if (open > 0 && nanos.getAsLong() - openedAt >= OPEN_NANOS) {
      commit();
    }
  }

  /** Makes all that was sent visible, with its entries in the manifest. */
  void commit() {
    if (open > 0) {
      guarded(producer::commitTransaction);
      sent += open;
      open = 0;
      openBytes = 0;
      committed.accept(sent);
    }
  }

  private void guarded(Runnable step) {
    try {
      step.run();
    } catch (ProducerFencedException | InvalidProducerEpochException e) {
      throw new CommandFailure(
          "another scripts/replay has begun meanwhile; this one has stopped after " + sent, e);
    } catch (KafkaException e) {
      Throwable cause = e.getCause() instanceof KafkaException ? e.getCause() : e;
      throw new CommandFailure(
          "sending stopped after "
              + sent
              + ", and the same command goes on from there: "
              + cause.getMessage(),
          e);
    }
  }

  private ProducerRecord<byte[], byte[]> record(StoredLetter letter, int attempt) {
    Origin origin = letter.origin();
    RecordHeaders headers = new RecordHeaders();
    byte[] first = text(origin.topic() + "-" + origin.partition() + "-" + origin.offset());
    for (Header h : letter.headers()) {
      if (h.key().equals(ORIGIN_HEADER) && h.value() != null) {
        first = h.value();
      } else if (!h.key().equals(Admit.ATTEMPT_HEADER)) {
        headers.add(h.key(), h.value());
      }
    }
    headers.add(ORIGIN_HEADER, first);
    headers.add(Admit.ATTEMPT_HEADER, text(Integer.toString(attempt)));
    // The same partition keeps a user's events together; by the key only where there are fewer now.
    boolean isThere = origin.partition() < partitions(origin.topic());
    // With its own time the record is judged, and filed, as it was at first.
    return new ProducerRecord<>(
        origin.topic(),
        isThere ? origin.partition() : null,
        origin.kafkaTimestamp(),
        letter.key(),
        letter.value(),
        headers);
  }

  private int partitions(String topic) {
    return partitions.computeIfAbsent(topic, t -> producer.partitionsFor(t).size());
  }

  private static byte[] text(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** Gives up what is not committed. */
  @Override
  public void close() {
    producer.close();
  }
}

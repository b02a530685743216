package io.millrace.local;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.datagen.EngagementSimulator;
import io.millrace.datagen.SimulatedRecord;
import io.millrace.datagen.SimulatedRecord.Fate;
import io.millrace.datagen.SimulatedRecord.Verdict;
import io.millrace.datagen.SimulatorOptions;
import io.millrace.datagen.Truth;
import io.millrace.event.RejectReason;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import javax.annotation.Nullable;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Utils;

/**
 * What a row of the fault suite sends, at an even pace, and the truth about what the broker took:
 * as counts, and as a list of all records on the disk.
 */
final class ChaosTraffic {
  /** Partitions that a topic has at the beginning. */
  static final int PARTITIONS = 4;

  private static final Duration SPAN = Duration.ofHours(3);
  private static final int PATIENCE_MS = (int) Duration.ofMinutes(10).toMillis();
  private static final int TRICKLE_PERCENT = 5;
  private static final Duration TRICKLE = Duration.ofMinutes(15);
  private static final int RESENT_AFTER = 5_000;
  private static final int HUGE_BYTES = 10 << 20;
  private static final int HUGE_RECORDS = 10;
  private static final long PACE_EVERY = 50;
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Who sends what. */
  enum Kind {
    /** 2 % malformed, 2 % resent, 2 % sent late. */
    USUAL,
    /** The last partition of each topic gets nothing. */
    IDLE_PARTITION,
    /**
     * One in ten events is dated 11 minutes to ten years ahead, and one in fifty records is Kafka's
     * too.
     */
    SKEWED_CLOCK,
    /** Nothing but malformed records in the middle, three quarters of all. */
    POISON,
    /** Ten records of 10 MB among the others. */
    HUGE,
    /** Half of all events are one user's. */
    HOT_USER,
    /** Each record three times: twice at once, and again some time later. */
    THREE_TIMES
  }

  // A broker forgets a producer whose last record is a day old by its own time, and would take
  // twice
  // what that sends again: so events are of today.
  private final Instant start = Instant.now().truncatedTo(ChronoUnit.HOURS).minus(SPAN);
  private final Kind kind;
  private final String prefix;
  private final long events;
  private final long seed;
  private final Truth.Tally tally = new Truth.Tally();
  private final CountDownLatch faultsAreOver = new CountDownLatch(1);
  private final AtomicLong sent = new AtomicLong();
  private final AtomicReference<Exception> failure = new AtomicReference<>();
  private final ArrayDeque<SimulatedRecord> resent = new ArrayDeque<>();
  private volatile boolean givenUp;

  /**
   * Traffic that is not sent yet.
   *
   * @param prefix stands before each topic's name; the truth is without it
   * @param events of the simulator; a kind may send more records
   */
  ChaosTraffic(Kind kind, String prefix, long events, long seed) {
    this.kind = kind;
    this.prefix = prefix;
    this.events = events;
    this.seed = seed;
  }

  /** How many records were given to the producer. */
  long sent() {
    return sent.get();
  }

  /** Sends no more, for a run that is given up. */
  void giveUp() {
    givenUp = true;
    faultsAreOver.countDown();
  }

  /** Lets the last records go, which only trickle as long as there are faults. */
  void faultsAreOver() {
    faultsAreOver.countDown();
  }

  /**
   * Sends everything, and returns when the broker has it.
   *
   * @param list gets a line for each record that the broker took: topic, partition, offset,
   *     verdict, and of an accepted one user and event
   */
  Truth send(String bootstrap, int seconds, Path list) throws IOException, InterruptedException {
    long begin = System.nanoTime();
    double nanosPerRecord = seconds * 1e9 / events;
    long slow = events * TRICKLE_PERCENT / 100;
    long nanosPerSlowRecord = TRICKLE.toNanos() / Math.max(1, slow);
    try (BufferedWriter lines = Files.newBufferedWriter(list);
        KafkaProducer<byte[], byte[]> producer = producer(bootstrap)) {
      Iterator<SimulatedRecord> records = records();
      for (long i = 0; records.hasNext() && !givenUp; i++) {
        if (i == events - 1) {
          faultsAreOver.await();
        } else if (i >= events - slow && faultsAreOver.getCount() > 0) {
          faultsAreOver.await(nanosPerSlowRecord, TimeUnit.NANOSECONDS);
        }
        if (i % PACE_EVERY == 0) {
          LockSupport.parkNanos((long) (i * nanosPerRecord) - (System.nanoTime() - begin));
        }
        SimulatedRecord record = records.next();
        send(producer, record, lines);
        addMore(record, i, r -> send(producer, r, lines));
      }
      while (!resent.isEmpty()) {
        send(producer, resent.poll(), lines);
      }
      producer.flush();
    }
    if (failure.get() != null) {
      throw new IllegalStateException("the broker did not take every record", failure.get());
    }
    return tally.truth();
  }

  private void send(
      KafkaProducer<byte[], byte[]> producer, SimulatedRecord record, BufferedWriter lines) {
    String topic = prefix + record.topic();
    String identity = record.fate().verdict() == Verdict.ACCEPTED ? identity(record) : ",";
    Future<?> unused =
        producer.send(
            new ProducerRecord<>(
                topic, partition(record.key()), record.timestamp(), record.key(), record.value()),
            (metadata, e) -> {
              if (e != null) {
                failure.compareAndSet(null, e);
                return;
              }
              try {
                lines.write(
                    String.join(
                        ",",
                        topic,
                        Integer.toString(metadata.partition()),
                        Long.toString(metadata.hasOffset() ? metadata.offset() : -1),
                        record.fate().verdict().name(),
                        identity));
                lines.newLine();
              } catch (IOException broken) {
                failure.compareAndSet(null, broken);
              }
            });
    tally.add(record, record.timestamp());
    sent.incrementAndGet();
  }

  /** By the key, but for the partition that stays idle. */
  @Nullable
  private Integer partition(@Nullable byte[] key) {
    if (kind != Kind.IDLE_PARTITION) {
      return null;
    }
    return key == null ? 0 : Utils.toPositive(Utils.murmur2(key)) % (PARTITIONS - 1);
  }

  private static String identity(SimulatedRecord record) {
    try {
      JsonNode event = JSON.readTree(record.value());
      return event.path("user_id").asText() + "," + event.path("event_id").asText();
    } catch (IOException e) {
      throw new UncheckedIOException("the simulator's event is no JSON", e);
    }
  }

  private Iterator<SimulatedRecord> records() {
    return switch (kind) {
      case USUAL, IDLE_PARTITION, HUGE, THREE_TIMES ->
          new EngagementSimulator(usual(events, seed, start, SPAN));
      case SKEWED_CLOCK ->
          new EngagementSimulator(usual(events, seed, start, SPAN).withFuture(0.1));
      case POISON -> {
        long eighth = events / 8;
        Duration part = SPAN.dividedBy(8);
        Instant poisonous = start.plus(part);
        Instant after = poisonous.plus(part.multipliedBy(6));
        yield new InTurn(
            List.of(
                new EngagementSimulator(usual(eighth, seed, start, part)),
                new EngagementSimulator(
                    SimulatorOptions.of(events - 2 * eighth, seed + 1)
                        .withTime(poisonous, part.multipliedBy(6))
                        .withMalformed(1)),
                new EngagementSimulator(usual(eighth, seed + 2, after, part))));
      }
      case HOT_USER ->
          new ByArrival(
              new EngagementSimulator(usual(events - events / 2, seed, start, SPAN)),
              new EngagementSimulator(usual(events / 2, seed + 1, start, SPAN).withUsers(1)));
    };
  }

  private static SimulatorOptions usual(long events, long seed, Instant start, Duration span) {
    return SimulatorOptions.of(events, seed)
        .withTime(start, span)
        .withMalformed(0.02)
        .withDuplicates(0.02)
        .withLate(0.02);
  }

  private void addMore(SimulatedRecord record, long i, Consumer<SimulatedRecord> send) {
    switch (kind) {
      case HUGE -> {
        if (i % Math.max(1, events / HUGE_RECORDS) == 0) {
          byte[] value = new byte[HUGE_BYTES];
          Arrays.fill(value, (byte) 'x');
          send.accept(rejected(value, record.timestamp(), RejectReason.TOO_LARGE));
        }
      }
      case SKEWED_CLOCK -> {
        if (i % 50 == 0) {
          long ahead = System.currentTimeMillis() + Duration.ofHours(1).toMillis();
          String event =
              "{\"event_id\":\"skewed-%d\",\"user_id\":\"skewed\",\"event_type\":\"tap\",\"timestamp\":%d}"
                  .formatted(i, ahead);
          send.accept(
              rejected(
                  event.getBytes(StandardCharsets.UTF_8), ahead, RejectReason.TIMESTAMP_IN_FUTURE));
        }
      }
      case THREE_TIMES -> {
        send.accept(again(record));
        resent.add(again(record));
        if (resent.size() > RESENT_AFTER) {
          send.accept(resent.poll());
        }
      }
      case USUAL, IDLE_PARTITION, POISON, HOT_USER -> {}
    }
  }

  private static SimulatedRecord rejected(byte[] value, long timestamp, RejectReason reason) {
    return new SimulatedRecord(
        "session",
        null,
        value,
        timestamp,
        new Fate(Verdict.REJECTED, 0, 0, 0, false, null, Set.of(reason)));
  }

  private static SimulatedRecord again(SimulatedRecord first) {
    Fate fate = first.fate();
    return fate.verdict() == Verdict.REJECTED
        ? first
        : new SimulatedRecord(
            first.topic(),
            first.key(),
            first.value(),
            first.timestamp(),
            new Fate(
                Verdict.DUPLICATE,
                fate.identity(),
                fate.eventTime(),
                fate.boundedTime(),
                fate.sentLate(),
                null,
                Set.of()));
  }

  private static KafkaProducer<byte[], byte[]> producer(String bootstrap) {
    return new KafkaProducer<>(
        Map.of(
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
            bootstrap,
            ProducerConfig.ACKS_CONFIG,
            "all",
            ProducerConfig.LINGER_MS_CONFIG,
            20,
            ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
            20 << 20,
            ProducerConfig.BUFFER_MEMORY_CONFIG,
            64L << 20,
            ProducerConfig.COMPRESSION_TYPE_CONFIG,
            "lz4",
            // A broker that was killed knows a producer's last batch only: others, asked for again,
            // it would take twice.
            ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION,
            1,
            // A broker that is away delays the producer and costs it nothing.
            ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG,
            PATIENCE_MS,
            ProducerConfig.MAX_BLOCK_MS_CONFIG,
            PATIENCE_MS,
            // Partitions that are added get records soon.
            ProducerConfig.METADATA_MAX_AGE_CONFIG,
            3_000),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  /** One simulator after the other. */
  private static final class InTurn implements Iterator<SimulatedRecord> {
    private final ArrayDeque<EngagementSimulator> left;

    InTurn(List<EngagementSimulator> simulators) {
      left = new ArrayDeque<>(simulators);
    }

    @Override
    public boolean hasNext() {
      return left.stream().anyMatch(Iterator::hasNext);
    }

    @Override
    public SimulatedRecord next() {
      while (!left.element().hasNext()) {
        left.remove();
      }
      return left.element().next();
    }
  }

  /** Two simulators' records in the order of their arrival. */
  private static final class ByArrival implements Iterator<SimulatedRecord> {
    private final Iterator<SimulatedRecord> first;
    private final Iterator<SimulatedRecord> second;
    @Nullable private SimulatedRecord ofFirst;
    @Nullable private SimulatedRecord ofSecond;

    ByArrival(Iterator<SimulatedRecord> first, Iterator<SimulatedRecord> second) {
      this.first = first;
      this.second = second;
      ofFirst = after(first);
      ofSecond = after(second);
    }

    @Nullable
    private static SimulatedRecord after(Iterator<SimulatedRecord> records) {
      return records.hasNext() ? records.next() : null;
    }

    @Override
    public boolean hasNext() {
      return ofFirst != null || ofSecond != null;
    }

    @Override
    public SimulatedRecord next() {
      SimulatedRecord a = ofFirst;
      SimulatedRecord b = ofSecond;
      if (a == null && b == null) {
        throw new NoSuchElementException();
      }
      if (b == null || (a != null && a.timestamp() <= b.timestamp())) {
        ofFirst = after(first);
        return a;
      }
      ofSecond = after(second);
      return b;
    }
  }
}

package io.millrace.local;

import io.millrace.datagen.SimulatorOptions;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.annotation.Nullable;

/**
 * What the job of a check of alerts reads: some hours of the past in one of which there is far too
 * much, then events of now, until the end, which can be made wrong, late or many.
 */
final class MonitoringTraffic implements AutoCloseable {
  private static final int USUAL_PER_SECOND = 200;
  private static final double USUALLY_MALFORMED = 0.005;

  private static final int HOURS = 14;

  /** After more hours than a detector needs, and final before the events of now. */
  private static final int BUSY_HOUR = 11;

  private static final long PER_HOUR = 1_000;
  private static final int TIMES = 20;
  private static final int SEED = 7;

  /**
   * Short, since a change is heard of after it, and long enough for its sessions to have events for
   * every partition.
   */
  private static final Duration CHUNK = Duration.ofSeconds(4);

  private final KafkaBroker kafka;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(task -> new Thread(task, "traffic"));
  private Future<?> sent;
  private volatile boolean ended;
  private volatile int perSecond = USUAL_PER_SECOND;
  private volatile double malformed = USUALLY_MALFORMED;
  @Nullable private volatile Duration late;

  MonitoringTraffic(KafkaBroker kafka) {
    this.kafka = kafka;
  }

  void start() {
    sent = thread.submit(this::send);
  }

  /**
   * From the next chunk on, something is wrong with what is sent.
   *
   * @param share of the events of now that are malformed
   * @param age of a fifth as many events beside them
   */
  void spoil(double share, Duration age) {
    malformed = share;
    late = age;
  }

  /** From the next chunk on, so many events are sent. */
  void rise(int toPerSecond) {
    perSecond = toPerSecond;
  }

  /** From the next chunk on, all is as usual. */
  void calm() {
    malformed = USUALLY_MALFORMED;
    late = null;
    perSecond = USUAL_PER_SECOND;
  }

  private void send() {
    past();
    for (int seed = 1; !ended; seed++) {
      int rate = perSecond;
      long events = rate * CHUNK.toSeconds();
      SimulatorOptions now =
          SimulatorOptions.of(events, seed)
              .withUsers(5_000)
              .withTime(Instant.now().minus(CHUNK), CHUNK)
              .withDuplicates(0.02)
              .withMalformed(malformed);
      SimulatedTraffic.send(kafka, "", now, rate, count -> {});
      Duration age = late;
      if (age != null) {
        SimulatorOptions old =
            SimulatorOptions.of(events / 5, -seed)
                .withUsers(500)
                .withTime(Instant.now().minus(age), CHUNK);
        SimulatedTraffic.send(kafka, "", old, count -> {});
      }
    }
  }

  /** Hours that are the same, event by event, but for the busy one. */
  private void past() {
    Instant end = Instant.now().truncatedTo(ChronoUnit.HOURS);
    for (int hour = 0; hour < HOURS; hour++) {
      SimulatorOptions options =
          SimulatorOptions.of(PER_HOUR * (hour == BUSY_HOUR ? TIMES : 1), SEED)
              .withUsers(2_000)
              .withTime(end.minus(Duration.ofHours(HOURS - hour)), Duration.ofHours(1));
      SimulatedTraffic.send(kafka, "", options, count -> {});
    }
  }

  @Override
  public void close() throws InterruptedException, ExecutionException {
    ended = true;
    thread.shutdown();
    if (sent != null) {
      sent.get();
    }
  }
}

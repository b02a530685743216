package io.millrace.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.junit.jupiter.api.Test;

/** Which events are sampled, and what the histogram tells of them. */
class LatencyTest {
  private static final class Registered extends UnregisteredMetricsGroup {
    final Map<String, Counter> counters;
    final Map<String, Gauge<?>> gauges;
    final String path;

    Registered(String path, Map<String, Counter> counters, Map<String, Gauge<?>> gauges) {
      this.path = path;
      this.counters = counters;
      this.gauges = gauges;
    }

    @Override
    public MetricGroup addGroup(String key, String value) {
      return new Registered(key + "=" + value + " ", counters, gauges);
    }

    @Override
    public <C extends Counter> C counter(String name, C counter) {
      counters.put(path + name, counter);
      return counter;
    }

    @Override
    public <T, G extends Gauge<T>> G gauge(String name, G gauge) {
      gauges.put(path + name, gauge);
      return gauge;
    }
  }

  private final Registered group = new Registered("", new TreeMap<>(), new TreeMap<>());
  private final LatencyHistogram ages = new LatencyHistogram(group, "age_seconds");

  @Test
  void bucketsHoldWhatIsAtMostTheirBound() {
    ages.observe(-5);
    ages.observe(1_000);
    ages.observe(1_001);
    ages.observe(100_000_000);
    assertThat(bucket("1")).isEqualTo(2);
    assertThat(bucket("2")).isEqualTo(3);
    assertThat(bucket("21600")).isEqualTo(3);
    assertThat(bucket("+Inf")).isEqualTo(4);
    assertThat(group.counters.get("age_seconds_count").getCount()).isEqualTo(4);
    assertThat((double) group.gauges.get("age_seconds_sum").getValue())
        .isCloseTo(100_002.001, within(1e-6));
    assertThat(group.counters).hasSize(16);
  }

  private long bucket(String bound) {
    return group.counters.get("le=" + bound + " age_seconds_bucket").getCount();
  }

  @Test
  void anAgeIsKnownWhenTheCheckpointIsComplete() {
    EventTimeSamples samples = new EventTimeSamples();
    samples.offer(1_000);
    samples.barrier(1);
    samples.offer(2_000);
    samples.barrier(2);
    samples.offer(3_000);
    samples.complete(1, 6_000, ages);
    assertThat(bucket("5")).isEqualTo(1);
    // Of a checkpoint that was given up the events are in the next.
    samples.barrier(3);
    samples.complete(3, 33_000, ages);
    assertThat(bucket("30")).isEqualTo(2);
    assertThat(bucket("60")).isEqualTo(3);
    samples.complete(4, 99_000, ages);
    assertThat(bucket("+Inf")).isEqualTo(3);
  }

  @Test
  void aFewEventsAreTakenWhateverTheLoad() {
    EventTimeSamples samples = new EventTimeSamples();
    for (int checkpoint = 1; checkpoint <= 3; checkpoint++) {
      for (int i = 0; i < 1_000_000; i++) {
        samples.offer(i);
      }
      samples.barrier(checkpoint);
      samples.complete(checkpoint, 1_000_000, ages);
      assertThat(group.counters.get("age_seconds_count").getCount())
          .as("samples after %d checkpoints", checkpoint)
          .isBetween(2_048L, 2_048L + 130L * (checkpoint - 1));
    }
    for (int i = 0; i < 50; i++) {
      samples.offer(0);
    }
    samples.barrier(4);
    for (int i = 0; i < 50; i++) {
      samples.offer(0);
    }
    samples.barrier(5);
    long before = group.counters.get("age_seconds_count").getCount();
    samples.complete(5, 0, ages);
    assertThat(group.counters.get("age_seconds_count").getCount() - before).isBetween(50L, 51L);
  }

  @Test
  void withoutACheckpointTheOldestStay() {
    EventTimeSamples samples = new EventTimeSamples();
    for (int checkpoint = 1; checkpoint <= 100; checkpoint++) {
      for (int i = 0; i < 1_000; i++) {
        samples.offer(checkpoint);
      }
      samples.barrier(checkpoint);
    }
    samples.complete(100, 100, ages);
    assertThat(group.counters.get("age_seconds_count").getCount()).isEqualTo(2_048);
  }

  @Test
  void oneOfTheLatestIsTold() {
    EventTimeSamples samples = new EventTimeSamples();
    assertThat(samples.takeOne()).isEqualTo(EventTimeSamples.NONE);
    samples.offer(7);
    samples.offer(8);
    assertThat(samples.takeOne()).isIn(7L, 8L);
    assertThat(samples.takeOne()).isEqualTo(EventTimeSamples.NONE);
  }

  @Test
  void secondsSinceNoTimeAreNone() {
    assertThat(Metrics.secondsSince(1_500, 4_000)).isEqualTo(2.5);
    assertThat(Metrics.secondsSince(Long.MIN_VALUE, 4_000)).isNaN();
    assertThat(Metrics.secondsSince(Long.MAX_VALUE, 4_000)).isZero();
  }
}

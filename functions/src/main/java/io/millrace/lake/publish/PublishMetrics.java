package io.millrace.lake.publish;

import io.millrace.telemetry.Metrics;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.ThreadSafeSimpleCounter;

/** The figures of a table's publishing; alert on the oldest pending partition. */
final class PublishMetrics {
  private final Counter registered;
  private final Counter complete;
  private final Counter registrationFailures;
  private final Counter completionFailures;
  private final MetricGroup group;
  private volatile long lastCommit = System.currentTimeMillis();

  PublishMetrics(MetricGroup group, String table) {
    this.group = group.addGroup(Metrics.GROUP).addGroup(Metrics.TABLE, table);
    registered = this.group.counter(Metrics.PARTITIONS_REGISTERED, new ThreadSafeSimpleCounter());
    complete = this.group.counter(Metrics.PARTITIONS_COMPLETE, new ThreadSafeSimpleCounter());
    registrationFailures =
        this.group.counter(Metrics.REGISTRATION_FAILURES, new ThreadSafeSimpleCounter());
    completionFailures =
        this.group.counter(Metrics.COMPLETION_FAILURES, new ThreadSafeSimpleCounter());
  }

  void observe(Publisher publisher) {
    group.<Integer, Gauge<Integer>>gauge(Metrics.PARTITIONS_PENDING, publisher::unregistered);
    group.<Integer, Gauge<Integer>>gauge(Metrics.PARTITIONS_DUE, publisher::due);
    group.<Integer, Gauge<Integer>>gauge(Metrics.TABLE_REFUSED, () -> publisher.refused() ? 1 : 0);
    group.<Long, Gauge<Long>>gauge(Metrics.OLDEST_PENDING, publisher::oldestUnregisteredSeconds);
    group.<Double, Gauge<Double>>gauge(
        Metrics.FRESHNESS,
        () -> Metrics.secondsSince(publisher.watermark(), System.currentTimeMillis()));
    group.<Double, Gauge<Double>>gauge(
        Metrics.COMMIT_AGE, () -> Metrics.secondsSince(lastCommit, System.currentTimeMillis()));
  }

  void committed() {
    lastCommit = System.currentTimeMillis();
  }

  void registered(int partitions) {
    registered.inc(partitions);
  }

  void completed(int partitions) {
    complete.inc(partitions);
  }

  void registrationFailed() {
    registrationFailures.inc();
  }

  void completionFailed() {
    completionFailures.inc();
  }
}

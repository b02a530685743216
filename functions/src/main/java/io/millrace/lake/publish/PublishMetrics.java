package io.millrace.lake.publish;

import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.ThreadSafeSimpleCounter;

/** The figures of a table's publishing; alert on the oldest pending partition. */
final class PublishMetrics {
  /** Partitions registered, repeats included. */
  static final String REGISTERED = "partitionsRegistered";

  /** Partitions with files that are not registered yet. */
  static final String PENDING = "partitionsPending";

  /** Partitions marked complete, once more for each new generation. */
  static final String COMPLETE = "partitionsComplete";

  /** Partitions that the watermark has passed and that are not marked yet. */
  static final String DUE = "partitionsDue";

  /** Failed calls of the catalog. */
  static final String REGISTRATION_FAILURES = "registrationFailures";

  /** Failed attempts to count a partition or to write its file. */
  static final String COMPLETION_FAILURES = "completionFailures";

  /** 1 while the catalog refuses the table, as for a retyped column. */
  static final String REFUSED = "tableRefused";

  /** How long the oldest pending partition has waited. */
  static final String OLDEST_PENDING = "oldestPendingSeconds";

  private final Counter registered;
  private final Counter complete;
  private final Counter registrationFailures;
  private final Counter completionFailures;
  private final MetricGroup group;

  PublishMetrics(MetricGroup group, String table) {
    this.group = group.addGroup("table", table);
    registered = this.group.counter(REGISTERED, new ThreadSafeSimpleCounter());
    complete = this.group.counter(COMPLETE, new ThreadSafeSimpleCounter());
    registrationFailures = this.group.counter(REGISTRATION_FAILURES, new ThreadSafeSimpleCounter());
    completionFailures = this.group.counter(COMPLETION_FAILURES, new ThreadSafeSimpleCounter());
  }

  void observe(Publisher publisher) {
    group.<Integer, Gauge<Integer>>gauge(PENDING, publisher::unregistered);
    group.<Integer, Gauge<Integer>>gauge(DUE, publisher::due);
    group.<Integer, Gauge<Integer>>gauge(REFUSED, () -> publisher.refused() ? 1 : 0);
    group.<Long, Gauge<Long>>gauge(OLDEST_PENDING, publisher::oldestUnregisteredSeconds);
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

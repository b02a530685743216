package io.millrace.local;

import io.millrace.telemetry.Metrics;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.api.common.JobID;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Meter;
import org.apache.flink.metrics.Metric;
import org.apache.flink.metrics.MetricConfig;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.reporter.MetricReporter;

/**
 * The numeric metrics of a cluster's jobs, readable at any time.
 *
 * <p>A metric of a finished or failed task keeps its last value until the same subtask, started
 * again, replaces it.
 */
public final class JobMetrics implements MetricReporter {
  private static final String JOB_ID = "<job_id>";

  private final Map<Key, Reading> readings = new ConcurrentHashMap<>();

  /** The subtask's identity across attempts and TaskManagers, and the metric's dotted name. */
  private record Key(String job, String scope, String name) {}

  private record Reading(Metric metric, Number last) {
    Number value() {
      return last != null ? last : read(metric);
    }
  }

  JobMetrics() {}

  /**
   * The sum over all operators and subtasks of a job.
   *
   * @param name the metric's name, or its end after a dot: `numRestarts`, `ledger.received`
   */
  public long sum(JobID job, String name) {
    return read(job, name).values().stream().mapToLong(Number::longValue).sum();
  }

  /** The values of a job's metric by operator and subtask. */
  public Map<String, Number> read(JobID job, String name) {
    Map<String, Number> values = new TreeMap<>();
    readings.forEach(
        (key, reading) -> {
          boolean named = key.name().equals(name) || key.name().endsWith("." + name);
          if (named && key.job().equals(job.toHexString())) {
            Number value = reading.value();
            if (value != null) {
              values.put(key.scope() + " " + key.name(), value);
            }
          }
        });
    return values;
  }

  /** The names of a job's metrics in the group of ours, without labels. */
  public Set<String> ours(JobID job) {
    Set<String> names = new TreeSet<>();
    for (Key key : readings.keySet()) {
      if (key.job().equals(job.toHexString()) && key.name().contains("." + Metrics.GROUP + ".")) {
        names.add(key.name().substring(key.name().lastIndexOf('.') + 1));
      }
    }
    return names;
  }

  @Override
  public void open(MetricConfig config) {}

  @Override
  public void close() {}

  @Override
  public void notifyOfAddedMetric(Metric metric, String name, MetricGroup group) {
    Key key = key(name, group);
    if (key != null) {
      readings.put(key, new Reading(metric, null));
    }
  }

  @Override
  public void notifyOfRemovedMetric(Metric metric, String name, MetricGroup group) {
    Key key = key(name, group);
    if (key != null) {
      readings.computeIfPresent(
          key, (k, r) -> r.metric() == metric ? new Reading(metric, read(metric)) : r);
    }
  }

  private static Key key(String name, MetricGroup group) {
    Map<String, String> variables = group.getAllVariables();
    String job = variables.get(JOB_ID);
    if (job == null) {
      return null;
    }
    String scope =
        "%s/%s[%s]"
            .formatted(
                variables.getOrDefault("<task_name>", "job"),
                variables.getOrDefault("<operator_name>", "task"),
                variables.getOrDefault("<subtask_index>", "-"));
    String identifier = group.getMetricIdentifier(name);
    String tm = variables.get("<tm_id>");
    return new Key(job, scope, tm == null ? identifier : identifier.replace(tm, "tm"));
  }

  private static Number read(Metric metric) {
    if (metric instanceof Counter counter) {
      return counter.getCount();
    }
    if (metric instanceof Meter meter) {
      return meter.getCount();
    }
    if (metric instanceof Gauge<?> gauge) {
      try {
        return gauge.getValue() instanceof Number number ? number : null;
      } catch (RuntimeException e) {
        // A gauge may read what its task has already disposed.
        return null;
      }
    }
    return null;
  }
}

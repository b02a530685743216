package io.millrace.telemetry;

import java.util.List;
import java.util.Locale;

/** Every metric of ours, as docs/metrics.md and whoever checks dashboards and alerts know them. */
public final class MetricDocs {
  private static final String ADMIT = "admit-TOPIC";
  private static final String TIMELINE = "user-timeline";
  private static final String ROLL_UP = "roll-up";
  private static final String CLOSE = "close-window";
  private static final String DETECT = "detect-anomalies";
  private static final String RECONCILE = "reconcile";
  private static final String PUBLISH = "TABLE: publish-partitions";

  /** What a metric does over time. */
  public enum Kind {
    /** Only rises, and begins at 0 with each start of its task. */
    COUNTER,
    /** Rises and falls. */
    GAUGE,
    /** Three names: buckets by {@code le}, count and sum. */
    HISTOGRAM
  }

  /**
   * One metric.
   *
   * @param operator the uid of the operator that has it
   * @param labels beside those that Flink gives to each metric of an operator
   */
  public record Entry(
      String name, Kind kind, String operator, List<String> labels, String meaning) {

    /** The names under which it is registered. */
    public List<String> registered() {
      return kind == Kind.HISTOGRAM
          ? List.of(name + Metrics.BUCKET, name + Metrics.COUNT, name + Metrics.SUM)
          : List.of(name);
    }
  }

  private MetricDocs() {}

  /** All of the engagement job, in the order of the data flow. */
  public static List<Entry> engagement() {
    return List.of(
        counter(Metrics.RECEIVED, ADMIT, "records read"),
        counter(Metrics.REJECTED_RECORDS, ADMIT, "records rejected, each counted once"),
        counter(
            Metrics.REJECTED,
            ADMIT,
            "rejections: a record counts once for each of its reasons",
            Metrics.REASON),
        counter(
            Metrics.DIMENSION_LOAD_FAILURES,
            "load-dimension",
            "times that the dimension could not be read again, while the version in use stayed"),
        counter(Metrics.DIMENSION_VERSIONS, "enrich", "versions of the dimension taken up"),
        counter(Metrics.ACCEPTED, TIMELINE, "events that passed validation and deduplication"),
        counter(Metrics.DUPLICATES, TIMELINE, "resends that were recognised and dropped"),
        counter(Metrics.LATE, TIMELINE, "accepted events that were late"),
        counter(
            Metrics.DEDUP_UNCHECKED,
            TIMELINE,
            "accepted events too old to be compared with earlier ones"),
        gauge(
            Metrics.EVENT_TIME_LAG,
            TIMELINE,
            "how far the watermark is behind the clock; NaN before the first one"),
        histogram(
            Metrics.EVENT_TO_COMMIT,
            TIMELINE,
            "from an event's time to the end of the checkpoint that commits its row; of some 128"
                + " events per checkpoint and subtask, late ones not among them"),
        counter(Metrics.SESSIONS, TIMELINE, "sessions that were closed"),
        gauge(
            Metrics.OPEN_SESSIONS,
            TIMELINE,
            "users with a session that is not closed. Only the sum over subtasks means something"),
        gauge(
            Metrics.OPEN_SESSION_EVENTS,
            TIMELINE,
            "events of sessions that are not closed; again the sum"),
        counter(
            Metrics.CACHE_HITS, TIMELINE, "lookups of a user that the cache answered (RocksDB)"),
        counter(
            Metrics.CACHE_MISSES,
            TIMELINE,
            "lookups of a user that went to the state backend (RocksDB)"),
        gauge(Metrics.CACHE_USERS, TIMELINE, "users in the cache"),
        gauge(Metrics.CACHE_BYTES, TIMELINE, "about how much heap the cache takes, in bytes"),
        gauge(Metrics.LIVE_CELLS, ROLL_UP, "cells of rollups whose row is not final"),
        histogram(
            Metrics.EVENT_TO_LIVE,
            ROLL_UP,
            "from an event's time to the live value that counts it; of an event per subtask of the"
                + " timeline and rollups.live-interval"),
        counter(Metrics.ROLLUP_ROWS, ROLL_UP, "final rows, before the cap on cells"),
        counter(
            Metrics.ROLLUP_TOO_LATE,
            ROLL_UP,
            "parts of a cell whose row was final already; 0 when all is right"),
        counter(
            Metrics.ROLLUP_CELLS_FOLDED, CLOSE, "rows that the cap on cells has folded into OTHER"),
        counter(
            Metrics.CROSS_CHECK_VIOLATIONS,
            "close-window, check-sessions",
            "cross-checks that did not hold; 0 when all is right"),
        counter(Metrics.ALERTS_OPENED, DETECT, "alerts that anomalies opened"),
        counter(Metrics.WINDOWS_FIRING, DETECT, "windows not as expected, each in an alert"),
        counter(
            Metrics.OBSERVATIONS_IGNORED,
            DETECT,
            "observations of a window that had one, or is not after the last judged"),
        gauge(
            Metrics.LEDGER_DISCREPANCY,
            RECONCILE,
            "received minus accepted, rejected and duplicates as of the last checkpoint; 0 when"
                + " right",
            Metrics.TOPIC),
        ledger(Metrics.RECEIVED),
        ledger(Metrics.ACCEPTED),
        ledger(Metrics.REJECTED),
        ledger(Metrics.DUPLICATES),
        ledger(Metrics.LATE),
        gauge(
            Metrics.CHECKPOINT_AGE,
            RECONCILE,
            "since the last checkpoint was completed, or since the start when there was none"),
        counter(Metrics.FILES_COMMITTED, "TABLE: report-commits", "files that became visible"),
        table(
            Kind.GAUGE,
            Metrics.FRESHNESS,
            "how far the time up to which rows are committed is behind the clock; NaN before the"
                + " first commit after a start"),
        table(
            Kind.GAUGE,
            Metrics.COMMIT_AGE,
            "since it last got a file, or since the start when it got none"),
        table(Kind.COUNTER, Metrics.PARTITIONS_REGISTERED, "registrations, repeats included"),
        table(Kind.GAUGE, Metrics.PARTITIONS_PENDING, "partitions with files, not registered yet"),
        table(Kind.GAUGE, Metrics.OLDEST_PENDING, "how long the oldest of them has waited"),
        table(
            Kind.COUNTER,
            Metrics.PARTITIONS_COMPLETE,
            "partitions marked complete, once more for each new generation"),
        table(
            Kind.GAUGE,
            Metrics.PARTITIONS_DUE,
            "partitions that the watermark has passed and that are not marked yet"),
        table(Kind.COUNTER, Metrics.REGISTRATION_FAILURES, "failed calls of the catalog"),
        table(
            Kind.COUNTER,
            Metrics.COMPLETION_FAILURES,
            "failed attempts to count a partition or to write its _SUCCESS"),
        table(
            Kind.GAUGE,
            Metrics.TABLE_REFUSED,
            "1 while the catalog refuses the table, as for a column of another type"));
  }

  /** The table of docs/metrics.md. */
  public static String markdown() {
    StringBuilder out =
        new StringBuilder(
            "| metric | kind | operator | labels | meaning |\n|---|---|---|---|---|\n");
    for (Entry e : engagement()) {
      out.append("| `").append(e.name()).append("` | ");
      out.append(e.kind().name().toLowerCase(Locale.ROOT)).append(" | `");
      out.append(e.operator().replace(", ", "`, `")).append("` | ");
      out.append(e.labels().isEmpty() ? "" : "`" + String.join("`, `", e.labels()) + "`");
      out.append(" | ").append(e.meaning()).append(" |\n");
    }
    return out.append('\n').toString();
  }

  private static Entry counter(String name, String operator, String meaning, String... labels) {
    return new Entry(name, Kind.COUNTER, operator, List.of(labels), meaning);
  }

  private static Entry gauge(String name, String operator, String meaning, String... labels) {
    return new Entry(name, Kind.GAUGE, operator, List.of(labels), meaning);
  }

  private static Entry histogram(String name, String operator, String meaning) {
    return new Entry(name, Kind.HISTOGRAM, operator, List.of(), meaning);
  }

  private static Entry ledger(String count) {
    return gauge(
        Metrics.LEDGER + count,
        RECONCILE,
        count + " as the ledger has it, since the job first began",
        Metrics.TOPIC);
  }

  private static Entry table(Kind kind, String name, String meaning) {
    return new Entry(name, kind, PUBLISH, List.of(Metrics.TABLE), meaning);
  }
}

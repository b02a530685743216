package io.millrace.telemetry;

/** Metric names; each is a contract with dashboards and alerts. */
public final class Metrics {
  /** Group of every metric of ours, below the operator's own. */
  public static final String GROUP = "millrace";

  /** Records read; each topic has an operator of its own. */
  public static final String RECEIVED = "received";

  /** Events that passed validation and deduplication. */
  public static final String ACCEPTED = "accepted";

  /** Rejected records, by label {@link #REASON}; a record counts once for each of its reasons. */
  public static final String REJECTED = "rejected";

  /** Rejected records, each counted once. */
  public static final String REJECTED_RECORDS = "rejected_records";

  /** Resends that were recognised and dropped. */
  public static final String DUPLICATES = "duplicates";

  /** Accepted events that were late. */
  public static final String LATE = "late";

  /** Accepted events too old to be compared with earlier ones. */
  public static final String DEDUP_UNCHECKED = "dedup_unchecked";

  /** Users in the timeline's cache. */
  public static final String CACHE_USERS = "cache_users";

  /** About how much heap the timeline's cache takes, in bytes. */
  public static final String CACHE_BYTES = "cache_bytes";

  /** Lookups of a user that the timeline's cache answered. */
  public static final String CACHE_HITS = "cache_hits";

  /** Lookups of a user that went to the state backend. */
  public static final String CACHE_MISSES = "cache_misses";

  /** Received minus accepted, rejected and duplicates, as of the last checkpoint; 0 when right. */
  public static final String LEDGER_DISCREPANCY = "ledger_discrepancy";

  /** Stands before each count of a topic as the ledger has it. */
  public static final String LEDGER = "ledger_";

  /** Since the last checkpoint was completed, or since the start when there was none. */
  public static final String CHECKPOINT_AGE = "checkpoint_age_seconds";

  /** Versions of the dimension that a subtask has taken up. */
  public static final String DIMENSION_VERSIONS = "dimension_versions";

  /** Times that the dimension could not be read again, while the version in use stayed. */
  public static final String DIMENSION_LOAD_FAILURES = "dimension_load_failures";

  /** Sessions that were closed. */
  public static final String SESSIONS = "sessions";

  /** Events in sessions that are not closed. */
  public static final String OPEN_SESSION_EVENTS = "open_session_events";

  /** Sessions that are not closed: users of whom events are held or a session is open. */
  public static final String OPEN_SESSIONS = "open_sessions";

  /** How far the watermark is behind the clock. */
  public static final String EVENT_TIME_LAG = "event_time_lag_seconds";

  /** From an event's time to the checkpoint with which its row is committed; of a few events. */
  public static final String EVENT_TO_COMMIT = "event_to_commit_seconds";

  /** From an event's time to the live value that counts it; of a few events. */
  public static final String EVENT_TO_LIVE = "event_to_live_seconds";

  /** Cells of rollups whose row is not final. */
  public static final String LIVE_CELLS = "live_cells";

  /** Final rows of rollups. */
  public static final String ROLLUP_ROWS = "rollup_rows";

  /** Parts of a cell whose row was final already; always 0 when all is right. */
  public static final String ROLLUP_TOO_LATE = "rollup_too_late";

  /** Rows that the cap on cells has folded into others. */
  public static final String ROLLUP_CELLS_FOLDED = "rollup_cells_folded";

  /** Cross-checks that did not hold; always 0 when all is right. */
  public static final String CROSS_CHECK_VIOLATIONS = "cross_check_violations";

  /** Alerts that anomalies opened. */
  public static final String ALERTS_OPENED = "alerts_opened";

  /** Windows that were not as expected, each in an alert. */
  public static final String WINDOWS_FIRING = "windows_firing";

  /** Observations of a window that had one, or is not after the last that was judged. */
  public static final String OBSERVATIONS_IGNORED = "observations_ignored";

  /** Files that became visible. */
  public static final String FILES_COMMITTED = "files_committed";

  /** How far the time up to which a table's rows are committed is behind the clock. */
  public static final String FRESHNESS = "freshness_seconds";

  /** Since a table last got a file, or since the start when it got none. */
  public static final String COMMIT_AGE = "commit_age_seconds";

  /** Partitions registered, repeats included. */
  public static final String PARTITIONS_REGISTERED = "partitions_registered";

  /** Partitions with files that are not registered yet. */
  public static final String PARTITIONS_PENDING = "partitions_pending";

  /** How long the oldest pending partition has waited. */
  public static final String OLDEST_PENDING = "oldest_pending_seconds";

  /** Partitions marked complete, once more for each new generation. */
  public static final String PARTITIONS_COMPLETE = "partitions_complete";

  /** Partitions that the watermark has passed and that are not marked yet. */
  public static final String PARTITIONS_DUE = "partitions_due";

  /** Failed calls of the catalog. */
  public static final String REGISTRATION_FAILURES = "registration_failures";

  /** Failed attempts to count a partition or to write its file. */
  public static final String COMPLETION_FAILURES = "completion_failures";

  /** 1 while the catalog refuses the table, as for a retyped column. */
  public static final String TABLE_REFUSED = "table_refused";

  /** Label for the lake's table. */
  public static final String TABLE = "table";

  /** Label for the Kafka topic. */
  public static final String TOPIC = "topic";

  /** Label for the stable code of a rejection. */
  public static final String REASON = "reason";

  /** Label for the upper bound of a histogram's bucket. */
  public static final String LE = "le";

  /** Ends of the names of a histogram's parts. */
  public static final String BUCKET = "_bucket";

  public static final String COUNT = "_count";

  public static final String SUM = "_sum";

  private Metrics() {}

  /** Seconds from a time, epoch ms, to now; NaN when there is no such time yet. */
  public static double secondsSince(long time, long now) {
    if (time == Long.MIN_VALUE) {
      return Double.NaN;
    }
    // At the end of input a watermark is no time.
    return time == Long.MAX_VALUE ? 0 : (now - time) / 1000.0;
  }
}

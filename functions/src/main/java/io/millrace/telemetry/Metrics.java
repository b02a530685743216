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

  /** Versions of the dimension that a subtask has taken up. */
  public static final String DIMENSION_VERSIONS = "dimension_versions";

  /** Times that the dimension could not be read again, while the version in use stayed. */
  public static final String DIMENSION_LOAD_FAILURES = "dimension_load_failures";

  /** Sessions that were closed. */
  public static final String SESSIONS = "sessions";

  /** Events in sessions that are not closed. */
  public static final String OPEN_SESSION_EVENTS = "open_session_events";

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

  /** Label for the Kafka topic. */
  public static final String TOPIC = "topic";

  /** Label for the stable code of a rejection. */
  public static final String REASON = "reason";

  /**
   * Rows of an unbounded pipeline that violate a rule of {@code data_quality}, by {@link #RULE}.
   */
  public static final String RULE_VIOLATIONS = "rule_violations";

  /** Label: the rule's name. */
  public static final String RULE = "rule";

  private Metrics() {}
}

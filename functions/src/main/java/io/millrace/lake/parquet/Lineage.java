package io.millrace.lake.parquet;

import java.io.Serializable;
import java.util.Objects;

/**
 * Which run of which job writes a file: part of the footer of every file, beside what is known only
 * when the file is complete.
 *
 * @param job the job's name
 * @param version the version of Millrace
 * @param runId the run, as in the ledger
 */
public record Lineage(String job, String version, String runId) implements Serializable {
  /** The job's name. */
  public static final String JOB = "millrace.job";

  /** The version of Millrace. */
  public static final String VERSION = "millrace.version";

  /** The run, as in the ledger. */
  public static final String RUN_ID = "millrace.run_id";

  /** The table's schema version. */
  public static final String SCHEMA_VERSION = "millrace.schema_version";

  /** The table's folder below the lake's root. */
  public static final String TABLE = "millrace.table";

  /** When the file was completed, ISO-8601 in UTC. */
  public static final String WRITTEN_AT = "millrace.written_at";

  /** The file's rows. */
  public static final String ROWS = "millrace.rows";

  /** A JSON object: topic-partition to the least and the greatest offset among the file's rows. */
  public static final String SOURCE_OFFSETS = "millrace.source_offsets";

  public Lineage {
    Objects.requireNonNull(job, "job");
    Objects.requireNonNull(version, "version");
    Objects.requireNonNull(runId, "runId");
  }
}

package io.millrace.local;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;

/** A lake of a few rows, written by DuckDB: what is in it stands in {@code small-lake.sql}. */
final class SmallLake {
  private SmallLake() {}

  /**
   * Writes it.
   *
   * @param changes SQL that changes the rows before they are written; may be empty
   */
  static void write(Path root, String changes) throws IOException, SQLException {
    try (Connection duckdb = DriverManager.getConnection("jdbc:duckdb:");
        Statement sql = duckdb.createStatement()) {
      sql.execute("SET TimeZone = 'UTC'");
      sql.execute(resource());
      if (!changes.isEmpty()) {
        sql.execute(changes);
      }
      write(sql, root.resolve("processed/app_events"), eventColumns(), "timestamp", true);
      write(sql, root.resolve("processed/sessions"), "* FROM session_rows", "session_end", true);
      write(sql, root.resolve("quality/ledger"), "* FROM ledger_rows", "hour_start", true);
      write(
          sql,
          root.resolve("quality/cross_checks"),
          "*, NULL::TIMESTAMPTZ AS window_start FROM cross_check_rows",
          "checked_at",
          true);
      write(
          sql,
          root.resolve("anomalies"),
          "*, min(window_start) OVER (PARTITION BY alert_id) AS opened_at FROM anomaly_rows",
          "window_start",
          true);
      write(
          sql,
          root.resolve("quarantine/dead_letters"),
          "*, TIMESTAMPTZ '2026-03-01 10:00:00Z' AS kafka_timestamp FROM dead_letter_rows",
          "kafka_timestamp",
          true);
      for (String span : new String[] {"hour", "day"}) {
        write(
            sql,
            root.resolve(
                "aggregated/"
                    + (span.equals("hour") ? "hourly" : "daily")
                    + "_aggregates_with_dimensions"),
            "* FROM roll_up('" + span + "')",
            "window_start",
            span.equals("hour"));
      }
    }
  }

  private static String eventColumns() {
    return "*, 'e' || row_number() OVER (ORDER BY timestamp) AS event_id FROM event_rows";
  }

  private static void write(Statement sql, Path table, String rows, String time, boolean byHour)
      throws IOException, SQLException {
    Files.createDirectories(table);
    sql.execute(
        "COPY (SELECT *, strftime("
            + time
            + ", '%Y') AS year, strftime("
            + time
            + ", '%m') AS month, strftime("
            + time
            + ", '%d') AS day"
            + (byHour ? ", strftime(" + time + ", '%H') AS hour" : "")
            + " FROM (SELECT "
            + rows
            + ")) TO '"
            + table
            + "' (FORMAT parquet, FILENAME_PATTERN 'part-{i}', OVERWRITE_OR_IGNORE,"
            + " PARTITION_BY (year, month, day"
            + (byHour ? ", hour" : "")
            + "))");
  }

  private static String resource() throws IOException {
    try (InputStream in = SmallLake.class.getResourceAsStream("/small-lake.sql")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}

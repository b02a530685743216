package io.millrace.lake.parquet;

import static io.millrace.lake.catalog.Column.optional;
import static io.millrace.lake.catalog.Column.required;
import static io.millrace.lake.catalog.LakeType.BOOLEAN;
import static io.millrace.lake.catalog.LakeType.LONG;
import static io.millrace.lake.catalog.LakeType.STRING;
import static io.millrace.lake.catalog.LakeType.TIMESTAMP;

import io.millrace.event.Origin;
import io.millrace.event.Session;
import io.millrace.lake.catalog.LakeType;
import io.millrace.lake.catalog.TableSchema;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import javax.annotation.Nullable;

/** {@code processed/sessions}: every session that has ended once, in the hour of its last event. */
public final class SessionTable implements LakeTable<Session> {
  private static final long serialVersionUID = 1L;

  /** The table's columns. */
  public static final TableSchema SCHEMA =
      new TableSchema(
          "sessions",
          "processed/sessions",
          List.of(
              required("session_id", STRING, "32 hex digits, from the user and the first event"),
              required("user_id", STRING, "the user, as in app_events"),
              required("session_start", TIMESTAMP, "timestamp of the first event"),
              required("session_end", TIMESTAMP, "timestamp of the last event"),
              required("duration_ms", LONG, "from the first event to the last, in milliseconds"),
              required("event_count", LONG, "events of any type"),
              required("engagement_count", LONG, "events other than session_start and session_end"),
              required("install_count", LONG, "events of type install"),
              required("session_start_count", LONG, "events of type session_start"),
              required("session_end_count", LONG, "events of type session_end"),
              required("view_count", LONG, "events of type view_notification"),
              required("open_count", LONG, "events of type open_notification"),
              required(
                  "path",
                  LakeType.array(STRING),
                  "types of the first events in order; the value of sessions.path-property where"
                      + " an event has it"),
              required("path_truncated", BOOLEAN, "true when there were more events than that"),
              required("entry_event", STRING, "type of the first event"),
              required("exit_event", STRING, "type of the last event"),
              required("is_bounce", BOOLEAN, "true when engagement_count is 1"),
              required(
                  "end_reason",
                  STRING,
                  "gap, explicit, max_duration, max_events, midnight or end_of_input"),
              optional("device_type", STRING, "the device's type as the first event told it"),
              optional("app_version", STRING, "the version of the app as the first event told it"),
              optional("country", STRING, "the country as the first event told it"),
              required(
                  "client_session_ids",
                  LakeType.array(STRING),
                  "the client's own session ids in the order first seen, 10 at most")),
          "One row per session that has ended, of events that were not late.");

  private static final Set<String> UNIQUE = Set.of("session_id", "client_session_ids");

  @Override
  public TableSchema schema() {
    return SCHEMA;
  }

  @Override
  public int schemaVersion() {
    return 1;
  }

  @Override
  public long partitionTime(Session row) {
    return row.end();
  }

  @Nullable
  @Override
  public Origin origin(Session row) {
    return null;
  }

  @Override
  public Set<String> uniqueColumns() {
    return UNIQUE;
  }

  @Override
  public void write(Session row, RowColumns columns) throws IOException {
    columns.string(row.sessionId());
    columns.string(row.userId());
    columns.time(row.start());
    columns.time(row.end());
    columns.integer(row.durationMs());
    columns.integer(row.eventCount());
    columns.integer(row.engagementCount());
    columns.integer(row.installs());
    columns.integer(row.sessionStarts());
    columns.integer(row.sessionEnds());
    columns.integer(row.views());
    columns.integer(row.opens());
    columns.stringList(row.path());
    columns.bool(row.pathTruncated());
    columns.string(row.entryEvent());
    columns.string(row.exitEvent());
    columns.bool(row.isBounce());
    columns.string(row.endReason().code());
    columns.string(row.deviceType());
    columns.string(row.appVersion());
    columns.string(row.country());
    columns.stringList(row.clientSessionIds());
  }
}

-- What rollups.jdbc.url needs: the table of present values, and a view of it for each length of
-- window. With other rollups.dimensions or rollups.counters its columns are these; put
-- rollups.jdbc.table-prefix before the names. This file is generated from the code.

CREATE TABLE IF NOT EXISTS "rollups_live" (
  "cell_id" uuid PRIMARY KEY,
  "window" text NOT NULL,
  "window_start" timestamptz NOT NULL,
  "device_type" text NOT NULL,
  "app_version" text NOT NULL,
  "country" text NOT NULL,
  "total_events" bigint NOT NULL,
  "total_installs" bigint NOT NULL,
  "total_sessions" bigint NOT NULL,
  "total_views" bigint NOT NULL,
  "total_opens" bigint NOT NULL,
  "notification_ctr" double precision,
  "active_users" bigint NOT NULL,
  "distinct_approximate" boolean NOT NULL,
  "sessions_ended" bigint NOT NULL,
  "bounced_sessions" bigint NOT NULL,
  "bounce_rate" double precision,
  "session_seconds" double precision NOT NULL,
  "avg_session_seconds" double precision,
  "final" boolean NOT NULL
);

CREATE INDEX IF NOT EXISTS "rollups_live_by_window" ON "rollups_live" ("window_start", "window");

CREATE OR REPLACE VIEW "hourly_aggregates_with_dimensions" AS
SELECT
  "window_start",
  "device_type",
  "app_version",
  "country",
  "total_events",
  "total_installs",
  "total_sessions",
  "total_views",
  "total_opens",
  "notification_ctr",
  "active_users",
  "distinct_approximate",
  "sessions_ended",
  "bounced_sessions",
  "bounce_rate",
  "session_seconds",
  "avg_session_seconds",
  "final"
FROM "rollups_live"
WHERE "window" = 'hour';

CREATE OR REPLACE VIEW "daily_aggregates_with_dimensions" AS
SELECT
  "window_start",
  "device_type",
  "app_version",
  "country",
  "total_events",
  "total_installs",
  "total_sessions",
  "total_views",
  "total_opens",
  "notification_ctr",
  "active_users",
  "distinct_approximate",
  "sessions_ended",
  "bounced_sessions",
  "bounce_rate",
  "session_seconds",
  "avg_session_seconds",
  "final"
FROM "rollups_live"
WHERE "window" = 'day';

-- A lake of two days, from the events of three people. An event is (user, time, type, device,
-- version, country, late); sessions are by hand, rollups are these two added up.

CREATE TABLE event_rows AS
SELECT * FROM (VALUES
  -- ann's first session: 4 events, 120 s, no bounce
  ('ann', TIMESTAMPTZ '2026-03-01 10:00:00Z', 'session_start',     'iPhone', '2.0', 'DE', false),
  ('ann', TIMESTAMPTZ '2026-03-01 10:00:30Z', 'view_notification', 'iPhone', '2.0', 'DE', false),
  ('ann', TIMESTAMPTZ '2026-03-01 10:01:00Z', 'open_notification', 'iPhone', '2.0', 'DE', false),
  ('ann', TIMESTAMPTZ '2026-03-01 10:02:00Z', 'session_end',       'iPhone', '2.0', 'DE', false),
  -- bob's first: begins in one hour, ends and counts in the next
  ('bob', TIMESTAMPTZ '2026-03-01 10:59:50Z', 'install',           'Pixel',  '2.0', 'US', false),
  ('bob', TIMESTAMPTZ '2026-03-01 11:00:10Z', 'view_notification', 'Pixel',  '2.0', 'US', false),
  -- too late for final rows, within the time of ann's first session
  ('ann', TIMESTAMPTZ '2026-03-01 10:01:30Z', 'view_notification', 'iPhone', '2.0', 'DE', true),
  -- cid, who does not tell a country: a bounce
  ('cid', TIMESTAMPTZ '2026-03-01 11:30:00Z', 'install',           'Pixel',  '1.9', NULL, false),
  -- the second day: ann and bob bounce, bob on a device that views nothing
  ('ann', TIMESTAMPTZ '2026-03-02 09:00:00Z', 'view_notification', 'iPhone', '2.0', 'DE', false),
  ('bob', TIMESTAMPTZ '2026-03-02 09:10:00Z', 'install',           'Tab',    '2.0', 'US', false)
) AS t (user_id, timestamp, event_type, device_type, app_version, country, late);

CREATE TABLE session_rows AS
SELECT *, epoch_ms(session_end) - epoch_ms(session_start) AS duration_ms FROM (VALUES
  ('s1', 'ann', TIMESTAMPTZ '2026-03-01 10:00:00Z', TIMESTAMPTZ '2026-03-01 10:02:00Z', false, 'iPhone', '2.0', 'DE'),
  ('s2', 'bob', TIMESTAMPTZ '2026-03-01 10:59:50Z', TIMESTAMPTZ '2026-03-01 11:00:10Z', false, 'Pixel',  '2.0', 'US'),
  ('s3', 'cid', TIMESTAMPTZ '2026-03-01 11:30:00Z', TIMESTAMPTZ '2026-03-01 11:30:00Z', true,  'Pixel',  '1.9', NULL),
  ('s4', 'ann', TIMESTAMPTZ '2026-03-02 09:00:00Z', TIMESTAMPTZ '2026-03-02 09:00:00Z', true,  'iPhone', '2.0', 'DE'),
  ('s5', 'bob', TIMESTAMPTZ '2026-03-02 09:10:00Z', TIMESTAMPTZ '2026-03-02 09:10:00Z', true,  'Tab',    '2.0', 'US')
) AS t (session_id, user_id, session_start, session_end, is_bounce, device_type, app_version, country);

CREATE TABLE ledger_rows AS
SELECT 'run-1' AS run_id, 'streaming' AS mode, 1::BIGINT AS checkpoint, * FROM (VALUES
  ('session', TIMESTAMPTZ '2026-03-01 10:00:00Z', 12::BIGINT, 8::BIGINT, 3::BIGINT, 1::BIGINT, 1::BIGINT),
  ('install', TIMESTAMPTZ '2026-03-02 09:00:00Z', 2::BIGINT, 2::BIGINT, 0::BIGINT, 0::BIGINT, 0::BIGINT)
) AS t (topic, hour_start, received, accepted, rejected, duplicates, late);

CREATE TABLE dead_letter_rows AS
SELECT * FROM (VALUES
  ('session', 1::BIGINT, 'missing_field', 20::BIGINT), ('session', 2::BIGINT, 'missing_field', 4000::BIGINT),
  ('session', 3::BIGINT, 'not_utf8', 7::BIGINT)
) AS t (topic, kafka_offset, reason, raw_size);

CREATE TABLE cross_check_rows AS
SELECT 'run-1' AS run_id, 'streaming' AS mode, TIMESTAMPTZ '2026-03-02 12:00:00Z' AS checked_at, * FROM (VALUES
  ('leaves_equal_all', 'hourly.total_events', 10::BIGINT, 10::BIGINT, true),
  ('leaves_equal_all', 'hourly.total_opens', 3::BIGINT, 3::BIGINT, true),
  ('session_events', 'sessions', 9::BIGINT, 9::BIGINT, true)
) AS t (name, subject, found, expected, holds);

CREATE TABLE anomaly_rows AS
SELECT * FROM (VALUES
  ('a1', 'total_events', '', TIMESTAMPTZ '2026-03-01 10:00:00Z', 5.0::DOUBLE, 1.5::DOUBLE, 'critical', 'spike', 'opened', 1::BIGINT),
  ('a1', 'total_events', '', TIMESTAMPTZ '2026-03-01 11:00:00Z', 2.0, 1.0, 'warning', 'spike', 'firing', 2),
  ('a1', 'total_events', '', TIMESTAMPTZ '2026-03-01 12:00:00Z', 1.0, 1.0, 'none', 'none', 'resolved', 2),
  ('a2', 'notification_ctr', 'device_type=iPhone', TIMESTAMPTZ '2026-03-02 09:00:00Z', 0.0, 0.51239, 'warning', 'drop', 'opened', 1)
) AS t (alert_id, metric, cell, window_start, observed, expected, severity, direction, state, windows_firing);

-- Every level of the rollups of a window's length: 'hour' or 'day'.
CREATE MACRO roll_up(span) AS TABLE
WITH counted AS (
  SELECT date_trunc(span, timestamp) AS window_start,
         coalesce(device_type, 'UNKNOWN') AS device_type, coalesce(app_version, 'UNKNOWN') AS app_version,
         coalesce(country, 'UNKNOWN') AS country, user_id, event_type,
         1 AS events, 0 AS ended, 0 AS bounced, 0 AS duration_ms
  FROM event_rows WHERE NOT late
  UNION ALL
  SELECT date_trunc(span, session_end), coalesce(device_type, 'UNKNOWN'), coalesce(app_version, 'UNKNOWN'),
         coalesce(country, 'UNKNOWN'), NULL, NULL, 0, 1, is_bounce::INT, duration_ms
  FROM session_rows
)
SELECT CASE WHEN grouping(device_type) = 1 THEN 'ALL_DEVICES' ELSE device_type END AS device_type,
       CASE WHEN grouping(app_version) = 1 THEN 'ALL_VERSIONS' ELSE app_version END AS app_version,
       CASE WHEN grouping(country) = 1 THEN 'ALL_COUNTRIES' ELSE country END AS country,
       sum(events)::BIGINT AS total_events,
       count(CASE event_type WHEN 'install' THEN 1 END) AS total_installs,
       count(CASE event_type WHEN 'session_start' THEN 1 END) AS total_sessions,
       count(CASE event_type WHEN 'view_notification' THEN 1 END) AS total_views,
       count(CASE event_type WHEN 'open_notification' THEN 1 END) AS total_opens,
       count(DISTINCT user_id) AS active_users,
       -- A sketch of few users is a list of coupons of 4 bytes, here of any hash.
       unhex('0201070C03000008'
         || coalesce(string_agg(DISTINCT substr(md5(user_id), 1, 8), ''), '')) AS active_users_hll,
       false AS distinct_approximate,
       sum(ended)::BIGINT AS sessions_ended,
       sum(bounced)::BIGINT AS bounced_sessions,
       sum(bounced) / nullif(sum(ended), 0) AS bounce_rate,
       sum(duration_ms) / 1000 AS session_seconds,
       window_start
FROM counted
GROUP BY window_start, CUBE (device_type, app_version, country);

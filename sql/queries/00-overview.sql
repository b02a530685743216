-- What happened, in one row?
-- Events are all accepted ones, late ones among them. Users are those of events that were not
-- late. The rest is the grand total of the hourly rollup: rates are of the sums, not averages of
-- rates.
-- chart: tiles
SELECT e.events, e.late_events, e.users, r.installs, r.sessions, r.bounce_rate,
       r.avg_session_seconds, r.notification_ctr
FROM (
  SELECT count(*) AS events,
         count(CASE WHEN late THEN 1 END) AS late_events,
         count(DISTINCT CASE WHEN NOT late THEN user_id END) AS users
  FROM app_events
) e CROSS JOIN (
  SELECT coalesce(sum(total_installs), 0) AS installs,
         coalesce(sum(sessions_ended), 0) AS sessions,
         round(CAST(sum(bounced_sessions) AS DOUBLE) / nullif(sum(sessions_ended), 0), 4) AS bounce_rate,
         round(sum(session_seconds) / nullif(sum(sessions_ended), 0), 1) AS avg_session_seconds,
         round(CAST(sum(total_opens) AS DOUBLE) / nullif(sum(total_views), 0), 4) AS notification_ctr
  FROM hourly_aggregates_with_dimensions
  WHERE device_type = 'ALL_DEVICES' AND app_version = 'ALL_VERSIONS' AND country = 'ALL_COUNTRIES'
) r

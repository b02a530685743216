-- How many sessions does each app version have, and how many of them bounce?
-- Sessions that have ended, under the app version of their first event. A session bounces when
-- the user did one thing only. The rate is bounced sessions / sessions, both added up first.
-- chart: bars of sessions, bounce_rate by app_version
SELECT app_version,
       sum(sessions_ended)   AS sessions,
       sum(bounced_sessions) AS bounced,
       round(CAST(sum(bounced_sessions) AS DOUBLE) / nullif(sum(sessions_ended), 0), 4) AS bounce_rate,
       round(sum(session_seconds) / nullif(sum(sessions_ended), 0), 1) AS avg_session_seconds
FROM hourly_aggregates_with_dimensions
WHERE device_type = 'ALL_DEVICES' AND app_version <> 'ALL_VERSIONS' AND country = 'ALL_COUNTRIES'
GROUP BY app_version
ORDER BY sessions DESC, app_version

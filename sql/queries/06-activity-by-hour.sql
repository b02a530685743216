-- How does activity run over the hours?
-- Events that were not late, and distinct users, of each hour (UTC). Sessions count in the hour
-- in which they end.
-- chart: lines of events, active_users by hour
SELECT year || '-' || month || '-' || day || ' ' || hour || ':00' AS hour,
       total_events   AS events,
       active_users,
       sessions_ended AS sessions,
       total_installs AS installs
FROM hourly_aggregates_with_dimensions
WHERE device_type = 'ALL_DEVICES' AND app_version = 'ALL_VERSIONS' AND country = 'ALL_COUNTRIES'
ORDER BY window_start

-- Which hour is the busiest?
-- The five hours (UTC) with most events that were not late; where two have as many, the earlier
-- one first.
-- chart: bars of events by hour
SELECT year || '-' || month || '-' || day || ' ' || hour || ':00' AS hour,
       total_events   AS events,
       active_users,
       total_installs AS installs,
       total_opens    AS opens
FROM hourly_aggregates_with_dimensions
WHERE device_type = 'ALL_DEVICES' AND app_version = 'ALL_VERSIONS' AND country = 'ALL_COUNTRIES'
ORDER BY total_events DESC, window_start
LIMIT 5

-- How many people use the app each day?
-- Distinct users of a UTC day. Users of hours, or of countries, do not add up to those of a day:
-- someone who comes twice is one user. So this reads the day's own row.
-- chart: columns of active_users by day
SELECT year || '-' || month || '-' || day AS day,
       active_users,
       total_events   AS events,
       sessions_ended AS sessions,
       round(CAST(total_events AS DOUBLE) / nullif(active_users, 0), 2) AS events_per_user,
       distinct_approximate AS users_estimated
FROM daily_aggregates_with_dimensions
WHERE device_type = 'ALL_DEVICES' AND app_version = 'ALL_VERSIONS' AND country = 'ALL_COUNTRIES'
ORDER BY window_start

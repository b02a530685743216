-- The five hours with most events: partition columns prune the files that are read.
SELECT year, month, day, hour,
       count(*)                AS events,
       count(DISTINCT user_id) AS users,
       sum(CASE WHEN event_type = 'open_notification' THEN 1 ELSE 0 END) AS opens,
       sum(CASE WHEN late THEN 1 ELSE 0 END) AS late
FROM app_events
GROUP BY year, month, day, hour
ORDER BY events DESC, year, month, day, hour
LIMIT 5

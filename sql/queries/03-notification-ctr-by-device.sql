-- On which devices do people open their notifications?
-- The click-through rate (CTR) is notifications opened / notifications viewed, both added up
-- first; it has no value where none was viewed.
-- chart: bars of ctr, views by device_type
SELECT device_type,
       sum(total_views) AS views,
       sum(total_opens) AS opens,
       round(CAST(sum(total_opens) AS DOUBLE) / nullif(sum(total_views), 0), 4) AS ctr
FROM hourly_aggregates_with_dimensions
WHERE device_type <> 'ALL_DEVICES' AND app_version = 'ALL_VERSIONS' AND country = 'ALL_COUNTRIES'
GROUP BY device_type
ORDER BY views DESC, device_type

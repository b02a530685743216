-- How many installs came from each country?
-- Install events that were not late, under the country that the event told.
-- chart: bars of installs by country
SELECT country,
       sum(total_installs) AS installs,
       round(CAST(sum(total_installs) AS DOUBLE)
             / nullif(sum(sum(total_installs)) OVER (), 0), 4) AS installs_share
FROM hourly_aggregates_with_dimensions
WHERE device_type = 'ALL_DEVICES' AND app_version = 'ALL_VERSIONS' AND country <> 'ALL_COUNTRIES'
GROUP BY country
ORDER BY installs DESC, country

-- Was anything unusual?
-- One row per alert. Observed and expected are of the hour in which it opened; hours counts those
-- that were not as expected. A cell names the part of the users that it is about.
SELECT metric,
       coalesce(nullif(cell, ''), 'all')             AS cell,
       substr(CAST(opened_at AS VARCHAR), 1, 16)     AS opened_at,
       max(CASE WHEN state = 'opened' THEN direction END) AS direction,
       min(nullif(severity, 'none'))                 AS severity,
       max(CASE WHEN state = 'opened' THEN round(observed, 4) END) AS observed,
       max(CASE WHEN state = 'opened' THEN round(expected, 4) END) AS expected,
       max(windows_firing)                           AS hours,
       CASE WHEN max(CASE WHEN state = 'resolved' THEN 1 ELSE 0 END) = 1 THEN 'resolved'
            ELSE 'still firing' END AS state
FROM anomalies
GROUP BY alert_id, metric, cell, opened_at
ORDER BY anomalies.opened_at, metric, cell

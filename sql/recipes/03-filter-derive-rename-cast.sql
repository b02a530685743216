-- Filter, derive, rename, cast: what a SELECT is made of. TRY_CAST gives null to what does not fit,
-- as on_error: null does; CAST ends the job. Odd names stand in backquotes.
--
-- mode: batch
-- | day        | co  | level |
-- | 2026-03-01 | 1.5 | low   |
-- | NULL       | 7.5 | high  |
WITH readings (`at`, `CO(GT)`) AS (
  VALUES ('2026-03-01', '1.5'), ('never', '7.5'), ('2026-03-03', 'broken')
)
SELECT TRY_CAST(`at` AS DATE) AS `day`,
       TRY_CAST(`CO(GT)` AS DOUBLE) AS co,
       CASE WHEN TRY_CAST(`CO(GT)` AS DOUBLE) >= 5 THEN 'high' ELSE 'low' END AS level
FROM readings
WHERE TRY_CAST(`CO(GT)` AS DOUBLE) IS NOT NULL;

-- Detect anomalies: ANOMALY judges a row by those before it in the window, here per host. It needs
-- the frame from the beginning to the current row.
--
-- mode: batch
-- | host | minute | severity |
-- | a    | 14     | critical |
LOAD MODULE millrace;

WITH digits (d) AS (VALUES 0, 1, 2, 3),
load_of_host (host, `minute`, v) AS (
  SELECT 'a', d10.d * 4 + d1.d, CASE WHEN d10.d * 4 + d1.d = 14 THEN 900e0 ELSE 50e0 + d1.d END
  FROM digits AS d10 CROSS JOIN digits AS d1
)
SELECT host, `minute`, verdict.severity AS severity
FROM (
  SELECT host, `minute`,
         ANOMALY(CAST(1772323200000 + `minute` * 60000 AS BIGINT), v) OVER (
           PARTITION BY host ORDER BY `minute`
           ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS verdict
  FROM load_of_host
)
WHERE verdict.severity <> 'none';

-- Percentiles: exact by Flink's PERCENTILE and by MEDIAN, which keep every distinct value, and by a
-- KLL sketch in constant memory, exact up to 200 values. MODE is the most frequent value.
--
-- mode: batch
-- | middle | exact | about | most |
-- | 3.0    | 3.0   | 3.0   | 2    |
LOAD MODULE millrace;

SELECT MEDIAN(v) AS middle, PERCENTILE(v, 0.5) AS exact, KLL_QUANTILE(v, 0.5e0) AS about,
       MODE(v) AS most
FROM (VALUES 1, 2, 2, 3, 5, 9, 100) AS t (v);

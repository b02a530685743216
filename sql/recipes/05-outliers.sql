-- Outliers: rows more than two sample deviations from the mean go, nulls stay.
-- STDDEV_WELFORD keeps its digits where values are large and close together.
--
-- mode: batch
-- | id | amount |
-- | 1  | 10     |
-- | 2  | 11     |
-- | 3  | 9      |
-- | 4  | 10     |
-- | 5  | 12     |
-- | 6  | NULL   |
LOAD MODULE millrace;

WITH orders (id, amount) AS (
  VALUES (1, 10), (2, 11), (3, 9), (4, 10), (5, 12), (6, CAST(NULL AS INT)), (7, 500)
)
SELECT id, amount
FROM orders
CROSS JOIN (
  SELECT AVG(CAST(amount AS DOUBLE)) AS mean, STDDEV_WELFORD(amount) AS deviation FROM orders
)
WHERE Z_SCORE(amount, mean, deviation) IS NULL OR ABS(Z_SCORE(amount, mean, deviation)) <= 2;

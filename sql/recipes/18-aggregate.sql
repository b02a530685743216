-- Aggregate: one row of each group. A null is a group of its own, and does not count as a value;
-- sums of decimals are exact.
--
-- mode: batch
-- | country | lines | customers | revenue | mean_price | spread |
-- | FR      | 2     | 2         | 4.50    | 2.25       | 0.0    |
-- | IT      | 3     | 1         | 6.00    | 2.00       | 1.0    |
-- | NULL    | 1     | 0         | NULL    | NULL       | NULL   |
LOAD MODULE millrace;

SELECT country, COUNT(*) AS lines, COUNT(DISTINCT customer) AS customers, SUM(price) AS revenue,
       CAST(AVG(price) AS DECIMAL(10, 2)) AS mean_price,
       STDDEV_WELFORD(CAST(n AS DOUBLE)) AS spread
FROM (VALUES ('FR', 1, 2.00, 4), ('FR', 2, 2.50, 4), ('IT', 1, 1.00, 1), ('IT', 1, 2.00, 2), ('IT', 1, 3.00, 3),
             (CAST(NULL AS STRING), CAST(NULL AS INT), CAST(NULL AS DECIMAL(3, 2)), CAST(NULL AS INT)))
  AS v (country, customer, price, n)
GROUP BY country;

-- Quality: rows, nulls, duplicates, range and completeness of a table in one row.
--
-- mode: batch
-- | row_count | null_ratio | duplicate_rows | is_unique | in_range | completeness |
-- | 4         | 0.125      | 1              | false     | true     | 0.75         |
WITH orders (id, price) AS (
  VALUES (1, 10), (2, 20), (2, 20), (3, CAST(NULL AS INT))
)
SELECT COUNT(*) AS row_count,
       CAST(COUNT(*) - COUNT(id) + COUNT(*) - COUNT(price) AS DOUBLE) / (2 * COUNT(*)) AS null_ratio,
       COUNT(*) - (SELECT COUNT(*) FROM (SELECT DISTINCT id, price FROM orders)) AS duplicate_rows,
       COUNT(DISTINCT id) = COUNT(id) AS is_unique,
       MIN(price) >= 0 AND MAX(price) <= 100 AS in_range,
       CAST(COUNT(price) AS DOUBLE) / COUNT(*) AS completeness
FROM orders;

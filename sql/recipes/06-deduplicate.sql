-- Deduplicate: the latest row of each key. Flink knows this form, and plans no window for it.
-- ASC keeps the first instead.
--
-- mode: batch
-- | id | status  |
-- | 1  | paid    |
-- | 2  | created |
WITH orders (id, status, changed) AS (
  VALUES (1, 'created', TIMESTAMP '2026-03-01 10:00:00'),
         (2, 'created', TIMESTAMP '2026-03-01 11:00:00'),
         (1, 'paid', TIMESTAMP '2026-03-01 12:00:00')
)
SELECT id, status
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY id ORDER BY changed DESC) AS n FROM orders)
WHERE n = 1;

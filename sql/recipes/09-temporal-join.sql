-- Temporal join: each order with the rate that was the latest at its time. A deduplicating view is a
-- versioned table; join_datasets does this with partner: latest. An event time needs a table, so the
-- rows come from a numbered one: ELT picks the n-th.
--
-- mode: streaming
-- | n | euros |
-- | 1 | 9.0   |
-- | 2 | 8.0   |
CREATE TEMPORARY TABLE orders (
  n INT,
  currency AS ELT(n, 'USD', 'USD'),
  `at` AS TO_TIMESTAMP(ELT(n, '2026-03-01 10:00:00', '2026-03-01 12:00:00')),
  WATERMARK FOR `at` AS `at`
) WITH ('connector' = 'datagen', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '2');

CREATE TEMPORARY TABLE rate_changes (
  n INT,
  currency AS ELT(n, 'USD', 'USD'),
  rate AS CAST(ELT(n, '0.9', '0.8') AS DOUBLE),
  since AS TO_TIMESTAMP(ELT(n, '2026-03-01 09:00:00', '2026-03-01 11:00:00')),
  WATERMARK FOR since AS since
) WITH ('connector' = 'datagen', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '2');

CREATE TEMPORARY VIEW rates AS
SELECT currency, rate, since
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY currency ORDER BY since DESC) AS place
  FROM rate_changes
)
WHERE place = 1;

SELECT o.n, 10 * r.rate AS euros
FROM orders AS o JOIN rates FOR SYSTEM_TIME AS OF o.`at` AS r ON o.currency = r.currency;

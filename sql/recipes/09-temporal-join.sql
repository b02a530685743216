-- Temporal join: each order with the rate that was the latest at its time. On streams, with a
-- versioned table, this is FOR SYSTEM_TIME AS OF o.`at`, and join_datasets with partner: latest;
-- over bounded input it is a join and a ROW_NUMBER.
--
-- mode: batch
-- | id | euros |
-- | 1  | 9.0   |
-- | 2  | 8.0   |
WITH orders (id, currency, amount, `at`) AS (
  VALUES (1, 'USD', 10e0, TIMESTAMP '2026-03-01 10:00:00'),
         (2, 'USD', 10e0, TIMESTAMP '2026-03-01 12:00:00')
),
rates (currency, rate, since) AS (
  VALUES ('USD', 0.9e0, TIMESTAMP '2026-03-01 09:00:00'),
         ('USD', 0.8e0, TIMESTAMP '2026-03-01 11:00:00')
)
SELECT id, amount * rate AS euros
FROM (
  SELECT o.id, o.amount, r.rate,
         ROW_NUMBER() OVER (PARTITION BY o.id ORDER BY r.since DESC) AS n
  FROM orders AS o JOIN rates AS r ON o.currency = r.currency AND r.since <= o.`at`
)
WHERE n = 1;

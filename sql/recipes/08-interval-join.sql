-- Interval join: payments at most an hour after their order. The range of event time bounds what
-- Flink remembers; join_datasets does this with within. An event time needs a table, so the rows
-- come from a numbered one: ELT picks the n-th.
--
-- mode: streaming
-- | id | paid             |
-- | 1  | 2026-03-01T10:30 |
CREATE TEMPORARY TABLE orders (
  n INT,
  id AS ELT(n, '1', '2'),
  `at` AS TO_TIMESTAMP(ELT(n, '2026-03-01 10:00:00', '2026-03-01 10:05:00')),
  WATERMARK FOR `at` AS `at`
) WITH ('connector' = 'datagen', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '2');

CREATE TEMPORARY TABLE payments (
  n INT,
  id AS ELT(n, '1', '2'),
  `at` AS TO_TIMESTAMP(ELT(n, '2026-03-01 10:30:00', '2026-03-01 12:00:00')),
  WATERMARK FOR `at` AS `at`
) WITH ('connector' = 'datagen', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '2');

SELECT o.id, p.`at` AS paid
FROM orders AS o JOIN payments AS p
  ON o.id = p.id AND p.`at` BETWEEN o.`at` AND o.`at` + INTERVAL '1' HOUR;

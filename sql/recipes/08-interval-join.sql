-- Interval join: payments at most an hour after their order. The range of event time bounds what
-- Flink remembers; join_datasets does this with within.
--
-- mode: streaming
-- | id | paid                |
-- | 1  | 2026-03-01T10:30    |
CREATE TEMPORARY VIEW orders AS
SELECT id, `at` FROM (VALUES (1, TIMESTAMP '2026-03-01 10:00:00'),
                             (2, TIMESTAMP '2026-03-01 10:05:00')) AS v (id, `at`);

CREATE TEMPORARY VIEW payments AS
SELECT id, `at` FROM (VALUES (1, TIMESTAMP '2026-03-01 10:30:00'),
                             (2, TIMESTAMP '2026-03-01 12:00:00')) AS v (id, `at`);

SELECT o.id, p.`at` AS paid
FROM orders AS o JOIN payments AS p
  ON o.id = p.id AND p.`at` BETWEEN o.`at` AND o.`at` + INTERVAL '1' HOUR;

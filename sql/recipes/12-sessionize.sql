-- Sessionize: with Flink's own SESSION window, which ends 30 minutes after a user's last event. An
-- event time needs a table, so the rows come from a numbered one: ELT picks the n-th.
--
-- mode: streaming
-- | user_id | started          | ended            | events |
-- | ann     | 2026-03-01T10:00 | 2026-03-01T10:50 | 2      |
-- | bob     | 2026-03-01T10:10 | 2026-03-01T10:40 | 1      |
-- | ann     | 2026-03-01T12:00 | 2026-03-01T12:30 | 1      |
CREATE TEMPORARY TABLE events (
  n INT,
  user_id AS ELT(n, 'ann', 'bob', 'ann', 'ann'),
  `at` AS TO_TIMESTAMP(ELT(n, '2026-03-01 10:00:00', '2026-03-01 10:10:00',
                              '2026-03-01 10:20:00', '2026-03-01 12:00:00')),
  WATERMARK FOR `at` AS `at`
) WITH ('connector' = 'datagen', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '4');

SELECT user_id, window_start AS started, window_end AS ended, COUNT(*) AS events
FROM SESSION(TABLE events PARTITION BY user_id, DESCRIPTOR(`at`), INTERVAL '30' MINUTES)
GROUP BY user_id, window_start, window_end;

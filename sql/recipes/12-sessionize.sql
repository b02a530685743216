-- Sessionize: with Flink's own SESSION window, a gap of 30 minutes per user. The table's event time
-- is a computed column with a watermark.
--
-- mode: batch
-- | user_id | started          | events |
-- | ann     | 2026-03-01T10:00 | 2      |
-- | ann     | 2026-03-01T12:00 | 1      |
-- | bob     | 2026-03-01T10:10 | 1      |
CREATE TEMPORARY VIEW events AS
SELECT user_id, `at` FROM (VALUES ('ann', TIMESTAMP '2026-03-01 10:00:00'),
                                  ('ann', TIMESTAMP '2026-03-01 10:20:00'),
                                  ('ann', TIMESTAMP '2026-03-01 12:00:00'),
                                  ('bob', TIMESTAMP '2026-03-01 10:10:00')) AS v (user_id, `at`);

SELECT user_id, SESSION_START(`at`, INTERVAL '30' MINUTE) AS started, COUNT(*) AS events
FROM events
GROUP BY user_id, SESSION(`at`, INTERVAL '30' MINUTE);

-- Distinct users of several hours: their sketches are merged, as those of active_users_hll are.
--
-- mode: batch
-- | users |
-- | 3     |
LOAD MODULE millrace;

SELECT HLL_COUNT(HLL_MERGE(sketch)) AS users
FROM (
  SELECT `hour`, HLL_SKETCH(user_id) AS sketch
  FROM (VALUES (1, 'ann'), (1, 'bob'), (2, 'bob'), (2, 'cem')) AS v (`hour`, user_id)
  GROUP BY `hour`
);

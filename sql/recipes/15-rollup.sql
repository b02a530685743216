-- Rollups: every combination of two dimensions at once. GROUPING tells a total from a null.
-- CUBE (country, app) is all four sets, GROUPING SETS lists those wanted.
--
-- mode: batch
-- | country | app  | users |
-- | FR      | 1.0  | 2     |
-- | FR      | 2.0  | 1     |
-- | IT      | 1.0  | 1     |
-- | FR      | NULL | 3     |
-- | IT      | NULL | 1     |
-- | NULL    | 1.0  | 3     |
-- | NULL    | 2.0  | 1     |
-- | NULL    | NULL | 4     |
SELECT country, app, COUNT(DISTINCT user_id) AS users
FROM (VALUES ('a', 'FR', '1.0'), ('b', 'FR', '1.0'), ('c', 'FR', '2.0'), ('d', 'IT', '1.0'))
  AS v (user_id, country, app)
GROUP BY CUBE (country, app);

-- Forward fill on a stream: nulls get the last value of their key. Bounded input has clean_nan.
--
-- mode: streaming
-- | sensor | n | filled |
-- | a      | 1 | 7      |
-- | a      | 2 | 7      |
-- | b      | 3 | NULL   |
LOAD MODULE millrace;

CREATE TEMPORARY VIEW readings AS
SELECT * FROM (VALUES ('a', 1, 7), ('a', 2, CAST(NULL AS INT)), ('b', 3, CAST(NULL AS INT)))
  AS v (sensor, n, x);

SELECT sensor, n, filled
FROM forward_fill(input => TABLE readings PARTITION BY sensor, `column` => DESCRIPTOR(x));

-- Why were records rejected?
-- By the first reason of each; every reason stands in the column reasons.
-- chart: bars of records by reason
SELECT reason,
       count(*)                  AS records,
       count(DISTINCT topic)     AS topics,
       min(raw_size)             AS smallest_bytes,
       max(raw_size)             AS largest_bytes
FROM dead_letters
GROUP BY reason
ORDER BY records DESC, reason

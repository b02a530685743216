-- Why records were rejected, by the first reason of each; every reason stands in the column reasons.
SELECT reason,
       count(*)                  AS records,
       count(DISTINCT topic)     AS topics,
       min(raw_size)             AS smallest,
       max(raw_size)             AS largest
FROM dead_letters
GROUP BY reason
ORDER BY records DESC, reason

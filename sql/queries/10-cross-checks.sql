-- Do the tables agree with each other?
-- Pairs of figures that the job compares while it writes them, as the sum over the finest cells of
-- a window and its grand total.
SELECT name AS comparison,
       split_part(subject, '.', 1)          AS subject,
       count(*)                             AS checks,
       count(CASE WHEN NOT holds THEN 1 END) AS failed,
       min(CASE WHEN NOT holds THEN subject END) AS first_failed
FROM cross_checks
GROUP BY name, split_part(subject, '.', 1)
ORDER BY failed DESC, comparison, 2

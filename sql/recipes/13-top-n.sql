-- Top-N: the two best sellers of each country. Flink knows this form, and keeps N rows per key.
--
-- mode: batch
-- | country | product | sold | place |
-- | FR      | apple   | 9    | 1     |
-- | FR      | fig     | 7    | 2     |
-- | IT      | pear    | 4    | 1     |
WITH sales (country, product, sold) AS (
  VALUES ('FR', 'apple', 9), ('FR', 'pear', 2), ('FR', 'fig', 7), ('IT', 'pear', 4)
)
SELECT country, product, sold, place
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY country ORDER BY sold DESC) AS place FROM sales
)
WHERE place <= 2;

-- Join: what join_datasets does with join_type: left. Null keys do not meet; IS NOT DISTINCT FROM
-- instead of = would let them, as pandas does. On unbounded inputs such a join keeps both forever.
--
-- mode: batch
-- | customer | amount | city |
-- | ann      | 10     | Rome |
-- | bob      | 20     | NULL |
-- | NULL     | 30     | NULL |
WITH purchases (customer, amount) AS (
  VALUES ('ann', 10), ('bob', 20), (CAST(NULL AS STRING), 30)
),
customers (customer, city) AS (
  VALUES ('ann', 'Rome'), ('cem', 'Lyon'), (CAST(NULL AS STRING), 'Oslo')
)
SELECT p.customer, p.amount, c.city
FROM purchases AS p LEFT JOIN customers AS c ON p.customer = c.customer;

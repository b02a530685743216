-- Union: UNION ALL matches columns by place, so name them; what an input has not is a typed null.
--
-- mode: batch
-- | id | shop | coupon |
-- | 1  | Rome | NULL   |
-- | 2  | NULL | X5     |
SELECT id, shop, CAST(NULL AS STRING) AS coupon FROM (VALUES (1, 'Rome')) AS s (id, shop)
UNION ALL
SELECT id, CAST(NULL AS STRING) AS shop, coupon FROM (VALUES (2, 'X5')) AS w (id, coupon);

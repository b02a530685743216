-- Delete columns: name those that stay.
--
-- mode: batch
-- | name | age |
-- | ann  | 40  |
-- | bob  | 31  |
WITH staff (name, phone, age) AS (VALUES ('ann', '1', 40), ('bob', '2', 31))
SELECT name, age FROM staff;

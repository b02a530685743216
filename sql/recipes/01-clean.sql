-- Clean: empty texts become nulls, numbers in text become numbers, rows without a price go, and
-- what is left without a quantity gets the median.
--
-- mode: batch
-- | product | quantity | price |
-- | apple   | 3.0      | 1.5   |
-- | pear    | 4.0      | 2.0   |
-- | plum    | 5.0      | 0.5   |
LOAD MODULE millrace;

WITH given (product, quantity, price) AS (
  VALUES ('apple', '3', '1.50'), ('pear', '', ' 2 '), ('plum', '5', '0.50'), ('fig', '9', 'n/a')
),
typed AS (
  SELECT product, TO_NUMBER(quantity) AS quantity, TO_NUMBER(price) AS price FROM given
),
priced AS (
  SELECT * FROM typed WHERE price IS NOT NULL
)
SELECT product, COALESCE(quantity, middle) AS quantity, price
FROM priced CROSS JOIN (SELECT MEDIAN(quantity) AS middle FROM priced);

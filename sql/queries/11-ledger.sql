-- What became of every record?
-- Per run and topic: received = accepted + rejected + duplicates, and late ones are a part of
-- the accepted. A run that reads records again, such as a backfill, is a row of its own.
SELECT run_id, mode, topic,
       sum(received)    AS received,
       sum(accepted)    AS accepted,
       sum(rejected)    AS rejected,
       sum(duplicates)  AS duplicates,
       sum(late)        AS late,
       sum(discrepancy) AS discrepancy
FROM ledger_totals
GROUP BY run_id, mode, topic
ORDER BY run_id, topic

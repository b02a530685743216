-- The ledger, added up: a row of the table ledger is what one checkpoint added. Per run, because the
-- invariant holds per run, and a backfill must not count twice beside the run that it repeats.
CREATE VIEW ledger_totals AS
SELECT run_id, mode, topic, hour_start,
       sum(received)   AS received,
       sum(accepted)   AS accepted,
       sum(rejected)   AS rejected,
       sum(duplicates) AS duplicates,
       sum(late)       AS late,
       sum(received) - sum(accepted) - sum(rejected) - sum(duplicates) AS discrepancy
FROM ledger
GROUP BY run_id, mode, topic, hour_start

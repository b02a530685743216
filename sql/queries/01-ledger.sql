-- What became of every record, per topic: received = accepted + rejected + duplicates.
SELECT topic,
       sum(received)   AS received,
       sum(accepted)   AS accepted,
       sum(rejected)   AS rejected,
       sum(duplicates) AS duplicates,
       sum(late)       AS late,
       sum(received) - sum(accepted) - sum(rejected) - sum(duplicates) AS discrepancy
FROM ledger
WHERE mode = 'streaming'
GROUP BY topic
ORDER BY topic

-- How Flink's SQL client behaves under scripts/sql; a script may set otherwise.
SET 'execution.runtime-mode' = 'batch';
SET 'table.local-time-zone' = 'UTC';
SET 'sql-client.execution.result-mode' = 'tableau';
-- A query that fails says so, instead of trying for minutes.
SET 'restart-strategy.type' = 'none';

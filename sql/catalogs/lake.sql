-- The lake's tables for Flink's SQL client; scripts/sql puts the lake's root for ${lake}.
-- They read by path: a table that has no row yet has no folder, and a query of it fails.
-- This file is generated from the code.

CREATE TABLE `app_events` (
  `event_id` STRING COMMENT 'the producer''s id of the event',
  `user_id` STRING COMMENT 'the user; a pseudonym when a pseudonym key is set',
  `session_id` STRING COMMENT 'the client''s own session id',
  `event_type` STRING COMMENT 'what happened, for example install',
  `timestamp` TIMESTAMP(3) COMMENT 'when it happened, by the client''s clock',
  `received_at` TIMESTAMP(3) COMMENT 'when the collector got it',
  `kafka_timestamp` TIMESTAMP(3) COMMENT 'the Kafka record''s time; null from files',
  `ingested_at` TIMESTAMP(3) COMMENT 'when the job read it',
  `device_type` STRING COMMENT 'the device''s type as the client told it',
  `os_version` STRING COMMENT 'the version of the operating system',
  `app_version` STRING COMMENT 'the version of the app',
  `country` STRING COMMENT 'the country as the client told it',
  `region` STRING COMMENT 'the region as the client told it',
  `city` STRING COMMENT 'the city as the client told it',
  `properties` MAP<STRING, STRING> COMMENT 'the event''s own properties',
  `late` BOOLEAN COMMENT 'true when it came too late for the final rows',
  `dedup_checked` BOOLEAN COMMENT 'false when too old to recognise a resend',
  `dim_device_class` STRING COMMENT 'the dimension''s class of the device type',
  `dim_device_vendor` STRING COMMENT 'the dimension''s vendor of the device type',
  `dim_country_name` STRING COMMENT 'the dimension''s name of the country',
  `dim_market` STRING COMMENT 'the dimension''s market of the country',
  `dim_version` STRING COMMENT 'the version of the dimension that was looked up',
  `topic` STRING COMMENT 'the Kafka topic; from files the topic they belong to',
  `kafka_partition` INT COMMENT 'the Kafka partition; 0 from files',
  `kafka_offset` BIGINT COMMENT 'the Kafka offset; from files the byte',
  `year` STRING COMMENT 'UTC, zero-padded',
  `month` STRING COMMENT 'UTC, zero-padded',
  `day` STRING COMMENT 'UTC, zero-padded',
  `hour` STRING COMMENT 'UTC, zero-padded'
)
COMMENT 'One row per accepted event, duplicates removed.'
PARTITIONED BY (`year`, `month`, `day`, `hour`)
WITH (
  'connector' = 'filesystem',
  'path' = '${lake}/processed/app_events',
  'format' = 'parquet',
  'parquet.utc-timezone' = 'true'
);

CREATE TABLE `sessions` (
  `session_id` STRING COMMENT '32 hex digits, from the user and the first event',
  `user_id` STRING COMMENT 'the user, as in app_events',
  `session_start` TIMESTAMP(3) COMMENT 'timestamp of the first event',
  `session_end` TIMESTAMP(3) COMMENT 'timestamp of the last event',
  `duration_ms` BIGINT COMMENT 'from the first event to the last, in milliseconds',
  `event_count` BIGINT COMMENT 'events of any type',
  `engagement_count` BIGINT COMMENT 'events other than session_start and session_end',
  `install_count` BIGINT COMMENT 'events of type install',
  `session_start_count` BIGINT COMMENT 'events of type session_start',
  `session_end_count` BIGINT COMMENT 'events of type session_end',
  `view_count` BIGINT COMMENT 'events of type view_notification',
  `open_count` BIGINT COMMENT 'events of type open_notification',
  `path` ARRAY<STRING> COMMENT 'types of the first events in order; the value of sessions.path-property where an event has it',
  `path_truncated` BOOLEAN COMMENT 'true when there were more events than that',
  `entry_event` STRING COMMENT 'type of the first event',
  `exit_event` STRING COMMENT 'type of the last event',
  `is_bounce` BOOLEAN COMMENT 'true when engagement_count is 1',
  `end_reason` STRING COMMENT 'gap, explicit, max_duration, max_events, midnight or end_of_input',
  `device_type` STRING COMMENT 'the device''s type as the first event told it',
  `app_version` STRING COMMENT 'the version of the app as the first event told it',
  `country` STRING COMMENT 'the country as the first event told it',
  `client_session_ids` ARRAY<STRING> COMMENT 'the client''s own session ids in the order first seen, 10 at most',
  `year` STRING COMMENT 'UTC, zero-padded',
  `month` STRING COMMENT 'UTC, zero-padded',
  `day` STRING COMMENT 'UTC, zero-padded',
  `hour` STRING COMMENT 'UTC, zero-padded'
)
COMMENT 'One row per session that has ended, of events that were not late.'
PARTITIONED BY (`year`, `month`, `day`, `hour`)
WITH (
  'connector' = 'filesystem',
  'path' = '${lake}/processed/sessions',
  'format' = 'parquet',
  'parquet.utc-timezone' = 'true'
);

CREATE TABLE `hourly_aggregates_with_dimensions` (
  `device_type` STRING COMMENT 'its value; ALL_... where it is rolled up, UNKNOWN where events have none, OTHER for values not told apart',
  `app_version` STRING COMMENT 'its value; ALL_... where it is rolled up, UNKNOWN where events have none, OTHER for values not told apart',
  `country` STRING COMMENT 'its value; ALL_... where it is rolled up, UNKNOWN where events have none, OTHER for values not told apart',
  `total_events` BIGINT COMMENT 'events of any type',
  `total_installs` BIGINT COMMENT 'events of type install',
  `total_sessions` BIGINT COMMENT 'events of type session_start',
  `total_views` BIGINT COMMENT 'events of type view_notification',
  `total_opens` BIGINT COMMENT 'events of type open_notification',
  `notification_ctr` DOUBLE COMMENT 'total_opens / total_views; null without views',
  `active_users` BIGINT COMMENT 'distinct users of the events',
  `active_users_hll` BYTES COMMENT 'Apache DataSketches HLL sketch of those users: unions give users of several rows',
  `distinct_approximate` BOOLEAN COMMENT 'true when active_users is the sketch''s estimate, for the cap on cells was reached',
  `sessions_ended` BIGINT COMMENT 'sessions whose last event is in the window',
  `bounced_sessions` BIGINT COMMENT 'those of them with one engagement event',
  `bounce_rate` DOUBLE COMMENT 'bounced_sessions / sessions_ended; null without any',
  `session_seconds` DOUBLE COMMENT 'sum of the durations of sessions_ended',
  `avg_session_seconds` DOUBLE COMMENT 'session_seconds / sessions_ended; null without any',
  `window_start` TIMESTAMP(3) COMMENT 'start of the window',
  `year` STRING COMMENT 'UTC, zero-padded',
  `month` STRING COMMENT 'UTC, zero-padded',
  `day` STRING COMMENT 'UTC, zero-padded',
  `hour` STRING COMMENT 'UTC, zero-padded'
)
COMMENT 'One row per hour and combination of dimensions, rolled-up ones too, of events that were not late.'
PARTITIONED BY (`year`, `month`, `day`, `hour`)
WITH (
  'connector' = 'filesystem',
  'path' = '${lake}/aggregated/hourly_aggregates_with_dimensions',
  'format' = 'parquet',
  'parquet.utc-timezone' = 'true'
);

CREATE TABLE `daily_aggregates_with_dimensions` (
  `device_type` STRING COMMENT 'its value; ALL_... where it is rolled up, UNKNOWN where events have none, OTHER for values not told apart',
  `app_version` STRING COMMENT 'its value; ALL_... where it is rolled up, UNKNOWN where events have none, OTHER for values not told apart',
  `country` STRING COMMENT 'its value; ALL_... where it is rolled up, UNKNOWN where events have none, OTHER for values not told apart',
  `total_events` BIGINT COMMENT 'events of any type',
  `total_installs` BIGINT COMMENT 'events of type install',
  `total_sessions` BIGINT COMMENT 'events of type session_start',
  `total_views` BIGINT COMMENT 'events of type view_notification',
  `total_opens` BIGINT COMMENT 'events of type open_notification',
  `notification_ctr` DOUBLE COMMENT 'total_opens / total_views; null without views',
  `active_users` BIGINT COMMENT 'distinct users of the events',
  `active_users_hll` BYTES COMMENT 'Apache DataSketches HLL sketch of those users: unions give users of several rows',
  `distinct_approximate` BOOLEAN COMMENT 'true when active_users is the sketch''s estimate, for the cap on cells was reached',
  `sessions_ended` BIGINT COMMENT 'sessions whose last event is in the window',
  `bounced_sessions` BIGINT COMMENT 'those of them with one engagement event',
  `bounce_rate` DOUBLE COMMENT 'bounced_sessions / sessions_ended; null without any',
  `session_seconds` DOUBLE COMMENT 'sum of the durations of sessions_ended',
  `avg_session_seconds` DOUBLE COMMENT 'session_seconds / sessions_ended; null without any',
  `window_start` TIMESTAMP(3) COMMENT 'start of the window',
  `year` STRING COMMENT 'UTC, zero-padded',
  `month` STRING COMMENT 'UTC, zero-padded',
  `day` STRING COMMENT 'UTC, zero-padded'
)
COMMENT 'One row per UTC day and combination of dimensions, rolled-up ones too, of events that were not late.'
PARTITIONED BY (`year`, `month`, `day`)
WITH (
  'connector' = 'filesystem',
  'path' = '${lake}/aggregated/daily_aggregates_with_dimensions',
  'format' = 'parquet',
  'parquet.utc-timezone' = 'true'
);

CREATE TABLE `raw_app_events` (
  `topic` STRING COMMENT 'the Kafka topic; from files their topic',
  `kafka_partition` INT COMMENT 'the Kafka partition; 0 from files',
  `kafka_offset` BIGINT COMMENT 'the Kafka offset; from files the byte',
  `kafka_timestamp` TIMESTAMP(3) COMMENT 'the Kafka record''s time; null from files',
  `ingested_at` TIMESTAMP(3) COMMENT 'when the job read it',
  `key` BYTES COMMENT 'the Kafka key',
  `headers` ARRAY<ROW<`key` STRING, `value` BYTES>> COMMENT 'the Kafka headers, in order; a key may repeat',
  `value` BYTES COMMENT 'the Kafka value; null for a tombstone',
  `accepted` BOOLEAN COMMENT 'whether validation found an event in it',
  `year` STRING COMMENT 'UTC, zero-padded',
  `month` STRING COMMENT 'UTC, zero-padded',
  `day` STRING COMMENT 'UTC, zero-padded',
  `hour` STRING COMMENT 'UTC, zero-padded'
)
COMMENT 'One row per record as it was received, in the hour of its Kafka timestamp; a record without any time is in 1970-01-01T00.'
PARTITIONED BY (`year`, `month`, `day`, `hour`)
WITH (
  'connector' = 'filesystem',
  'path' = '${lake}/raw/app_events',
  'format' = 'parquet',
  'parquet.utc-timezone' = 'true'
);

CREATE TABLE `dead_letters` (
  `topic` STRING COMMENT 'the Kafka topic; from files their topic',
  `kafka_partition` INT COMMENT 'the Kafka partition; 0 from files',
  `kafka_offset` BIGINT COMMENT 'the Kafka offset; from files the byte',
  `kafka_timestamp` TIMESTAMP(3) COMMENT 'the Kafka record''s time; null from files',
  `ingested_at` TIMESTAMP(3) COMMENT 'when the job read it',
  `reasons` ARRAY<ROW<`code` STRING, `field` STRING, `message` STRING>> COMMENT 'every rule that the record broke',
  `reason` STRING COMMENT 'the code of the first reason',
  `raw` STRING COMMENT 'the Kafka value, as raw_encoding says; null for a tombstone',
  `raw_encoding` STRING COMMENT 'utf8 when raw is the text itself, else base64',
  `raw_size` BIGINT COMMENT 'bytes of the Kafka value',
  `raw_sha256` STRING COMMENT 'SHA-256 of the Kafka value, in hex',
  `key` BYTES COMMENT 'the Kafka key',
  `headers` ARRAY<ROW<`key` STRING, `value` BYTES>> COMMENT 'the Kafka headers, in order; a key may repeat',
  `job_version` STRING COMMENT 'the version that rejected the record',
  `attempt` INT COMMENT '1 for the first delivery, one more per replay',
  `year` STRING COMMENT 'UTC, zero-padded',
  `month` STRING COMMENT 'UTC, zero-padded',
  `day` STRING COMMENT 'UTC, zero-padded',
  `hour` STRING COMMENT 'UTC, zero-padded'
)
COMMENT 'One row per rejected record, in the hour of its Kafka timestamp; a record without any time is in 1970-01-01T00.'
PARTITIONED BY (`year`, `month`, `day`, `hour`)
WITH (
  'connector' = 'filesystem',
  'path' = '${lake}/quarantine/dead_letters',
  'format' = 'parquet',
  'parquet.utc-timezone' = 'true'
);

CREATE TABLE `ledger` (
  `run_id` STRING COMMENT 'the run that counted; a backfill is a run of its own',
  `mode` STRING COMMENT 'streaming or bounded',
  `checkpoint` BIGINT COMMENT 'the counts'' checkpoint; -1 for the end of input',
  `topic` STRING COMMENT 'the Kafka topic; from files the topic they belong to',
  `hour_start` TIMESTAMP(3) COMMENT 'start of the hour of the Kafka timestamp',
  `received` BIGINT COMMENT 'records read',
  `accepted` BIGINT COMMENT 'events kept, late ones among them',
  `rejected` BIGINT COMMENT 'records in quarantine',
  `duplicates` BIGINT COMMENT 'events dropped as resends',
  `late` BIGINT COMMENT 'the accepted events that came too late for final rows',
  `year` STRING COMMENT 'UTC, zero-padded',
  `month` STRING COMMENT 'UTC, zero-padded',
  `day` STRING COMMENT 'UTC, zero-padded',
  `hour` STRING COMMENT 'UTC, zero-padded'
)
COMMENT 'One row per run, checkpoint, topic and hour: add them up, per run received = accepted + rejected + duplicates.'
PARTITIONED BY (`year`, `month`, `day`, `hour`)
WITH (
  'connector' = 'filesystem',
  'path' = '${lake}/quality/ledger',
  'format' = 'parquet',
  'parquet.utc-timezone' = 'true'
);

CREATE TABLE `cross_checks` (
  `run_id` STRING COMMENT 'the run that checked, as in the ledger',
  `mode` STRING COMMENT 'streaming or bounded',
  `checked_at` TIMESTAMP(3) COMMENT 'when it was checked, by the clock',
  `checkpoint` BIGINT COMMENT 'the figures'' checkpoint; -1 for the end of input',
  `name` STRING COMMENT 'what is checked: leaves_equal_all, users_at_most_leaves or session_events',
  `subject` STRING COMMENT 'the table or counter that it is about',
  `window_start` TIMESTAMP(3) COMMENT 'start of the window; null for a whole run',
  `found` BIGINT COMMENT 'the figure that is checked',
  `expected` BIGINT COMMENT 'what it is compared with',
  `holds` BOOLEAN COMMENT 'the verdict',
  `year` STRING COMMENT 'UTC, zero-padded',
  `month` STRING COMMENT 'UTC, zero-padded',
  `day` STRING COMMENT 'UTC, zero-padded',
  `hour` STRING COMMENT 'UTC, zero-padded'
)
COMMENT 'One row per comparison of two figures that must agree, in the hour when it was made.'
PARTITIONED BY (`year`, `month`, `day`, `hour`)
WITH (
  'connector' = 'filesystem',
  'path' = '${lake}/quality/cross_checks',
  'format' = 'parquet',
  'parquet.utc-timezone' = 'true'
);

CREATE TABLE `anomalies` (
  `alert_id` STRING COMMENT 'the same in all rows of an alert',
  `metric` STRING COMMENT 'the metric, as total_events',
  `cell` STRING COMMENT 'the cell, as country=DE; several by comma, empty for the total',
  `window_start` TIMESTAMP(3) COMMENT 'start of the window',
  `window_end` TIMESTAMP(3) COMMENT 'first instant after the window',
  `observed` DOUBLE COMMENT 'the value in the window; null when it has none',
  `expected` DOUBLE COMMENT 'what the series let expect',
  `score` DOUBLE COMMENT '0 to 1, how rare the deviation is; 0.5 is once in 10,000 rows',
  `severity` STRING COMMENT 'warning or critical; none in a resolved row',
  `direction` STRING COMMENT 'spike or drop; none in a resolved row',
  `state` STRING COMMENT 'opened, firing or resolved',
  `opened_at` TIMESTAMP(3) COMMENT 'start of the window that opened the alert',
  `windows_firing` BIGINT COMMENT 'windows of the alert not as expected, so far',
  `year` STRING COMMENT 'UTC, zero-padded',
  `month` STRING COMMENT 'UTC, zero-padded',
  `day` STRING COMMENT 'UTC, zero-padded',
  `hour` STRING COMMENT 'UTC, zero-padded'
)
COMMENT 'One row per window of an alert: opened, firing for each further window that is not as expected, resolved for the first that is.'
PARTITIONED BY (`year`, `month`, `day`, `hour`)
WITH (
  'connector' = 'filesystem',
  'path' = '${lake}/anomalies',
  'format' = 'parquet',
  'parquet.utc-timezone' = 'true'
);

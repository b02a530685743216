-- The lake's tables as a Hive Metastore holds them, for those who register them by hand.
-- Put the lake's root for ${lake}: sed 's|${lake}|s3://bucket/path|' sql/ddl/hive.sql
-- This file is generated from the code.

CREATE EXTERNAL TABLE IF NOT EXISTS `app_events` (
  `event_id` string COMMENT 'the producer\'s id of the event',
  `user_id` string COMMENT 'the user; a pseudonym when a pseudonym key is set',
  `session_id` string COMMENT 'the client\'s own session id',
  `event_type` string COMMENT 'what happened, for example install',
  `timestamp` timestamp COMMENT 'when it happened, by the client\'s clock',
  `received_at` timestamp COMMENT 'when the collector got it',
  `kafka_timestamp` timestamp COMMENT 'the Kafka record\'s time; null from files',
  `ingested_at` timestamp COMMENT 'when the job read it',
  `device_type` string COMMENT 'the device\'s type as the client told it',
  `os_version` string COMMENT 'the version of the operating system',
  `app_version` string COMMENT 'the version of the app',
  `country` string COMMENT 'the country as the client told it',
  `region` string COMMENT 'the region as the client told it',
  `city` string COMMENT 'the city as the client told it',
  `properties` map<string,string> COMMENT 'the event\'s own properties',
  `late` boolean COMMENT 'true when it came too late for the final rows',
  `dedup_checked` boolean COMMENT 'false when too old to recognise a resend',
  `dim_device_class` string COMMENT 'the dimension\'s class of the device type',
  `dim_device_vendor` string COMMENT 'the dimension\'s vendor of the device type',
  `dim_country_name` string COMMENT 'the dimension\'s name of the country',
  `dim_market` string COMMENT 'the dimension\'s market of the country',
  `dim_version` string COMMENT 'the version of the dimension that was looked up',
  `topic` string COMMENT 'the Kafka topic; from files the topic they belong to',
  `kafka_partition` int COMMENT 'the Kafka partition; 0 from files',
  `kafka_offset` bigint COMMENT 'the Kafka offset; from files the byte'
)
COMMENT 'One row per accepted event, duplicates removed.'
PARTITIONED BY (
  `year` string COMMENT 'UTC, zero-padded',
  `month` string COMMENT 'UTC, zero-padded',
  `day` string COMMENT 'UTC, zero-padded',
  `hour` string COMMENT 'UTC, zero-padded'
)
STORED AS PARQUET
LOCATION '${lake}/processed/app_events';

CREATE EXTERNAL TABLE IF NOT EXISTS `sessions` (
  `session_id` string COMMENT '32 hex digits, from the user and the first event',
  `user_id` string COMMENT 'the user, as in app_events',
  `session_start` timestamp COMMENT 'timestamp of the first event',
  `session_end` timestamp COMMENT 'timestamp of the last event',
  `duration_ms` bigint COMMENT 'from the first event to the last, in milliseconds',
  `event_count` bigint COMMENT 'events of any type',
  `engagement_count` bigint COMMENT 'events other than session_start and session_end',
  `install_count` bigint COMMENT 'events of type install',
  `session_start_count` bigint COMMENT 'events of type session_start',
  `session_end_count` bigint COMMENT 'events of type session_end',
  `view_count` bigint COMMENT 'events of type view_notification',
  `open_count` bigint COMMENT 'events of type open_notification',
  `path` array<string> COMMENT 'types of the first events in order; the value of sessions.path-property where an event has it',
  `path_truncated` boolean COMMENT 'true when there were more events than that',
  `entry_event` string COMMENT 'type of the first event',
  `exit_event` string COMMENT 'type of the last event',
  `is_bounce` boolean COMMENT 'true when engagement_count is 1',
  `end_reason` string COMMENT 'gap, explicit, max_duration, max_events, midnight or end_of_input',
  `device_type` string COMMENT 'the device\'s type as the first event told it',
  `app_version` string COMMENT 'the version of the app as the first event told it',
  `country` string COMMENT 'the country as the first event told it',
  `client_session_ids` array<string> COMMENT 'the client\'s own session ids in the order first seen, 10 at most'
)
COMMENT 'One row per session that has ended, of events that were not late.'
PARTITIONED BY (
  `year` string COMMENT 'UTC, zero-padded',
  `month` string COMMENT 'UTC, zero-padded',
  `day` string COMMENT 'UTC, zero-padded',
  `hour` string COMMENT 'UTC, zero-padded'
)
STORED AS PARQUET
LOCATION '${lake}/processed/sessions';

CREATE EXTERNAL TABLE IF NOT EXISTS `hourly_aggregates_with_dimensions` (
  `device_type` string COMMENT 'its value; ALL_... where it is rolled up, UNKNOWN where events have none, OTHER for values not told apart',
  `app_version` string COMMENT 'its value; ALL_... where it is rolled up, UNKNOWN where events have none, OTHER for values not told apart',
  `country` string COMMENT 'its value; ALL_... where it is rolled up, UNKNOWN where events have none, OTHER for values not told apart',
  `total_events` bigint COMMENT 'events of any type',
  `total_installs` bigint COMMENT 'events of type install',
  `total_sessions` bigint COMMENT 'events of type session_start',
  `total_views` bigint COMMENT 'events of type view_notification',
  `total_opens` bigint COMMENT 'events of type open_notification',
  `notification_ctr` double COMMENT 'total_opens / total_views; null without views',
  `active_users` bigint COMMENT 'distinct users of the events',
  `active_users_hll` binary COMMENT 'Apache DataSketches HLL sketch of those users: unions give users of several rows',
  `distinct_approximate` boolean COMMENT 'true when active_users is the sketch\'s estimate, for the cap on cells was reached',
  `sessions_ended` bigint COMMENT 'sessions whose last event is in the window',
  `bounced_sessions` bigint COMMENT 'those of them with one engagement event',
  `bounce_rate` double COMMENT 'bounced_sessions / sessions_ended; null without any',
  `session_seconds` double COMMENT 'sum of the durations of sessions_ended',
  `avg_session_seconds` double COMMENT 'session_seconds / sessions_ended; null without any',
  `window_start` timestamp COMMENT 'start of the window'
)
COMMENT 'One row per hour and combination of dimensions, rolled-up ones too, of events that were not late.'
PARTITIONED BY (
  `year` string COMMENT 'UTC, zero-padded',
  `month` string COMMENT 'UTC, zero-padded',
  `day` string COMMENT 'UTC, zero-padded',
  `hour` string COMMENT 'UTC, zero-padded'
)
STORED AS PARQUET
LOCATION '${lake}/aggregated/hourly_aggregates_with_dimensions';

CREATE EXTERNAL TABLE IF NOT EXISTS `daily_aggregates_with_dimensions` (
  `device_type` string COMMENT 'its value; ALL_... where it is rolled up, UNKNOWN where events have none, OTHER for values not told apart',
  `app_version` string COMMENT 'its value; ALL_... where it is rolled up, UNKNOWN where events have none, OTHER for values not told apart',
  `country` string COMMENT 'its value; ALL_... where it is rolled up, UNKNOWN where events have none, OTHER for values not told apart',
  `total_events` bigint COMMENT 'events of any type',
  `total_installs` bigint COMMENT 'events of type install',
  `total_sessions` bigint COMMENT 'events of type session_start',
  `total_views` bigint COMMENT 'events of type view_notification',
  `total_opens` bigint COMMENT 'events of type open_notification',
  `notification_ctr` double COMMENT 'total_opens / total_views; null without views',
  `active_users` bigint COMMENT 'distinct users of the events',
  `active_users_hll` binary COMMENT 'Apache DataSketches HLL sketch of those users: unions give users of several rows',
  `distinct_approximate` boolean COMMENT 'true when active_users is the sketch\'s estimate, for the cap on cells was reached',
  `sessions_ended` bigint COMMENT 'sessions whose last event is in the window',
  `bounced_sessions` bigint COMMENT 'those of them with one engagement event',
  `bounce_rate` double COMMENT 'bounced_sessions / sessions_ended; null without any',
  `session_seconds` double COMMENT 'sum of the durations of sessions_ended',
  `avg_session_seconds` double COMMENT 'session_seconds / sessions_ended; null without any',
  `window_start` timestamp COMMENT 'start of the window'
)
COMMENT 'One row per UTC day and combination of dimensions, rolled-up ones too, of events that were not late.'
PARTITIONED BY (
  `year` string COMMENT 'UTC, zero-padded',
  `month` string COMMENT 'UTC, zero-padded',
  `day` string COMMENT 'UTC, zero-padded'
)
STORED AS PARQUET
LOCATION '${lake}/aggregated/daily_aggregates_with_dimensions';

CREATE EXTERNAL TABLE IF NOT EXISTS `raw_app_events` (
  `topic` string COMMENT 'the Kafka topic; from files their topic',
  `kafka_partition` int COMMENT 'the Kafka partition; 0 from files',
  `kafka_offset` bigint COMMENT 'the Kafka offset; from files the byte',
  `kafka_timestamp` timestamp COMMENT 'the Kafka record\'s time; null from files',
  `ingested_at` timestamp COMMENT 'when the job read it',
  `key` binary COMMENT 'the Kafka key',
  `headers` array<struct<key:string,value:binary>> COMMENT 'the Kafka headers, in order; a key may repeat',
  `value` binary COMMENT 'the Kafka value; null for a tombstone',
  `accepted` boolean COMMENT 'whether validation found an event in it'
)
COMMENT 'One row per record as it was received, in the hour of its Kafka timestamp; a record without any time is in 1970-01-01T00.'
PARTITIONED BY (
  `year` string COMMENT 'UTC, zero-padded',
  `month` string COMMENT 'UTC, zero-padded',
  `day` string COMMENT 'UTC, zero-padded',
  `hour` string COMMENT 'UTC, zero-padded'
)
STORED AS PARQUET
LOCATION '${lake}/raw/app_events';

CREATE EXTERNAL TABLE IF NOT EXISTS `dead_letters` (
  `topic` string COMMENT 'the Kafka topic; from files their topic',
  `kafka_partition` int COMMENT 'the Kafka partition; 0 from files',
  `kafka_offset` bigint COMMENT 'the Kafka offset; from files the byte',
  `kafka_timestamp` timestamp COMMENT 'the Kafka record\'s time; null from files',
  `ingested_at` timestamp COMMENT 'when the job read it',
  `reasons` array<struct<code:string,field:string,message:string>> COMMENT 'every rule that the record broke',
  `reason` string COMMENT 'the code of the first reason',
  `raw` string COMMENT 'the Kafka value, as raw_encoding says; null for a tombstone',
  `raw_encoding` string COMMENT 'utf8 when raw is the text itself, else base64',
  `raw_size` bigint COMMENT 'bytes of the Kafka value',
  `raw_sha256` string COMMENT 'SHA-256 of the Kafka value, in hex',
  `key` binary COMMENT 'the Kafka key',
  `headers` array<struct<key:string,value:binary>> COMMENT 'the Kafka headers, in order; a key may repeat',
  `job_version` string COMMENT 'the version that rejected the record',
  `attempt` int COMMENT '1 for the first delivery, one more per replay'
)
COMMENT 'One row per rejected record, in the hour of its Kafka timestamp; a record without any time is in 1970-01-01T00.'
PARTITIONED BY (
  `year` string COMMENT 'UTC, zero-padded',
  `month` string COMMENT 'UTC, zero-padded',
  `day` string COMMENT 'UTC, zero-padded',
  `hour` string COMMENT 'UTC, zero-padded'
)
STORED AS PARQUET
LOCATION '${lake}/quarantine/dead_letters';

CREATE EXTERNAL TABLE IF NOT EXISTS `ledger` (
  `run_id` string COMMENT 'the run that counted; a backfill is a run of its own',
  `mode` string COMMENT 'streaming or bounded',
  `checkpoint` bigint COMMENT 'the counts\' checkpoint; -1 for the end of input',
  `topic` string COMMENT 'the Kafka topic; from files the topic they belong to',
  `hour_start` timestamp COMMENT 'start of the hour of the Kafka timestamp',
  `received` bigint COMMENT 'records read',
  `accepted` bigint COMMENT 'events kept, late ones among them',
  `rejected` bigint COMMENT 'records in quarantine',
  `duplicates` bigint COMMENT 'events dropped as resends',
  `late` bigint COMMENT 'the accepted events that came too late for final rows'
)
COMMENT 'One row per run, checkpoint, topic and hour: add them up, per run received = accepted + rejected + duplicates.'
PARTITIONED BY (
  `year` string COMMENT 'UTC, zero-padded',
  `month` string COMMENT 'UTC, zero-padded',
  `day` string COMMENT 'UTC, zero-padded',
  `hour` string COMMENT 'UTC, zero-padded'
)
STORED AS PARQUET
LOCATION '${lake}/quality/ledger';

CREATE EXTERNAL TABLE IF NOT EXISTS `cross_checks` (
  `run_id` string COMMENT 'the run that checked, as in the ledger',
  `mode` string COMMENT 'streaming or bounded',
  `checked_at` timestamp COMMENT 'when it was checked, by the clock',
  `checkpoint` bigint COMMENT 'the figures\' checkpoint; -1 for the end of input',
  `name` string COMMENT 'what is checked: leaves_equal_all, users_at_most_leaves or session_events',
  `subject` string COMMENT 'the table or counter that it is about',
  `window_start` timestamp COMMENT 'start of the window; null for a whole run',
  `found` bigint COMMENT 'the figure that is checked',
  `expected` bigint COMMENT 'what it is compared with',
  `holds` boolean COMMENT 'the verdict'
)
COMMENT 'One row per comparison of two figures that must agree, in the hour when it was made.'
PARTITIONED BY (
  `year` string COMMENT 'UTC, zero-padded',
  `month` string COMMENT 'UTC, zero-padded',
  `day` string COMMENT 'UTC, zero-padded',
  `hour` string COMMENT 'UTC, zero-padded'
)
STORED AS PARQUET
LOCATION '${lake}/quality/cross_checks';

CREATE EXTERNAL TABLE IF NOT EXISTS `anomalies` (
  `alert_id` string COMMENT 'the same in all rows of an alert',
  `metric` string COMMENT 'the metric, as total_events',
  `cell` string COMMENT 'the cell, as country=DE; several by comma, empty for the total',
  `window_start` timestamp COMMENT 'start of the window',
  `window_end` timestamp COMMENT 'first instant after the window',
  `observed` double COMMENT 'the value in the window; null when it has none',
  `expected` double COMMENT 'what the series let expect',
  `score` double COMMENT '0 to 1, how rare the deviation is; 0.5 is once in 10,000 rows',
  `severity` string COMMENT 'warning or critical; none in a resolved row',
  `direction` string COMMENT 'spike or drop; none in a resolved row',
  `state` string COMMENT 'opened, firing or resolved',
  `opened_at` timestamp COMMENT 'start of the window that opened the alert',
  `windows_firing` bigint COMMENT 'windows of the alert not as expected, so far'
)
COMMENT 'One row per window of an alert: opened, firing for each further window that is not as expected, resolved for the first that is.'
PARTITIONED BY (
  `year` string COMMENT 'UTC, zero-padded',
  `month` string COMMENT 'UTC, zero-padded',
  `day` string COMMENT 'UTC, zero-padded',
  `hour` string COMMENT 'UTC, zero-padded'
)
STORED AS PARQUET
LOCATION '${lake}/anomalies';

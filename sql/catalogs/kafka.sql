-- The topics of the engagement job for Flink's SQL client; scripts/sql puts the brokers for ${kafka}.
-- A query reads what is there when it starts, and ends. To go on reading, say in the query
-- /*+ OPTIONS('scan.bounded.mode' = 'unbounded') */ after SET 'execution.runtime-mode' = 'streaming'.

CREATE TABLE `received` (
  `topic` STRING METADATA VIRTUAL,
  `partition` INT METADATA VIRTUAL,
  `offset` BIGINT METADATA VIRTUAL,
  `kafka_timestamp` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  `event_id` STRING,
  `user_id` STRING,
  `session_id` STRING,
  `event_type` STRING,
  `timestamp` STRING COMMENT 'as the producer wrote it',
  `device_info` ROW<`device_type` STRING, `os_version` STRING, `app_version` STRING>,
  `geo_location` ROW<`country` STRING, `region` STRING, `city` STRING>,
  `properties` MAP<STRING, STRING>
)
COMMENT 'Records as producers sent them, resends and late ones included; a field that is no JSON or of another type is null.'
WITH (
  'connector' = 'kafka',
  'properties.bootstrap.servers' = '${kafka}',
  'topic' = 'install;session;view_notification;open_notification',
  'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true'
);

CREATE TABLE `closed_sessions` (
  `session_id` STRING,
  `user_id` STRING,
  `session_start` TIMESTAMP_LTZ(3),
  `session_end` TIMESTAMP_LTZ(3),
  `duration_ms` BIGINT,
  `event_count` INT,
  `path` ARRAY<STRING>,
  `entry_event` STRING,
  `exit_event` STRING,
  `is_bounce` BOOLEAN,
  `end_reason` STRING,
  `device_type` STRING,
  `app_version` STRING,
  `country` STRING
)
COMMENT 'Sessions as they are told, each once: see sessions in docs/tables.md.'
WITH (
  'connector' = 'kafka',
  'properties.bootstrap.servers' = '${kafka}',
  'properties.isolation.level' = 'read_committed',
  'topic' = 'sessions',
  'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601'
);

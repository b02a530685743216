/** The main job: Kafka to queryable Parquet, every event accounted for. */
package io.millrace.job.engagement;

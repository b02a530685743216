/** The embedded stack: a Kafka broker, an S3 server, a Hive Metastore and Flink on one machine. */
package io.millrace.local;

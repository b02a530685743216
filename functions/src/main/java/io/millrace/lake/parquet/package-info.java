/**
 * Parquet files of the lake: which columns a record becomes, and a writer with bounded memory that
 * Flink's file sink drives.
 */
package io.millrace.lake.parquet;

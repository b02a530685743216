/**
 * Pipelines: a YAML file is parsed, validated, compiled to one Flink job, and run with a report.
 */
package io.millrace.pipeline;

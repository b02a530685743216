/** Apache Arrow IPC to rows of Flink's tables and back, and the table format {@code arrow}. */
package io.millrace.codec.arrow;

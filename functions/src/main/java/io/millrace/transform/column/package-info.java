/**
 * What entries have in common when they read columns: what kind a column is, whether it is there,
 * which of its values are missing, how often each occurs, and which column is the event time.
 */
package io.millrace.transform.column;

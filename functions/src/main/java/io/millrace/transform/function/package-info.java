/** Functions of ours for SQL: scalar, aggregate, table and process table functions. */
package io.millrace.transform.function;

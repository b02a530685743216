/** Queries of databases: what may be asked, by which address, and the rows that answer. */
package io.millrace.transform.sql;

/** Entries that mend rows: missing values are filled, outliers and duplicates are taken out. */
package io.millrace.transform.clean;

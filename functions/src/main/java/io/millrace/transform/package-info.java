/** The transform catalog: one class per entry, each turning tables into a table. */
package io.millrace.transform;

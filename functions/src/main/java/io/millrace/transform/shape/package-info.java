/**
 * Entries that make other rows of rows, as SQL does: filters, columns made, renamed, cast and
 * deleted, joins, unions and aggregates.
 */
package io.millrace.transform.shape;

/**
 * Entries that judge values and leave them as they are: by rules, of which a step says what becomes
 * of the rows and the pipeline that break them, and by the values of a series that came before.
 */
package io.millrace.transform.quality;

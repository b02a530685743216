/** Who did it and whether it is new: deduplication and pseudonyms. */
package io.millrace.identity;

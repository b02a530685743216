/** The records that travel on streams, and their wire formats. Imports nothing else of Millrace. */
package io.millrace.event;

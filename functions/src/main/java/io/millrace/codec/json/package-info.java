/** JSON bytes to events. */
package io.millrace.codec.json;

/** The names under which Millrace reports what it does. */
package io.millrace.telemetry;

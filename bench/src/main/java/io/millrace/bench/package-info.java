/** Measures what an event costs; prints figures and judges none but the correctness of a run. */
package io.millrace.bench;

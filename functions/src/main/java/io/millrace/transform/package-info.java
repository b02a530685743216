/**
 * The transform catalog: what an entry is ({@link io.millrace.transform.Transform}), how it
 * declares itself, and what it is given when a step is lowered to tables. The entries are in the
 * packages below, by what they do to rows; those use this one, which knows none of them.
 */
package io.millrace.transform;

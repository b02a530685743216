/**
 * Statistics of unbounded rows: by key, over a range of event time. Rows wait for the watermark and
 * are taken in the order of their event time, so that results do not depend on when they came.
 */
package io.millrace.transform.keyed;

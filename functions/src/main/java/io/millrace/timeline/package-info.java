/**
 * The one keyed operator: one compact value per user, which deduplication, lateness, and whatever
 * else is known per user share.
 */
package io.millrace.timeline;

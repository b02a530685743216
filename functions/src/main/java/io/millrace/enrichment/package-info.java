/**
 * What is looked up for an event: device and country attributes, replaceable while the job runs.
 */
package io.millrace.enrichment;

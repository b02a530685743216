/**
 * Configuration: declared options, one reader for every job, secrets by reference, and generated
 * option docs.
 */
package io.millrace.config;

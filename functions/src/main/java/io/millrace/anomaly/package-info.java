/** Detection of anomalies in keyed series of (time, value), and the life of an alert. */
package io.millrace.anomaly;

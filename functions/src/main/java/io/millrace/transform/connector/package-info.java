/**
 * Entries through which rows enter and leave a pipeline: extracts and loads of files, topics,
 * databases, services and the lake. How a medium is read and written is in the packages {@code
 * file}, {@code sql} and {@code http}.
 */
package io.millrace.transform.connector;

package io.millrace.lake.catalog;

import java.util.Collection;
import java.util.Map;
import java.util.Optional;

/**
 * A table catalog: Hive Metastore or AWS Glue. Every call is idempotent, because a call that timed
 * out may have succeeded. An implementation is used by one thread; only {@link #close()} may come
 * from another one.
 */
public interface Catalog extends AutoCloseable {

  /**
   * Creates the database and the table where they are missing, and adds the columns that the schema
   * has and the table has not. Never drops or retypes a column.
   *
   * @param location the table's folder, as a URI
   * @throws CatalogException when a column exists with another type, or the catalog cannot be
   *     reached
   */
  void ensureTable(TableSchema table, String location) throws CatalogException;

  /**
   * Registers partitions at their folders below the table's location; those that exist stay as they
   * are, their location and properties included.
   */
  void addPartitions(TableSchema table, Collection<TimePartition> partitions)
      throws CatalogException;

  /**
   * Sets properties of registered partitions; their other properties stay.
   *
   * @throws CatalogException a retryable one when a partition is not registered; those that are
   *     registered may have been changed by then
   */
  void setProperties(
      TableSchema table, Map<TimePartition, ? extends Map<String, String>> properties)
      throws CatalogException;

  /** A registered partition, or empty. */
  Optional<RegisteredPartition> partition(TableSchema table, TimePartition partition)
      throws CatalogException;

  /** Every registered partition of the table, by start. */
  Collection<RegisteredPartition> partitions(TableSchema table) throws CatalogException;

  /** Ends a call in progress, which then fails, and releases the connection. */
  @Override
  void close();

  /**
   * A partition as the catalog holds it.
   *
   * @param location the folder that readers use, as a URI
   */
  record RegisteredPartition(
      TimePartition partition, String location, Map<String, String> properties) {}
}

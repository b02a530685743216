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

  /**
   * Points registered partitions at other folders and sets properties; their other properties stay.
   * A partition changes at once: readers see its former folder and properties or the new ones.
   *
   * @throws CatalogException a retryable one when a partition is not registered; those that are
   *     registered may have been changed by then
   */
  void place(TableSchema table, Map<TimePartition, Placement> placements) throws CatalogException;

  /** A registered partition, or empty. */
  Optional<RegisteredPartition> partition(TableSchema table, TimePartition partition)
      throws CatalogException;

  /** Those of the given partitions that are registered, by start. */
  Collection<RegisteredPartition> partitions(
      TableSchema table, Collection<TimePartition> partitions) throws CatalogException;

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
      TimePartition partition, String location, Map<String, String> properties) {

    /** Whether its location is a folder, whichever of the folder's names either has. */
    public boolean isAt(String folder) {
      return HiveCatalog.normalised(location).equals(HiveCatalog.normalised(folder));
    }

    /** Whether readers are sent to some folder below that one. */
    public boolean isBelow(String folder) {
      return HiveCatalog.normalised(location).startsWith(HiveCatalog.normalised(folder) + "/");
    }
  }

  /**
   * Where a partition goes.
   *
   * @param location the folder that readers are to use, as a URI
   * @param properties to set along with it
   */
  record Placement(String location, Map<String, String> properties) {
    public Placement {
      properties = Map.copyOf(properties);
    }
  }
}

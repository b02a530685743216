package io.millrace.lake.catalog;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The catalog of a run without one: accepts everything, keeps nothing. */
public final class NoCatalog implements Catalog {

  @Override
  public void ensureTable(TableSchema table, String location) {}

  @Override
  public void addPartitions(TableSchema table, Collection<TimePartition> partitions) {}

  @Override
  public void setProperties(
      TableSchema table, Map<TimePartition, ? extends Map<String, String>> properties) {}

  @Override
  public void place(TableSchema table, Map<TimePartition, Placement> placements) {}

  @Override
  public Collection<RegisteredPartition> partitions(
      TableSchema table, Collection<TimePartition> partitions) {
    return List.of();
  }

  @Override
  public Optional<RegisteredPartition> partition(TableSchema table, TimePartition partition) {
    return Optional.empty();
  }

  @Override
  public Collection<RegisteredPartition> partitions(TableSchema table) {
    return List.of();
  }

  @Override
  public void close() {}
}

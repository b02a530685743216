package io.millrace.lake.publish;

import io.millrace.lake.catalog.Catalog;
import io.millrace.lake.catalog.Catalog.RegisteredPartition;
import io.millrace.lake.catalog.CatalogException;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.catalog.TimePartition;
import java.io.IOException;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.apache.flink.core.fs.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the catalog of complete partitions what the folder holds that readers look at.
 *
 * @param base the table's folder
 * @param location the same, as the catalog knows it
 */
record CompleteMarks(TableSchema table, Path base, String location, Completion completion) {
  private static final Logger LOG = LoggerFactory.getLogger(CompleteMarks.class);

  /**
   * Sets the properties, and once more where a swap has come between: they would tell of the folder
   * that readers no longer look at.
   *
   * @param own what the partitions' folders below the table's hold
   */
  void set(Catalog catalog, Map<TimePartition, SuccessFile> own, BooleanSupplier stopped)
      throws CatalogException, IOException {
    Collection<RegisteredPartition> known = catalog.partitions(table, own.keySet());
    Map<TimePartition, String> before = locations(known);
    set(catalog, own, known, stopped);
    Collection<RegisteredPartition> now = catalog.partitions(table, own.keySet());
    if (!locations(now).equals(before)) {
      set(catalog, own, now, stopped);
    }
  }

  private void set(
      Catalog catalog,
      Map<TimePartition, SuccessFile> own,
      Collection<RegisteredPartition> known,
      BooleanSupplier stopped)
      throws CatalogException, IOException {
    Map<TimePartition, Map<String, String>> properties = new LinkedHashMap<>();
    own.forEach((partition, success) -> properties.put(partition, success.properties()));
    for (RegisteredPartition partition : known) {
      followSwap(partition, own.get(partition.partition()), stopped)
          .ifPresent(success -> properties.put(partition.partition(), success.properties()));
    }
    catalog.setProperties(table, properties);
  }

  private static Map<TimePartition, String> locations(Collection<RegisteredPartition> known) {
    Map<TimePartition, String> locations = new HashMap<>();
    known.forEach(p -> locations.put(p.partition(), p.location()));
    return locations;
  }

  /**
   * Where a backfill has put another generation in a partition's place, late files go there too,
   * and what is told of the partition is told of that generation.
   */
  private Optional<SuccessFile> followSwap(
      RegisteredPartition partition, SuccessFile own, BooleanSupplier stopped) throws IOException {
    String path = partition.partition().path();
    if (partition.isAt(location.replaceAll("/+$", "") + "/" + path)) {
      return Optional.empty();
    }
    Path current = new Path(partition.location());
    Optional<GenerationFile> generation = GenerationFile.read(current);
    if (generation.isEmpty()) {
      return Optional.empty();
    }
    LateFiles.Found found = LateFiles.find(new Path(base, path), current, generation.get());
    LateFiles.copy(found.missing(), current);
    if (!found.mixed().isEmpty()) {
      LOG.warn(
          "{} has rows that the backfill {} has read beside rows that it has not: they are twice"
              + " in partition {} of table {} until these hours are recomputed once more",
          found.mixed(),
          generation.get().runId(),
          path,
          table.name());
      LateFiles.copy(found.mixed(), current);
    }
    return completion.complete(current, own.watermark(), stopped);
  }
}

package io.millrace.lake.publish;

import io.millrace.lake.catalog.Catalog;
import io.millrace.lake.catalog.CatalogException;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.catalog.TimePartition;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;

/** A catalog in memory that can be down, refuse, or hang, and that outlives its users. */
final class MemoryCatalog implements Catalog {
  private final TreeMap<TimePartition, Map<String, String>> partitions =
      new TreeMap<>(Comparator.comparingLong(TimePartition::start));
  private final Map<TimePartition, String> locations = new HashMap<>();
  private final Set<String> callers = new TreeSet<>();
  private final CountDownLatch hung = new CountDownLatch(1);
  private final CountDownLatch released = new CountDownLatch(1);
  private String location = "";
  private boolean down;
  private boolean hanging;
  private String refusal = "";
  private String otherTable = "";
  private int calls;
  private Meanwhile beforeProperties;
  private Meanwhile afterPlace;

  /** What somebody else does. */
  interface Meanwhile {
    void run() throws Exception;
  }

  synchronized MemoryCatalog down(boolean isDown) {
    down = isDown;
    return this;
  }

  synchronized MemoryCatalog refuse(String message) {
    refusal = message;
    return this;
  }

  /** Somebody puts another table in its place, which takes any partition. */
  synchronized void replaceTable(String difference) {
    otherTable = difference;
  }

  synchronized MemoryCatalog hang() {
    hanging = true;
    return this;
  }

  /** Once, within the next call that sets properties. */
  synchronized void beforeProperties(Meanwhile meanwhile) {
    beforeProperties = meanwhile;
  }

  /** Once, after the next call that places partitions. */
  synchronized void afterPlace(Meanwhile meanwhile) {
    afterPlace = meanwhile;
  }

  private static void run(Meanwhile meanwhile) throws CatalogException {
    if (meanwhile != null) {
      try {
        meanwhile.run();
      } catch (Exception e) {
        throw new CatalogException("meanwhile", false, e);
      }
    }
  }

  void awaitHung() throws InterruptedException {
    hung.await();
  }

  synchronized void drop(TimePartition partition) {
    partitions.remove(partition);
    locations.remove(partition);
  }

  synchronized int calls() {
    return calls;
  }

  synchronized Set<String> callers() {
    return new TreeSet<>(callers);
  }

  synchronized List<String> paths() {
    return partitions.keySet().stream().map(TimePartition::path).toList();
  }

  synchronized Map<String, String> properties(TimePartition partition) {
    return partitions.getOrDefault(partition, Map.of());
  }

  private void called() throws CatalogException {
    boolean hangs;
    synchronized (this) {
      calls++;
      callers.add(Thread.currentThread().getName());
      if (down) {
        throw new CatalogException("the catalog is down", true, null);
      }
      if (!refusal.isEmpty()) {
        throw new CatalogException(refusal, false, null);
      }
      hangs = hanging;
    }
    if (hangs) {
      hung.countDown();
      boolean interrupted = false;
      while (released.getCount() > 0) {
        try {
          released.await();
        } catch (InterruptedException e) {
          // A socket does not hear it either.
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      throw new CatalogException("the connection was closed", true, null);
    }
  }

  @Override
  public void ensureTable(TableSchema table, String tableLocation) throws CatalogException {
    called();
    synchronized (this) {
      if (!otherTable.isEmpty()) {
        throw new CatalogException(otherTable, false, null);
      }
      location = tableLocation;
    }
  }

  @Override
  public void addPartitions(TableSchema table, Collection<TimePartition> added)
      throws CatalogException {
    called();
    synchronized (this) {
      if (location.isEmpty()) {
        throw new CatalogException("no table", true, null);
      }
      added.forEach(p -> partitions.putIfAbsent(p, new HashMap<>()));
    }
  }

  @Override
  public void setProperties(
      TableSchema table, Map<TimePartition, ? extends Map<String, String>> properties)
      throws CatalogException {
    called();
    Meanwhile meanwhile;
    synchronized (this) {
      meanwhile = beforeProperties;
      beforeProperties = null;
    }
    run(meanwhile);
    synchronized (this) {
      for (TimePartition partition : properties.keySet()) {
        if (!partitions.containsKey(partition)) {
          throw new CatalogException(partition.path() + " is not registered", true, null);
        }
        partitions.get(partition).putAll(properties.get(partition));
      }
    }
  }

  @Override
  public void place(TableSchema table, Map<TimePartition, Placement> placements)
      throws CatalogException {
    called();
    Meanwhile meanwhile;
    synchronized (this) {
      meanwhile = afterPlace;
      afterPlace = null;
      for (Map.Entry<TimePartition, Placement> e : placements.entrySet()) {
        if (!partitions.containsKey(e.getKey())) {
          throw new CatalogException(e.getKey().path() + " is not registered", true, null);
        }
        partitions.get(e.getKey()).putAll(e.getValue().properties());
        locations.put(e.getKey(), e.getValue().location());
      }
    }
    run(meanwhile);
  }

  @Override
  public Collection<RegisteredPartition> partitions(
      TableSchema table, Collection<TimePartition> wanted) throws CatalogException {
    called();
    return partitions(table).stream().filter(p -> wanted.contains(p.partition())).toList();
  }

  @Override
  public synchronized Optional<RegisteredPartition> partition(
      TableSchema table, TimePartition partition) {
    return partitions(table).stream().filter(p -> p.partition().equals(partition)).findFirst();
  }

  @Override
  public synchronized Collection<RegisteredPartition> partitions(TableSchema table) {
    List<RegisteredPartition> all = new ArrayList<>();
    partitions.forEach(
        (p, properties) ->
            all.add(
                new RegisteredPartition(
                    p,
                    locations.getOrDefault(p, location + "/" + p.path()),
                    Map.copyOf(properties))));
    return all;
  }

  @Override
  public void close() {
    released.countDown();
  }
}

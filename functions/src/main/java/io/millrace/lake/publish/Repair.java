package io.millrace.lake.publish;

import io.millrace.lake.catalog.Catalog;
import io.millrace.lake.catalog.Catalog.RegisteredPartition;
import io.millrace.lake.catalog.CatalogException;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.catalog.TimePartition;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntConsumer;
import org.apache.flink.core.fs.Path;

/**
 * Brings the catalog up to date with a table's folders: registers the partitions that it lacks and
 * sets the properties that their {@code _SUCCESS} files tell. Changes no file; may be repeated, and
 * run beside the job that writes the table.
 */
public final class Repair {
  private final TableSchema table;
  private final Path base;
  private final String location;
  private final Catalog catalog;
  private IntConsumer progress = partitionsSeen -> {};

  /**
   * What was found and done.
   *
   * @param inLake partitions with data files
   * @param added those that the catalog lacked
   * @param marked those whose properties were set
   * @param withoutFiles registered ones that have no data file below the table's folder; left alone
   */
  public record Report(
      int inLake,
      List<TimePartition> added,
      List<TimePartition> marked,
      List<TimePartition> withoutFiles) {
    public Report {
      added = List.copyOf(added);
      marked = List.copyOf(marked);
      withoutFiles = List.copyOf(withoutFiles);
    }
  }

  /**
   * A repair of one table.
   *
   * @param base the table's folder
   * @param location the same, as the catalog's readers name it
   */
  public Repair(TableSchema table, Path base, String location, Catalog catalog) {
    this.table = table;
    this.base = base;
    this.location = location;
    this.catalog = catalog;
  }

  /**
   * A partition of the lake, or of the catalog, or of both.
   *
   * @param files data files in the folder that readers use; 0 for one that only the catalog knows
   * @param success what its {@code _SUCCESS} file tells; empty while it is not complete
   * @param properties in the catalog; empty when it is not registered
   */
  public record Found(
      TimePartition partition,
      int files,
      Optional<SuccessFile> success,
      Optional<Map<String, String>> properties) {

    /** Whether the catalog has the partition. */
    public boolean registered() {
      return properties.isPresent();
    }

    /** Whether the catalog tells all that the {@code _SUCCESS} file does. */
    public boolean marked() {
      Map<String, String> wanted = success.map(SuccessFile::properties).orElse(Map.of());
      return properties.orElse(Map.of()).entrySet().containsAll(wanted.entrySet());
    }
  }

  /** The same repair, which tells how many partitions it has looked at. */
  public Repair onProgress(IntConsumer partitionsSeen) {
    progress = partitionsSeen;
    return this;
  }

  /** Compares lake and catalog, by start of the partition; changes nothing. */
  public List<Found> survey() throws IOException, CatalogException {
    Map<TimePartition, RegisteredPartition> known = new HashMap<>();
    for (RegisteredPartition p : catalog.partitions(table)) {
      known.put(p.partition(), p);
    }
    List<Found> found = new ArrayList<>();
    for (String folder : Completion.partitionFolders(base, table.granularity())) {
      TimePartition partition = TimePartition.parse(folder, table.granularity());
      Optional<RegisteredPartition> registered = Optional.ofNullable(known.get(partition));
      Path path = registered.map(this::folder).orElse(new Path(base, folder));
      int files = Completion.dataFiles(path).size();
      if (files > 0) {
        known.remove(partition);
        Optional<Map<String, String>> properties = registered.map(RegisteredPartition::properties);
        found.add(new Found(partition, files, SuccessFile.read(path), properties));
        progress.accept(found.size());
      }
    }
    for (RegisteredPartition p : known.values()) {
      Path path = folder(p);
      int files = Completion.dataFiles(path).size();
      Optional<SuccessFile> success = files == 0 ? Optional.empty() : SuccessFile.read(path);
      found.add(new Found(p.partition(), files, success, Optional.of(p.properties())));
    }
    found.sort(Comparator.comparingLong(f -> f.partition().start()));
    return found;
  }

  /** Where readers look: below the table's folder, unless a backfill has swapped the partition. */
  private Path folder(RegisteredPartition registered) {
    String path = registered.partition().path();
    return registered.isAt(location.replaceAll("/+$", "") + "/" + path)
        ? new Path(base, path)
        : new Path(registered.location());
  }

  /** Does it. */
  public Report run() throws IOException, CatalogException {
    catalog.ensureTable(table, location);
    List<TimePartition> added = new ArrayList<>();
    Map<TimePartition, Map<String, String>> properties = new LinkedHashMap<>();
    List<TimePartition> withoutFiles = new ArrayList<>();
    int inLake = 0;
    for (Found found : survey()) {
      if (found.files() == 0) {
        withoutFiles.add(found.partition());
        continue;
      }
      inLake++;
      if (!found.registered()) {
        added.add(found.partition());
      }
      if (!found.marked()) {
        properties.put(found.partition(), found.success().orElseThrow().properties());
      }
    }
    catalog.addPartitions(table, added);
    catalog.setProperties(table, properties);
    return new Report(inLake, added, List.copyOf(properties.keySet()), withoutFiles);
  }
}

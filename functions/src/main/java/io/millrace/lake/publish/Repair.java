package io.millrace.lake.publish;

import io.millrace.lake.catalog.Catalog;
import io.millrace.lake.catalog.Catalog.RegisteredPartition;
import io.millrace.lake.catalog.CatalogException;
import io.millrace.lake.catalog.HourPartition;
import io.millrace.lake.catalog.TableSchema;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.core.fs.FileStatus;
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
      List<HourPartition> added,
      List<HourPartition> marked,
      List<HourPartition> withoutFiles) {
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

  /** Does it. */
  public Report run() throws IOException, CatalogException {
    catalog.ensureTable(table, location);
    Map<HourPartition, Map<String, String>> known =
        new TreeMap<>((a, b) -> Long.compare(a.start(), b.start()));
    for (RegisteredPartition p : catalog.partitions(table)) {
      known.put(p.partition(), p.properties());
    }
    List<HourPartition> added = new ArrayList<>();
    Map<HourPartition, Map<String, String>> properties = new LinkedHashMap<>();
    List<HourPartition> inLake = partitions();
    for (HourPartition partition : inLake) {
      Map<String, String> present = known.remove(partition);
      if (present == null) {
        added.add(partition);
      }
      Map<String, String> before = present == null ? Map.of() : present;
      SuccessFile.read(new Path(base, partition.path()))
          .map(SuccessFile::properties)
          .filter(wanted -> !before.entrySet().containsAll(wanted.entrySet()))
          .ifPresent(wanted -> properties.put(partition, wanted));
    }
    catalog.addPartitions(table, added);
    catalog.setProperties(table, properties);
    return new Report(
        inLake.size(), added, List.copyOf(properties.keySet()), List.copyOf(known.keySet()));
  }

  /** The partitions that hold data files, by start. */
  private List<HourPartition> partitions() throws IOException {
    List<HourPartition> found = new ArrayList<>();
    for (String folder : folders("", 0)) {
      if (!Completion.dataFiles(new Path(base, folder)).isEmpty()) {
        found.add(HourPartition.parse(folder));
      }
    }
    found.sort((a, b) -> Long.compare(a.start(), b.start()));
    return found;
  }

  private List<String> folders(String parent, int depth) throws IOException {
    if (depth == HourPartition.COLUMNS.size()) {
      return List.of(parent);
    }
    String prefix = HourPartition.COLUMNS.get(depth) + "=";
    List<String> found = new ArrayList<>();
    Path folder = parent.isEmpty() ? base : new Path(base, parent);
    for (FileStatus status : Completion.list(folder)) {
      String name = status.getPath().getName();
      if (status.isDir() && name.startsWith(prefix)) {
        found.addAll(folders(parent.isEmpty() ? name : parent + "/" + name, depth + 1));
      }
    }
    return found;
  }
}

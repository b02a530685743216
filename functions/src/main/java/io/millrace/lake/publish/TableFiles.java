package io.millrace.lake.publish;

import io.millrace.lake.catalog.Granularity;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.catalog.TimePartition;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.core.fs.FileStatus;
import org.apache.flink.core.fs.Path;

/**
 * The data files that lie in a table's partitions, as they are found by listing: what the catalog
 * has beside, or has not yet, does not matter.
 */
public final class TableFiles {
  private TableFiles() {}

  /**
   * A partition's folder.
   *
   * @param files the data files that readers see
   */
  public record Folder(Path path, TimePartition partition, List<FileStatus> files) {
    public Folder {
      files = List.copyOf(files);
    }
  }

  /** Takes what was found; may throw what work on files throws. */
  @FunctionalInterface
  public interface Visitor {
    void visit(Folder folder) throws IOException;
  }

  /**
   * Visits the partitions with a data file below a folder, in the order of their names, one listing
   * after another: no list of all is kept.
   *
   * @param base holds {@code year=...}; need not be there
   */
  public static void visit(Path base, TableSchema table, Visitor visitor) throws IOException {
    visit(base, "", 0, table.granularity(), visitor);
  }

  private static void visit(
      Path folder, String name, int depth, Granularity granularity, Visitor visitor)
      throws IOException {
    boolean isPartition = depth == granularity.columns().size();
    List<FileStatus> found = new ArrayList<>();
    for (FileStatus status : Completion.list(folder)) {
      String child = status.getPath().getName();
      boolean hidden = child.startsWith(".") || child.startsWith("_");
      if (!hidden && status.isDir() != isPartition) {
        found.add(status);
      }
    }
    found.sort((a, b) -> a.getPath().getName().compareTo(b.getPath().getName()));
    if (isPartition) {
      if (!found.isEmpty()) {
        visitor.visit(new Folder(folder, TimePartition.parse(name, granularity), found));
      }
      return;
    }
    String column = granularity.columns().get(depth) + "=";
    for (FileStatus child : found) {
      String childName = child.getPath().getName();
      if (childName.startsWith(column)) {
        String path = name.isEmpty() ? childName : name + "/" + childName;
        visit(child.getPath(), path, depth + 1, granularity, visitor);
      }
    }
  }
}

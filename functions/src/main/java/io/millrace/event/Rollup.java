package io.millrace.event;

import java.util.Objects;
import org.apache.flink.api.common.typeinfo.TypeInfo;

/**
 * Counts of a cell: on the way to the rollup a part of them, behind it the row.
 *
 * @param distinctApproximate whether {@code activeUsers} was read off the sketch, because the cell
 *     holds values that the cap on cells folded into {@code OTHER}
 */
@TypeInfo(EventTypeInfo.ForRollup.class)
public record Rollup(Cell cell, CellCounts counts, boolean distinctApproximate) {
  /** Stands for a dimension's values that are not told apart. */
  public static final String OTHER = "OTHER";

  /** Stands for a dimension's missing value. */
  public static final String UNKNOWN = "UNKNOWN";

  public Rollup {
    Objects.requireNonNull(cell, "cell");
    Objects.requireNonNull(counts, "counts");
  }
}

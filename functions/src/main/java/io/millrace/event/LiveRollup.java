package io.millrace.event;

import java.util.Objects;
import org.apache.flink.api.common.typeinfo.TypeInfo;

/**
 * The present value of a cell, for the live topic and its tables.
 *
 * @param isFinal whether the counts are those of the cell's row in the table
 * @param retired whether the key is to be deleted; the counts mean nothing then. When it is not
 *     final, the cap on cells has folded the cell into another one
 */
@TypeInfo(EventTypeInfo.ForLiveRollup.class)
public record LiveRollup(Rollup rollup, boolean isFinal, boolean retired) {
  public LiveRollup {
    Objects.requireNonNull(rollup, "rollup");
  }
}

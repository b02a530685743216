package io.millrace.event;

import java.util.Objects;
import org.apache.flink.api.common.typeinfo.TypeInfo;

/**
 * The present value of a cell, for the live topic and its tables.
 *
 * @param isFinal whether the cell's window is final; where the cap on cells folds the cell, the
 *     value that the table has follows
 * @param retired whether the key is to be deleted; the counts mean nothing then
 */
@TypeInfo(EventTypeInfo.ForLiveRollup.class)
public record LiveRollup(Rollup rollup, boolean isFinal, boolean retired) {
  public LiveRollup {
    Objects.requireNonNull(rollup, "rollup");
  }
}

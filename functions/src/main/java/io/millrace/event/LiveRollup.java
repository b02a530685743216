package io.millrace.event;

import java.util.Objects;
import org.apache.flink.api.common.typeinfo.TypeInfo;

/**
 * The present value of a cell, for the live topic and its tables.
 *
 * @param isFinal whether this is the row that the final table holds
 * @param retired whether the key is to be deleted; then the counts are the last ones
 */
@TypeInfo(EventTypeInfo.ForLiveRollup.class)
public record LiveRollup(Rollup rollup, boolean isFinal, boolean retired) {
  public LiveRollup {
    Objects.requireNonNull(rollup, "rollup");
  }
}

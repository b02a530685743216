package io.millrace.lake.parquet;

import io.millrace.lake.catalog.HourPartition;
import java.util.HashMap;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.streaming.api.functions.sink.filesystem.BucketAssigner;
import org.apache.flink.streaming.api.functions.sink.filesystem.bucketassigners.SimpleVersionedStringSerializer;

/** Puts each row in the folder of the hour of its partition time, UTC. */
public final class EventTimeBucket<T> implements BucketAssigner<T, String> {
  private static final long serialVersionUID = 1L;
  private static final long HOUR_MS = 3_600_000L;
  private static final int CACHED_HOURS = 1_024;

  private final LakeTable<T> table;
  @Nullable private transient Map<Long, String> paths;
  @Nullable private transient String lastPath;
  private transient long lastHour;

  public EventTimeBucket(LakeTable<T> table) {
    this.table = table;
  }

  @Override
  public String getBucketId(T row, Context context) {
    long hour = Math.floorDiv(table.partitionTime(row), HOUR_MS);
    if (lastPath == null || hour != lastHour) {
      lastPath = path(hour);
      lastHour = hour;
    }
    return lastPath;
  }

  private String path(long hour) {
    if (paths == null || paths.size() >= CACHED_HOURS) {
      paths = new HashMap<>();
    }
    return paths.computeIfAbsent(hour, h -> new HourPartition(h * HOUR_MS).path());
  }

  @Override
  public SimpleVersionedSerializer<String> getSerializer() {
    return SimpleVersionedStringSerializer.INSTANCE;
  }
}

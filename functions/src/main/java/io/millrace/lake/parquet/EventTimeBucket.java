package io.millrace.lake.parquet;

import io.millrace.lake.catalog.Granularity;
import io.millrace.lake.catalog.TimePartition;
import java.util.HashMap;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.streaming.api.functions.sink.filesystem.BucketAssigner;
import org.apache.flink.streaming.api.functions.sink.filesystem.bucketassigners.SimpleVersionedStringSerializer;

/** Puts each row in the folder of the hour or day of its partition time, UTC. */
public final class EventTimeBucket<T> implements BucketAssigner<T, String> {
  private static final long serialVersionUID = 1L;
  private static final int CACHED_PATHS = 1_024;

  private final LakeTable<T> table;
  private final Granularity granularity;
  @Nullable private transient Map<Long, String> paths;
  @Nullable private transient String lastPath;
  private transient long lastStart;

  public EventTimeBucket(LakeTable<T> table) {
    this.table = table;
    this.granularity = table.schema().granularity();
  }

  @Override
  public String getBucketId(T row, Context context) {
    long span = granularity.millis();
    long start = Math.floorDiv(table.partitionTime(row), span) * span;
    if (lastPath == null || start != lastStart) {
      lastPath = path(start);
      lastStart = start;
    }
    return lastPath;
  }

  private String path(long start) {
    if (paths == null || paths.size() >= CACHED_PATHS) {
      paths = new HashMap<>();
    }
    return paths.computeIfAbsent(start, s -> new TimePartition(s, granularity).path());
  }

  @Override
  public SimpleVersionedSerializer<String> getSerializer() {
    return SimpleVersionedStringSerializer.INSTANCE;
  }
}

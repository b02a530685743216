package io.millrace.lake.publish;

import io.millrace.lake.parquet.OffsetRange;
import io.millrace.lake.parquet.ParquetFooter;
import java.io.IOException;
import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.apache.flink.core.fs.Path;

/**
 * Which records a backfill has read: of each source partition those up to an offset.
 *
 * @param lastOffsets the last offset that was read, by topic-partition
 */
record Coverage(NavigableMap<String, Long> lastOffsets) {

  /** What a backfill has read of the records that a file's rows were made from. */
  enum Verdict {
    /** All of them, or the rows were not made from single records. */
    READ,
    /** None of them. */
    NEW,
    /** Some of them. */
    MIXED
  }

  Coverage {
    lastOffsets = Collections.unmodifiableNavigableMap(new TreeMap<>(lastOffsets));
  }

  /** What files of {@code raw/} hold; only their footers are read. */
  static Coverage of(Collection<Path> rawFiles) throws IOException {
    NavigableMap<String, Long> last = new TreeMap<>();
    for (Path file : rawFiles) {
      ParquetFooter.read(file)
          .sourceOffsets()
          .forEach((partition, range) -> last.merge(partition, range.last(), Math::max));
    }
    return new Coverage(last);
  }

  Verdict judge(Map<String, OffsetRange> sources) {
    boolean read = false;
    boolean unread = false;
    for (Map.Entry<String, OffsetRange> source : sources.entrySet()) {
      long last = lastOffsets.getOrDefault(source.getKey(), Long.MIN_VALUE);
      read |= source.getValue().first() <= last;
      unread |= source.getValue().last() > last;
    }
    return !unread ? Verdict.READ : read ? Verdict.MIXED : Verdict.NEW;
  }

  /** Whether everything that another one has is here too. */
  boolean includes(Coverage other) {
    return other.lastOffsets.entrySet().stream()
        .allMatch(e -> lastOffsets.getOrDefault(e.getKey(), Long.MIN_VALUE) >= e.getValue());
  }
}

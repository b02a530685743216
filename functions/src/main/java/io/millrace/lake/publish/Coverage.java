package io.millrace.lake.publish;

import io.millrace.lake.parquet.OffsetRange;
import java.util.Collections;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

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

  /** This and all that a file of {@code raw/} holds. */
  Coverage with(Map<String, OffsetRange> sources) {
    NavigableMap<String, Long> last = new TreeMap<>(lastOffsets);
    sources.forEach((partition, range) -> last.merge(partition, range.last(), Math::max));
    return new Coverage(last);
  }

  /** Whether the first offset of a source partition is one that was read, or lies before. */
  boolean reaches(Map<String, OffsetRange> sources) {
    return sources.entrySet().stream()
        .anyMatch(s -> s.getValue().first() <= lastOffset(s.getKey()));
  }

  Verdict judge(Map<String, OffsetRange> sources) {
    boolean unread =
        sources.entrySet().stream().anyMatch(s -> s.getValue().last() > lastOffset(s.getKey()));
    return !unread ? Verdict.READ : reaches(sources) ? Verdict.MIXED : Verdict.NEW;
  }

  /** Whether everything that another one has is here too. */
  boolean includes(Coverage other) {
    return other.lastOffsets.entrySet().stream()
        .allMatch(e -> lastOffset(e.getKey()) >= e.getValue());
  }

  private long lastOffset(String partition) {
    return lastOffsets.getOrDefault(partition, Long.MIN_VALUE);
  }
}

package io.millrace.identity;

import java.util.HashSet;
import java.util.Set;
import java.util.TreeMap;

/** Spilled fingerprints on the heap, with counts of what was asked. */
final class MemorySpill implements SeenEvents.Spill {
  final TreeMap<Integer, Set<Fingerprint>> buckets = new TreeMap<>();
  final TreeMap<Integer, Set<Fingerprint>> segments = new TreeMap<>();
  int lookups;

  @Override
  public void archive(int segment, long[] pairs) {
    Set<Fingerprint> archived = new HashSet<>();
    for (int i = 0; i < pairs.length; i += 2) {
      if (!archived.add(new Fingerprint(pairs[i], pairs[i + 1]))) {
        throw new IllegalStateException("archived twice");
      }
    }
    if (segments.put(segment, archived) != null) {
      throw new IllegalStateException("segment archived twice: " + segment);
    }
  }

  @Override
  public boolean archiveContains(int segment, Fingerprint fingerprint) {
    return segments.get(segment).contains(fingerprint);
  }

  @Override
  public void removeArchived(int segment) {
    if (segments.remove(segment) == null) {
      throw new IllegalStateException("was not archived: " + segment);
    }
  }

  @Override
  public boolean contains(int bucket, Fingerprint fingerprint) {
    lookups++;
    return buckets.getOrDefault(bucket, Set.of()).contains(fingerprint);
  }

  @Override
  public void add(int bucket, Fingerprint fingerprint) {
    if (!buckets.computeIfAbsent(bucket, b -> new HashSet<>()).add(fingerprint)) {
      throw new IllegalStateException("spilled twice: " + fingerprint);
    }
  }

  @Override
  public void removeThrough(int bucket) {
    buckets.headMap(bucket, true).clear();
  }

  int size() {
    return buckets.values().stream().mapToInt(Set::size).sum();
  }
}

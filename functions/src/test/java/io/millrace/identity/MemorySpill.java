package io.millrace.identity;

import java.util.HashSet;
import java.util.Set;
import java.util.TreeMap;

/** Spilled fingerprints on the heap, with counts of what was asked. */
final class MemorySpill implements SeenEvents.Spill {
  final TreeMap<Integer, Set<Fingerprint>> buckets = new TreeMap<>();
  int lookups;

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

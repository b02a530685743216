package io.millrace.identity;

import java.io.IOException;
import java.util.Arrays;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * The fingerprints that are remembered for one user, in buckets of a quarter of an hour of the
 * events' own timestamps: a resend carries the same timestamp, so one bucket is looked up. A bucket
 * that outgrows the value moves to a {@link Spill}.
 *
 * <p>So do the buckets of a segment of some hours, as one entry, when the user comes in a later
 * one: few resends ask for them, and without them a user's value is small, in the cache and in what
 * a checkpoint writes anew.
 *
 * <p>All of a user's buckets are in two arrays. With an object per bucket a cache of users holds
 * millions of them, which every full collection visits and every checkpoint chases through memory.
 */
public final class SeenEvents {
  /** Width of a bucket. */
  static final long BUCKET_MS = 900_000L;

  /** Buckets of a segment: four hours. */
  private static final int SEGMENT_BUCKETS = 16;

  /** Fingerprints that a segment must have to be worth an entry of its own, and may have. */
  private static final int MIN_ARCHIVED = 8;

  private static final int MAX_ARCHIVED = 1_024;

  private static final int WEIGHT = 104;
  private static final int[] NO_INDEX = {};
  private static final long[] NO_PAIRS = {};

  // What the index holds of each bucket.
  private static final int NUMBER = 0;
  private static final int END = 1;
  private static final int SPILLED = 2;
  private static final int STRIDE = 3;

  /** Of each bucket its number, the end of its fingerprints, and whether others were spilled. */
  private int[] index = NO_INDEX;

  /** The fingerprints, bucket after bucket, high and low in turn. */
  private long[] pairs = NO_PAIRS;

  private int buckets;
  private int held;

  /** The segments of which fingerprints are archived. */
  private int[] archived = NO_INDEX;

  /** The fingerprints of a user that are not in its value. */
  public interface Spill {
    /**
     * Keeps the fingerprints of a segment, high and low in turn; never twice for one segment before
     * {@link #removeArchived}.
     */
    void archive(int segment, long[] pairs) throws IOException;

    /** Whether a segment's archived fingerprints have this one. */
    boolean archiveContains(int segment, Fingerprint fingerprint) throws IOException;

    /** Forgets the archived fingerprints of a segment. */
    void removeArchived(int segment) throws IOException;

    /** Whether a fingerprint was added. */
    boolean contains(int bucket, Fingerprint fingerprint) throws IOException;

    /** Remembers a fingerprint. */
    void add(int bucket, Fingerprint fingerprint) throws IOException;

    /** Forgets every fingerprint of buckets up to and including this one. */
    void removeThrough(int bucket) throws IOException;
  }

  static int bucketOf(long timestamp) {
    return (int) Math.floorDiv(timestamp, BUCKET_MS);
  }

  /** First watermark at which nothing of a bucket is looked up again, epoch ms. */
  private static long expiry(int bucket, long ttl) {
    return (bucket + 1L) * BUCKET_MS + ttl;
  }

  private static int segmentOf(int number) {
    return Math.floorDiv(number, SEGMENT_BUCKETS);
  }

  private static int lastBucketOf(int segment) {
    return segment * SEGMENT_BUCKETS + SEGMENT_BUCKETS - 1;
  }

  private boolean isArchived(int segment) {
    for (int a : archived) {
      if (a == segment) {
        return true;
      }
    }
    return false;
  }

  private int number(int bucket) {
    return index[STRIDE * bucket + NUMBER];
  }

  private int start(int bucket) {
    return bucket == 0 ? 0 : end(bucket - 1);
  }

  private int end(int bucket) {
    return index[STRIDE * bucket + END];
  }

  private boolean isSpilled(int bucket) {
    return index[STRIDE * bucket + SPILLED] != 0;
  }

  /**
   * Remembers a fingerprint.
   *
   * @param maxHeld most fingerprints in the user's value; beyond, the bucket spills
   * @return false when it was remembered already
   */
  boolean add(long timestamp, Fingerprint fingerprint, int maxHeld, Spill spill)
      throws IOException {
    int number = bucketOf(timestamp);
    int bucket = find(number);
    if (bucket >= 0
        && (contains(bucket, fingerprint)
            || (isSpilled(bucket) && spill.contains(number, fingerprint)))) {
      return false;
    }
    int segment = segmentOf(number);
    if (isArchived(segment) && spill.archiveContains(segment, fingerprint)) {
      return false;
    }
    if (bucket < 0) {
      if (buckets > 0 && segmentOf(number(buckets - 1)) != segment) {
        archiveBefore(segment, spill);
      }
      bucket = append(number, false);
    }
    insert(bucket, fingerprint);
    if (held > maxHeld) {
      spillLargest(spill);
    }
    return true;
  }

  private int find(int number) {
    // The newest buckets stand last, and most events belong to them.
    for (int i = buckets - 1; i >= 0; i--) {
      if (number(i) == number) {
        return i;
      }
    }
    return -1;
  }

  private boolean contains(int bucket, Fingerprint f) {
    int end = 2 * end(bucket);
    for (int i = 2 * start(bucket); i < end; i += 2) {
      if (pairs[i] == f.high() && pairs[i + 1] == f.low()) {
        return true;
      }
    }
    return false;
  }

  private int append(int number, boolean spilled) {
    int at = STRIDE * buckets;
    if (at == index.length) {
      index = Arrays.copyOf(index, STRIDE * grown(buckets));
    }
    index[at + NUMBER] = number;
    index[at + END] = held;
    index[at + SPILLED] = spilled ? 1 : 0;
    return buckets++;
  }

  private void insert(int bucket, Fingerprint f) {
    reserve(held + 1);
    int at = 2 * end(bucket);
    System.arraycopy(pairs, at, pairs, at + 2, 2 * held - at);
    pairs[at] = f.high();
    pairs[at + 1] = f.low();
    held++;
    for (int i = bucket; i < buckets; i++) {
      index[STRIDE * i + END]++;
    }
  }

  private void reserve(int fingerprints) {
    if (pairs.length < 2 * fingerprints) {
      pairs = Arrays.copyOf(pairs, 2 * Math.max(fingerprints, grown(held)));
    }
  }

  private static int grown(int size) {
    return Math.max(2, size + size / 2);
  }

  private void spillLargest(Spill spill) throws IOException {
    int largest = 0;
    for (int i = 1; i < buckets; i++) {
      if (end(i) - start(i) > end(largest) - start(largest)) {
        largest = i;
      }
    }
    int start = start(largest);
    int end = end(largest);
    for (int i = 2 * start; i < 2 * end; i += 2) {
      spill.add(number(largest), new Fingerprint(pairs[i], pairs[i + 1]));
    }
    System.arraycopy(pairs, 2 * end, pairs, 2 * start, 2 * (held - end));
    held -= end - start;
    for (int i = largest; i < buckets; i++) {
      index[STRIDE * i + END] -= end - start;
    }
    index[STRIDE * largest + SPILLED] = 1;
    trim();
  }

  /** Archives the segments before one, unless they are small, very large, or archived in part. */
  private void archiveBefore(int segment, Spill spill) throws IOException {
    for (int i = 0; i < buckets; i++) {
      int old = segmentOf(number(i));
      if (old >= segment || isArchived(old)) {
        continue;
      }
      int count = 0;
      for (int j = 0; j < buckets; j++) {
        count += goesTo(old, j) ? end(j) - start(j) : 0;
      }
      if (count < MIN_ARCHIVED || count > MAX_ARCHIVED) {
        continue;
      }
      long[] taken = new long[2 * count];
      int at = 0;
      for (int j = 0; j < buckets; j++) {
        if (goesTo(old, j)) {
          int length = 2 * (end(j) - start(j));
          System.arraycopy(pairs, 2 * start(j), taken, at, length);
          at += length;
        }
      }
      spill.archive(old, taken);
      removeArchivedBuckets(old);
      archived = Arrays.copyOf(archived, archived.length + 1);
      archived[archived.length - 1] = old;
      i = -1;
    }
  }

  /** A bucket of which others were spilled stays, because it tells so. */
  private boolean goesTo(int segment, int bucket) {
    return segmentOf(number(bucket)) == segment && !isSpilled(bucket);
  }

  private void removeArchivedBuckets(int segment) {
    int kept = 0;
    int keptHeld = 0;
    int start = 0;
    for (int i = 0; i < buckets; i++) {
      int end = end(i);
      if (!goesTo(segment, i)) {
        keep(i, start, end, kept, keptHeld);
        keptHeld += end - start;
        kept++;
      }
      start = end;
    }
    buckets = kept;
    held = keptHeld;
    trim();
  }

  /** Moves a bucket to where it stands when those before it are gone. */
  private void keep(int bucket, int start, int end, int place, int from) {
    System.arraycopy(pairs, 2 * start, pairs, 2 * from, 2 * (end - start));
    System.arraycopy(index, STRIDE * bucket, index, STRIDE * place, STRIDE);
    index[STRIDE * place + END] = from + end - start;
  }

  /** Forgets the buckets that no event can ask for once the watermark stands here. */
  void expire(long watermark, long ttl, Spill spill) throws IOException {
    int lastSpilled = Integer.MIN_VALUE;
    int kept = 0;
    int keptHeld = 0;
    int start = 0;
    for (int i = 0; i < buckets; i++) {
      int number = number(i);
      int end = end(i);
      boolean spilled = isSpilled(i);
      if (expiry(number, ttl) <= watermark) {
        lastSpilled = spilled ? Math.max(lastSpilled, number) : lastSpilled;
      } else {
        keep(i, start, end, kept, keptHeld);
        keptHeld += end - start;
        kept++;
      }
      start = end;
    }
    buckets = kept;
    held = keptHeld;
    trim();
    if (lastSpilled != Integer.MIN_VALUE) {
      spill.removeThrough(lastSpilled);
    }
    expireArchived(watermark, ttl, spill);
  }

  private void expireArchived(long watermark, long ttl, Spill spill) throws IOException {
    int kept = 0;
    for (int segment : archived) {
      if (expiry(lastBucketOf(segment), ttl) <= watermark) {
        spill.removeArchived(segment);
      } else {
        archived[kept++] = segment;
      }
    }
    if (kept < archived.length) {
      archived = kept == 0 ? NO_INDEX : Arrays.copyOf(archived, kept);
    }
  }

  /** Gives room back when most of it is free. */
  private void trim() {
    if (buckets == 0) {
      index = NO_INDEX;
    } else if (index.length > 4 * STRIDE * buckets) {
      index = Arrays.copyOf(index, STRIDE * grown(buckets));
    }
    if (held == 0) {
      pairs = NO_PAIRS;
    } else if (pairs.length > 4 * 2 * held) {
      pairs = Arrays.copyOf(pairs, 2 * grown(held));
    }
  }

  /** The watermark at which the next bucket expires; {@link Long#MAX_VALUE} when there is none. */
  long nextExpiry(long ttl) {
    long next = Long.MAX_VALUE;
    for (int i = 0; i < buckets; i++) {
      next = Math.min(next, expiry(number(i), ttl));
    }
    for (int segment : archived) {
      next = Math.min(next, expiry(lastBucketOf(segment), ttl));
    }
    return next;
  }

  /**
   * Reads what the next event will be compared with, so many references away from this; the result
   * means nothing.
   */
  public int lookAhead(int depth) {
    return switch (depth) {
      case 0 -> buckets;
      case 1 -> index.length + pairs.length;
      case 2 ->
          (buckets == 0 ? 0 : index[STRIDE * (buckets - 1)])
              + (held == 0 ? 0 : (int) pairs[2 * held - 1]);
      default -> 0;
    };
  }

  /** Whether nothing is remembered. */
  public boolean isEmpty() {
    return buckets == 0 && archived.length == 0;
  }

  /** About how much heap this takes. */
  public int weight() {
    return WEIGHT + Integer.BYTES * (index.length + archived.length) + Long.BYTES * pairs.length;
  }

  /** An independent copy. */
  public SeenEvents copy() {
    SeenEvents copy = new SeenEvents();
    copy.index = index.clone();
    copy.pairs = pairs.clone();
    copy.buckets = buckets;
    copy.held = held;
    copy.archived = archived.length == 0 ? NO_INDEX : archived.clone();
    return copy;
  }

  /** Format 1: count of buckets; of each its number, spilled flag, count and fingerprints. */
  public void write(DataOutputView out) throws IOException {
    out.writeInt(buckets);
    int start = 0;
    for (int i = 0; i < buckets; i++) {
      int end = end(i);
      out.writeInt(number(i));
      out.writeBoolean(isSpilled(i));
      out.writeInt(end - start);
      for (int j = 2 * start; j < 2 * end; j++) {
        out.writeLong(pairs[j]);
      }
      start = end;
    }
  }

  /** Whether there is something beside what {@link #write} writes. */
  public boolean hasArchive() {
    return archived.length > 0;
  }

  /** Which segments are archived: their count and numbers. */
  public void writeArchive(DataOutputView out) throws IOException {
    out.writeInt(archived.length);
    for (int segment : archived) {
      out.writeInt(segment);
    }
  }

  /** Reads what {@link #writeArchive} wrote. */
  public void readArchive(DataInputView in) throws IOException {
    archived = new int[in.readInt()];
    for (int i = 0; i < archived.length; i++) {
      archived[i] = in.readInt();
    }
  }

  /** Reads what {@link #write} wrote. */
  public static SeenEvents read(DataInputView in) throws IOException {
    SeenEvents seen = new SeenEvents();
    int size = in.readInt();
    seen.index = new int[STRIDE * size];
    for (int i = 0; i < size; i++) {
      int bucket = seen.append(in.readInt(), in.readBoolean());
      int count = in.readInt();
      seen.reserve(seen.held + count);
      for (int j = 2 * seen.held; j < 2 * (seen.held + count); j++) {
        seen.pairs[j] = in.readLong();
      }
      seen.held += count;
      seen.index[STRIDE * bucket + END] = seen.held;
    }
    return seen;
  }
}

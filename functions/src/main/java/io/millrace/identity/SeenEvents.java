package io.millrace.identity;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * The fingerprints that are remembered for one user, in buckets of a quarter of an hour of the
 * events' own timestamps: a resend carries the same timestamp, so one bucket is looked up. A bucket
 * that outgrows the value moves to a {@link Spill}.
 */
public final class SeenEvents {
  /** Width of a bucket. */
  static final long BUCKET_MS = 900_000L;

  private static final int WEIGHT = 64;
  private static final int BUCKET_WEIGHT = 64;

  private final List<Bucket> buckets;
  private int held;
  // Kept with every change, because it is asked for with every event.
  private int weight = WEIGHT;

  public SeenEvents() {
    this(new ArrayList<>(2), 0);
  }

  private SeenEvents(List<Bucket> buckets, int held) {
    this.buckets = buckets;
    this.held = held;
    for (Bucket b : buckets) {
      weight += b.weight();
    }
  }

  /** The fingerprints of buckets that are too large for the user's value, one by one. */
  public interface Spill {
    /** Whether a fingerprint was added. */
    boolean contains(int bucket, Fingerprint fingerprint) throws IOException;

    /** Remembers a fingerprint. */
    void add(int bucket, Fingerprint fingerprint) throws IOException;

    /** Forgets every fingerprint of buckets up to and including this one. */
    void removeThrough(int bucket) throws IOException;
  }

  /** Fingerprints in one quarter of an hour; {@code pairs} holds high and low in turn. */
  private static final class Bucket {
    final int number;
    boolean spilled;
    int count;
    long[] pairs;

    Bucket(int number, boolean spilled, int count, long[] pairs) {
      this.number = number;
      this.spilled = spilled;
      this.count = count;
      this.pairs = pairs;
    }

    int weight() {
      return BUCKET_WEIGHT + Long.BYTES * pairs.length;
    }

    boolean contains(Fingerprint f) {
      for (int i = 0; i < 2 * count; i += 2) {
        if (pairs[i] == f.high() && pairs[i + 1] == f.low()) {
          return true;
        }
      }
      return false;
    }

    void add(Fingerprint f) {
      if (pairs.length == 2 * count) {
        pairs = Arrays.copyOf(pairs, Math.max(4, 4 * count));
      }
      pairs[2 * count] = f.high();
      pairs[2 * count + 1] = f.low();
      count++;
    }
  }

  static int bucketOf(long timestamp) {
    return (int) Math.floorDiv(timestamp, BUCKET_MS);
  }

  /** First watermark at which nothing of a bucket is looked up again, epoch ms. */
  private static long expiry(int bucket, long ttl) {
    return (bucket + 1L) * BUCKET_MS + ttl;
  }

  /**
   * Remembers a fingerprint.
   *
   * @param maxHeld most fingerprints in the user's value; beyond, the bucket spills
   * @return false when it was remembered already
   */
  boolean add(long timestamp, Fingerprint fingerprint, int maxHeld, Spill spill)
      throws IOException {
    Bucket bucket = bucket(bucketOf(timestamp));
    if (bucket.contains(fingerprint)
        || (bucket.spilled && spill.contains(bucket.number, fingerprint))) {
      return false;
    }
    weight -= bucket.weight();
    bucket.add(fingerprint);
    weight += bucket.weight();
    held++;
    if (held > maxHeld) {
      spillLargest(spill);
    }
    return true;
  }

  private Bucket bucket(int number) {
    // The newest buckets stand last, and most events belong to them.
    for (int i = buckets.size() - 1; i >= 0; i--) {
      if (buckets.get(i).number == number) {
        return buckets.get(i);
      }
    }
    Bucket fresh = new Bucket(number, false, 0, new long[4]);
    buckets.add(fresh);
    weight += fresh.weight();
    return fresh;
  }

  private void spillLargest(Spill spill) throws IOException {
    Bucket largest = buckets.get(0);
    for (Bucket b : buckets) {
      if (b.count > largest.count) {
        largest = b;
      }
    }
    for (int i = 0; i < 2 * largest.count; i += 2) {
      spill.add(largest.number, new Fingerprint(largest.pairs[i], largest.pairs[i + 1]));
    }
    held -= largest.count;
    weight -= largest.weight();
    largest.count = 0;
    largest.pairs = new long[4];
    weight += largest.weight();
    largest.spilled = true;
  }

  /** Forgets the buckets that no event can ask for once the watermark stands here. */
  void expire(long watermark, long ttl, Spill spill) throws IOException {
    int lastSpilled = Integer.MIN_VALUE;
    for (int i = buckets.size() - 1; i >= 0; i--) {
      Bucket b = buckets.get(i);
      if (expiry(b.number, ttl) <= watermark) {
        held -= b.count;
        weight -= b.weight();
        lastSpilled = b.spilled ? Math.max(lastSpilled, b.number) : lastSpilled;
        buckets.remove(i);
      }
    }
    if (lastSpilled != Integer.MIN_VALUE) {
      spill.removeThrough(lastSpilled);
    }
  }

  /** The watermark at which the next bucket expires; {@link Long#MAX_VALUE} when there is none. */
  long nextExpiry(long ttl) {
    long next = Long.MAX_VALUE;
    for (Bucket b : buckets) {
      next = Math.min(next, expiry(b.number, ttl));
    }
    return next;
  }

  /** Whether nothing is remembered. */
  public boolean isEmpty() {
    return buckets.isEmpty();
  }

  /** About how much heap this takes. */
  public int weight() {
    return weight;
  }

  /** An independent copy. */
  public SeenEvents copy() {
    List<Bucket> copies = new ArrayList<>(buckets.size());
    for (Bucket b : buckets) {
      copies.add(new Bucket(b.number, b.spilled, b.count, b.pairs.clone()));
    }
    return new SeenEvents(copies, held);
  }

  /** Format 1: count of buckets; of each its number, spilled flag, count and fingerprints. */
  public void write(DataOutputView out) throws IOException {
    out.writeInt(buckets.size());
    for (Bucket b : buckets) {
      out.writeInt(b.number);
      out.writeBoolean(b.spilled);
      out.writeInt(b.count);
      for (int i = 0; i < 2 * b.count; i++) {
        out.writeLong(b.pairs[i]);
      }
    }
  }

  /** Reads what {@link #write} wrote. */
  public static SeenEvents read(DataInputView in) throws IOException {
    int size = in.readInt();
    List<Bucket> buckets = new ArrayList<>(Math.max(2, size));
    int held = 0;
    for (int i = 0; i < size; i++) {
      int number = in.readInt();
      boolean spilled = in.readBoolean();
      int count = in.readInt();
      long[] pairs = new long[Math.max(4, 2 * count)];
      for (int j = 0; j < 2 * count; j++) {
        pairs[j] = in.readLong();
      }
      buckets.add(new Bucket(number, spilled, count, pairs));
      held += count;
    }
    return new SeenEvents(buckets, held);
  }
}

package io.millrace.identity;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.junit.jupiter.api.Test;

/** The fingerprints remembered for one user. */
class SeenEventsTest {
  private static final long HOUR = 3_600_000L;
  private static final long TTL = 24 * HOUR;
  private static final long T = 1_767_608_100_000L; // 2026-01-05T10:15:00Z, starts a bucket
  private static final int MAX_HELD = 4_096;

  private final MemorySpill spill = new MemorySpill();

  private static Fingerprint print(int i) {
    return Fingerprint.of("event-" + i, T);
  }

  private static byte[] written(SeenEvents seen) throws IOException {
    DataOutputSerializer out = new DataOutputSerializer(64);
    seen.write(out);
    return out.getCopyOfBuffer();
  }

  private static SeenEvents reread(SeenEvents seen) throws IOException {
    SeenEvents read = SeenEvents.read(new DataInputDeserializer(written(seen)));
    if (seen.hasArchive()) {
      read.readArchive(new DataInputDeserializer(archiveOf(seen)));
    }
    return read;
  }

  private static byte[] archiveOf(SeenEvents seen) throws IOException {
    DataOutputSerializer out = new DataOutputSerializer(64);
    seen.writeArchive(out);
    return out.getCopyOfBuffer();
  }

  private boolean add(SeenEvents seen, long timestamp, int i) throws IOException {
    return seen.add(timestamp, print(i), MAX_HELD, spill);
  }

  @Test
  void theFingerprintIsFrozen() {
    // State holds fingerprints: another value would recognise nothing that is remembered.
    assertThat(Fingerprint.of("0f8fad5b-d9cb-469f-a165-70867728950e", 1_767_608_130_123L))
        .isEqualTo(new Fingerprint(0x4e9d0143016ededbL, 0xf88d28c1a49dfbe2L));
    assertThat(Fingerprint.of("é😀", 0))
        .isEqualTo(new Fingerprint(0xb40cf59965ccda6aL, 0x637d597b26e3f90fL));
  }

  @Test
  void theFingerprintDependsOnIdAndTimestamp() {
    assertThat(Fingerprint.of("a", 1)).isEqualTo(Fingerprint.of("a", 1));
    assertThat(Fingerprint.of("a", 1)).isNotEqualTo(Fingerprint.of("a", 2));
    assertThat(Fingerprint.of("a", 1)).isNotEqualTo(Fingerprint.of("b", 1));
    assertThat(Fingerprint.of("", 0)).isNotEqualTo(Fingerprint.of("\0", 0));
    assertThat(Fingerprint.of("a\0\0\0\0\0\0\0\1", 2)).isNotEqualTo(Fingerprint.of("a", 1));
  }

  @Test
  void remembersWithinItsQuarterOfAnHour() throws IOException {
    SeenEvents seen = new SeenEvents();
    assertThat(seen.isEmpty()).isTrue();
    assertThat(add(seen, T, 1)).isTrue();
    assertThat(add(seen, T, 1)).isFalse();
    assertThat(add(seen, T + 899_999, 1)).isFalse();
    assertThat(add(seen, T + 900_000, 1)).isTrue();
    assertThat(add(seen, T - 1, 1)).isTrue();
    assertThat(add(seen, T, 2)).isTrue();
    assertThat(seen.isEmpty()).isFalse();
    assertThat(spill.size()).isZero();
  }

  @Test
  void aBucketIsForgottenExactlyWhenNothingInItCanBeAskedFor() throws IOException {
    SeenEvents seen = new SeenEvents();
    assertThat(seen.nextExpiry(TTL)).isEqualTo(Long.MAX_VALUE);
    add(seen, T + 900_000, 2);
    add(seen, T + 5, 1);
    long expiry = T + 900_000 + TTL;
    assertThat(seen.nextExpiry(TTL)).isEqualTo(expiry);
    seen.expire(expiry - 1, TTL, spill);
    assertThat(add(seen, T + 5, 1)).isFalse();
    seen.expire(expiry, TTL, spill);
    assertThat(seen.nextExpiry(TTL)).isEqualTo(expiry + 900_000);
    assertThat(add(seen, T + 900_000, 2)).isFalse();
    seen.expire(Long.MAX_VALUE, TTL, spill);
    assertThat(seen.isEmpty()).isTrue();
  }

  @Test
  void spillsTheLargestBucketBeyondTheBound() throws IOException {
    SeenEvents seen = new SeenEvents();
    for (int i = 0; i < 1_000; i++) {
      assertThat(add(seen, T, i)).isTrue();
    }
    for (int i = 0; i < MAX_HELD - 1_000; i++) {
      assertThat(add(seen, T + 900_000, i)).isTrue();
    }
    assertThat(spill.size()).isZero();
    assertThat(written(seen).length).isLessThan(1 << 17);
    assertThat(add(seen, T, 1_000)).isTrue();
    int bucket = SeenEvents.bucketOf(T + 900_000);
    assertThat(spill.buckets.keySet()).containsExactly(bucket);
    assertThat(spill.size()).isEqualTo(MAX_HELD - 1_000);
    for (int i = 0; i < 1_000; i++) {
      assertThat(add(seen, T, i)).isFalse();
    }
    assertThat(spill.lookups).isZero();
    for (int i = 0; i < MAX_HELD - 1_000; i++) {
      assertThat(add(seen, T + 900_000, i)).isFalse();
    }
    assertThat(spill.lookups).isEqualTo(MAX_HELD - 1_000);
    assertThat(add(seen, T + 900_000, 9_999)).isTrue();
    assertThat(add(reread(seen), T + 900_000, 9_999)).isFalse();
    assertThat(add(reread(seen), T + 900_000, 0)).isFalse();
    seen.expire(T + 900_000 + TTL, TTL, spill);
    assertThat(spill.size()).isEqualTo(MAX_HELD - 1_000);
    seen.expire(T + 1_800_000 + TTL, TTL, spill);
    assertThat(spill.size()).isZero();
    assertThat(seen.isEmpty()).isTrue();
  }

  @Test
  void aSegmentIsArchivedWhenTheUserComesInALaterOne() throws IOException {
    SeenEvents seen = new SeenEvents();
    long segment = T / (4 * HOUR) * 4 * HOUR;
    for (int i = 0; i < 10; i++) {
      add(seen, segment + i * 900_000L, i);
    }
    assertThat(spill.segments).isEmpty();
    long next = segment + 4 * HOUR;
    assertThat(add(seen, next, 10)).isTrue();
    assertThat(spill.segments.keySet()).containsExactly((int) (segment / (4 * HOUR)));
    assertThat(written(seen)).hasSize(4 + 9 + 16);
    assertThat(archiveOf(seen)).asHexString().isEqualTo("00000001" + "0001DF7E");

    SeenEvents read = reread(seen);
    for (int i = 0; i < 10; i++) {
      assertThat(add(read, segment + i * 900_000L, i)).isFalse();
    }
    // What comes afterwards stays in the value, and is known there.
    assertThat(add(read, segment, 11)).isTrue();
    assertThat(add(read, segment, 11)).isFalse();
    for (int i = 0; i < 10; i++) {
      add(read, segment + 900_000L, 20 + i);
    }
    assertThat(add(read, next + 4 * HOUR, 12)).isTrue();
    assertThat(spill.segments).hasSize(1);
    assertThat(add(read, segment + 900_000L, 25)).isFalse();

    assertThat(read.nextExpiry(TTL)).isEqualTo(segment + 900_000 + TTL);
    read.expire(next + TTL - 1, TTL, spill);
    assertThat(spill.segments).hasSize(1);
    assertThat(read.nextExpiry(TTL)).isEqualTo(next + TTL);
    read.expire(next + TTL, TTL, spill);
    assertThat(spill.segments).isEmpty();
    read.expire(Long.MAX_VALUE, TTL, spill);
    assertThat(read.isEmpty()).isTrue();
  }

  @Test
  void aSmallSegmentStaysInTheValue() throws IOException {
    SeenEvents seen = new SeenEvents();
    for (int i = 0; i < 7; i++) {
      add(seen, T, i);
    }
    add(seen, T + 8 * HOUR, 7);
    assertThat(spill.segments).isEmpty();
    assertThat(seen.hasArchive()).isFalse();
    assertThat(add(seen, T, 3)).isFalse();
  }

  @Test
  void agreesWithAnExactSetOverHoursOfRandomTraffic() throws IOException {
    SplittableRandom random = new SplittableRandom(20260105);
    SeenEvents seen = new SeenEvents();
    Set<String> exact = new HashSet<>();
    long ttl = 6 * HOUR;
    long watermark = T;
    int duplicates = 0;
    int largest = 0;
    for (int i = 0; i < 200_000; i++) {
      watermark = Math.max(watermark, T + i * 400L - 120_000);
      long timestamp = watermark - ttl + 1 + random.nextLong(ttl + 120_000) / 1_000 * 1_000;
      if (i % 3 > 0) {
        timestamp = watermark + random.nextLong(120_000);
      }
      int id = random.nextInt(3) == 0 ? random.nextInt(50) : i;
      timestamp = id < 50 ? timestamp / 60_000 * 60_000 + 60_000 : timestamp;
      boolean isNew = exact.add(id + "@" + timestamp);
      duplicates += isNew ? 0 : 1;
      boolean added =
          seen.add(timestamp, Fingerprint.of("event-" + id, timestamp), MAX_HELD, spill);
      if (added != isNew) {
        assertThat(added).as("event " + i + " at " + timestamp).isEqualTo(isNew);
      }
      if (i % 1_000 == 0) {
        seen.expire(watermark, ttl, spill);
        seen = i % 2_000 == 0 ? reread(seen) : seen.copy();
        largest = Math.max(largest, written(seen).length);
      }
    }
    assertThat(duplicates).isGreaterThan(1_000);
    assertThat(spill.lookups).isGreaterThan(10_000);
    assertThat(largest).isLessThan(68_000);
    seen.expire(Long.MAX_VALUE, ttl, spill);
    assertThat(seen.isEmpty()).isTrue();
    assertThat(spill.segments).isEmpty();
    assertThat(spill.size()).isZero();
  }

  @Test
  void readsWhatItWrote() throws IOException {
    SeenEvents seen = new SeenEvents();
    assertThat(written(reread(seen))).isEqualTo(written(seen)).isEqualTo(new byte[4]);
    for (int i = 0; i < 5_000; i++) {
      add(seen, T + i * 1_000L, i);
    }
    SeenEvents read = reread(seen);
    assertThat(written(read)).isEqualTo(written(seen));
    assertThat(read.nextExpiry(TTL)).isEqualTo(seen.nextExpiry(TTL));
    for (int i = 0; i < 5_000; i++) {
      assertThat(add(read, T + i * 1_000L, i)).isFalse();
    }
    assertThat(add(read, T, -1)).isTrue();
    assertThat(add(read, T + 5_000_000, -1)).isTrue();
  }

  @Test
  void theWrittenFormIsFrozen() throws IOException {
    SeenEvents seen = new SeenEvents();
    seen.add(T, new Fingerprint(0x0102030405060708L, -1L), MAX_HELD, spill);
    assertThat(written(seen))
        .asHexString()
        .isEqualTo(
            "00000001" + "001DF7E9" + "00" + "00000001" + "0102030405060708FFFFFFFFFFFFFFFF");
  }

  @Test
  void aCopyIsIndependent() throws IOException {
    SeenEvents seen = new SeenEvents();
    add(seen, T, 1);
    SeenEvents copy = seen.copy();
    byte[] before = written(copy);
    for (int i = 2; i < 10; i++) {
      assertThat(add(seen, T, i)).isTrue();
    }
    assertThat(written(copy)).isEqualTo(before);
    assertThat(add(copy, T, 2)).isTrue();
    seen.expire(Long.MAX_VALUE, TTL, spill);
    assertThat(copy.isEmpty()).isFalse();
    assertThat(add(copy, T, 1)).isFalse();
  }

  @Test
  void weighsTheSameAsACopyAfterEveryChange() throws IOException {
    SeenEvents seen = new SeenEvents();
    for (int i = 0; i < 500; i++) {
      seen.add(T + (i % 7) * HOUR, print(i), 100, spill);
      assertThat(seen.weight()).isEqualTo(seen.copy().weight());
    }
    assertThat(spill.size()).isPositive();
    for (int hour = 0; hour <= 8; hour++) {
      seen.expire(T + hour * HOUR + TTL, TTL, spill);
      assertThat(seen.weight()).isEqualTo(seen.copy().weight());
    }
    assertThat(seen.weight()).isEqualTo(new SeenEvents().weight());
  }

  @Test
  void weighsWhatItHolds() throws IOException {
    SeenEvents seen = new SeenEvents();
    int empty = seen.weight();
    add(seen, T, 1);
    int one = seen.weight();
    for (int i = 0; i < 1_000; i++) {
      add(seen, T, i);
    }
    assertThat(empty).isLessThan(one).isLessThan(200);
    assertThat(seen.weight()).isBetween(16 * 1_000, 2 * 16 * 1_000 + 200);
    assertThat(Duration.ofMillis(SeenEvents.BUCKET_MS)).isEqualTo(Duration.ofMinutes(15));
  }
}

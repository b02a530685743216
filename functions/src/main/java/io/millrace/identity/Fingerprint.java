package io.millrace.identity;

import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.apache.commons.codec.digest.MurmurHash3;

/**
 * A 128-bit fingerprint of an event's id and timestamp, taken within one user.
 *
 * <p>Bound: with n events remembered for a user, the chance that a new one is taken for a duplicate
 * is at most n / 2^128. For 10^12 events that each meet 10^6 remembered ones, that is 3 * 10^-21 in
 * all. The hash is not keyed, so a producer that searches for collisions can hide events of its own
 * user, and of no other.
 *
 * @param high bits 127..64
 * @param low bits 63..0
 */
public record Fingerprint(long high, long low) {
  // Part of the state's format: another seed would recognise nothing that is remembered.
  private static final int SEED = 0;

  /** The fingerprint of an event's id at its timestamp, epoch ms. */
  public static Fingerprint of(String eventId, long timestamp) {
    Objects.requireNonNull(eventId, "eventId");
    byte[] id = eventId.getBytes(StandardCharsets.UTF_8);
    byte[] identity = new byte[id.length + Long.BYTES];
    System.arraycopy(id, 0, identity, 0, id.length);
    for (int i = 0; i < Long.BYTES; i++) {
      identity[id.length + i] = (byte) (timestamp >>> (56 - 8 * i));
    }
    long[] hash = MurmurHash3.hash128x64(identity, 0, identity.length, SEED);
    return new Fingerprint(hash[0], hash[1]);
  }
}

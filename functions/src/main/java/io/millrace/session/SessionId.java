package io.millrace.session;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * Names a session by its user and first event: the first 128 bits of SHA-256 over the length of the
 * user id, the user id, the first event's timestamp and id, in lower-case hex.
 */
final class SessionId {
  private static final int BYTES = 16;

  private SessionId() {}

  static String of(String userId, long firstTimestamp, String firstEventId) {
    byte[] user = userId.getBytes(StandardCharsets.UTF_8);
    byte[] event = firstEventId.getBytes(StandardCharsets.UTF_8);
    ByteBuffer identity =
        ByteBuffer.allocate(Integer.BYTES + user.length + Long.BYTES + event.length)
            .putInt(user.length)
            .put(user)
            .putLong(firstTimestamp)
            .put(event);
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(identity.array());
      return HexFormat.of().formatHex(hash, 0, BYTES);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}

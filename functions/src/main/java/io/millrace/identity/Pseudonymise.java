package io.millrace.identity;

import io.millrace.event.Event;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.util.HexFormat;
import java.util.function.Supplier;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;

/**
 * Replaces user_id by HMAC-SHA256(key, user_id) in lower-case hex (RFC 2104, FIPS 198-1), before
 * the stream is keyed. The same key gives the same pseudonym, so a changed key splits a user.
 */
public final class Pseudonymise extends RichMapFunction<Event, Event> {
  private static final long serialVersionUID = 1L;
  private static final String ALGORITHM = "HmacSHA256";

  private final KeyReference key;
  private transient Mac mac;

  /** Where the key is to be found; the key itself never travels with the job graph. */
  public interface KeyReference extends Supplier<String>, Serializable {}

  public Pseudonymise(KeyReference key) {
    this.key = key;
  }

  /** The pseudonym that a user has under a key. */
  public static String pseudonym(String key, String userId) throws GeneralSecurityException {
    return pseudonym(mac(key), userId);
  }

  @Override
  public void open(OpenContext context) throws GeneralSecurityException {
    mac = mac(key.get());
  }

  private static Mac mac(String key) throws GeneralSecurityException {
    Mac mac = Mac.getInstance(ALGORITHM);
    byte[] secret = key.getBytes(StandardCharsets.UTF_8);
    if (secret.length < 16) {
      throw new InvalidKeyException(
          "the pseudonym key has " + secret.length + " bytes, at least 16 are needed");
    }
    mac.init(new SecretKeySpec(secret, ALGORITHM));
    return mac;
  }

  private static String pseudonym(Mac mac, String userId) {
    return HexFormat.of().formatHex(mac.doFinal(userId.getBytes(StandardCharsets.UTF_8)));
  }

  @Override
  public Event map(Event event) {
    return event.withUserId(pseudonym(mac, event.userId()));
  }
}

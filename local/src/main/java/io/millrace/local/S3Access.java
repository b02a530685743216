package io.millrace.local;

import java.util.LinkedHashMap;
import java.util.Map;
import javax.annotation.Nullable;

/** An S3 server and an account there, as Flink's keys. */
final class S3Access {
  private final Map<String, String> settings = new LinkedHashMap<>();

  /**
   * The access of a command.
   *
   * @param endpoint null for Amazon's own
   * @param environment holds the keys of the account
   */
  S3Access(@Nullable String endpoint, String region, Map<String, String> environment) {
    settings.put("s3.endpoint.region", region);
    // A person waits: a server that does not answer is told soon.
    settings.put("s3.attempts.maximum", "2");
    settings.put("s3.retry.limit", "2");
    if (endpoint != null) {
      settings.put("s3.endpoint", endpoint);
      settings.put("s3.path.style.access", "true");
    }
    String id = environment.get("AWS_ACCESS_KEY_ID");
    String secret = environment.get("AWS_SECRET_ACCESS_KEY");
    // With a session token the keys count only together: the client reads all three itself.
    if (id != null && secret != null && !environment.containsKey("AWS_SESSION_TOKEN")) {
      settings.put("s3.access-key", id);
      settings.put("s3.secret-key", secret);
    }
  }

  Map<String, String> settings() {
    return Map.copyOf(settings);
  }
}

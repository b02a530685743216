package io.millrace.local;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import javax.annotation.Nullable;
import picocli.CommandLine.Option;

/** The options of a command that is told of a lake on S3, and Flink's keys for them. */
final class S3Access {
  private static final Pattern LAKE = Pattern.compile("(s3://[^/]+|file:/).*");
  private static final Pattern ENDPOINT = Pattern.compile("https?://[^/]+/?");

  @Option(
      names = "--s3-endpoint",
      paramLabel = "URL",
      description = "An S3 server other than Amazon's; buckets are addressed by path.")
  @Nullable
  private String endpoint;

  @Option(
      names = "--s3-region",
      paramLabel = "REGION",
      defaultValue = "us-east-1",
      description = "Region of the bucket (default: ${DEFAULT-VALUE}).")
  private String region;

  /** Refuses what cannot be a lake's root or a server's address. */
  void check(String lake) {
    if (!LAKE.matcher(lake).matches()) {
      throw new IllegalArgumentException(
          "--lake is '" + lake + "', but must be s3://bucket/path or file:///path");
    }
    if (endpoint != null && !ENDPOINT.matcher(endpoint).matches()) {
      throw new IllegalArgumentException(
          "--s3-endpoint is '" + endpoint + "', but must be http://HOST:PORT or https://HOST");
    }
  }

  /**
   * Flink's keys.
   *
   * @param environment holds the keys of the account
   */
  Map<String, String> settings(Map<String, String> environment) {
    Map<String, String> settings = new LinkedHashMap<>();
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
    return settings;
  }
}

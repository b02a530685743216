package io.millrace.local;

import java.util.Map;
import java.util.regex.Pattern;
import javax.annotation.Nullable;
import picocli.CommandLine.Option;

/** The options of a command that is told of a lake on S3. */
final class S3Options {
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
   * What they name.
   *
   * @param environment holds the keys of the account
   */
  S3Access access(Map<String, String> environment) {
    return new S3Access(endpoint, region, environment);
  }
}

package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** What a command's options for S3 mean to Flink. */
class S3OptionsTest {
  private static final Map<String, String> ACCOUNT =
      Map.of("AWS_ACCESS_KEY_ID", "id", "AWS_SECRET_ACCESS_KEY", "secret");

  @Command
  private static final class Told {
    @Mixin private final S3Options s3 = new S3Options();
  }

  private static S3Options told(String... arguments) {
    Told told = new Told();
    new CommandLine(told).parseArgs(arguments);
    return told.s3;
  }

  @Test
  void amazonsOwnNeedsARegionOnly() {
    assertThat(told().access(Map.of()).settings())
        .isEqualTo(
            Map.of(
                "s3.endpoint.region", "us-east-1",
                "s3.attempts.maximum", "2",
                "s3.retry.limit", "2"));
  }

  @Test
  void anotherServerIsAddressedByPath() {
    assertThat(
            told("--s3-endpoint", "https://s3.example", "--s3-region", "eu-west-1")
                .access(ACCOUNT)
                .settings())
        .isEqualTo(
            Map.of(
                "s3.endpoint.region", "eu-west-1",
                "s3.attempts.maximum", "2",
                "s3.retry.limit", "2",
                "s3.endpoint", "https://s3.example",
                "s3.path.style.access", "true",
                "s3.access-key", "id",
                "s3.secret-key", "secret"));
  }

  @Test
  void theClientReadsASessionItself() {
    Map<String, String> session =
        Map.of(
            "AWS_ACCESS_KEY_ID", "id",
            "AWS_SECRET_ACCESS_KEY", "secret",
            "AWS_SESSION_TOKEN", "token");
    assertThat(told().access(session).settings()).isEqualTo(told().access(Map.of()).settings());
  }

  @Test
  void whatIsNoLakeOrServerIsRefused() {
    assertThatCode(() -> told("--s3-endpoint", "http://localhost:9000/").check("s3://lake"))
        .doesNotThrowAnyException();
    assertThatCode(() -> told().check("file:///lake")).doesNotThrowAnyException();
    assertThatThrownBy(() -> told().check("lake"))
        .hasMessage("--lake is 'lake', but must be s3://bucket/path or file:///path");
    assertThatThrownBy(() -> told("--s3-endpoint", "s3.example").check("s3://lake"))
        .hasMessage("--s3-endpoint is 's3.example', but must be http://HOST:PORT or https://HOST");
  }
}

package io.millrace.local;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An S3 server whose authority nobody knows, with the files and keys of the page. */
class S3TlsITCase {
  private static final String PAGE = "docs/security.md";
  private static final String STORE = "/etc/millrace/truststore";
  private static final String BUCKET = "s3://" + SecureS3.BUCKET;
  private static final Map<String, String> ACCOUNT =
      Map.of(
          "AWS_ACCESS_KEY_ID", SecureS3.ACCESS_KEY, "AWS_SECRET_ACCESS_KEY", SecureS3.SECRET_KEY);

  /** So that nobody waits for what stays as it is. */
  private static final Map<String, String> ASK_ONCE =
      Map.of("s3.attempts.maximum", "1", "s3.retry.limit", "1");

  private static final String NOT_TRUSTED = "PKIX path validation failed: ";

  @TempDir private static Path folder;
  private static PrivateAuthority ours;
  private static PrivateAuthority other;
  private static SecureS3 s3;

  @BeforeAll
  static void start() throws Exception {
    OptionalPackages.requireOpenssl();
    String commands = Page.of(PAGE).block("sh", "openssl req -x509");
    ours = PrivateAuthority.in(folder.resolve("ours"), commands);
    other = PrivateAuthority.in(folder.resolve("other"), commands);
    s3 = SecureS3.start(folder.resolve("s3"), ours.keyStore("secret-4731"), "secret-4731");
  }

  @AfterAll
  static void stop() {
    if (s3 != null) {
      s3.close();
    }
  }

  @Test
  void theLakeAndCheckpointsGoOverTls() throws Exception {
    assertThat(flinkProgram("conf", ours, Map.of()))
        .contains("read back: over TLS\n", "checkpoint: " + BUCKET + "/checkpoints/");
    assertThat(s3.bucket().resolve("a/b")).hasContent("over TLS");
    assertThat(s3.bucket().resolve("checkpoints"))
        .isDirectoryRecursivelyContaining("glob:**/chk-1/_metadata");
  }

  @Test
  void flinkTellsThatItDoesNotTrust() throws Exception {
    assertThat(flinkProgram("conf-other", other, ASK_ONCE))
        .contains(NOT_TRUSTED)
        .doesNotContain("read back", SecureS3.SECRET_KEY);
  }

  /** As Flink's own programs are run, by the page's keys over those of {@code flink-conf}. */
  private static String flinkProgram(
      String name, PrivateAuthority trusted, Map<String, String> more) throws IOException {
    Map<String, String> settings = new LinkedHashMap<>(more);
    for (String line : Page.of(PAGE).block("yaml", "s3.endpoint").lines().toList()) {
      String[] pair = line.split(": ", 2);
      settings.put(
          pair[0],
          pair[1]
              .replace("s3.example", s3.endpoint())
              .replace(STORE, trusted.trustStore().toString())
              .replace("...", shipped(pair[0])));
    }
    Path conf = folder.resolve(name);
    FlinkProcess.writeConf(conf, settings);
    List<String> line =
        new ArrayList<>(
            FlinkProcess.client(
                conf, folder.resolve(name + ".log"), BuildFiles.classes(), testClasses()));
    line.addAll(List.of(S3OverTls.class.getName(), BUCKET));
    return run(line, FlinkProcess.environment(conf)).text();
  }

  /** What a key has in {@code flink-conf}. */
  private static String shipped(String key) throws IOException {
    return Files.readAllLines(BuildFiles.module().resolveSibling("flink-conf/config.yaml")).stream()
        .filter(line -> line.startsWith(key + ": "))
        .map(line -> line.substring(key.length() + 2))
        .findFirst()
        .orElse("");
  }

  @Test
  void commandsTrustTheSameStore() throws Exception {
    Answer trusted = backfill(ours);
    assertThat(trusted.text())
        .contains("scripts/backfill: --lake is '" + BUCKET + "/lake', but ")
        .contains(" has no file of the hours from ");
    assertThat(trusted.code()).isEqualTo(2);

    Answer untrusted = backfill(other);
    assertThat(untrusted.text().lines().filter(line -> line.startsWith("scripts/backfill failed")))
        .singleElement()
        .asString()
        .contains(NOT_TRUSTED)
        .doesNotContain(SecureS3.SECRET_KEY);
    assertThat(untrusted.code()).isEqualTo(1);
  }

  /** Looks for a lake, as a shell does that has run the page's line. */
  private static Answer backfill(PrivateAuthority trusted) throws IOException {
    String command =
        Page.of(PAGE)
                .block("sh", "JDK_JAVA_OPTIONS")
                .replace(STORE, trusted.trustStore().toString())
            + "exec \"$@\"";
    return run(
        List.of(
            "bash",
            "-euc",
            command,
            "bash",
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-Dlog4j2.configurationFile=log4j2-command.properties",
            "-Dmillrace.log=" + folder.resolve("command.log"),
            "-cp",
            System.getProperty("java.class.path"),
            Backfill.class.getName(),
            "--hours",
            "2026-03-01T10..2026-03-01T11",
            "--lake",
            BUCKET + "/lake",
            "--catalog-uri",
            "thrift://127.0.0.1:1",
            "--s3-endpoint",
            "https://" + s3.endpoint()),
        Map.of());
  }

  private record Answer(String text, int code) {}

  private static Answer run(List<String> line, Map<String, String> environment) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(line).redirectErrorStream(true);
    builder.environment().putAll(ACCOUNT);
    builder.environment().putAll(environment);
    Process process = builder.start();
    String text = new String(process.getInputStream().readAllBytes(), UTF_8);
    return new Answer(text, process.onExit().join().exitValue());
  }

  private static Path testClasses() {
    return new File(S3OverTls.class.getProtectionDomain().getCodeSource().getLocation().getPath())
        .toPath();
  }
}

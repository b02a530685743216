package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Wrong arguments of an erasure take a line, and leave nothing behind. */
class EraseTest {
  @TempDir private Path home;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--reason asked|Missing required option: '--user=ID'",
        "--user ann|Missing required option: '--reason=TEXT'",
        "--user ann --reason ann-asked|--reason has the id in it, which the record must not keep",
        "--user ann --reason asked --lake here|--lake is 'here', but must be s3://bucket/path or",
        "--user ann --reason asked --catalog-uri thrift://a:1|--catalog-uri needs --lake, too",
        "--user ann --reason asked --lake file:///a --pseudonym-key secret-of-ours"
            + "|--pseudonym-key: a secret is given by reference, as env:NAME or file:/path"
      })
  void wrongArgumentsAreNamed(String args, String said) {
    StringWriter errors = new StringWriter();
    assertThat(run(errors, args.split(" "))).isEqualTo(2);
    assertThat(errors.toString())
        .startsWith("scripts/erase: " + said)
        .doesNotContain("secret-of-ours");
  }

  @Test
  void aMistypedLakeGetsNoRecord() {
    StringWriter errors = new StringWriter();
    String lake = home.toUri().toString().replaceAll("/$", "");
    assertThat(run(errors, "--user", "ann", "--reason", "asked", "--lake", lake)).isEqualTo(2);
    assertThat(errors.toString())
        .startsWith("scripts/erase: --lake is 'file:")
        .contains("', but none of the tables that know users is there");
    assertThat(home).isEmptyDirectory();
  }

  @Test
  void aShortPseudonymKeyIsRefused() throws Exception {
    Path key = Files.writeString(home.resolve("key"), "short");
    StringWriter errors = new StringWriter();
    assertThat(
            run(
                errors,
                "--user",
                "ann",
                "--reason",
                "asked",
                "--lake",
                "file:///a",
                "--pseudonym-key",
                "file:" + key))
        .isEqualTo(2);
    assertThat(errors.toString())
        .startsWith(
            "scripts/erase: --pseudonym-key: the pseudonym key has 5 bytes, at least 16 are"
                + " needed");
  }

  private int run(StringWriter errors, String... args) {
    PrintStream print = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
    return Commands.run(new Erase(print, home, Map.of()), args, new PrintWriter(errors, true));
  }
}

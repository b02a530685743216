package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Wrong input of scripts/partitions: one clear line. */
class PartitionsTest {
  private static final String NOBODY = "thrift://127.0.0.1:1";

  /** What the command said and how it ended. */
  private record End(int code, String errors) {}

  private static End run(String... args) {
    StringWriter errors = new StringWriter();
    PrintStream out = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
    int code = Commands.run(new Partitions(out, Map.of()), args, new PrintWriter(errors, true));
    return new End(code, errors.toString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          drop --lake file:/l --catalog-uri thrift://h:1 | 'drop' is not known, allowed are 'list', 'repair' and 'clean-generations'
          list --lake lake --catalog-uri thrift://h:1 | --lake is 'lake', but must be s3://bucket/path or file:///path
          list --lake s3:// --catalog-uri thrift://h:1 | --lake is 's3://', but must be s3://bucket/path or file:///path
          list --lake file:/l --catalog-uri h:1 | not a metastore URI: 'h:1', expected thrift://HOST:PORT
          list --lake s3://l --catalog-uri thrift://h:1 --s3-endpoint h:9000 | --s3-endpoint is 'h:9000', but must be http://HOST:PORT or https://HOST
          list --lake file:/l | Missing required option: '--catalog-uri=URI'
          --lake file:/l --catalog-uri thrift://h:1 | Missing required parameter: 'list|repair|clean-generations'
          clean-generations --lake file:/l --catalog-uri thrift://h:1 | clean-generations needs --older-than, and may have --delete
          list --lake file:/l --catalog-uri thrift://h:1 --delete | clean-generations needs --older-than, and may have --delete
          repair --lake file:/l --catalog-uri thrift://h:1 --older-than 7d | clean-generations needs --older-than, and may have --delete
          clean-generations --lake file:/l --catalog-uri thrift://h:1 --older-than week | --older-than is 'week', but must be a duration, as '7 d'
          clean-generations --lake file:/l --catalog-uri thrift://h:1 --older-than 99999999999999d | --older-than is '99999999999999d', but must be a duration, as '7 d'
          list --lake file:/l --catalog-uri thrift://h:1 --fast | Unknown option: '--fast'
          """)
  void aWrongArgumentIsToldInALine(String args, String message) {
    End end = run(args.split(" ", -1));
    assertThat(end.errors()).startsWith("scripts/partitions: " + message);
    assertThat(end.errors().lines().count()).isLessThanOrEqualTo(2);
    assertThat(end.code()).isEqualTo(2);
  }

  @Test
  void aMetastoreThatDoesNotAnswerIsToldInALine(@TempDir Path lake) {
    End end = run("repair", "--lake", lake.toUri().toString(), "--catalog-uri", NOBODY);
    assertThat(end.errors().lines().toList())
        .singleElement()
        .asString()
        .startsWith(
            "scripts/partitions failed: cannot list partitions of table millrace.app_events")
        .contains(NOBODY);
    assertThat(end.code()).isEqualTo(1);
  }

  @Test
  void helpNamesEveryOption() {
    ByteArrayOutputStream help = new ByteArrayOutputStream();
    PrintStream before = System.out;
    System.setOut(new PrintStream(help, true, StandardCharsets.UTF_8));
    try {
      assertThat(run("--help")).isEqualTo(new End(0, ""));
    } finally {
      System.setOut(before);
    }
    assertThat(help.toString(StandardCharsets.UTF_8))
        .contains(
            List.of(
                "list|repair|clean-generations",
                "--lake",
                "--catalog-uri",
                "--database",
                "--older-than",
                "--delete",
                "--s3-endpoint"));
  }
}

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

/** Wrong input of scripts/backfill: one clear line. */
class BackfillTest {

  /** What the command said and how it ended. */
  private record End(int code, String errors) {}

  private static End run(String... args) {
    StringWriter errors = new StringWriter();
    PrintStream out = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
    int code = Commands.run(new Backfill(out, Map.of()), args, new PrintWriter(errors, true));
    return new End(code, errors.toString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --input in | missing --out; it takes --input and --out, or --hours, --lake and --catalog-uri
          --out out --dry-run | missing --input; it takes --input and --out, or --hours, --lake and --catalog-uri
          --input in --out out --dry-run | --dry-run is not allowed without --hours
          --input in --out out --lake file:/l | --lake is not allowed without --hours
          --input nowhere --out out | --input is 'nowhere', which is not a folder
          --hours 2026-01-05T10..2026-01-05T12 --out out | --out is not allowed with --hours
          --hours 2026-01-05T10..2026-01-05T12 --lake file:/l | missing --catalog-uri; it takes
          --input in --out out --give-up | --give-up is not allowed without --hours
          --hours 2026-01-05T10..2026-01-05T12 --lake file:/l --catalog-uri thrift://h:1 --dry-run --give-up | --dry-run is not allowed with --give-up
          --hours 2026-01-05T10..2026-01-05T12 --lake file:/l --catalog-uri thrift://h:1 --give-up | --give-up: there is no backfill of 2026-01-05T10..2026-01-05T12 in file:/l that has begun and not ended
          --hours 10..12 --lake file:/l --catalog-uri thrift://h:1 | --hours is '10..12', but must be FIRST..LAST of hours in UTC, as 2026-01-05T10..2026-01-05T12
          --hours 2026-01-05T10..2026-01-05T12 --lake lake --catalog-uri thrift://h:1 | --lake is 'lake', but must be s3://bucket/path or file:///path
          --hours 2026-01-05T10..2026-01-05T12 --lake file:/l --catalog-uri h:1 | not a metastore URI: 'h:1', expected thrift://HOST:PORT
          --hours 2026-01-05T10..2026-01-05T12 --lake file:/l --catalog-uri thrift://h:1 --raw-until now | --raw-until is 'now', but must be an instant, as 2026-01-06T00:00:00Z
          --hours 2026-01-05T10..2026-01-05T12 --lake file:/l --catalog-uri thrift://h:1 --context long | --context is 'long', but must be a duration, as '48 h'
          --hours 2026-01-05T10..2026-01-05T12 --lake file:/l --catalog-uri thrift://h:1 --context 24h | --context is '24h', but must be at least 1470 min
          --hours 2026-01-05T10..2026-01-05T12 --lake file:/l --catalog-uri thrift://h:1 --raw-until 2026-01-05T13:39:59Z | --hours is '2026-01-05T10..2026-01-05T12', but only hours that ended by 2026-01-05T12:59:59Z are over: 40 min before --raw-until, 2026-01-05T13:39:59Z
          """)
  void aWrongArgumentIsToldInALine(String args, String message) {
    End end = run(args.split(" ", -1));
    assertThat(end.errors()).startsWith("scripts/backfill: " + message);
    assertThat(end.errors().lines().count()).isEqualTo(1);
    assertThat(end.code()).isEqualTo(2);
  }

  @Test
  void aLakeWithoutRawRecordsOfTheHoursIsToldInALine(@TempDir Path lake) {
    End end =
        run(
            "--hours",
            "2026-01-05T10..2026-01-05T12",
            "--lake",
            "file://" + lake,
            "--catalog-uri",
            "thrift://127.0.0.1:1",
            "--raw-until",
            "2026-01-06T00:00:00Z");
    assertThat(end.errors())
        .isEqualTo(
            "scripts/backfill: --lake is 'file:"
                + lake
                + "', but raw/app_events has no file of the hours from 2026-01-03T23:00:00Z to"
                + " 2026-01-06T00:00:00Z\n");
    assertThat(lake).isEmptyDirectory();
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
                "--input",
                "--out",
                "--hours",
                "--lake",
                "--catalog-uri",
                "--raw-until",
                "--context",
                "--dry-run",
                "--give-up",
                "--s3-endpoint"));
  }
}

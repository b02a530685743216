package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What scripts/pipeline says before anything runs, and its errors in one line. */
class PipelineCommandTest {
  static final String NUMBERS =
      """
      pipeline:
        name: numbers
        steps:
          - id: count
            service: count
            params: {n: 1000}
          - id: large
            service: above
            params: {column: number, least: 900}
            depends_on: [count]
          - id: save
            service: write
            depends_on: [large]
      """;

  /** What the command said and how it ended. */
  record End(int code, String output, String errors) {}

  @TempDir Path dir;
  private Path file;

  @BeforeEach
  void write() throws IOException {
    file = Files.writeString(dir.resolve("numbers.yaml"), NUMBERS);
  }

  static End run(Path home, String... args) {
    StringWriter errors = new StringWriter();
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    int code =
        PipelineCommand.run(
            new PrintStream(output, true, StandardCharsets.UTF_8),
            new PrintWriter(errors, true),
            NumbersCatalog.catalog(),
            home,
            args);
    return new End(code, output.toString(StandardCharsets.UTF_8), errors.toString());
  }

  private End run(String... args) {
    return run(dir, args);
  }

  private void refused(String line, String... args) {
    End end = run(args);
    assertThat(end.errors().lines().findFirst()).hasValue(line);
    assertThat(end.errors().lines().count()).isLessThanOrEqualTo(2);
    assertThat(end.code()).isEqualTo(2);
    assertThat(end.output()).isEmpty();
  }

  @Test
  void wrongArgumentsTakeALine() throws IOException {
    String name = file.toString();
    refused(
        "scripts/pipeline: missing command, allowed are validate, run, draft, catalog and schema");
    refused("scripts/pipeline: Unmatched argument at index 0: 'go'", "go");
    refused("scripts/pipeline validate: Missing required parameter: 'FILE'", "validate");
    refused("scripts/pipeline run: there is no file '/nowhere.yaml'", "run", "/nowhere.yaml");
    refused(
        "scripts/pipeline validate: '" + dir + "' is a folder, but must be a YAML file",
        "validate",
        dir.toString());
    refused(
        "scripts/pipeline run: --data-root is '/nowhere', which is not a folder",
        "run",
        name,
        "--data-root",
        "/nowhere");
    refused(
        "scripts/pipeline run: --target is 'flink', but must be HOST:PORT, as localhost:8081",
        "run",
        name,
        "--target",
        "flink");
    refused(
        "scripts/pipeline run: --target is 'flink:70000', but must be HOST:PORT, as localhost:8081",
        "run",
        name,
        "--target",
        "flink:70000");
    refused(
        "scripts/pipeline run: there is no jar for the cluster in '"
            + dir.resolve("jobs/target")
            + "'; build it with mvn -q -DskipTests package",
        "run",
        name,
        "--data-root",
        dir.toString(),
        "--target",
        "localhost:8081");
    refused(
        "scripts/pipeline run: --checkpoint-interval is '5', but must be at least 100 ms, as in 10"
            + " s",
        "run",
        name,
        "--checkpoint-interval",
        "5");
    refused(
        "scripts/pipeline run: --from is 'file:/savepoint', but is for pipelines that read without"
            + " end",
        "run",
        name,
        "--from",
        "file:/savepoint");
    refused(
        "scripts/pipeline run: --parallelism is 0, but must be at least 1",
        "run",
        name,
        "--parallelism",
        "0");
    refused(
        "scripts/pipeline catalog: there is no service 'abov'; did you mean 'above'?",
        "catalog",
        "abov");
    Path binary = Files.write(dir.resolve("binary"), new byte[] {(byte) 0xC3, 0x28});
    refused(
        "scripts/pipeline validate: '" + binary + "' is not UTF-8 text",
        "validate",
        binary.toString());
  }

  @Test
  void aValidPipelineIsSaidToBe() {
    End end = run("validate", file.toString(), "--data-root", dir.toString());
    assertThat(end).isEqualTo(new End(0, file + " is valid: 3 steps\n", ""));
    assertThat(dir.resolve("numbers")).doesNotExist();
  }

  @Test
  void everyProblemIsToldAtOnce() {
    End end =
        run(
            "validate",
            file.toString(),
            "--data-root",
            dir.toString(),
            "--set",
            "large.column=numbr",
            "--set",
            "save.format=csv",
            "--set",
            "cuont.n=5");
    assertThat(end)
        .isEqualTo(
            new End(
                2,
                """
                error: --set names the step 'cuont', but there is no such step; did you mean 'count'?
                error: line 7: step 'large': column is 'numbr', but there is no such column here; did\
                 you mean 'number'?
                error: line 11: step 'save': there is no parameter 'format' of write
                %s is not valid: 3 errors
                """
                    .formatted(file),
                ""));
  }

  @Test
  void nothingRunsWhenThereIsAnError() {
    for (String setting : new String[] {"count.n=0", "large.column=numbr"}) {
      End end = run("run", file.toString(), "--data-root", dir.toString(), "--set", setting);
      assertThat(end.code()).isEqualTo(2);
      assertThat(end.output()).startsWith("error: line ").endsWith(" is not valid: 1 error\n");
      assertThat(end.errors()).isEmpty();
      assertThat(dir.resolve("numbers/processed/save.txt")).doesNotExist();
    }
  }

  @Test
  void theCatalogAndTheSchemaArePrinted() {
    assertThat(run("catalog"))
        .isEqualTo(
            new End(
                0,
                """
                count  Counts from 1.
                above  Keeps larger numbers.
                gate   Lets nothing pass.
                fail   Fails.
                write  Writes.
                """,
                ""));
    assertThat(run("catalog", "count").output())
        .isEqualTo(
            """
            count: Counts from 1.
            Takes no input.

              n: a whole number of at least 1 (required)
                  The last number.
            """);
    assertThat(run("schema").output()).startsWith("{\n").contains("\"const\" : \"above\"");
  }
}

package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.local.PipelineCommandTest.End;
import io.millrace.pipeline.EmbeddedCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pipelines by scripts/pipeline run: what is written, what is reported, and the exit codes. */
class PipelineCommandITCase {
  @TempDir Path dir;
  private Path file;
  private Path report;

  @BeforeEach
  void write() throws IOException {
    file = Files.writeString(dir.resolve("numbers.yaml"), PipelineCommandTest.NUMBERS);
    report = dir.resolve("new/report.json");
  }

  private End run(String... more) {
    List<String> args =
        new ArrayList<>(
            List.of(
                "run",
                file.toString(),
                "--data-root",
                dir.toString(),
                "--report",
                report.toString(),
                "--parallelism",
                "2"));
    args.addAll(List.of(more));
    return PipelineCommandTest.run(dir, args.toArray(new String[0]));
  }

  @Test
  void runsAndReports() throws IOException {
    End end = run("--set", "large.least=990");
    assertThat(end.errors()).isEmpty();
    assertThat(end.code()).isZero();
    assertThat(end.output())
        .containsPattern("count +1,000 rows, done\n")
        .containsPattern("large +10 rows, done\n")
        .containsPattern("large +above +success +1000 +10 +[0-9.]+ +removed 990\n")
        .containsPattern("save +write +success +10 +10 +[0-9.]+ +output_file .*save.txt\n")
        .containsPattern("Completed after [0-9.]+ s, run [0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}\n$");
    assertThat(dir.resolve("numbers/processed/save.txt")).hasContent("written");

    JsonNode json = new ObjectMapper().readTree(Files.readString(report));
    assertThat(json.get("status").asText()).isEqualTo("completed");
    assertThat(json.get("pipeline_name").asText()).isEqualTo("numbers");
    assertThat(
            StreamSupport.stream(
                Spliterators.spliteratorUnknownSize(
                    json.get("steps").elements(), Spliterator.ORDERED),
                false))
        .extracting(
            step ->
                step.get("step_id").asText()
                    + " "
                    + step.get("rows_in")
                    + " "
                    + step.get("rows_out"))
        .containsExactly("count 0 1000", "large 1000 10", "save 10 10");
  }

  @Test
  void aGateThatFailsHasItsOwnCodeAndIsReported() throws IOException {
    Files.writeString(
        file,
        PipelineCommandTest.NUMBERS.replace(
            "service: above\n      params: {column: number, least: 900}", "service: gate"));
    End end = run();
    assertThat(end.code()).isEqualTo(3);
    assertThat(end.output())
        .containsPattern("Quality gate failed after [0-9.]+ s, run ")
        .endsWith("quality checks of step 'gate' failed: min_rows\n");
    assertThat(new ObjectMapper().readTree(Files.readString(report)).get("status").asText())
        .isEqualTo("quality_failed");
    assertThat(dir.resolve("numbers/processed/save.txt")).doesNotExist();
  }

  @Test
  void aFailureIsOneLineAndCodeOne() throws IOException {
    Files.writeString(
        file,
        PipelineCommandTest.NUMBERS.replace(
            "service: above\n      params: {column: number, least: 900}", "service: fail"));
    End end = run();
    assertThat(end.code()).isEqualTo(1);
    assertThat(end.output())
        .containsPattern("Failed after [0-9.]+ s, run ")
        .endsWith("row 1 is broken\n");
    assertThat(new ObjectMapper().readTree(Files.readString(report)).get("error").asText())
        .isEqualTo("row 1 is broken");
  }

  @Test
  void runsOnAClusterThatIsNamed() throws Exception {
    Path jar = dir.resolve("jobs/target/millrace-jobs-cluster.jar");
    Files.createDirectories(jar.getParent());
    new JarOutputStream(Files.newOutputStream(jar), new Manifest()).close();
    String address;
    try (EmbeddedCluster cluster = EmbeddedCluster.start(2)) {
      address = cluster.host() + ":" + cluster.port();
      End end = run("--target", address);
      assertThat(end.errors()).isEmpty();
      assertThat(end.code()).isZero();
      assertThat(end.output()).containsPattern("save +write +success +100 +100 ");
    }
    End end = run("--target", address);
    assertThat(end.code()).isEqualTo(1);
    assertThat(end.errors())
        .isEqualTo("scripts/pipeline run failed: no Flink cluster answers at '" + address + "'\n");
  }
}

package io.millrace.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.pipeline.PipelineValidator.Validation;
import io.millrace.pipeline.RunReport.Status;
import io.millrace.pipeline.RunReport.StepReport;
import io.millrace.transform.Catalog;
import io.millrace.transform.DataRoot;
import io.millrace.transform.Declaration;
import io.millrace.transform.Transform;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every example of the catalog that needs files only does run, and writes what it says. */
class CatalogExamplesTest {
  private static final Path DATA = Path.of("src/test/resources/pipelines/data");

  /** Their examples need a server, and run where the tests of these entries have one. */
  private static final Set<String> WITH_SERVERS =
      Set.of(
          "text_completion_llm",
          "extract_sql",
          "extract_api",
          "extract_kafka",
          "load_kafka",
          "load_lake");

  private static EmbeddedCluster cluster;

  @TempDir Path dir;

  @BeforeAll
  static void start() throws Exception {
    cluster = EmbeddedCluster.start(2);
  }

  @AfterAll
  static void stop() throws Exception {
    cluster.close();
  }

  /** An example and the entry that it is of. */
  private record Example(String service, String yaml) {
    @Override
    public String toString() {
      return service;
    }
  }

  static List<Example> examples() {
    return Catalog.standard().entries().stream()
        .map(Transform::declaration)
        .filter(declaration -> !WITH_SERVERS.contains(declaration.service()))
        .flatMap(CatalogExamplesTest::of)
        .toList();
  }

  private static Stream<Example> of(Declaration declaration) {
    return declaration.examples().stream().map(yaml -> new Example(declaration.service(), yaml));
  }

  @ParameterizedTest
  @MethodSource("examples")
  void runs(Example example) throws IOException {
    try (Stream<Path> files = Files.list(DATA)) {
      for (Path file : files.toList()) {
        Files.copy(file, dir.resolve(file.getFileName()));
      }
    }
    PipelineFile file = PipelineParser.parse(example.yaml());
    Validation validation = PipelineValidator.validate(file, Catalog.standard());
    assertThat(validation.problems()).isEmpty();
    RunReport report =
        PipelineRunner.run(
            PipelineCheck.compile(
                file,
                validation,
                Catalog.standard(),
                cluster.environment(validation.bounded()),
                DataRoot.at(dir)),
            (step, rows, done) -> {});
    assertThat(report.error()).isNull();
    assertThat(report.status()).isEqualTo(Status.COMPLETED);
    StepReport save = report.step("save");
    assertThat(save.rowsOut()).isPositive();
    assertThat(Path.of((String) save.figures().get("output_file"))).isNotEmptyFile();
  }
}

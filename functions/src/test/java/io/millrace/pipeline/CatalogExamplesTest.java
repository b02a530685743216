package io.millrace.pipeline;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.millrace.pipeline.PipelineValidator.Validation;
import io.millrace.pipeline.RunReport.Status;
import io.millrace.pipeline.RunReport.StepReport;
import io.millrace.transform.DataRoot;
import io.millrace.transform.Declaration;
import io.millrace.transform.Transform;
import io.millrace.transform.http.PublicAddresses;
import io.millrace.transform.llm.ChatServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
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

/**
 * Every example of the catalog runs, and writes what it says; those that need Kafka, PostgreSQL or
 * a Metastore do so where the tests of these entries have one.
 */
class CatalogExamplesTest {
  private static final Path DATA = Path.of("src/test/resources/pipelines/data");

  private static final Set<String> ELSEWHERE =
      Set.of("extract_sql", "extract_kafka", "load_kafka", "load_lake");

  private static final String LLM_URL = "millrace.llm.url";

  private static EmbeddedCluster cluster;
  private static ChatServer model;
  private static HttpServer web;

  @TempDir Path dir;

  @BeforeAll
  static void start() throws Exception {
    cluster = EmbeddedCluster.start(2);
    model = new ChatServer(asked -> "very good");
    System.setProperty(LLM_URL, model.url());
    byte[] forecast =
        "{\"hourly\":{\"time\":[\"2026-01-01T00:00\"],\"temperature_2m\":[7.5]}}".getBytes(UTF_8);
    web = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    web.createContext(
        "/v1/forecast",
        exchange -> {
          exchange.sendResponseHeaders(200, forecast.length);
          exchange.getResponseBody().write(forecast);
          exchange.close();
        });
    web.start();
    System.setProperty(PublicAddresses.ALLOW_PRIVATE, "true");
  }

  @AfterAll
  static void stop() throws Exception {
    System.clearProperty(PublicAddresses.ALLOW_PRIVATE);
    System.clearProperty(LLM_URL);
    web.stop(0);
    model.close();
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
    return StandardCatalog.standard().entries().stream()
        .map(Transform::declaration)
        .filter(declaration -> !ELSEWHERE.contains(declaration.service()))
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
    String here = "http://127.0.0.1:" + web.getAddress().getPort();
    PipelineFile file =
        PipelineParser.parse(example.yaml().replace("https://api.open-meteo.com", here));
    Validation validation = PipelineValidator.validate(file, StandardCatalog.standard());
    assertThat(validation.problems()).isEmpty();
    RunReport report =
        PipelineRunner.run(
            PipelineCheck.compile(
                file,
                validation,
                StandardCatalog.standard(),
                cluster.environment(validation.bounded()),
                DataRoot.at(dir)),
            (step, rows, done) -> {});
    assertThat(report.error()).isNull();
    assertThat(report.status()).isEqualTo(Status.COMPLETED);
    StepReport save = report.step("save");
    assertThat(save.rowsOut()).isPositive();
    assertThat(Path.of((String) save.figures().get("output_file"))).isNotEmptyFile();
    if (example.service().equals("text_completion_llm")) {
      assertThat(Files.readAllLines(Path.of((String) save.figures().get("output_file"))))
          .containsExactly("id,text", "1,all is very good", "2,as it was");
    }
  }
}

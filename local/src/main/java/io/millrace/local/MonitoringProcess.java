package io.millrace.local;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Prometheus or Alertmanager, of the machine's own package, with the configuration in `monitoring`.
 *
 * <p>It gets a copy of that folder. Beside it, `targets/NAME.json` lists addresses as
 * `file_sd_configs` read them: `targets/flink.json` and `targets/alertmanager.json`.
 */
final class MonitoringProcess extends ServerProcess {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final String program;
  private final Supplier<Map<String, List<String>>> targets;
  private int port;

  private MonitoringProcess(
      String name, String program, Path folder, Supplier<Map<String, List<String>>> targets) {
    super(name, folder);
    this.program = program;
    this.targets = targets;
  }

  /**
   * A server, where its program and its configuration, `monitoring/NAME.yml`, are there.
   *
   * @param name prometheus or alertmanager
   * @param targets addresses, by the name of their file
   */
  static Optional<MonitoringProcess> find(
      String name, Path folder, Supplier<Map<String, List<String>>> targets) {
    if (!Files.exists(shipped().resolve(name + ".yml"))) {
      return Optional.empty();
    }
    return program(name).map(program -> new MonitoringProcess(name, program, folder, targets));
  }

  /** The program of a server, where it is installed. */
  static Optional<String> program(String name) {
    List<String> names =
        name.equals("prometheus") ? List.of(name) : List.of(name, "prometheus-" + name);
    return Arrays.stream(System.getenv().getOrDefault("PATH", "").split(":", -1))
        .filter(p -> !p.isEmpty())
        .flatMap(p -> names.stream().map(n -> Path.of(p, n)))
        .filter(Files::isExecutable)
        .findFirst()
        .map(Path::toString);
  }

  /** The folder of configuration, rules and dashboards. */
  static Path shipped() {
    return BuildFiles.module().resolveSibling("monitoring");
  }

  @Override
  public String address() {
    return "http://127.0.0.1:" + port;
  }

  String hostAndPort() {
    return "127.0.0.1:" + port;
  }

  @Override
  List<Integer> choosePorts() {
    port = claimPort();
    return List.of(port);
  }

  @Override
  void prepare() throws IOException {
    Files.createDirectories(folder().resolve("data"));
  }

  @Override
  void configure() throws IOException {
    Path conf = folder().resolve("conf");
    BuildFiles.deleteTree(conf);
    BuildFiles.copyTree(shipped(), conf);
    Path lists = Files.createDirectories(conf.resolve("targets"));
    for (Map.Entry<String, List<String>> list : targets.get().entrySet()) {
      Files.write(
          lists.resolve(list.getKey() + ".json"),
          JSON.writeValueAsBytes(List.of(Map.of("targets", list.getValue()))));
    }
  }

  @Override
  String mark() {
    return ".path=" + folder().resolve("data");
  }

  @Override
  List<String> command() {
    return List.of();
  }

  @Override
  List<String> commandLine() {
    List<String> line = new ArrayList<>();
    line.add(program);
    line.add("--config.file=" + folder().resolve("conf").resolve(name() + ".yml"));
    line.add("--web.listen-address=" + hostAndPort());
    String data = folder().resolve("data").toString();
    if (name().equals("prometheus")) {
      line.add("--storage.tsdb.path=" + data);
    } else {
      line.add("--storage.path=" + data);
      line.add("--cluster.listen-address=");
    }
    return line;
  }

  @Override
  boolean answers() throws IOException {
    HttpURLConnection request =
        (HttpURLConnection) URI.create(address() + "/-/ready").toURL().openConnection();
    request.setConnectTimeout(2_000);
    request.setReadTimeout(5_000);
    try {
      return request.getResponseCode() == HttpURLConnection.HTTP_OK;
    } finally {
      request.disconnect();
    }
  }
}

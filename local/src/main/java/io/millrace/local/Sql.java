package io.millrace.local;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.annotation.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Flink's SQL client over the lake and the topics; see {@code --help}. */
@Command(
    name = "scripts/sql",
    mixinStandardHelpOptions = true,
    description = {
      "Opens Flink's SQL client with the lake's tables and the topics of sql/catalogs, the format",
      "arrow, and the functions of Millrace, which LOAD MODULE millrace brings in. Queries run on",
      "the cluster of scripts/up, or of --target; with --lake in a small Flink of the client's"
          + " own,",
      "over a lake on this machine. With -f it runs a script and exits with 0 only when every",
      "statement of it has succeeded."
    },
    version = "Millrace 0.1.0",
    sortOptions = false)
public final class Sql implements Callable<Integer> {
  private static final Pattern TARGET = Pattern.compile("([A-Za-z0-9.-]+):(\\d{1,5})");
  private static final List<String> CLIENT_JARS =
      List.of("flink-sql-client", "flink-sql-gateway", "flink-python");
  private static final String CLIENT_LOGGER = "org.apache.flink.table.client.cli.CliClient";
  private static final int CONNECT_MS = 3_000;

  @Option(
      names = {"-f", "--file"},
      paramLabel = "FILE",
      description = "A script of statements, each ended by a semicolon.")
  @Nullable
  private Path file;

  @Option(
      names = "--target",
      paramLabel = "HOST:PORT",
      description = "The REST interface of another Flink cluster of this version.")
  @Nullable
  private String target;

  @Option(
      names = "--lake",
      paramLabel = "DIR|S3",
      description = {
        "A lake: a folder of this machine, or with --target s3://bucket/path",
        "(default: that of scripts/up)."
      })
  @Nullable
  private String lake;

  @Option(
      names = "--kafka",
      paramLabel = "HOST:PORT",
      description = "The brokers of the topics (default: those of scripts/up).")
  @Nullable
  private String kafka;

  private final Path home;
  @Nullable private final Path launcher;
  private final ProcessBuilder.Redirect output;

  /**
   * A program to be run.
   *
   * @param environment variables beside those of this process
   * @param log what it tells of its work, an object of JSON per line
   */
  record Launch(List<String> line, Map<String, String> environment, Path log) {}

  /**
   * The command.
   *
   * @param launcher is written: a shell script that becomes the client
   */
  Sql(Path home, @Nullable Path launcher) {
    this(home, launcher, ProcessBuilder.Redirect.INHERIT);
  }

  /** The same, with another place for what a script prints. */
  Sql(Path home, @Nullable Path launcher, ProcessBuilder.Redirect output) {
    this.home = home;
    this.launcher = launcher;
    this.output = output;
  }

  public static void main(String[] args) {
    String launcher = System.getProperty("millrace.launcher");
    System.exit(
        Commands.run(new Sql(Commands.home(), launcher == null ? null : Path.of(launcher)), args));
  }

  @Override
  public Integer call() throws Exception {
    Launch launch = prepare();
    if (file == null && launcher != null) {
      // The client takes over this process's terminal.
      Files.writeString(launcher, "exec env " + shell(launch));
      return 0;
    }
    ProcessBuilder client = new ProcessBuilder(launch.line()).inheritIO().redirectOutput(output);
    client.environment().putAll(launch.environment());
    int exit = client.start().waitFor();
    String failure = failure(launch.log());
    BuildFiles.deleteTree(launch.log().getParent());
    if (failure != null) {
      throw new CommandFailure(failure);
    }
    return exit;
  }

  /**
   * What has failed by a client's log; null when nothing has. Its exit code does not tell: it is 0
   * after a statement that failed, too.
   */
  @Nullable
  private static String failure(Path log) throws IOException {
    ObjectMapper json = new ObjectMapper();
    if (!Files.exists(log)) {
      return null;
    }
    for (String line : Files.readAllLines(log)) {
      JsonNode event = json.readTree(line);
      if (event.path("logger").asText().equals(CLIENT_LOGGER) && event.has("error")) {
        return Failures.rootOf(event.path("error").asText());
      }
    }
    return null;
  }

  private static String shell(Launch launch) {
    List<String> words = new ArrayList<>();
    launch.environment().forEach((name, value) -> words.add(name + "=" + value));
    words.addAll(launch.line());
    return words.stream()
            .map(word -> "'" + word.replace("'", "'\\''") + "'")
            .collect(Collectors.joining(" "))
        + "\n";
  }

  /** Writes what the client reads, and gives its command line. */
  Launch prepare() throws IOException {
    if (file != null) {
      Submit.file("--file", file);
    }
    Map<String, String> flink = new LinkedHashMap<>();
    String root = lake;
    String brokers = kafka;
    if (target != null) {
      remote(flink);
      if (root == null) {
        throw new IllegalArgumentException("--target needs --lake s3://bucket/path, too");
      }
    } else if (lake != null) {
      if (!Files.isDirectory(Path.of(lake))) {
        throw new IllegalArgumentException(
            "--lake is '" + lake + "', which is not a folder; for S3 name --target, too");
      }
      root = Path.of(lake).toAbsolutePath().normalize().toUri().toString().replaceAll("/+$", "");
      flink.put("execution.target", "local");
      flink.put("high-availability.type", "NONE");
      // The small Flink keeps no state beyond a query.
      flink.put("execution.checkpointing.dir", "''");
    } else {
      DetachedStack stack = DetachedStack.running(home.resolve(DetachedStack.FOLDER));
      flink.putAll(stack.flinkSettings());
      flink.put("rest.port", Integer.toString(stack.flink().port()));
      flink.put("execution.target", "remote");
      flink.put("high-availability.type", "NONE");
      root = "s3://" + Stack.BUCKET;
      brokers = brokers == null ? stack.kafka().bootstrap() : brokers;
    }
    Path folder =
        Files.createDirectories(
            home.resolve("target/sql").resolve(Long.toString(ProcessHandle.current().pid())));
    Path log = folder.resolve("client.log");
    Path conf = folder.resolve("conf");
    FlinkProcess.writeConf(conf, flink);
    Path init =
        Files.writeString(
            folder.resolve("init.sql"), init(root, brokers == null ? "localhost:9092" : brokers));
    List<String> line =
        FlinkProcess.client(
            conf, log, CLIENT_JARS.stream().flatMap(j -> opt(j).stream()).toArray(Path[]::new));
    line.add("org.apache.flink.table.client.SqlClient");
    line.addAll(List.of("-i", init.toString()));
    for (Path jar : opt("")) {
      if (CLIENT_JARS.stream().noneMatch(jar.getFileName().toString()::startsWith)) {
        line.addAll(List.of("-j", jar.toString()));
      }
    }
    line.addAll(List.of("-j", BuildFiles.jar("sql").toString()));
    if (file != null) {
      line.addAll(List.of("-f", file.toAbsolutePath().normalize().toString()));
    }
    return new Launch(line, FlinkProcess.environment(conf), log);
  }

  private void remote(Map<String, String> flink) {
    Matcher address = TARGET.matcher(target);
    if (!address.matches()) {
      throw new IllegalArgumentException("--target is '" + target + "', but must be HOST:PORT");
    }
    int port = Integer.parseInt(address.group(2));
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(address.group(1), port), CONNECT_MS);
    } catch (IOException | IllegalArgumentException e) {
      throw new CommandFailure("no answer from --target " + target + ": " + e.getMessage(), e);
    }
    flink.put("rest.address", address.group(1));
    flink.put("rest.port", Integer.toString(port));
    flink.put("execution.target", "remote");
    flink.put("high-availability.type", "NONE");
  }

  /** The statements that every session begins with. */
  private static String init(String root, String brokers) throws IOException {
    StringBuilder init = new StringBuilder();
    for (String name : List.of("settings.sql", "lake.sql", "kafka.sql")) {
      init.append(Files.readString(BuildFiles.sql("catalogs").resolve(name))).append('\n');
    }
    return init.toString().replace("${lake}", root).replace("${kafka}", brokers);
  }

  /** The jars of Flink's `opt` folder whose names begin so. */
  private static List<Path> opt(String prefix) {
    try (Stream<Path> jars = Files.list(FlinkProcess.distribution().resolve("opt"))) {
      return jars.filter(j -> j.getFileName().toString().startsWith(prefix)).sorted().toList();
    } catch (IOException e) {
      throw new IllegalStateException("no opt folder; run: mvn package -DskipTests", e);
    }
  }
}

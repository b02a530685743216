package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.millrace.job.engagement.EngagementConfig;
import java.io.IOException;
import java.io.Reader;
import java.net.URI;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.Yaml;

/** The stack in containers is the stack of {@code scripts/up}. */
class ComposeFileTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path ROOT = BuildFiles.module().getParent();
  private static final Path COMPOSE = ROOT.resolve("deploy/compose");
  private static final Pattern PROPERTY = Pattern.compile("<name>(.*?)</name><value>(.*?)</value>");

  @TempDir private Path folder;

  /** With anchors and merge keys resolved. */
  private static JsonNode compose() throws IOException {
    try (Reader in = Files.newBufferedReader(ROOT.resolve("docker-compose.yml"))) {
      return JSON.valueToTree(new Yaml().load(in));
    }
  }

  private static List<Error> problems(JsonNode compose) throws IOException {
    JsonNode schema =
        JSON.readTree(
            BuildFiles.module().resolve("src/test/resources/compose/compose-spec.json").toFile());
    ((ObjectNode) schema).remove("$schema");
    dropNames(schema);
    return SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2019_09)
        .getSchema(schema.toString())
        .validate(compose.toString(), InputFormat.JSON);
  }

  /** Its parts are named by "id", which the draft that it names has not. */
  private static void dropNames(JsonNode schema) {
    if (schema.path("id").isTextual()) {
      ((ObjectNode) schema).remove("id");
    }
    schema.forEach(ComposeFileTest::dropNames);
  }

  @Test
  void itIsAComposeFile() throws Exception {
    JsonNode compose = compose();
    assertThat(problems(compose)).isEmpty();
    ((ObjectNode) compose.at("/services/kafka")).put("port", 1);
    assertThat(problems(compose)).isNotEmpty();
  }

  @Test
  void servicesAndPortsAreThoseOfTheStack() throws Exception {
    Map<String, List<Integer>> published = new TreeMap<>();
    compose()
        .path("services")
        .properties()
        .forEach(
            service -> {
              List<Integer> ports = new ArrayList<>();
              service
                  .getValue()
                  .path("ports")
                  .forEach(
                      port -> {
                        String[] parts = port.asText().split(":", -1);
                        assertThat(parts[0]).isEqualTo("127.0.0.1");
                        ports.add(Integer.parseInt(parts[1]));
                      });
              ports.sort(null);
              published.put(service.getKey(), ports);
            });
    Map<String, List<Integer>> stack = new TreeMap<>();
    DetachedStack.ports(DetachedStack.PORT_BASE)
        .forEach((name, ports) -> stack.put(name, ports.stream().sorted().toList()));
    // What the controllers of Kafka tell each other is nobody else's.
    stack.put("kafka", List.of(DetachedStack.PORT_BASE));
    assertThat(published).isEqualTo(stack);
  }

  @Test
  void whatIsMountedAndBuiltIsThere() throws Exception {
    JsonNode compose = compose();
    Set<String> sources = new TreeSet<>();
    Set<String> volumes = new TreeSet<>();
    for (JsonNode service : compose.path("services")) {
      for (JsonNode volume : service.path("volumes")) {
        String source = volume.asText().split(":", -1)[0];
        (source.startsWith(".") ? sources : volumes).add(source);
      }
      String dockerfile = service.at("/build/dockerfile").asText();
      if (!dockerfile.isEmpty()) {
        sources.add(dockerfile);
      }
    }
    assertThat(volumes).containsExactlyInAnyOrderElementsOf(compose.path("volumes")::fieldNames);
    assertThat(sources)
        .contains("./flink-conf", "./monitoring", "./deploy/compose/kafka")
        .hasSizeGreaterThan(8);
    for (String source : sources) {
      assertThat(ROOT.resolve(source)).exists();
    }
  }

  /** What a build makes, by its folder and name. */
  @Test
  void theImagesAreMadeOfWhatTheBuildMakes() throws Exception {
    List<String> allowed =
        Files.readAllLines(ROOT.resolve(".dockerignore")).stream()
            .filter(line -> line.startsWith("!"))
            .map(line -> line.substring(1))
            .toList();
    String version = projectVersion();
    List<String> copied = new ArrayList<>();
    for (String name : List.of("Dockerfile", "servers.Dockerfile")) {
      for (String line : Files.readAllLines(ROOT.resolve("deploy/docker").resolve(name))) {
        if (line.startsWith("COPY ")) {
          List<String> words = List.of(line.split(" ", -1));
          copied.addAll(words.subList(1, words.size() - 1));
        }
      }
    }
    assertThat(copied)
        .contains("flink-conf", "jobs/target/millrace-jobs-" + version + "-cluster.jar")
        .hasSizeGreaterThan(8);
    for (String source : copied) {
      assertThat(allowed)
          .as(source)
          .anyMatch(
              pattern -> {
                var matcher = FileSystems.getDefault().getPathMatcher("glob:" + pattern + "{,/**}");
                return matcher.matches(Path.of(source));
              });
      Path made = Path.of(source.split("/target/", -1)[0]);
      assertThat(ROOT.resolve(made)).exists();
    }
  }

  private static String projectVersion() throws IOException {
    Matcher version =
        Pattern.compile("<version>(.*?)</version>")
            .matcher(Files.readString(ROOT.resolve("pom.xml")));
    assertThat(version.find()).isTrue();
    return version.group(1);
  }

  /** But for addresses and folders. */
  @Test
  void theServersSettingsAreThoseOfTheStack() throws Exception {
    KafkaBroker kafka = KafkaBroker.in(folder.resolve("kafka"));
    kafka.choosePorts();
    kafka.prepare();
    assertSame(
        properties(folder.resolve("kafka/conf/server.properties")),
        properties(COMPOSE.resolve("kafka/server.properties")),
        "controller.quorum.voters",
        "listeners",
        "advertised.listeners",
        "listener.security.protocol.map",
        "log.dirs");

    S3Server s3 = S3Server.in(folder.resolve("s3"));
    s3.choosePorts();
    s3.prepare();
    assertSame(
        properties(folder.resolve("s3/conf/s3proxy.conf")),
        properties(COMPOSE.resolve("s3/s3proxy.conf")),
        "s3proxy.endpoint",
        "jclouds.filesystem.basedir");

    ZooKeeper zookeeper = ZooKeeper.in(folder.resolve("zookeeper"));
    zookeeper.choosePorts();
    zookeeper.prepare();
    Map<String, String> own = properties(folder.resolve("zookeeper/conf/zoo.cfg"));
    own.remove("clientPortAddress");
    assertSame(own, properties(COMPOSE.resolve("zookeeper/zoo.cfg")), "dataDir", "clientPort");

    for (String file : List.of("metastore-site.xml", "core-site.xml")) {
      Map<String, String> site =
          Metastore.settings(folder, URI.create("http://s3"), 1, s3.accessKey(), s3.secretKey())
              .get(file);
      String[] addresses =
          file.equals("core-site.xml")
              ? new String[] {"fs.s3a.endpoint"}
              : new String[] {
                "fs.s3a.endpoint",
                "javax.jdo.option.ConnectionURL",
                "metastore.thrift.uris",
                "metastore.thrift.port",
                "metastore.warehouse.dir"
              };
      assertSame(site, xml(COMPOSE.resolve("metastore").resolve(file)), addresses);
    }
  }

  private static void assertSame(
      Map<String, String> stack, Map<String, String> container, String... addresses) {
    assertThat(container).containsOnlyKeys(stack.keySet());
    for (String address : addresses) {
      assertThat(stack.remove(address)).as(address).isNotEqualTo(container.remove(address));
    }
    assertThat(container).isEqualTo(stack);
  }

  private static Map<String, String> properties(Path file) throws IOException {
    Properties properties = new Properties();
    try (Reader in = Files.newBufferedReader(file)) {
      properties.load(in);
    }
    Map<String, String> map = new TreeMap<>();
    properties.forEach((key, value) -> map.put((String) key, (String) value));
    return map;
  }

  private static Map<String, String> xml(Path file) throws IOException {
    return PROPERTY
        .matcher(Files.readString(file))
        .results()
        .collect(Collectors.toMap(p -> p.group(1), p -> p.group(2), (a, b) -> b, TreeMap::new));
  }

  @Test
  void topicsAreThoseOfTheTraffic() throws Exception {
    Set<String> wanted = new TreeSet<>(List.of("sessions", "rollups.live", "anomalies"));
    for (String topic : SimulatedTraffic.TOPICS) {
      wanted.add(topic);
      wanted.add(topic + ".dlq");
    }
    assertThat(Files.readAllLines(COMPOSE.resolve("kafka/topics")))
        .allMatch(line -> line.matches("\\S+ \\d+( [a-z.]+=\\w+)?"))
        .map(line -> line.split(" ", -1)[0])
        .containsExactlyInAnyOrderElementsOf(wanted);
  }

  /** Topics are created beside the broker; what takes jobs waits until they are there. */
  @Test
  void theClusterWaitsForTheTopics() throws Exception {
    JsonNode services = compose().path("services");
    String health = services.at("/kafka/healthcheck/test/3").asText();
    Matcher file = Pattern.compile("test -e (\\S+) && ").matcher(health);
    assertThat(file.find()).as(health).isTrue();
    assertThat(Files.readString(ROOT.resolve("deploy/docker/server")))
        .containsSubsequence(
            "rm -f " + file.group(1), "CreateTopics.java", "&& touch " + file.group(1));
    assertThat(services.at("/jobmanager/depends_on/kafka/condition").asText())
        .isEqualTo("service_healthy");
  }

  /** Prometheus finds the others by the lists that scripts/up replaces by its own. */
  @Test
  void theMonitorsFindTheirTargets() throws Exception {
    JsonNode services = compose().path("services");
    Set<String> scraped = new TreeSet<>();
    for (String list : List.of("flink.json", "alertmanager.json")) {
      for (JsonNode group : JSON.readTree(ROOT.resolve("monitoring/targets/" + list).toFile())) {
        group.path("targets").forEach(target -> scraped.add(target.asText().split(":", -1)[0]));
      }
    }
    assertThat(scraped)
        .containsExactly("alertmanager", "jobmanager", "taskmanager-1", "taskmanager-2")
        .allMatch(services::has);
  }

  @Test
  void flinkIsToldWhereTheServersAre() throws Exception {
    JsonNode services = compose().path("services");
    for (String name : List.of("jobmanager", "taskmanager-1", "taskmanager-2")) {
      JsonNode service = services.path(name);
      assertThat(service.path("hostname").asText()).isEqualTo(name);
      Map<?, ?> told = new Yaml().load(service.at("/environment/FLINK_PROPERTIES").asText());
      assertThat(told.get("s3.endpoint")).isEqualTo("http://s3:9000");
      assertThat(told.get("s3.path.style.access")).isEqualTo(true);
    }
    EngagementConfig job =
        EngagementConfig.parse("--config", COMPOSE.resolve("engagement.yaml").toString());
    assertThat(job.input().bootstrapServers()).isEqualTo("kafka:9092");
    assertThat(job.lake().root()).isEqualTo("s3://" + Stack.BUCKET);
    assertThat(services.has("kafka") && services.has("metastore")).isTrue();
  }
}

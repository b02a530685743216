package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.marcnuri.helm.Helm;
import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.fabric8.openshift.api.model.monitoring.v1.PodMetricsEndpoint;
import io.fabric8.openshift.api.model.monitoring.v1.PodMonitor;
import io.millrace.job.engagement.EngagementConfig;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.clusterframework.TaskExecutorProcessUtils;
import org.apache.flink.runtime.jobmanager.JobManagerProcessUtils;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The chart, rendered by Helm's own engine and held against the operator's definition of a
 * FlinkDeployment. The definition that can be had ends at Flink 1.20: its list of Flink versions,
 * and nothing else of it, is left out.
 */
class ChartTest {
  private static final ObjectMapper YAML = new YAMLMapper();
  private static final Path ROOT = BuildFiles.module().getParent();
  private static final Path DEPLOY = ROOT.resolve("deploy");
  private static final Path CHART = DEPLOY.resolve("helm/millrace");
  private static final String DEFINITION =
      "META-INF/fabric8/flinkdeployments.flink.apache.org-v1.yml";
  private static Schema flinkDeployment;

  @TempDir private Path folder;

  @BeforeAll
  static void readTheDefinition() throws IOException {
    try (InputStream in = ChartTest.class.getClassLoader().getResourceAsStream(DEFINITION)) {
      JsonNode version = YAML.readTree(in).path("spec").path("versions").path(0);
      assertThat(version.path("name").asText()).isEqualTo("v1beta1");
      ObjectNode schema = (ObjectNode) version.path("schema").path("openAPIV3Schema");
      ObjectNode flinkVersion = (ObjectNode) schema.at("/properties/spec/properties/flinkVersion");
      assertThat(flinkVersion.path("enum").get(flinkVersion.path("enum").size() - 1).asText())
          .isEqualTo("v1_20");
      flinkVersion.remove("enum");
      for (String known : List.of("apiVersion", "kind", "metadata")) {
        ((ObjectNode) schema.path("properties")).putObject(known);
      }
      refuseUnknownFields(schema);
      flinkDeployment =
          SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_7)
              .getSchema(schema.toString());
    }
  }

  /** A server drops what it does not know, without a word. */
  private static void refuseUnknownFields(JsonNode schema) {
    if (schema instanceof ObjectNode object) {
      if (object.has("properties")
          && !object.has("additionalProperties")
          && !object.path("x-kubernetes-preserve-unknown-fields").asBoolean()) {
        object.put("additionalProperties", false);
      }
    }
    schema.forEach(ChartTest::refuseUnknownFields);
  }

  private static List<String> problems(JsonNode deployment) {
    return flinkDeployment.validate(deployment.toString(), InputFormat.JSON).stream()
        .map(Error::toString)
        .toList();
  }

  private static String render(Path... values) {
    var template = new Helm(CHART).template().withName("engagement").withNamespace("millrace");
    for (Path file : values) {
      template.withValuesFile(file);
    }
    return template.call();
  }

  private static Map<String, JsonNode> resources(String manifests) throws IOException {
    Map<String, JsonNode> byKind = new TreeMap<>();
    for (JsonNode resource :
        YAML.readerFor(JsonNode.class).<JsonNode>readValues(manifests).readAll()) {
      assertThat(byKind.put(resource.path("kind").asText(), resource)).isNull();
    }
    return byKind;
  }

  @ParameterizedTest
  @ValueSource(strings = {"aws", "azure", "gcp"})
  void eachCloudsManifestsAreWhatTheOperatorAndTheJobTake(String cloud) throws Exception {
    String manifests = render(DEPLOY.resolve("helm").resolve(cloud + ".yaml"));
    Path shipped = DEPLOY.resolve("kubernetes").resolve(cloud + ".yaml");
    if (Boolean.getBoolean("millrace.docs.update")) {
      Files.writeString(shipped, manifests);
    }
    assertThat(shipped).hasContent(manifests);

    Map<String, JsonNode> resources = resources(manifests);
    assertThat(resources)
        .containsOnlyKeys("ConfigMap", "FlinkDeployment", "Role", "RoleBinding", "ServiceAccount");
    JsonNode deployment = resources.get("FlinkDeployment");
    assertThat(problems(deployment)).isEmpty();
    JsonNode spec = deployment.path("spec");
    JsonNode account = resources.get("ServiceAccount").path("metadata");
    assertThat(spec.path("serviceAccount")).isEqualTo(account.path("name"));
    assertThat(resources.get("RoleBinding").at("/subjects/0/name")).isEqualTo(account.path("name"));
    mountsExist(spec.path("podTemplate").path("spec"));

    Path config = Files.writeString(folder.resolve("engagement.yaml"), job(resources));
    EngagementConfig job = EngagementConfig.parse("--config", config.toString());
    assertThat(job.lake().root()).startsWith(scheme(cloud));

    Configuration flink = new Configuration();
    texts(spec.path("flinkConfiguration")).forEach(flink::setString);
    for (String key :
        List.of(
            "execution.checkpointing.dir",
            "execution.checkpointing.savepoint-dir",
            "high-availability.storageDir")) {
      assertThat(flink.getString(key, "")).startsWith(scheme(cloud));
    }
    memoryFits(flink, spec);
  }

  private static String scheme(String cloud) {
    return Map.of("aws", "s3://", "azure", "abfss://", "gcp", "gs://").get(cloud);
  }

  private static String job(Map<String, JsonNode> resources) {
    return resources.get("ConfigMap").path("data").path("engagement.yaml").asText();
  }

  private static void mountsExist(JsonNode pod) {
    Set<String> mounted =
        StreamSupport.stream(pod.at("/containers/0/volumeMounts").spliterator(), false)
            .map(mount -> mount.path("name").asText())
            .collect(Collectors.toSet());
    Set<String> volumes =
        StreamSupport.stream(pod.path("volumes").spliterator(), false)
            .map(volume -> volume.path("name").asText())
            .collect(Collectors.toSet());
    assertThat(mounted).isEqualTo(volumes).contains("job", "secrets");
    assertThat(pod.at("/securityContext/runAsNonRoot").asBoolean()).isTrue();
  }

  /** Flink's own arithmetic, which the operator hands the sizes of the pods to. */
  private static void memoryFits(Configuration flink, JsonNode spec) {
    Configuration taskManager = new Configuration(flink);
    taskManager.setString(
        "taskmanager.memory.process.size", spec.at("/taskManager/resource/memory").asText());
    assertThat(
            TaskExecutorProcessUtils.processSpecFromConfig(taskManager)
                .getTaskHeapSize()
                .getMebiBytes())
        // Two slots with the job's defaults: users.cache-size 128 mb, lake.writer-memory 256 mb.
        .isGreaterThan(2 * (128 + 256));
    Configuration jobManager = new Configuration(flink);
    jobManager.setString(
        "jobmanager.memory.process.size", spec.at("/jobManager/resource/memory").asText());
    assertThat(
            JobManagerProcessUtils.processSpecFromConfig(jobManager)
                .getJvmHeapMemorySize()
                .getMebiBytes())
        .isPositive();
  }

  @Test
  void theDefinitionRefusesWhatIsMisspelt() throws Exception {
    JsonNode deployment = resources(render(DEPLOY.resolve("helm/aws.yaml"))).get("FlinkDeployment");
    ((ObjectNode) deployment.at("/spec/job")).put("paralelism", 4);
    ((ObjectNode) deployment.at("/spec/job")).put("upgradeMode", "stop");
    ((ObjectNode) deployment.at("/spec/podTemplate/spec")).putObject("volume");
    ((ArrayNode) deployment.at("/spec/podTemplate/spec/containers")).addObject().put("name", 5);
    assertThat(problems(deployment))
        .hasSize(4)
        .anyMatch(p -> p.contains("paralelism"))
        .anyMatch(p -> p.contains("upgradeMode"))
        .anyMatch(p -> p.contains("'volume'"))
        .anyMatch(p -> p.contains("containers/1/name") || p.contains("containers[1].name"));
  }

  @Test
  void valuesThatAreMissingOrUnknownAreRefused() throws Exception {
    assertThatThrownBy(() -> render())
        .hasMessageContaining("kafka.bootstrap-servers")
        .hasMessageContaining("execution.checkpointing.dir");
    Path misspelt = Files.writeString(folder.resolve("values.yaml"), "taskManagers: {cpu: 1}\n");
    assertThatThrownBy(() -> render(DEPLOY.resolve("helm/aws.yaml"), misspelt))
        .hasMessageContaining("taskManagers");
  }

  @Test
  void anotherConfigurationIsAnotherSpec() throws Exception {
    Path aws = DEPLOY.resolve("helm/aws.yaml");
    Path more =
        Files.writeString(
            folder.resolve("values.yaml"),
            """
            engagement: {sessions.gap: 20 min}
            secretName: ""
            serviceAccount: {create: false, name: theirs}
            podLabels: {team: data}
            job: {args: ["--rollups.enabled", "false"]}
            """);
    Map<String, JsonNode> before = resources(render(aws));
    Map<String, JsonNode> after = resources(render(aws, more));
    String checksum = "/spec/podTemplate/metadata/annotations/millrace~1engagement";
    assertThat(after.get("FlinkDeployment").at(checksum).asText())
        .hasSize(64)
        .isNotEqualTo(before.get("FlinkDeployment").at(checksum).asText());
    assertThat(job(after)).contains("sessions.gap: 20 min");
    assertThat(after).containsOnlyKeys("ConfigMap", "FlinkDeployment");
    JsonNode spec = after.get("FlinkDeployment").path("spec");
    assertThat(problems(after.get("FlinkDeployment"))).isEmpty();
    assertThat(spec.path("serviceAccount").asText()).isEqualTo("theirs");
    assertThat(spec.at("/podTemplate/metadata/labels/team").asText()).isEqualTo("data");
    assertThat(spec.at("/podTemplate/spec/volumes")).hasSize(1);
    assertThat(spec.at("/job/args/3").asText()).isEqualTo("false");
  }

  /** As monitoring/prometheus.yml scrapes, so that its rules find what they ask for. */
  @Test
  void thePodMonitorIsWhatThePrometheusOperatorTakes() throws Exception {
    Path wanted =
        Files.writeString(
            folder.resolve("values.yaml"),
            "podMonitor: {enabled: true, interval: 30s, labels: {release: prometheus}}\n");
    Map<String, JsonNode> resources = resources(render(DEPLOY.resolve("helm/aws.yaml"), wanted));
    PodMonitor monitor = podMonitor(resources.get("PodMonitor"));
    assertThat(monitor.getMetadata().getLabels()).containsEntry("release", "prometheus");
    JsonNode template = resources.get("FlinkDeployment").at("/spec/podTemplate");
    monitor
        .getSpec()
        .getSelector()
        .getMatchLabels()
        .forEach(
            (name, value) ->
                assertThat(template.path("metadata").path("labels").path(name).asText())
                    .isEqualTo(value));
    PodMetricsEndpoint endpoint = monitor.getSpec().getPodMetricsEndpoints().get(0);
    assertThat(endpoint.getPort())
        .isEqualTo(template.at("/spec/containers/0/ports/0/name").asText());
    assertThat(endpoint.getInterval()).isEqualTo("30s");

    JsonNode scrape =
        YAML.readTree(ROOT.resolve("monitoring/prometheus.yml").toFile()).at("/scrape_configs/0");
    assertThat(endpoint.getRelabelings()).hasSize(1);
    assertThat(endpoint.getRelabelings().get(0).getTargetLabel()).isEqualTo("job");
    assertThat(endpoint.getRelabelings().get(0).getReplacement())
        .isEqualTo(scrape.path("job_name").asText());
    assertThat(scrape.path("metric_relabel_configs")).hasSize(1);
    JsonNode dropped = scrape.at("/metric_relabel_configs/0");
    assertThat(endpoint.getMetricRelabelings()).hasSize(1);
    assertThat(endpoint.getMetricRelabelings().get(0).getRegex())
        .isEqualTo(dropped.path("regex").asText());
    assertThat(endpoint.getMetricRelabelings().get(0).getAction())
        .isEqualTo(dropped.path("action").asText());

    ((ObjectNode) resources.get("PodMonitor").path("spec")).put("podMetricEndpoints", "misspelt");
    assertThatThrownBy(() -> podMonitor(resources.get("PodMonitor")))
        .hasMessageContaining("podMetricEndpoints");
  }

  private static PodMonitor podMonitor(JsonNode manifest) throws IOException {
    return new ObjectMapper()
        .setAnnotationIntrospector(new OnlyWhatIsKnown())
        .treeToValue(manifest, PodMonitor.class);
  }

  /** The types of the client would keep what they do not know. */
  private static final class OnlyWhatIsKnown extends JacksonAnnotationIntrospector {
    private static final long serialVersionUID = 1L;

    @Override
    public Boolean hasAnySetter(Annotated member) {
      return false;
    }
  }

  /** What differs, and what is left out, is what speaks of one machine. */
  @Test
  void theClustersSettingsAreThoseOfFlinkConf() throws Exception {
    Map<String, String> local =
        texts(YAML.readTree(ROOT.resolve("flink-conf/config.yaml").toFile()));
    Map<String, String> chart =
        texts(YAML.readTree(CHART.resolve("values.yaml").toFile()).path("flinkConfiguration"));
    assertThat(local).containsKeys(chart.keySet().toArray(String[]::new));
    Map<String, String> differing = new TreeMap<>(chart);
    differing.entrySet().removeAll(local.entrySet());
    assertThat(differing)
        .isEqualTo(
            Map.of(
                "execution.checkpointing.interval", "60 s",
                "high-availability.type", "kubernetes",
                "taskmanager.memory.managed.size", "768m"));
    assertThat(local.keySet())
        .filteredOn(key -> !chart.containsKey(key))
        .allMatch(
            key ->
                key.matches(
                    "(jobmanager|taskmanager)\\.(memory|bind-host|rpc|load-balance).*|rest\\..*"
                        + "|high-availability\\..*|execution\\.checkpointing\\.(savepoint-)?dir"
                        + "|parallelism\\.default|env\\.java\\.opts\\.all"));
    assertThat(CHART.resolve("files/log4j-console.properties"))
        .hasSameTextualContentAs(ROOT.resolve("flink-conf/log4j-console.properties"));
  }

  private static Map<String, String> texts(JsonNode settings) {
    Map<String, String> texts = new TreeMap<>();
    settings
        .properties()
        .forEach(
            e -> {
              List<String> elements = new ArrayList<>();
              e.getValue().forEach(element -> elements.add(element.asText()));
              texts.put(
                  e.getKey(), e.getValue().isArray() ? elements.toString() : e.getValue().asText());
            });
    return texts;
  }

  /** The class by which pods become an IAM role is in the plugin that they have. */
  @Test
  void theCredentialsProviderOfAmazonIsInFlinksPlugin() throws Exception {
    String provider =
        YAML.readTree(DEPLOY.resolve("helm/aws.yaml").toFile())
            .path("flinkConfiguration")
            .path("fs.s3a.aws.credentials.provider")
            .asText();
    try (var plugins = Files.list(BuildFiles.module().resolve("target/plugins/s3-fs-hadoop"));
        var jar = new java.util.jar.JarFile(plugins.findFirst().orElseThrow().toFile())) {
      assertThat(jar.getEntry(provider.replace('.', '/') + ".class")).isNotNull();
    }
  }
}

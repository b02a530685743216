package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.telemetry.MetricDocs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/**
 * What {@code monitoring} holds, without a server: that the tools of Prometheus and Alertmanager
 * take it, that its rules do as their tests say, and that it names nothing that is not there.
 */
class MonitoringTest {
  private static final Path MONITORING = MonitoringProcess.shipped();
  private static final Path RUNBOOK = MONITORING.resolveSibling("docs").resolve("runbook.md");
  private static final Pattern OURS = Pattern.compile("_operator_millrace_([a-z_]+)");
  private static final Pattern RECORDED = Pattern.compile("millrace:[a-z_]+:[a-z0-9]+");

  @Test
  void promtoolTakesConfigurationAndRules() throws Exception {
    OptionalPackages.requirePrometheus();
    assertThat(run("promtool", "check", "config", "prometheus.yml"))
        .contains("prometheus.yml is valid prometheus config file syntax")
        .contains("rules found");
  }

  @Test
  void everyAlertFiresInItsFaultAndClears() throws Exception {
    OptionalPackages.requirePrometheus();
    assertThat(run("promtool", "test", "rules", "alerts.test.yml", "rates.test.yml"))
        .containsSubsequence("alerts.test.yml", "SUCCESS", "rates.test.yml", "SUCCESS");
    // For each alert there is a time at which it fires, and times before and after it.
    Set<String> fired = new TreeSet<>();
    for (JsonNode test : yaml("alerts.test.yml").path("tests")) {
      List<JsonNode> times = new ArrayList<>();
      test.path("alert_rule_test").forEach(times::add);
      assertThat(times).hasSize(3);
      assertThat(times.get(0).path("exp_alerts")).isEmpty();
      assertThat(times.get(1).path("exp_alerts")).hasSize(1);
      assertThat(times.get(2).path("exp_alerts")).isEmpty();
      fired.add(times.get(1).path("alertname").asText());
    }
    assertThat(fired).isEqualTo(alerts().keySet());
  }

  /** Critical alerts page, warnings do not, and what explains another one silences it. */
  @Test
  void alertmanagerRoutesBySeverity() throws Exception {
    OptionalPackages.requirePrometheus();
    assertThat(run("amtool", "check-config", "alertmanager.yml")).contains("SUCCESS");
    alerts()
        .forEach(
            (name, alert) -> {
              String severity = alert.path("labels").path("severity").asText();
              assertThat(severity).as(name).isIn("critical", "warning");
              String said =
                  run(
                      "amtool",
                      "config",
                      "routes",
                      "test",
                      "--config.file=alertmanager.yml",
                      "alertname=" + name,
                      "severity=" + severity);
              // A warning may come before.
              assertThat(said.strip().lines().reduce((before, last) -> last))
                  .as(name)
                  .hasValue(severity.equals("critical") ? "page" : "chat");
            });
    Set<String> named = new TreeSet<>();
    Matcher matcher =
        Pattern.compile("alertname=\"(\\w+)\"")
            .matcher(Files.readString(MONITORING.resolve("alertmanager.yml")));
    while (matcher.find()) {
      named.add(matcher.group(1));
    }
    assertThat(alerts().keySet()).containsAll(named);
  }

  @Test
  void everyAlertHasItsPlaceInTheRunbook() throws IOException {
    Set<String> anchors = new HashSet<>();
    for (String line : Files.readAllLines(RUNBOOK)) {
      if (line.startsWith("#")) {
        anchors.add(anchor(line.replaceFirst("#+ ", "")));
      }
    }
    Map<String, JsonNode> alerts = alerts();
    assertThat(alerts).hasSizeGreaterThan(12);
    alerts.forEach(
        (name, alert) -> {
          assertThat(alert.path("annotations").path("runbook").asText())
              .isEqualTo("docs/runbook.md#" + anchor(name));
          assertThat(alert.path("annotations").path("summary").asText()).as(name).isNotEmpty();
          assertThat(anchors).contains(anchor(name));
        });
    assertThat(anchors.stream().filter(a -> a.startsWith("millrace")))
        .as("chapters of the runbook")
        .hasSameSizeAs(alerts.keySet());
  }

  /** The page has every alert with its fault, and so has the check that causes it. */
  @Test
  void thePageTellsTheFaultOfEveryAlert() throws IOException {
    Map<String, String> faults = new TreeMap<>();
    Matcher row =
        Pattern.compile("^\\| `(Millrace\\w+)` \\| (.+) \\|$", Pattern.MULTILINE)
            .matcher(Files.readString(RUNBOOK.resolveSibling("metrics.md")));
    while (row.find()) {
      assertThat(faults.put(row.group(1), row.group(2))).isNull();
    }
    assertThat(faults.keySet()).isEqualTo(alerts().keySet()).isEqualTo(MonitoringCheck.BY_FAULT);
  }

  private static String anchor(String heading) {
    return heading.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9 _-]", "").replace(' ', '-');
  }

  /** Whatever is asked by a name of ours is documented, and each short name has a rule. */
  @Test
  void rulesAndDashboardsNameWhatIsThere() throws IOException {
    Set<String> documented = new HashSet<>();
    MetricDocs.engagement()
        .forEach(
            entry ->
                entry
                    .registered()
                    .forEach(
                        name ->
                            documented.add(
                                entry.labels().isEmpty()
                                    ? (name.endsWith("_bucket") ? "le_" : "") + name
                                    : entry.labels().get(0) + "_" + name)));
    Set<String> recorded = new HashSet<>();
    for (JsonNode group : yaml("rules/millrace.yml").path("groups")) {
      group.path("rules").forEach(rule -> recorded.add(rule.path("record").asText()));
    }
    int found = 0;
    for (String expression : expressions()) {
      Matcher ours = OURS.matcher(expression);
      while (ours.find()) {
        found++;
        assertThat(documented).as(expression).contains(ours.group(1));
      }
      Matcher shortName = RECORDED.matcher(expression);
      while (shortName.find()) {
        found++;
        assertThat(recorded).as(expression).contains(shortName.group());
      }
    }
    assertThat(found).isGreaterThan(60);
  }

  private static List<String> expressions() throws IOException {
    List<String> all = new ArrayList<>();
    for (String file : List.of("rules/alerts.yml", "rules/millrace.yml")) {
      for (JsonNode group : yaml(file).path("groups")) {
        group.path("rules").forEach(rule -> all.add(rule.path("expr").asText()));
      }
    }
    Dashboards.all().forEach(panel -> all.add(panel.expression()));
    return all;
  }

  @Test
  void dashboardsAreProvisioned() throws IOException {
    List<Path> files;
    try (Stream<Path> list = Files.list(MONITORING.resolve("grafana").resolve("dashboards"))) {
      files = list.sorted().toList();
    }
    assertThat(files).hasSize(5);
    Set<String> uids = new TreeSet<>();
    for (Path file : files) {
      JsonNode dashboard = new ObjectMapper().readTree(file.toFile());
      assertThat(file.getFileName().toString()).isEqualTo(dashboard.path("uid").asText() + ".json");
      uids.add(dashboard.path("uid").asText());
      Set<String> titles = new HashSet<>();
      dashboard
          .path("panels")
          .forEach(panel -> assertThat(titles.add(panel.path("title").asText())).isTrue());
      assertThat(titles).hasSizeGreaterThan(8);
    }
    assertThat(uids).hasSize(5);
    assertThat(yaml("grafana/provisioning/datasources/prometheus.yml").path("datasources"))
        .hasSize(1);
    assertThat(yaml("grafana/provisioning/dashboards/millrace.yml").path("providers")).hasSize(1);
  }

  private static Map<String, JsonNode> alerts() throws IOException {
    Map<String, JsonNode> alerts = new TreeMap<>();
    for (JsonNode group : yaml("rules/alerts.yml").path("groups")) {
      for (JsonNode rule : group.path("rules")) {
        alerts.put(rule.path("alert").asText(), rule);
      }
    }
    return alerts;
  }

  private static JsonNode yaml(String file) throws IOException {
    Object parsed =
        new Yaml(new SafeConstructor(new LoaderOptions()))
            .load(Files.readString(MONITORING.resolve(file)));
    return new ObjectMapper().valueToTree(parsed);
  }

  /** Runs a tool in the folder; it has to succeed. */
  private static String run(String... line) {
    try {
      Process process =
          new ProcessBuilder(line).directory(MONITORING.toFile()).redirectErrorStream(true).start();
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor()).as(said).isZero();
      return said;
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException("cannot run " + String.join(" ", line), e);
    }
  }
}

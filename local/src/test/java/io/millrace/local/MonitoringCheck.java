package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.datagen.SimulatorOptions;
import io.millrace.telemetry.MetricDocs;
import io.millrace.telemetry.Metrics;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The shipped Prometheus, Alertmanager, rules and dashboards on a job that runs: each panel has
 * something to show, and alerts fire in faults and clear after them. {@code
 * scripts/monitoring-check} runs it; it is no part of the other tests.
 *
 * <p>Prometheus gets the rules with seconds for minutes: a fault of half a minute is enough.
 */
class MonitoringCheck {
  private static final Duration PATIENCE = Duration.ofSeconds(75);
  private static final JobKind JOB = JobKind.ENGAGEMENT;
  private static final String JOB_NAME = "millrace-engagement";
  private static final int PER_SECOND = 200;
  private static final double NORMALLY_MALFORMED = 0.005;

  /** The alerts that fire by a fault here, and clear after it; docs/metrics.md lists them. */
  static final Set<String> BY_FAULT =
      Set.of(
          "MillraceCheckpointAge",
          "MillraceJobDown",
          "MillraceLateRatio",
          "MillraceProcessDown",
          "MillraceRegistrationBacklog",
          "MillraceRejectedRatio",
          "MillraceTableStale");

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient HTTP = HttpClient.newHttpClient();
  private static final Pattern OURS =
      Pattern.compile("^flink_taskmanager_job_task_operator_millrace_(\\w+)\\{", Pattern.MULTILINE);

  private static final ByteArrayOutputStream SAID = new ByteArrayOutputStream();
  private static final PrintStream PRINT = new PrintStream(SAID, true, StandardCharsets.UTF_8);

  private static final Set<String> SEEN = new TreeSet<>();

  private static Path folder;
  private static DetachedStack stack;
  private static Thread sender;
  private static volatile boolean sending = true;
  private static volatile double malformed = NORMALLY_MALFORMED;
  private static volatile boolean late;

  @BeforeAll
  static void start() throws Exception {
    OptionalPackages.requirePrometheus();
    folder =
        Files.createTempDirectory(BuildFiles.classes().getParent(), "monitoring-").resolve("stack");
    stack = up();
    quicken(folder.resolve("prometheus").resolve("conf"));
    signal("prometheus", "HUP");
    new JobControl(stack, PRINT)
        .submit(
            JOB,
            JobControl.builtJar(),
            List.of("--time.out-of-orderness", "1 s", "--rollups.live-interval", "1 s"),
            2,
            null);
    sender = new Thread(MonitoringCheck::send, "traffic");
    sender.start();
  }

  private static DetachedStack up() {
    return DetachedStack.up(
        folder,
        0,
        Map.of("execution.checkpointing.interval", "2 s", "execution.checkpointing.min-pause", "0"),
        PRINT);
  }

  private static String twoSeconds(String text, String minutes, String seconds) {
    return Pattern.compile(minutes)
        .matcher(text)
        .replaceAll(found -> String.format(seconds, 2 * Integer.parseInt(found.group(1))));
  }

  /**
   * Seconds for minutes in limits, and two for each minute of windows and waits, lest a scrape that
   * a busy machine delays is missed.
   */
  private static void quicken(Path conf) throws IOException {
    List<Path> files;
    try (Stream<Path> rules = Files.list(conf.resolve("rules"))) {
      files = new ArrayList<>(rules.toList());
    }
    for (Path rules : files) {
      String text = Files.readString(rules);
      String quick =
          twoSeconds(twoSeconds(text, "\\[(\\d+)m\\]", "[%ds]"), "for: (\\d+)m\\b", "for: %ds")
              .replaceAll("(\\d+) \\* 60\\b", "$1");
      assertThat(quick).isNotEqualTo(text);
      Files.writeString(rules, quick);
    }
    Path main = conf.resolve("prometheus.yml");
    Files.writeString(
        main,
        Files.readString(main)
            .replaceAll("(scrape_interval|evaluation_interval|scrape_timeout): \\d+s", "$1: 2s"));
  }

  /** Events of now, until the end; and when told so half as many of two hours ago. */
  private static void send() {
    Duration span = Duration.ofSeconds(4);
    for (int seed = 1; sending; seed++) {
      SimulatorOptions options =
          SimulatorOptions.of(PER_SECOND * span.toSeconds(), seed)
              .withUsers(500)
              .withTime(Instant.now().minus(span), span)
              .withDuplicates(0.02)
              .withMalformed(malformed);
      SimulatedTraffic.send(stack.kafka(), "", options, PER_SECOND, sent -> {});
      if (late) {
        SimulatorOptions old =
            SimulatorOptions.of(PER_SECOND * span.toSeconds() / 2, -seed)
                .withUsers(500)
                .withTime(Instant.now().minus(Duration.ofHours(2)), span);
        SimulatedTraffic.send(stack.kafka(), "", old, sent -> {});
      }
    }
  }

  @AfterAll
  static void stop() throws Exception {
    sending = false;
    if (sender != null) {
      sender.join();
    }
    if (folder != null) {
      DetachedStack.down(folder, true, PRINT);
      BuildFiles.deleteTree(folder.getParent());
      System.out.println(SAID.toString(StandardCharsets.UTF_8));
    }
  }

  @Test
  void panelsShowAndAlertsFireAndClear() throws Exception {
    assertEveryPanelShowsSomething();
    assertMetricsAreTheDocumentedOnes();
    awaitQuiet("the beginning");

    step("much is wrong or late, and the metastore is away");
    stack.server("metastore").kill();
    malformed = 0.3;
    late = true;
    awaitFiring("MillraceRejectedRatio", "MillraceLateRatio", "MillraceRegistrationBacklog");
    malformed = NORMALLY_MALFORMED;
    late = false;
    stack = up();

    step("S3 does not answer");
    signal("s3", "STOP");
    try {
      awaitFiring("MillraceCheckpointAge", "MillraceTableStale");
    } finally {
      signal("s3", "CONT");
    }
    awaitQuiet("bad input, and outages of the metastore and of S3");

    step("the JobManager is away");
    stack.server("jobmanager").kill();
    awaitFiring("MillraceJobDown", "MillraceProcessDown");
    awaitRouted("MillraceJobDown", "page");
    awaitRouted("MillraceProcessDown", "chat");
    stack = up();
    awaitQuiet("an outage of the JobManager");
    assertThat(SEEN).isEqualTo(BY_FAULT);
  }

  private static void assertEveryPanelShowsSomething() throws IOException {
    List<Dashboards.Query> queries = Dashboards.all();
    assertThat(queries).hasSizeGreaterThan(60);
    Await.until(
        () -> "figures in each panel; there are none in " + empty(queries),
        PATIENCE,
        () -> empty(queries).isEmpty());
    PRINT.printf("%d queries of panels return series%n", queries.size());
  }

  private static List<String> empty(List<Dashboards.Query> queries) {
    List<String> empty = new ArrayList<>();
    for (Dashboards.Query query : queries) {
      boolean any = false;
      for (JsonNode series : query(query.of(JOB_NAME, "10s"))) {
        any |= !series.path("value").path(1).asText().equals("NaN");
      }
      if (!any) {
        empty.add(query.dashboard() + "/" + query.panel() + ": " + query.expression());
      }
    }
    return empty;
  }

  private static JsonNode query(String expression) {
    return get(
            "prometheus",
            "/api/v1/query?query=" + URLEncoder.encode(expression, StandardCharsets.UTF_8))
        .path("data")
        .path("result");
  }

  /** The same that other tests hold for the job; here with the names and labels of Prometheus. */
  private static void assertMetricsAreTheDocumentedOnes() {
    Set<String> documented = new TreeSet<>();
    for (MetricDocs.Entry entry : MetricDocs.engagement()) {
      // There is no dimension.
      if (!Set.of(Metrics.DIMENSION_VERSIONS, Metrics.DIMENSION_LOAD_FAILURES)
          .contains(entry.name())) {
        entry
            .registered()
            .forEach(
                name ->
                    documented.add(
                        (name.endsWith(Metrics.BUCKET) ? "le_" : "")
                            + (entry.labels().isEmpty() ? "" : entry.labels().get(0) + "_")
                            + name));
      }
    }
    String served =
        text(URI.create(stack.server("taskmanager-1").address()))
            + text(URI.create(stack.server("taskmanager-2").address()));
    Set<String> found = new TreeSet<>();
    Matcher names = OURS.matcher(served);
    while (names.find()) {
      found.add(names.group(1));
    }
    assertThat(found).isEqualTo(documented);
    // Labels have values of the configuration only, so there are only so many series of ours.
    long series = served.lines().filter(line -> OURS.matcher(line).find()).count();
    PRINT.printf(
        "%d names of ours in %d series, of %d in all%n",
        found.size(), series, served.lines().filter(line -> !line.startsWith("#")).count());
    assertThat(series).isLessThan(1_000);
    assertThat(served).contains("le=\"+Inf\"").contains("job_name=\"" + JOB_NAME + "\"");
  }

  private static void step(String what) {
    PRINT.printf("%n%s: %s%n", Instant.now(), what);
  }

  private static void awaitFiring(String... alerts) {
    assertThat(firing()).doesNotContain(alerts);
    long begin = System.nanoTime();
    Map<String, Long> seconds = new TreeMap<>();
    Await.until(
        () -> Arrays.toString(alerts) + " to fire, there are " + firing() + ", seen " + seconds,
        PATIENCE,
        () -> {
          firing()
              .forEach(a -> seconds.putIfAbsent(a, (System.nanoTime() - begin) / 1_000_000_000));
          return seconds.keySet().containsAll(List.of(alerts));
        });
    PRINT.printf("fire after seconds: %s%n", seconds);
    SEEN.addAll(List.of(alerts));
  }

  private static void awaitQuiet(String after) {
    long begin = System.nanoTime();
    Await.until(
        () -> "no alert after " + after + ", there are " + firing(),
        PATIENCE.multipliedBy(2),
        () -> firing().isEmpty() && !query("millrace:received:rate5m > 0").isEmpty());
    PRINT.printf("quiet after %d s%n", (System.nanoTime() - begin) / 1_000_000_000);
  }

  private static Set<String> firing() {
    Set<String> firing = new TreeSet<>();
    for (JsonNode alert : get("prometheus", "/api/v1/alerts").path("data").path("alerts")) {
      if (alert.path("state").asText().equals("firing")) {
        firing.add(alert.path("labels").path("alertname").asText());
      }
    }
    return firing;
  }

  /** Alertmanager has it, for that receiver. */
  private static void awaitRouted(String alert, String receiver) {
    Await.until(
        () -> alert + " in Alertmanager: " + get("alertmanager", "/api/v2/alerts"),
        PATIENCE,
        () -> {
          for (JsonNode known : get("alertmanager", "/api/v2/alerts")) {
            if (known.path("labels").path("alertname").asText().equals(alert)) {
              assertThat(known.path("receivers")).hasSize(1);
              assertThat(known.path("receivers").get(0).path("name").asText()).isEqualTo(receiver);
              return true;
            }
          }
          return false;
        });
  }

  private static JsonNode get(String server, String path) {
    String answer = text(URI.create(stack.server(server).address() + path));
    try {
      return JSON.readTree(answer);
    } catch (IOException e) {
      throw new IllegalStateException(server + " answers " + path + " by " + answer, e);
    }
  }

  private static String text(URI address) {
    try {
      return HTTP.send(HttpRequest.newBuilder(address).build(), BodyHandlers.ofString()).body();
    } catch (IOException e) {
      throw new IllegalStateException("no answer from " + address, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while asking " + address, e);
    }
  }

  private static void signal(String server, String signal) throws Exception {
    long pid = stack.server(server).pid();
    int code =
        new ProcessBuilder("kill", "-" + signal, Long.toString(pid)).inheritIO().start().waitFor();
    assertThat(code).as("kill -%s %d", signal, pid).isZero();
  }
}

package io.millrace.local;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The questions that the dashboards ask. */
final class Dashboards {
  private Dashboards() {}

  /** One query of a panel, with Grafana's variables in it. */
  record Query(String dashboard, String panel, String expression) {
    /**
     * As Prometheus is asked.
     *
     * @param interval what a rate is taken over
     */
    String of(String job, String interval) {
      return expression.replace("$job", job).replace("$__rate_interval", interval);
    }
  }

  static List<Query> all() throws IOException {
    List<Path> files;
    Path folder = MonitoringProcess.shipped().resolve("grafana").resolve("dashboards");
    try (Stream<Path> list = Files.list(folder)) {
      files = list.sorted().toList();
    }
    List<Query> all = new ArrayList<>();
    for (Path file : files) {
      JsonNode dashboard = new ObjectMapper().readTree(file.toFile());
      for (JsonNode panel : dashboard.path("panels")) {
        for (JsonNode target : panel.path("targets")) {
          all.add(
              new Query(
                  dashboard.path("uid").asText(),
                  panel.path("title").asText(),
                  target.path("expr").asText()));
        }
      }
    }
    return all;
  }
}

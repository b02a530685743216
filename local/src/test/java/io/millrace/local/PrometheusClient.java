package io.millrace.local;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.TreeSet;

/** What a test asks of a Prometheus and an Alertmanager. */
final class PrometheusClient {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient HTTP = HttpClient.newHttpClient();

  private final String prometheus;
  private final String alertmanager;

  PrometheusClient(String prometheus, String alertmanager) {
    this.prometheus = prometheus;
    this.alertmanager = alertmanager;
  }

  /** The series of an expression, each with its present value. */
  JsonNode query(String expression) {
    String encoded = URLEncoder.encode(expression, StandardCharsets.UTF_8);
    return json(prometheus + "/api/v1/query?query=" + encoded).path("data").path("result");
  }

  /** The alerts that fire; those of a table as {@code NAME of TABLE}. */
  Set<String> firing() {
    return alerts("firing");
  }

  /** The alerts whose condition holds, and not for long enough yet; named as above. */
  Set<String> pending() {
    return alerts("pending");
  }

  private Set<String> alerts(String state) {
    Set<String> names = new TreeSet<>();
    for (JsonNode alert : json(prometheus + "/api/v1/alerts").path("data").path("alerts")) {
      if (alert.path("state").asText().equals(state)) {
        String table = alert.path("labels").path("table").asText();
        String name = alert.path("labels").path("alertname").asText();
        names.add(table.isEmpty() ? name : name + " of " + table);
      }
    }
    return names;
  }

  /** The alerts that Alertmanager has, each with its receivers. */
  JsonNode routed() {
    return json(alertmanager + "/api/v2/alerts");
  }

  private static JsonNode json(String address) {
    String answer = text(address);
    try {
      return JSON.readTree(answer);
    } catch (IOException e) {
      throw new IllegalStateException(address + " answers " + answer, e);
    }
  }

  /** What a server answers at an address. */
  static String text(String address) {
    try {
      HttpRequest request = HttpRequest.newBuilder(URI.create(address)).build();
      HttpResponse<String> answer = HTTP.send(request, BodyHandlers.ofString());
      // Else an error would look like the answer that there is nothing.
      if (answer.statusCode() != 200) {
        throw new IllegalStateException(
            address + " answers " + answer.statusCode() + ": " + answer.body());
      }
      return answer.body();
    } catch (IOException e) {
      throw new IllegalStateException("no answer from " + address, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while asking " + address, e);
    }
  }
}

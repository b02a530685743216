package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.millrace.pipeline.StandardCatalog;
import io.millrace.transform.http.PublicAddresses;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The weather pipeline as it is shipped, whole, against a server that answers as the forecast's
 * does: one object with lists side by side, for the hours, days and variables that it is asked for.
 */
class WeatherPipelineITCase {
  private static final Path PIPELINE =
      BuildFiles.module().resolveSibling("jobs/pipelines/weather.yaml");
  private static final LocalDateTime FIRST = LocalDateTime.of(2026, 1, 5, 0, 0);
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path dir;
  private HttpServer server;
  private final AtomicInteger asked = new AtomicInteger();

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/v1/forecast", this::forecast);
    server.start();
    System.setProperty(PublicAddresses.ALLOW_PRIVATE, "true");
  }

  @AfterEach
  void stop() {
    server.stop(0);
    System.clearProperty(PublicAddresses.ALLOW_PRIVATE);
  }

  private void forecast(HttpExchange exchange) throws IOException {
    Map<String, String> query = new HashMap<>();
    for (String pair : exchange.getRequestURI().getRawQuery().split("&", -1)) {
      String[] parts = pair.split("=", 2);
      query.put(parts[0], URLDecoder.decode(parts[1], StandardCharsets.UTF_8));
    }
    ObjectNode answer = JSON.createObjectNode();
    int status = 200;
    if (asked.getAndIncrement() == 0) {
      status = 503;
      answer.put("error", true).put("reason", "busy");
    } else if (!query.containsKey("latitude") || !query.containsKey("longitude")) {
      status = 400;
      answer.put("error", true).put("reason", "Parameter latitude and longitude must be given");
    } else {
      answer.put("latitude", Double.parseDouble(query.get("latitude")));
      answer.put("longitude", Double.parseDouble(query.get("longitude")));
      answer.put("timezone", query.get("timezone")).put("generationtime_ms", 0.08);
      answer.putObject("hourly_units").put("time", "iso8601").put("temperature_2m", "°C");
      ObjectNode hourly = answer.putObject("hourly");
      int hours = 24 * Integer.parseInt(query.get("forecast_days"));
      ArrayNode times = hourly.putArray("time");
      for (int i = 0; i < hours; i++) {
        times.add(FIRST.plusHours(i).format(DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm")));
      }
      for (String variable : query.get("hourly").split(",", -1)) {
        ArrayNode values = hourly.putArray(variable);
        for (int i = 0; i < hours; i++) {
          Double value = value(variable, i);
          if (value == null) {
            values.addNull();
          } else if (variable.startsWith("relative")) {
            values.add(value.intValue());
          } else {
            values.add(value);
          }
        }
      }
    }
    byte[] body = JSON.writeValueAsBytes(answer);
    exchange.getResponseHeaders().add("Content-Type", "application/json; charset=utf-8");
    exchange.sendResponseHeaders(status, body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  /** Gaps: a first one, which nothing fills, one hour, and three in a row. */
  private static Double value(String variable, int hour) {
    return switch (variable) {
      case "temperature_2m" -> hour == 0 || hour == 100 ? null : (hour % 24) / 2.0 - 3;
      case "relative_humidity_2m" -> hour >= 50 && hour < 53 ? null : 40.0 + hour % 7;
      case "wind_speed_10m" -> hour * 0.1;
      default -> hour % 10 == 0 ? 0.5 : 0.0;
    };
  }

  private JsonNode run() throws IOException {
    Path report = dir.resolve("report.json");
    StringWriter errors = new StringWriter();
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    int code =
        PipelineCommand.run(
            new PrintStream(output, true, StandardCharsets.UTF_8),
            new PrintWriter(errors, true),
            StandardCatalog.standard(),
            dir,
            new String[] {
              "run",
              PIPELINE.toString(),
              "--data-root",
              dir.toString(),
              "--report",
              report.toString(),
              "--set",
              "extract.api_url=http://127.0.0.1:" + server.getAddress().getPort() + "/v1/forecast"
            });
    assertThat(errors.toString()).isEmpty();
    assertThat(code).as(output.toString(StandardCharsets.UTF_8)).isZero();
    return JSON.readTree(Files.readString(report));
  }

  private static JsonNode step(JsonNode report, String id) {
    for (JsonNode step : report.get("steps")) {
      if (step.get("step_id").asText().equals(id)) {
        return step;
      }
    }
    throw new AssertionError("no step " + id);
  }

  @Test
  void sevenDaysByTheHour() throws Exception {
    JsonNode report = run();

    assertThat(asked).hasValue(2);
    assertThat(report.get("status").asText()).isEqualTo("completed");
    assertThat(step(report, "extract").get("rows_out").asInt()).isEqualTo(168);
    JsonNode quality = step(report, "quality");
    assertThat(quality.get("rows_out").asInt()).isEqualTo(168);
    assertThat(quality.toString())
        .contains("\"min_rows\":true", "\"threshold\":0.5", "\"temperature_2m\":{\"non_null\":166");
    assertThat(step(report, "filled").get("nulls_total").asInt()).isEqualTo(5);
    assertThat(step(report, "filled").get("nulls_handled").asInt()).isEqualTo(4);
    Path out = dir.resolve("weather/processed/save.parquet");
    assertThat(Path.of(step(report, "save").get("output_file").asText())).isEqualTo(out);

    List<String> expected = new ArrayList<>();
    Double[] last = new Double[2];
    for (int i = 0; i < 168; i++) {
      Double temperature = value("temperature_2m", i);
      Double humidity = value("relative_humidity_2m", i);
      last[0] = temperature == null ? last[0] : temperature;
      last[1] = humidity == null ? last[1] : humidity;
      expected.add(
          FIRST.plusHours(i)
              + " "
              + last[0]
              + " "
              + last[1].intValue()
              + " "
              + value("wind_speed_10m", i)
              + " "
              + value("precipitation", i));
    }
    List<String> rows = new ArrayList<>();
    try (Connection duckdb = DriverManager.getConnection("jdbc:duckdb:");
        ResultSet result = duckdb.createStatement().executeQuery("FROM '" + out + "'")) {
      assertThat(result.getMetaData().getColumnCount()).isEqualTo(5);
      while (result.next()) {
        List<String> row = new ArrayList<>();
        for (int i = 1; i <= 5; i++) {
          row.add(result.getString(i));
        }
        rows.add(String.join(" ", row));
      }
    }
    assertThat(rows).isEqualTo(expected);
  }
}

package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.config.DefaultConfiguration;
import org.apache.logging.log4j.core.impl.Log4jLogEvent;
import org.apache.logging.log4j.layout.template.json.JsonTemplateLayout;
import org.apache.logging.log4j.message.SimpleMessage;
import org.apache.logging.log4j.util.SortedArrayStringMap;
import org.junit.jupiter.api.Test;

/** A line of the cluster's logs, by the layout that the cluster has. */
class LogLayoutTest {
  private static final JsonTemplateLayout LAYOUT =
      JsonTemplateLayout.newBuilder()
          .setConfiguration(new DefaultConfiguration())
          .setEventTemplateUri(
              Path.of("../flink-conf/log-event.json")
                  .toAbsolutePath()
                  .normalize()
                  .toUri()
                  .toString())
          .build();

  private static Log4jLogEvent.Builder event(String thread) {
    return Log4jLogEvent.newBuilder()
        .setTimeMillis(1_767_608_130_123L)
        .setLevel(Level.WARN)
        .setLoggerName("io.millrace.validation.RejectionLog")
        .setThreadName(thread)
        .setMessage(new SimpleMessage("first line\nsecond \"line\""));
  }

  private static JsonNode line(LogEvent event) throws Exception {
    String line = LAYOUT.toSerializable(event);
    assertThat(line.strip().lines()).hasSize(1);
    return new ObjectMapper().readTree(line);
  }

  @Test
  void ofATaskAllIsThere() throws Exception {
    SortedArrayStringMap context = new SortedArrayStringMap();
    context.putValue("flink-job-id", "0f1e2d3c4b5a69788796a5b4c3d2e1f0");
    context.putValue("correlation-id", "batch-17");
    JsonNode line =
        line(
            event("Source: source-session -> admit-session (2/4)#1")
                .setContextData(context)
                .setThrown(new IllegalStateException("broken\nin two"))
                .build());
    assertThat(line.get("timestamp").asText()).isEqualTo("2026-01-05T10:15:30.123Z");
    assertThat(line.get("level").asText()).isEqualTo("WARN");
    assertThat(line.get("job").asText()).isEqualTo("0f1e2d3c4b5a69788796a5b4c3d2e1f0");
    assertThat(line.get("operator").asText()).isEqualTo("Source: source-session -> admit-session");
    assertThat(line.get("subtask").asText()).isEqualTo("2");
    assertThat(line.get("correlation_id").asText()).isEqualTo("batch-17");
    assertThat(line.get("message").asText()).isEqualTo("first line\nsecond \"line\"");
    assertThat(line.get("error").asText())
        .startsWith("java.lang.IllegalStateException: broken\nin two")
        .contains("ofATaskAllIsThere");
  }

  @Test
  void ofAnythingElseThereIsWhatItHas() throws Exception {
    JsonNode line = line(event("main").build());
    assertThat(line.get("message").asText()).startsWith("first line");
    assertThat(line.get("thread").asText()).isEqualTo("main");
    assertThat(line.path("correlation_id").asText("")).isEmpty();
    assertThat(line.path("error").asText("")).isEmpty();
    assertThat(line.path("operator").asText("")).isEmpty();
  }
}

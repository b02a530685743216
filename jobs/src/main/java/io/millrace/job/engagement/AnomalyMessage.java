package io.millrace.job.engagement;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.millrace.event.Anomaly;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * An anomaly as a message: JSON with the columns of the table of anomalies, times in ISO-8601,
 * keyed by the alert, so that the rows of an alert stay in order.
 */
final class AnomalyMessage implements KafkaRecordSerializationSchema<Anomaly> {
  private static final long serialVersionUID = 1L;
  private static final JsonFactory JSON = new JsonFactory();

  private final String topic;

  AnomalyMessage(String topic) {
    this.topic = topic;
  }

  @Override
  public ProducerRecord<byte[], byte[]> serialize(
      Anomaly anomaly, KafkaSinkContext context, Long timestamp) {
    return new ProducerRecord<>(
        topic, anomaly.alertId().getBytes(StandardCharsets.UTF_8), json(anomaly));
  }

  private static byte[] json(Anomaly anomaly) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(512);
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.writeStartObject();
      json.writeStringField("alert_id", anomaly.alertId());
      json.writeStringField("metric", anomaly.metric());
      json.writeStringField("cell", String.join(",", anomaly.labels()));
      json.writeStringField("window_start", Instant.ofEpochMilli(anomaly.windowStart()).toString());
      json.writeStringField("window_end", Instant.ofEpochMilli(anomaly.windowEnd()).toString());
      number("observed", anomaly.observed(), json);
      number("expected", anomaly.expected(), json);
      json.writeNumberField("score", anomaly.score());
      json.writeStringField("severity", anomaly.severity().code());
      json.writeStringField("direction", anomaly.direction().code());
      json.writeStringField("state", anomaly.state().code());
      json.writeStringField("opened_at", Instant.ofEpochMilli(anomaly.openedAt()).toString());
      json.writeNumberField("windows_firing", anomaly.windowsFiring());
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  private static void number(String field, double value, JsonGenerator json) throws IOException {
    if (Double.isNaN(value)) {
      json.writeNullField(field);
    } else {
      json.writeNumberField(field, value);
    }
  }
}

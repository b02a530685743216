package io.millrace.job.engagement;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.millrace.event.Session;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * A session as a message: JSON with the columns of the table of sessions, times in ISO-8601, keyed
 * by the user.
 */
final class SessionMessage implements KafkaRecordSerializationSchema<Session> {
  private static final long serialVersionUID = 1L;
  private static final JsonFactory JSON = new JsonFactory();

  private final String topic;

  SessionMessage(String topic) {
    this.topic = topic;
  }

  @Override
  public ProducerRecord<byte[], byte[]> serialize(
      Session session, KafkaSinkContext context, Long timestamp) {
    return new ProducerRecord<>(
        topic, session.userId().getBytes(StandardCharsets.UTF_8), json(session));
  }

  private static byte[] json(Session session) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(1024);
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.writeStartObject();
      json.writeStringField("session_id", session.sessionId());
      json.writeStringField("user_id", session.userId());
      json.writeStringField("session_start", Instant.ofEpochMilli(session.start()).toString());
      json.writeStringField("session_end", Instant.ofEpochMilli(session.end()).toString());
      json.writeNumberField("duration_ms", session.durationMs());
      json.writeNumberField("event_count", session.eventCount());
      json.writeNumberField("engagement_count", session.engagementCount());
      json.writeNumberField("install_count", session.installs());
      json.writeNumberField("session_start_count", session.sessionStarts());
      json.writeNumberField("session_end_count", session.sessionEnds());
      json.writeNumberField("view_count", session.views());
      json.writeNumberField("open_count", session.opens());
      strings("path", session.path(), json);
      json.writeBooleanField("path_truncated", session.pathTruncated());
      json.writeStringField("entry_event", session.entryEvent());
      json.writeStringField("exit_event", session.exitEvent());
      json.writeBooleanField("is_bounce", session.isBounce());
      json.writeStringField("end_reason", session.endReason().code());
      // A null is written as null.
      json.writeStringField("device_type", session.deviceType());
      json.writeStringField("app_version", session.appVersion());
      json.writeStringField("country", session.country());
      strings("client_session_ids", session.clientSessionIds(), json);
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  private static void strings(String field, List<String> values, JsonGenerator json)
      throws IOException {
    json.writeArrayFieldStart(field);
    for (String value : values) {
      json.writeString(value);
    }
    json.writeEndArray();
  }
}

package io.millrace.job.engagement;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.event.Session;
import io.millrace.event.Session.EndReason;
import io.millrace.lake.catalog.Column;
import io.millrace.lake.parquet.SessionTable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;

class SessionMessageTest {
  private static final long T = 1_767_225_600_000L; // 2026-01-01T00:00:00Z

  private static ProducerRecord<byte[], byte[]> message(String deviceType, List<String> path) {
    Session session =
        new Session(
            "0123456789abcdef0123456789abcdef",
            "użytkownik",
            T,
            T + 90_500,
            7,
            1,
            2,
            3,
            4,
            5,
            6,
            path,
            true,
            "session_start",
            "purchase",
            EndReason.MAX_DURATION,
            deviceType,
            "2.0",
            "DE",
            List.of("c-1"));
    return new SessionMessage("sessions").serialize(session, null, null);
  }

  @Test
  void itIsTheRowAsJsonKeyedByTheUser() throws IOException {
    ProducerRecord<byte[], byte[]> message = message("phone", List.of("home", "\"größe\"\n"));
    assertThat(message.topic()).isEqualTo("sessions");
    assertThat(message.key()).isEqualTo("użytkownik".getBytes(StandardCharsets.UTF_8));
    assertThat(new ObjectMapper().readTree(message.value()))
        .isEqualTo(
            new ObjectMapper()
                .readTree(
                    """
                    {"session_id":"0123456789abcdef0123456789abcdef","user_id":"użytkownik",
                     "session_start":"2026-01-01T00:00:00Z",
                     "session_end":"2026-01-01T00:01:30.500Z","duration_ms":90500,
                     "event_count":7,"engagement_count":1,"install_count":2,
                     "session_start_count":3,"session_end_count":4,"view_count":5,"open_count":6,
                     "path":["home","\\"größe\\"\\n"],"path_truncated":true,
                     "entry_event":"session_start","exit_event":"purchase","is_bounce":true,
                     "end_reason":"max_duration","device_type":"phone","app_version":"2.0",
                     "country":"DE","client_session_ids":["c-1"]}
                    """));
  }

  @Test
  void whatIsMissingIsNullAndWhatIsEmptyIsEmpty() throws IOException {
    JsonNode json = new ObjectMapper().readTree(message(null, List.of()).value());
    assertThat(json.get("device_type").isNull()).isTrue();
    assertThat(json.get("path").isEmpty()).isTrue();
    assertThat(json.get("path").isArray()).isTrue();
  }

  @Test
  void itsFieldsAreTheTablesColumns() throws IOException {
    List<String> fields = new ArrayList<>();
    new ObjectMapper()
        .readTree(message("phone", List.of()).value())
        .fieldNames()
        .forEachRemaining(fields::add);
    assertThat(fields).isEqualTo(SessionTable.SCHEMA.columns().stream().map(Column::name).toList());
  }
}

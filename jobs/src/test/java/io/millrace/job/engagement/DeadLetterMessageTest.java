package io.millrace.job.engagement;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.event.DeadLetter;
import io.millrace.event.Header;
import io.millrace.event.Origin;
import io.millrace.event.RejectReason;
import io.millrace.event.Rejection;
import io.millrace.validation.Admit;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;

class DeadLetterMessageTest {
  private static final int MAX_PAYLOAD = 1_000;

  private static ProducerRecord<byte[], byte[]> message(byte[] value, Header... headers) {
    DeadLetter letter =
        new DeadLetter(
            new Origin("session", 3, 42, 1_767_225_600_000L, 1_767_225_601_000L),
            1_767_225_600_000L,
            List.of(
                new Rejection(RejectReason.MISSING_FIELD, "user_id", "is required"),
                new Rejection(RejectReason.BAD_TYPE, "properties", "expected an object")),
            null,
            List.of(headers),
            value,
            "0.1.0",
            2);
    return new DeadLetterMessage(".dlq", MAX_PAYLOAD).serialize(letter, null, null);
  }

  private static JsonNode json(byte[] value) throws IOException {
    return new ObjectMapper().readTree(message(value).value());
  }

  @Test
  void itTellsWhereTheRecordStoodAndEveryReason() throws IOException {
    ProducerRecord<byte[], byte[]> message =
        message(
            "{}".getBytes(StandardCharsets.UTF_8),
            new Header("trace", new byte[] {1}),
            new Header(Admit.ATTEMPT_HEADER, new byte[] {'1'}));
    assertThat(message.topic()).isEqualTo("session.dlq");
    assertThat(new String(message.key(), StandardCharsets.UTF_8)).isEqualTo("session-3-42");
    assertThat(message.headers().toArray())
        .extracting(h -> h.key() + "=" + new String(h.value(), StandardCharsets.ISO_8859_1))
        .containsExactly("trace=\u0001", Admit.ATTEMPT_HEADER + "=2");
    assertThat(new ObjectMapper().readTree(message.value()))
        .isEqualTo(
            new ObjectMapper()
                .readTree(
                    """
                    {"topic":"session","partition":3,"offset":42,"kafka_timestamp":1767225600000,
                     "reasons":[
                       {"code":"missing_field","field":"user_id","message":"is required"},
                       {"code":"bad_type","field":"properties","message":"expected an object"}],
                     "raw":"{}","raw_encoding":"utf8","raw_cut":false,"raw_size":2,
                     "raw_sha256":"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
                     "job_version":"0.1.0","attempt":2}
                    """));
  }

  @Test
  void noRecordMakesAMessageThatABrokerRefuses() {
    Header[] headers = new Header[40];
    Arrays.fill(headers, new Header("h", new byte[30_000]));
    byte[] emoji = "\uD83D\uDE00".repeat(100_000).getBytes(StandardCharsets.UTF_8);
    byte[] quotes = new byte[400_000];
    Arrays.fill(quotes, (byte) '"');
    for (byte[] value : List.of(emoji, quotes, new byte[400_000])) {
      ProducerRecord<byte[], byte[]> message =
          new DeadLetterMessage(".dlq", 256 << 10)
              .serialize(
                  new DeadLetter(
                      new Origin("session", 0, 0, 0, 0),
                      0,
                      Collections.nCopies(
                          64,
                          new Rejection(RejectReason.BAD_TYPE, "p".repeat(150), "m".repeat(200))),
                      null,
                      List.of(headers),
                      value,
                      "0.1.0",
                      1),
                  null,
                  null);
      int size = message.value().length;
      for (org.apache.kafka.common.header.Header h : message.headers()) {
        size += h.key().length() + h.value().length;
      }
      assertThat(size).isLessThan(1_000_000);
    }
  }

  @Test
  void aTombstoneHasNoPayload() throws IOException {
    assertThat(json(null).get("raw").isNull()).isTrue();
  }

  @Test
  void aLongRecordIsCutAndItsSizeTold() throws IOException {
    byte[] value = new byte[5_000];
    Arrays.fill(value, (byte) 'x');
    JsonNode json = json(value);
    assertThat(json.get("raw").asText()).isEqualTo("x".repeat(MAX_PAYLOAD));
    assertThat(json.get("raw_cut").asBoolean()).isTrue();
    assertThat(json.get("raw_size").asInt()).isEqualTo(5_000);
  }

  @Test
  void whatIsNotTextOrWouldSwellIsBase64() throws IOException {
    byte[] notUtf8 = {(byte) 0xC3, 0x28};
    byte[] controls = new byte[900];
    for (byte[] value : List.of(notUtf8, controls)) {
      JsonNode json = json(value);
      assertThat(json.get("raw_encoding").asText()).isEqualTo("base64");
      assertThat(Base64.getDecoder().decode(json.get("raw").asText())).isEqualTo(value);
      assertThat(json.toString()).hasSizeLessThan(2 * MAX_PAYLOAD);
    }
  }
}

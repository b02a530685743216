package io.millrace.job.engagement;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.millrace.event.DeadLetter;
import io.millrace.event.Header;
import io.millrace.event.Origin;
import io.millrace.event.Rejection;
import io.millrace.validation.Admit;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import javax.annotation.Nullable;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;

/**
 * A dead letter as a message of {@code <topic>.dlq}: JSON, keyed by topic, partition and offset of
 * the record, so that a message that is written twice can be recognised.
 */
final class DeadLetterMessage implements KafkaRecordSerializationSchema<DeadLetter> {
  private static final long serialVersionUID = 1L;
  private static final JsonFactory JSON = new JsonFactory();

  /** Beyond this, in bytes, further headers of the record are left to quarantine. */
  private static final int MAX_HEADERS = 64 << 10;

  private final String suffix;
  private final int maxPayload;

  DeadLetterMessage(String suffix, int maxPayload) {
    this.suffix = suffix;
    this.maxPayload = maxPayload;
  }

  @Override
  public ProducerRecord<byte[], byte[]> serialize(
      DeadLetter letter, KafkaSinkContext context, Long timestamp) {
    Origin origin = letter.origin();
    String key = origin.topic() + "-" + origin.partition() + "-" + origin.offset();
    RecordHeaders headers = new RecordHeaders();
    int size = 0;
    for (Header h : letter.headers()) {
      size += h.key().length() * 3 + (h.value() == null ? 0 : h.value().length);
      if (!h.key().equals(Admit.ATTEMPT_HEADER) && size <= MAX_HEADERS) {
        headers.add(h.key(), h.value());
      }
    }
    headers.add(
        Admit.ATTEMPT_HEADER,
        Integer.toString(letter.attempt()).getBytes(StandardCharsets.US_ASCII));
    return new ProducerRecord<>(
        origin.topic() + suffix,
        null,
        null,
        key.getBytes(StandardCharsets.UTF_8),
        json(letter),
        headers);
  }

  private byte[] json(DeadLetter letter) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(1024);
    try (JsonGenerator json = JSON.createGenerator(out)) {
      Origin origin = letter.origin();
      json.writeStartObject();
      json.writeStringField("topic", origin.topic());
      json.writeNumberField("partition", origin.partition());
      json.writeNumberField("offset", origin.offset());
      if (origin.kafkaTimestamp() == Origin.NO_TIME) {
        json.writeNullField("kafka_timestamp");
      } else {
        json.writeNumberField("kafka_timestamp", origin.kafkaTimestamp());
      }
      json.writeArrayFieldStart("reasons");
      for (Rejection r : letter.rejections()) {
        json.writeStartObject();
        json.writeStringField("code", r.reason().code());
        json.writeStringField("field", r.field());
        json.writeStringField("message", r.message());
        json.writeEndObject();
      }
      json.writeEndArray();
      payload(letter.value(), json);
      json.writeStringField("job_version", letter.jobVersion());
      json.writeNumberField("attempt", letter.attempt());
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  private void payload(@Nullable byte[] value, JsonGenerator json) throws IOException {
    if (value == null) {
      json.writeNullField("raw");
      return;
    }
    boolean cut = value.length > maxPayload;
    byte[] shown = cut ? Arrays.copyOf(value, maxPayload) : value;
    // A cut may go through a character, and then the part is base64 although the whole is text.
    String text = asText(shown);
    json.writeStringField("raw", text == null ? Base64.getEncoder().encodeToString(shown) : text);
    json.writeStringField("raw_encoding", text == null ? "base64" : "utf8");
    json.writeBooleanField("raw_cut", cut);
    json.writeNumberField("raw_size", value.length);
    json.writeStringField("raw_sha256", sha256(value));
  }

  /**
   * The bytes as text; null when they are none, or when JSON would escape its control characters to
   * six times their size, and the message could outgrow what a broker takes.
   */
  @Nullable
  private static String asText(byte[] bytes) {
    for (byte b : bytes) {
      if (b >= 0 && b < ' ' && b != '\n' && b != '\r' && b != '\t') {
        return null;
      }
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      return null;
    }
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}

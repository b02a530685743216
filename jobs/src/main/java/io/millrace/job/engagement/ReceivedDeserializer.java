package io.millrace.job.engagement;

import io.millrace.event.Header;
import io.millrace.event.Origin;
import io.millrace.event.Received;
import io.millrace.validation.Validate;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Decodes and validates in the source itself, because watermarks per partition need the event's own
 * time there.
 */
final class ReceivedDeserializer implements KafkaRecordDeserializationSchema<Received> {
  private static final long serialVersionUID = 1L;

  private final Validate validate;

  ReceivedDeserializer(Validate validate) {
    this.validate = validate;
  }

  @Override
  public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<Received> out) {
    long kafkaTimestamp = record.timestamp() < 0 ? Origin.NO_TIME : record.timestamp();
    Origin origin =
        new Origin(
            record.topic(),
            record.partition(),
            record.offset(),
            kafkaTimestamp,
            System.currentTimeMillis());
    out.collect(validate.validate(origin, record.key(), headers(record), record.value()));
  }

  private static List<Header> headers(ConsumerRecord<byte[], byte[]> record) {
    List<Header> headers = List.of();
    for (org.apache.kafka.common.header.Header h : record.headers()) {
      if (headers.isEmpty()) {
        headers = new ArrayList<>(2);
      }
      headers.add(new Header(h.key(), h.value()));
    }
    return headers;
  }

  @Override
  public TypeInformation<Received> getProducedType() {
    return TypeInformation.of(Received.class);
  }
}

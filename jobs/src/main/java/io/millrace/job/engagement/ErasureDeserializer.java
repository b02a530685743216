package io.millrace.job.engagement;

import io.millrace.event.Event;
import io.millrace.event.Origin;
import java.nio.charset.StandardCharsets;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** A user that is to be forgotten: the key of a record; a tombstone takes nothing back. */
final class ErasureDeserializer implements KafkaRecordDeserializationSchema<Event> {
  private static final long serialVersionUID = 1L;

  @Override
  public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<Event> out) {
    if (record.key() == null || record.value() == null) {
      return;
    }
    String user = new String(record.key(), StandardCharsets.UTF_8);
    long now = System.currentTimeMillis();
    out.collect(
        Event.erasure(
            user, new Origin(record.topic(), record.partition(), record.offset(), now, now)));
  }

  @Override
  public TypeInformation<Event> getProducedType() {
    return TypeInformation.of(Event.class);
  }
}

package io.millrace.job.engagement;

import java.nio.charset.StandardCharsets;
import javax.annotation.Nullable;
import org.apache.flink.api.common.serialization.SerializationSchema.InitializationContext;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Messages with the header by which a batch is known, here the run that made them: they are of many
 * of the producers' batches, and the ledger has under that id what the run had read at each
 * checkpoint.
 */
final class OfRun<T> implements KafkaRecordSerializationSchema<T> {
  private static final long serialVersionUID = 1L;

  private final KafkaRecordSerializationSchema<T> messages;
  private final String header;
  private final byte[] run;

  OfRun(KafkaRecordSerializationSchema<T> messages, String header, RunInfo run) {
    this.messages = messages;
    this.header = header;
    this.run = run.id().getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public void open(InitializationContext context, KafkaSinkContext sink) throws Exception {
    messages.open(context, sink);
  }

  @Nullable
  @Override
  public ProducerRecord<byte[], byte[]> serialize(
      T element, KafkaSinkContext context, Long timestamp) {
    ProducerRecord<byte[], byte[]> message = messages.serialize(element, context, timestamp);
    if (message != null) {
      message.headers().add(header, run);
    }
    return message;
  }
}

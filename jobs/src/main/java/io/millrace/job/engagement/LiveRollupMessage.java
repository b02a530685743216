package io.millrace.job.engagement;

import io.millrace.event.LiveRollup;
import io.millrace.lake.catalog.Column;
import java.util.List;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * The present value of a cell as a message of a compacted topic: the row as JSON, keyed by the cell
 * as JSON; a tombstone when the cell is retired.
 */
final class LiveRollupMessage implements KafkaRecordSerializationSchema<LiveRollup> {
  private static final long serialVersionUID = 1L;

  private final String topic;
  private final List<Column> columns;

  LiveRollupMessage(String topic, List<Column> columns) {
    this.topic = topic;
    this.columns = List.copyOf(columns);
  }

  @Override
  public ProducerRecord<byte[], byte[]> serialize(
      LiveRollup live, KafkaSinkContext context, Long timestamp) {
    return new ProducerRecord<>(
        topic, LiveRow.key(columns, live), live.retired() ? null : LiveRow.json(columns, live));
  }
}

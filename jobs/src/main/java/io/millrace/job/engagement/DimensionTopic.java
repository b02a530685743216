package io.millrace.job.engagement;

import io.millrace.config.PassThrough;
import io.millrace.enrichment.DimensionReader;
import io.millrace.enrichment.DimensionRows;
import io.millrace.enrichment.DimensionTable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import javax.annotation.Nullable;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * The dimension in a compacted topic: one row of JSON per key, a tombstone removes the key's row.
 * Each read goes on to the end of the topic as it is at that moment.
 */
final class DimensionTopic implements DimensionReader {
  private static final long serialVersionUID = 1L;
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final String bootstrapServers;
  private final String topic;
  private final PassThrough properties;

  @Nullable private transient Consumer<byte[], byte[]> consumer;
  private transient Map<String, String> rows;
  @Nullable private transient String readVersion;

  DimensionTopic(String bootstrapServers, String topic, PassThrough properties) {
    this.bootstrapServers = bootstrapServers;
    this.topic = topic;
    this.properties = properties;
  }

  @Override
  public Optional<DimensionTable> readIfChanged() throws IOException {
    try {
      if (consumer == null) {
        connect();
      }
      readToEnd();
    } catch (KafkaException e) {
      throw new IOException("topic " + topic + " cannot be read", e);
    }
    DimensionRows table = new DimensionRows();
    for (Map.Entry<String, String> row : rows.entrySet()) {
      table.add(row.getValue(), "topic " + topic + " key " + row.getKey());
    }
    DimensionTable dimension = table.table();
    if (dimension.version().equals(readVersion)) {
      return Optional.empty();
    }
    readVersion = dimension.version();
    return Optional.of(dimension);
  }

  private void connect() throws IOException {
    Properties client = KafkaSecrets.properties(properties);
    client.setProperty(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
    client.setProperty(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
    client.setProperty(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    Consumer<byte[], byte[]> fresh =
        new KafkaConsumer<>(client, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    List<TopicPartition> partitions =
        fresh.partitionsFor(topic, TIMEOUT).stream()
            .map(p -> new TopicPartition(p.topic(), p.partition()))
            .toList();
    if (partitions.isEmpty()) {
      fresh.close();
      throw new IOException("topic " + topic + " does not exist");
    }
    fresh.assign(partitions);
    fresh.seekToBeginning(partitions);
    consumer = fresh;
    rows = new TreeMap<>();
  }

  private void readToEnd() throws IOException {
    long deadline = System.nanoTime() + TIMEOUT.toNanos();
    Map<TopicPartition, Long> ends = consumer.endOffsets(consumer.assignment(), TIMEOUT);
    while (ends.entrySet().stream().anyMatch(e -> consumer.position(e.getKey()) < e.getValue())) {
      // The task waits here, and its checkpoints with it.
      if (System.nanoTime() - deadline > 0) {
        throw new IOException("topic " + topic + " was not read to its end in " + TIMEOUT);
      }
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
        String key = record.key() == null ? "" : new String(record.key(), StandardCharsets.UTF_8);
        if (record.value() == null) {
          rows.remove(key);
        } else {
          rows.put(key, new String(record.value(), StandardCharsets.UTF_8));
        }
      }
    }
  }

  @Override
  public void close() {
    if (consumer != null) {
      consumer.close();
      consumer = null;
    }
  }

  @Override
  public String describe() {
    return "topic " + topic;
  }
}

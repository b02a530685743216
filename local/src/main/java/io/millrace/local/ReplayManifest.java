package io.millrace.local;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.event.Origin;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.roaringbitmap.longlong.Roaring64Bitmap;

/**
 * What has been replayed: a compacted topic whose entries are written in the same transactions as
 * the records that they tell of, so that there is never one without the other.
 */
final class ReplayManifest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int PARTITIONS = 1;
  private static final Duration POLL = Duration.ofMillis(200);

  private final String topic;

  /** Offsets of dead letters by what else tells them apart. */
  private final Map<Source, Roaring64Bitmap> sent = new HashMap<>();

  /** The attempt is that of the delivery that was sent: 2 for a record's first replay. */
  private record Source(String topic, int partition, int attempt) {}

  private ReplayManifest(String topic) {
    this.topic = topic;
  }

  /** Makes the topic, where it is not there. */
  static void create(Properties client, String topic) {
    NewTopic wanted =
        new NewTopic(topic, Optional.of(PARTITIONS), Optional.empty())
            .configs(Map.of("cleanup.policy", "compact"));
    try (Admin admin = Admin.create(client)) {
      admin.createTopics(List.of(wanted)).all().get();
    } catch (ExecutionException e) {
      if (!(e.getCause() instanceof TopicExistsException)) {
        throw new CommandFailure(
            "cannot create topic " + topic + ": " + e.getCause().getMessage(), e);
      }
    } catch (InterruptedException e) {
      throw interrupted(topic, e);
    }
  }

  /** Reads what committed transactions have told up to now; nothing where there is no topic. */
  static ReplayManifest read(Properties client, String topic) {
    ReplayManifest manifest = new ReplayManifest(topic);
    Properties consumer = new Properties();
    consumer.putAll(client);
    consumer.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    consumer.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
    if (exists(client, topic)) {
      try (KafkaConsumer<byte[], byte[]> entries =
          new KafkaConsumer<>(consumer, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
        manifest.readAll(entries);
      }
    }
    return manifest;
  }

  private static boolean exists(Properties client, String topic) {
    try (Admin admin = Admin.create(client)) {
      return !admin.describeTopics(List.of(topic)).allTopicNames().get().isEmpty();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof UnknownTopicOrPartitionException) {
        return false;
      }
      throw new CommandFailure("cannot read topic " + topic + ": " + e.getCause().getMessage(), e);
    } catch (InterruptedException e) {
      throw interrupted(topic, e);
    }
  }

  private static CommandFailure interrupted(String topic, InterruptedException e) {
    Thread.currentThread().interrupt();
    return new CommandFailure("interrupted at topic " + topic, e);
  }

  private void readAll(KafkaConsumer<byte[], byte[]> entries) {
    List<TopicPartition> partitions =
        entries.partitionsFor(topic).stream()
            .map(p -> new TopicPartition(topic, p.partition()))
            .toList();
    entries.assign(partitions);
    entries.seekToBeginning(partitions);
    Map<TopicPartition, Long> ends = entries.endOffsets(partitions);
    while (ends.entrySet().stream().anyMatch(e -> entries.position(e.getKey()) < e.getValue())) {
      for (ConsumerRecord<byte[], byte[]> entry : entries.poll(POLL)) {
        add(entry);
      }
    }
  }

  private void add(ConsumerRecord<byte[], byte[]> entry) {
    try {
      JsonNode key = JSON.readTree(entry.key());
      Source source =
          new Source(
              key.required("topic").asText(),
              key.required("partition").asInt(),
              key.required("attempt").asInt());
      offsets(source).addLong(key.required("offset").asLong());
    } catch (IOException | IllegalArgumentException e) {
      throw new CommandFailure(
          "topic " + topic + " has something else than a replay at offset " + entry.offset(), e);
    }
  }

  private Roaring64Bitmap offsets(Source source) {
    return sent.computeIfAbsent(source, s -> new Roaring64Bitmap());
  }

  /** Whether a dead letter was sent back as this attempt. */
  boolean has(Origin letter, int attempt) {
    Roaring64Bitmap offsets = sent.get(new Source(letter.topic(), letter.partition(), attempt));
    return offsets != null && offsets.contains(letter.offset());
  }

  /**
   * Notes that a dead letter is sent as this attempt.
   *
   * @return the entry, to be sent in the transaction of the record
   */
  ProducerRecord<byte[], byte[]> note(Origin letter, int attempt, String replay) {
    offsets(new Source(letter.topic(), letter.partition(), attempt)).addLong(letter.offset());
    ObjectNode key = JSON.createObjectNode();
    key.put("topic", letter.topic());
    key.put("partition", letter.partition());
    key.put("offset", letter.offset());
    key.put("attempt", attempt);
    ObjectNode value = JSON.createObjectNode();
    value.put("replay", replay);
    value.put("sent_at", Instant.now().toString());
    try {
      return new ProducerRecord<>(
          topic, JSON.writeValueAsBytes(key), JSON.writeValueAsBytes(value));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

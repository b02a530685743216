package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.codec.arrow.ArrowCompression;
import io.millrace.codec.arrow.ArrowEncoder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;

/** The format {@code arrow} in SQL over a real topic. */
class ArrowTopicITCase {
  private static final RowType TYPE =
      (RowType)
          DataTypes.ROW(
                  DataTypes.FIELD("n", DataTypes.BIGINT()),
                  DataTypes.FIELD("name", DataTypes.STRING()))
              .getLogicalType();

  private final KafkaBroker kafka = Stack.shared().kafka();
  private final TableEnvironment tables =
      TableEnvironment.create(EnvironmentSettings.inStreamingMode());

  private void create(String table, String topic, String columns, String... options) {
    tables.executeSql(
        "CREATE TABLE "
            + table
            + " ("
            + columns
            + ") WITH ('connector' = 'kafka', 'topic' = '"
            + topic
            + "', 'properties.bootstrap.servers' = '"
            + kafka.bootstrap()
            + "', 'scan.startup.mode' = 'earliest-offset',"
            + " 'scan.bounded.mode' = 'latest-offset', 'format' = 'arrow'"
            + String.join("", options)
            + ")");
  }

  private List<Row> query(String sql) throws Exception {
    List<Row> rows = new ArrayList<>();
    try (CloseableIterator<Row> found = tables.executeSql(sql).collect()) {
      found.forEachRemaining(rows::add);
    }
    return rows;
  }

  private static byte[] record(int from, int to, ArrowCompression compression) {
    ArrowEncoder encoder = new ArrowEncoder(TYPE, compression);
    for (int n = from; n < to; n++) {
      encoder.add(GenericRowData.of((long) n, StringData.fromString("row " + n)));
    }
    return encoder.toStream();
  }

  private void send(String topic, List<byte[]> records) {
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrap()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      for (byte[] record : records) {
        producer.send(new ProducerRecord<>(topic, record)).get();
      }
    } catch (Exception e) {
      throw new IllegalStateException("cannot send to " + topic, e);
    }
  }

  @Test
  void recordsOfManyRowsAreReadAndBadOnesAreOneEach() throws Exception {
    tables.getConfig().set("restart-strategy.type", "none");
    byte[] good = record(100, 105, ArrowCompression.NONE);
    kafka.createTopic("arrow-in", 1);
    send(
        "arrow-in",
        List.of(
            record(0, 100, ArrowCompression.ZSTD),
            Arrays.copyOf(good, good.length - 30),
            record(200, 250, ArrowCompression.LZ4)));
    create(
        "skipping", "arrow-in", "name STRING, n BIGINT, absent INT", ", 'arrow.on-error' = 'skip'");
    List<Row> rows = query("SELECT n, name, absent FROM skipping");
    List<Row> expected = new ArrayList<>();
    for (long n = 0; n < 250; n++) {
      if (n < 100 || n >= 200) {
        expected.add(Row.of(n, "row " + n, null));
      }
    }
    assertThat(rows).isEqualTo(expected);

    create("failing", "arrow-in", "n BIGINT");
    assertThatThrownBy(() -> query("SELECT n FROM failing"))
        .rootCause()
        .hasMessageContaining("malformed_arrow: truncated: ");
  }

  @Test
  void rowsAreWrittenAsRecordsThatReadAsTheSame() throws Exception {
    kafka.createTopic("arrow-out", 1);
    create("written", "arrow-out", "n BIGINT, name STRING", ", 'arrow.compression' = 'zstd'");
    tables
        .executeSql("INSERT INTO written VALUES (1, 'a'), (2, CAST(NULL AS STRING)), (3, 'ß')")
        .await();
    assertThat(query("SELECT n, name FROM written"))
        .containsExactlyInAnyOrder(Row.of(1L, "a"), Row.of(2L, null), Row.of(3L, "ß"));
    assertThat(valuesOf("arrow-out", 3))
        .allSatisfy(value -> assertThat(value).startsWith(0xff, 0xff, 0xff, 0xff));
  }

  private List<byte[]> valuesOf(String topic, int count) {
    List<byte[]> values = new ArrayList<>();
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                kafka.bootstrap(),
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
                "earliest"),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      consumer.assign(List.of(new TopicPartition(topic, 0)));
      Await.until(
          count + " records in " + topic,
          Duration.ofMinutes(1),
          () -> {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
              values.add(record.value());
            }
            return values.size() >= count;
          });
    }
    return values;
  }
}

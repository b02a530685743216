package io.millrace.local;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.serialization.StringDeserializer;

/** A Kafka broker: one KRaft node that keeps every record, however old its timestamp. */
public final class KafkaBroker extends ServerProcess {
  private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(30);

  private int port;
  private int controllerPort;

  private KafkaBroker(Path folder) {
    super("kafka", folder);
  }

  /** A broker in a folder that it owns, not started. */
  static KafkaBroker in(Path folder) {
    return new KafkaBroker(folder);
  }

  /** Starts a broker with empty data in a folder that it owns. */
  public static KafkaBroker start(Path folder) {
    KafkaBroker broker = new KafkaBroker(folder);
    broker.start();
    return broker;
  }

  /** The value of `bootstrap.servers`. */
  public String bootstrap() {
    return "127.0.0.1:" + port;
  }

  @Override
  public String address() {
    return bootstrap();
  }

  /** An admin client of the caller's, to be closed by it. */
  public Admin admin() {
    return Admin.create(
        Map.of(
            AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG,
            bootstrap(),
            AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG,
            (int) REQUEST_TIMEOUT.toMillis(),
            AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG,
            5_000));
  }

  /** The names of all topics. */
  public Set<String> topics() {
    try (Admin admin = admin()) {
      return admin.listTopics().names().get(REQUEST_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException("cannot list the topics of " + bootstrap(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted: list topics", e);
    }
  }

  /** Creates a topic and returns once every partition has a leader. */
  public void createTopic(String topic, int partitions, Map<String, String> configs) {
    try (Admin admin = admin()) {
      NewTopic wanted = new NewTopic(topic, partitions, (short) 1).configs(configs);
      done("create topic " + topic, admin.createTopics(List.of(wanted)).all());
      Await.until(
          "leaders of topic " + topic,
          REQUEST_TIMEOUT,
          () -> {
            TopicDescription found =
                admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
            return found.partitions().size() == partitions
                && found.partitions().stream().allMatch(p -> p.leader() != null);
          });
    }
  }

  /** Creates a topic with the broker's defaults. */
  public void createTopic(String topic, int partitions) {
    createTopic(topic, partitions, Map.of());
  }

  /** Deletes topics with their records, and returns once they are no longer listed. */
  public void deleteTopics(String... topics) {
    try (Admin admin = admin()) {
      List<String> names = List.of(topics);
      done("delete topics " + names, admin.deleteTopics(names).all());
      Await.until(
          "topics " + names + " to be gone",
          REQUEST_TIMEOUT,
          () -> admin.listTopics().names().get().stream().noneMatch(names::contains));
    }
  }

  /** All committed records of a topic, as text; those of a partition in order. */
  public List<ConsumerRecord<String, String>> read(String topic) {
    Map<String, Object> client =
        Map.of(
            ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
            bootstrap(),
            ConsumerConfig.ISOLATION_LEVEL_CONFIG,
            "read_committed");
    List<ConsumerRecord<String, String>> records = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(client, new StringDeserializer(), new StringDeserializer())) {
      List<TopicPartition> partitions =
          consumer.partitionsFor(topic).stream()
              .map(p -> new TopicPartition(topic, p.partition()))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (ends.entrySet().stream().anyMatch(e -> consumer.position(e.getKey()) < e.getValue())) {
        consumer.poll(Duration.ofMillis(200)).forEach(records::add);
      }
    }
    return records;
  }

  private static void done(String what, KafkaFuture<Void> future) {
    try {
      future.get(REQUEST_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException("cannot " + what, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted: " + what, e);
    }
  }

  @Override
  List<Integer> choosePorts() {
    port = claimPort();
    controllerPort = claimPort();
    return List.of(port, controllerPort);
  }

  @Override
  void prepare() throws IOException {
    Path data = Files.createDirectories(folder().resolve("data"));
    // What `kafka-storage.sh format` leaves behind for a quorum with fixed voters.
    Files.writeString(
        data.resolve("meta.properties"),
        """
        version=1
        node.id=1
        cluster.id=%s
        directory.id=%s
        """
            .formatted(Uuid.randomUuid(), Uuid.randomUuid()));
    Path conf = Files.createDirectories(folder().resolve("conf"));
    Files.writeString(
        conf.resolve("server.properties"),
        """
        process.roles=broker,controller
        node.id=1
        controller.quorum.voters=1@127.0.0.1:%2$d
        listeners=PLAINTEXT://127.0.0.1:%1$d,CONTROLLER://127.0.0.1:%2$d
        advertised.listeners=PLAINTEXT://127.0.0.1:%1$d
        controller.listener.names=CONTROLLER
        listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
        inter.broker.listener.name=PLAINTEXT
        log.dirs=%3$s
        auto.create.topics.enable=false
        message.max.bytes=20971520
        # Events of the past carry timestamps of the past: nothing may expire.
        log.retention.ms=-1
        log.segment.bytes=268435456
        log.cleaner.dedupe.buffer.size=16777216
        # One node: whatever is replicated by default has one replica.
        default.replication.factor=1
        offsets.topic.replication.factor=1
        offsets.topic.num.partitions=4
        transaction.state.log.replication.factor=1
        transaction.state.log.min.isr=1
        transaction.state.log.num.partitions=4
        share.coordinator.state.topic.replication.factor=1
        share.coordinator.state.topic.min.isr=1
        transaction.max.timeout.ms=3600000
        group.initial.rebalance.delay.ms=0
        # A killed broker is let in again once its former session has expired.
        broker.heartbeat.interval.ms=500
        broker.session.timeout.ms=3000
        """
            .formatted(port, controllerPort, data));
  }

  @Override
  List<String> command() {
    return broker(folder());
  }

  /** What runs a broker with the configuration in a server's folder. */
  static List<String> broker(Path folder) {
    return List.of(
        "-Xmx640m",
        "-XX:+UseSerialGC",
        Tether.class.getName(),
        "kafka.Kafka",
        folder.resolve("conf").resolve("server.properties").toString());
  }

  @Override
  boolean answers() throws Exception {
    // The admin client logs a warning for each refused connection: knock first.
    try (Socket knock = new Socket()) {
      knock.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1_000);
    }
    try (Admin admin = admin()) {
      return admin.describeCluster().nodes().get(10, TimeUnit.SECONDS).size() == 1;
    }
  }
}

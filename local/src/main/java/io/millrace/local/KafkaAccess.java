package io.millrace.local;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import javax.annotation.Nullable;
import org.apache.kafka.clients.CommonClientConfigs;

/** How a command that is told of brokers gets there: the properties of Kafka's clients. */
final class KafkaAccess {
  private KafkaAccess() {}

  /**
   * The properties.
   *
   * @param file holds more of them, as for TLS and SASL
   */
  static Properties client(String brokers, @Nullable Path file) throws IOException {
    Properties client = new Properties();
    if (file != null) {
      try (Reader reader = Files.newBufferedReader(file)) {
        client.load(reader);
      }
    }
    client.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, brokers);
    return client;
  }
}

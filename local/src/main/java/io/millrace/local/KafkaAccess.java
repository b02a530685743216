package io.millrace.local;

import io.millrace.config.PassThrough;
import io.millrace.job.engagement.KafkaSecrets;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import javax.annotation.Nullable;
import org.apache.kafka.clients.CommonClientConfigs;

/** How a command that is told of brokers gets there: the properties of Kafka's clients. */
final class KafkaAccess {
  private KafkaAccess() {}

  /**
   * The properties.
   *
   * @param file holds more of them, as for TLS and SASL; a value may have {@code ${env:NAME}} and
   *     {@code ${file:/path}}
   */
  static Properties client(String brokers, @Nullable Path file) throws IOException {
    Properties given = new Properties();
    if (file != null) {
      try (Reader reader = Files.newBufferedReader(file)) {
        given.load(reader);
      }
    }
    Map<String, String> texts = new HashMap<>();
    given.stringPropertyNames().forEach(name -> texts.put(name, given.getProperty(name)));
    Properties client = KafkaSecrets.properties(PassThrough.of(texts));
    client.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, brokers);
    return client;
  }
}

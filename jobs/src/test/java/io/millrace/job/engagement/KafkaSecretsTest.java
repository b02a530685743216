package io.millrace.job.engagement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.config.ConfigException;
import io.millrace.config.PassThrough;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.config.types.Password;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KafkaSecretsTest {
  @TempDir private Path folder;

  @Test
  void aClientReadsTheReferencesAndThePropertiesHoldNone() throws Exception {
    Path file = Files.writeString(folder.resolve("a:b"), "planted\n");
    String jaas = "user=\"${env:HOME}\" password=\"${file:%s}\";".formatted(file);
    Properties properties =
        KafkaSecrets.properties(
            PassThrough.of(
                Map.of(SaslConfigs.SASL_JAAS_CONFIG, jaas, "client.rack", "${other:x} stays")));

    assertThat(properties)
        .containsEntry(SaslConfigs.SASL_JAAS_CONFIG, jaas)
        .doesNotContainValue("planted");
    ConsumerConfig client = client(properties);
    assertThat(client.getPassword(SaslConfigs.SASL_JAAS_CONFIG))
        .isEqualTo(
            new Password("user=\"%s\" password=\"planted\";".formatted(System.getenv("HOME"))));
    assertThat(client.getString("client.rack")).isEqualTo("${other:x} stays");
  }

  @Test
  void aReferenceToNothingIsOneClearError() {
    Properties variable = properties("${env:MILLRACE_NOWHERE}");
    assertThatThrownBy(() -> client(variable))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(
            "cannot read 'env:MILLRACE_NOWHERE': the environment variable is not set");
    Properties file = properties("${file:/nowhere/at:all}");
    assertThatThrownBy(() -> client(file))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("cannot read 'file:/nowhere/at:all': there is no such file");
  }

  @Test
  void otherProvidersStay() {
    Properties properties =
        KafkaSecrets.properties(
            PassThrough.of(
                Map.of(
                    "config.providers",
                    "vault, env",
                    "config.providers.vault.class",
                    "com.example.Vault")));
    assertThat(properties.getProperty("config.providers").split(","))
        .containsExactlyInAnyOrder("vault", "env", "file");
    assertThat(properties).containsEntry("config.providers.vault.class", "com.example.Vault");
  }

  private static Properties properties(String password) {
    return KafkaSecrets.properties(PassThrough.of(Map.of("ssl.truststore.password", password)));
  }

  private static ConsumerConfig client(Properties properties) {
    properties.setProperty("bootstrap.servers", "localhost:9");
    properties.setProperty(
        "key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
    properties.setProperty(
        "value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
    return new ConsumerConfig(properties);
  }
}

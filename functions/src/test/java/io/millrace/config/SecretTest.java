package io.millrace.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.flink.util.InstantiationUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SecretTest {
  private static final Map<String, String> ENVIRONMENT = Map.of("KEY", "hunter2", "EMPTY", "");

  @Test
  void readsTheEnvironmentAndFilesAtTheTimeOfUse(@TempDir Path dir) throws IOException {
    Path file = dir.resolve("key");
    Secret secret = Secret.of("file:" + file);
    Files.writeString(file, "first\n");
    assertThat(secret.resolve()).isEqualTo("first");
    Files.writeString(file, "second\nline\r\n");
    assertThat(secret.resolve()).isEqualTo("second\nline");
    assertThat(Secret.of("env:KEY").resolve(ENVIRONMENT::get)).isEqualTo("hunter2");
  }

  @Test
  void namesTheReferenceWhenThereIsNothingToRead(@TempDir Path dir) throws IOException {
    assertThatThrownBy(() -> Secret.of("env:NONE").resolve(ENVIRONMENT::get))
        .hasMessageEndingWith("cannot read 'env:NONE': the environment variable is not set");
    assertThatThrownBy(() -> Secret.of("env:EMPTY").resolve(ENVIRONMENT::get))
        .hasMessageEndingWith("cannot read 'env:EMPTY': the environment variable is not set");
    Path file = dir.resolve("key");
    Secret secret = Secret.of("file:" + file);
    assertThatThrownBy(secret::resolve)
        .hasMessageEndingWith("cannot read 'file:" + file + "': there is no such file");
    Files.writeString(file, "\n");
    assertThatThrownBy(secret::resolve)
        .hasMessageEndingWith("cannot read 'file:" + file + "': the file is empty");
    Files.write(file, new byte[] {'a', (byte) 0xff});
    assertThatThrownBy(secret::resolve)
        .hasMessageEndingWith(
            "cannot read 'file:" + file + "': the file cannot be read as UTF-8 text");
  }

  @Test
  void refusesALiteralWithoutRepeatingIt() {
    for (String literal : new String[] {"hunter2", "env:", "env:A B", "file:relative", ""}) {
      assertThatThrownBy(() -> Secret.of(literal))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("a secret is given by reference, as env:NAME or file:/path");
    }
  }

  @Test
  void printsNothingAndEqualsByReference() throws Exception {
    Secret secret = Secret.of("env:KEY");
    assertThat(secret).hasToString("***").isEqualTo(Secret.of("env:KEY"));
    assertThat(secret).isNotEqualTo(Secret.of("env:OTHER"));
    assertThat(secret.reference()).isEqualTo("env:KEY");
    assertThat(InstantiationUtil.clone(secret)).isEqualTo(secret);
  }

  @Test
  void passThroughPropertiesResolveReferencesWithinTheirValues(@TempDir Path dir) throws Exception {
    Path file = Files.writeString(dir.resolve("p"), "a$1\\b\n");
    PassThrough properties =
        PassThrough.of(
            Map.of(
                "sasl.jaas.config",
                "user=\"u\" password=\"${env:KEY}\" ${file:" + file + "};",
                "group.id",
                "${other:x} stays"));
    assertThat(properties.resolve(ENVIRONMENT::get))
        .isEqualTo(
            Map.of(
                "sasl.jaas.config", "user=\"u\" password=\"hunter2\" a$1\\b;",
                "group.id", "${other:x} stays"));
    assertThat(properties).hasToString("{group.id=${other:x} stays, sasl.jaas.config=***}");
    assertThat(InstantiationUtil.clone(properties)).isEqualTo(properties);
    assertThatThrownBy(() -> PassThrough.of(Map.of("a", "${env:NONE}")).resolve(ENVIRONMENT::get))
        .hasMessageEndingWith("cannot read 'env:NONE': the environment variable is not set");
  }

  /** In front of readers that the client has anyway. */
  @Test
  void kafkasClientsAreToldWhoReadsReferences() {
    assertThat(PassThrough.of(Map.of("config.providers", "vault", "a", "${env:KEY}")).forKafka())
        .containsEntry("a", "${env:KEY}")
        .containsKeys("config.providers.env.class", "config.providers.file.class")
        .hasEntrySatisfying("config.providers", names -> assertThat(names).startsWith("vault,"))
        .hasSize(4);
  }

  @Test
  void propertiesThatLookSecretAreRedacted() {
    String[] secret = {
      "ssl.key.password", "SSL.KEYSTORE.PASSWORD", "sasl.jaas.config", "client.secret",
      "basic.auth.credentials.source", "basic.auth.user.info", "ssl.keystore.key", "aws.access-key"
    };
    for (String key : secret) {
      assertThat(PassThrough.of(Map.of(key, "hunter2"))).hasToString("{" + key + "=***}");
    }
    assertThat(PassThrough.of(Map.of("ssl.keystore.location", "/a")))
        .hasToString("{ssl.keystore.location=/a}");
  }
}

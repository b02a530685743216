package io.millrace.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.description.Description;
import org.apache.flink.configuration.description.TextElement;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OptionDocsTest {
  private static final ConfigOption<String> FORMATTED =
      ConfigOptions.key("format")
          .stringType()
          .defaultValue("")
          .withDescription(
              Description.builder()
                  .text("Either %s | or nothing,", TextElement.code("json"))
                  .linebreak()
                  .text("100%% of the time.")
                  .build());

  private static final OptionSet OPTIONS =
      OptionSet.builder()
          .required(ConfigReaderTest.SERVERS)
          .option(ConfigReaderTest.SOURCE)
          .option(ConfigReaderTest.GAP, Check.moreThan(java.time.Duration.ZERO))
          .option(ConfigReaderTest.TOPICS)
          .option(FORMATTED)
          .secret(ConfigReaderTest.PSEUDONYM)
          .passThrough("kafka.properties", "Handed on to Kafka's clients.")
          .build();

  private static final String UPDATE = System.getProperty(OptionDocs.UPDATE_PROPERTY, "false");

  /** These tests compare, also in a build that writes the generated files. */
  @BeforeEach
  void compare() {
    System.setProperty(OptionDocs.UPDATE_PROPERTY, "false");
  }

  @AfterEach
  void asItWas() {
    System.setProperty(OptionDocs.UPDATE_PROPERTY, UPDATE);
  }

  @Test
  void theTableHasARowForEveryDeclaration() {
    assertThat(OptionDocs.markdown(OPTIONS))
        .isEqualTo(
            """
            | Key | Type | Default | Description |
            | --- | --- | --- | --- |
            | `kafka.bootstrap-servers` | string | required | Where the brokers are. |
            | `source` | kafka / json-files | `kafka` |  |
            | `timeline.session-gap` | duration | `30 min` | Inactivity that ends a session. \
            Must be more than 0 ms. |
            | `topics` | list of string | `install;session` |  |
            | `format` | string | `(empty)` | Either `json` \\| or nothing,<br>100% of the time. |
            | `identity.pseudonym-key` | secret reference | none |  |
            | `kafka.properties.*` | any | none | Handed on to Kafka's clients. |
            """);
  }

  @Test
  void helpIsMadeFromTheSameDeclarations() {
    assertThat(OptionDocs.help("submit engagement [--key value ...]", OPTIONS))
        .isEqualTo(
            """
            Usage: submit engagement [--key value ...]

              --config FILE
                  A YAML file of the options below; arguments replace its values.
              --kafka.bootstrap-servers <string>  (required)
                  Where the brokers are.
              --source <kafka / json-files>  (default: kafka)

              --timeline.session-gap <duration>  (default: 30 min)
                  Inactivity that ends a session. Must be more than 0 ms.
              --topics <list of string>  (default: install;session)

              --format <string>  (default: (empty))
                  Either json | or nothing,
                  100% of the time.
              --identity.pseudonym-key <secret reference>  (optional)

              --kafka.properties.* <any>
                  Handed on to Kafka's clients.
            """);
    assertThat(OptionDocs.helpWanted("--config", "x", "--help")).isTrue();
    assertThat(OptionDocs.helpWanted("--config", "x")).isFalse();
  }

  @Test
  void aStaleFileFailsAndSaysHowToGenerateIt(@TempDir Path dir) throws IOException {
    Path file = dir.resolve("options.md");
    assertThatThrownBy(() -> OptionDocs.verify(file, "new"))
        .isInstanceOf(AssertionError.class)
        .hasMessage(
            "options.md is missing: run this test with -Dmillrace.docs.update=true"
                + " and commit the file");
    Files.writeString(file, "old");
    assertThatThrownBy(() -> OptionDocs.verify(file, "new"))
        .hasMessage(
            "options.md is stale: run this test with -Dmillrace.docs.update=true"
                + " and commit the file");
    System.setProperty(OptionDocs.UPDATE_PROPERTY, "true");
    OptionDocs.verify(file, "new");
    System.setProperty(OptionDocs.UPDATE_PROPERTY, "false");
    assertThatCode(() -> OptionDocs.verify(file, "new")).doesNotThrowAnyException();
  }

  @Test
  void aSectionIsGeneratedAndTheRestIsLeftAlone(@TempDir Path dir) throws IOException {
    Path file = dir.resolve("page.md");
    Files.writeString(file, "By hand.\n");
    assertThatThrownBy(() -> OptionDocs.verifySection(file, "a", "new\n"))
        .isInstanceOf(AssertionError.class)
        .hasMessage("page.md has no section between <!-- generated: a --> and <!-- end: a -->");
    Files.writeString(file, "By hand.\n<!-- generated: a -->\nold\n<!-- end: a -->\nBy hand.\n");
    assertThatThrownBy(() -> OptionDocs.verifySection(file, "a", "new\n"))
        .isInstanceOf(AssertionError.class)
        .hasMessageStartingWith("page.md is stale");
    System.setProperty(OptionDocs.UPDATE_PROPERTY, "true");
    OptionDocs.verifySection(file, "a", "new\n");
    System.setProperty(OptionDocs.UPDATE_PROPERTY, "false");
    assertThat(file)
        .hasContent("By hand.\n<!-- generated: a -->\nnew\n<!-- end: a -->\nBy hand.\n");
    assertThatCode(() -> OptionDocs.verifySection(file, "a", "new\n")).doesNotThrowAnyException();
  }
}

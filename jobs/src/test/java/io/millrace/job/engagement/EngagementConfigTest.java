package io.millrace.job.engagement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.codec.json.JsonEventDecoder;
import io.millrace.config.ConfigException;
import io.millrace.config.OptionDocs;
import io.millrace.config.PassThrough;
import io.millrace.config.Secret;
import io.millrace.lake.catalog.CatalogSpec;
import io.millrace.validation.ValidationRules;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.apache.flink.configuration.MemorySize;
import org.junit.jupiter.api.Test;

class EngagementConfigTest {
  private static final String MINIMAL = "config/engagement.minimal.yaml";
  private static final String REFERENCE = "config/engagement.reference.yaml";
  private static final Map<String, Set<String>> TOPICS =
      Map.of(
          "install", Set.of("install"),
          "session", Set.of("*"),
          "view_notification", Set.of("view_notification"),
          "open_notification", Set.of("open_notification"));

  @Test
  void theMinimalFileIsExactlyTheDefaults() {
    assertThat(EngagementConfig.parse("--config", MINIMAL))
        .isEqualTo(
            new EngagementConfig(
                "millrace-engagement",
                null,
                128,
                new EngagementConfig.Input(
                    EngagementConfig.SourceKind.KAFKA,
                    null,
                    "localhost:9092",
                    "millrace-engagement",
                    EngagementConfig.Start.COMMITTED,
                    false,
                    PassThrough.NONE),
                TOPICS,
                ValidationRules.DEFAULTS,
                new JsonEventDecoder.Limits(1 << 20, 32, 64, 1024, 128, true),
                new EngagementConfig.Time(
                    Duration.ofMinutes(2), Duration.ofMinutes(1), Duration.ofMinutes(10)),
                new EngagementConfig.Users(
                    Duration.ofHours(24), 50_000, MemorySize.ofMebiBytes(128), null),
                null,
                new EngagementConfig.DeadLetters(true, ".dlq", MemorySize.parse("256 kb")),
                new EngagementConfig.Lake(
                    "s3://lake",
                    true,
                    1,
                    MemorySize.ofMebiBytes(64),
                    MemorySize.ofMebiBytes(256),
                    Duration.ofSeconds(60)),
                CatalogSpec.none()));
  }

  @Test
  void theReferenceFileSetsEveryOption() {
    EngagementConfig config = EngagementConfig.parse("--config", REFERENCE);
    assertThat(config)
        .isEqualTo(
            new EngagementConfig(
                "millrace-engagement",
                "engagement-2026",
                128,
                new EngagementConfig.Input(
                    EngagementConfig.SourceKind.KAFKA,
                    null,
                    "broker-1:9093,broker-2:9093",
                    "millrace-engagement",
                    EngagementConfig.Start.COMMITTED,
                    false,
                    PassThrough.of(
                        Map.of(
                            "security.protocol", "SASL_SSL",
                            "sasl.mechanism", "SCRAM-SHA-512",
                            "sasl.jaas.config",
                                "org.apache.kafka.common.security.scram.ScramLoginModule required"
                                    + " username=\"millrace\" password=\"${env:KAFKA_PASSWORD}\";",
                            "ssl.truststore.location", "/etc/millrace/truststore.p12",
                            "ssl.truststore.password",
                                "${file:/etc/millrace/truststore.password}"))),
                TOPICS,
                new ValidationRules(
                    1 << 20, 128, 256, Duration.ofMinutes(10), Duration.ofDays(30), Map.of()),
                new JsonEventDecoder.Limits(1 << 20, 32, 64, 1024, 128, true),
                new EngagementConfig.Time(
                    Duration.ofMinutes(2), Duration.ofMinutes(1), Duration.ofMinutes(10)),
                new EngagementConfig.Users(
                    Duration.ofHours(24),
                    50_000,
                    MemorySize.ofMebiBytes(128),
                    Secret.of("env:MILLRACE_PSEUDONYM_KEY")),
                new EngagementConfig.Dimension(
                    "s3://lake/dimensions/devices-and-countries.jsonl",
                    null,
                    Duration.ofSeconds(30)),
                new EngagementConfig.DeadLetters(true, ".dlq", MemorySize.parse("256 kb")),
                new EngagementConfig.Lake(
                    "s3://lake",
                    true,
                    1,
                    MemorySize.ofMebiBytes(64),
                    MemorySize.ofMebiBytes(256),
                    Duration.ofSeconds(60)),
                CatalogSpec.hive("thrift://metastore:9083", "millrace")));
    assertThat(config.toString())
        .doesNotContain("KAFKA_PASSWORD", "MILLRACE_PSEUDONYM_KEY", "truststore.password}")
        .contains("pseudonymKey=***");
  }

  @Test
  void everyProblemIsReportedAtOnce() {
    assertThatThrownBy(
            () ->
                EngagementConfig.parse(
                    "--source", "files",
                    "--time.alowed-lateness", "5 min",
                    "--users.cache-users", "0",
                    "--users.pseudonym-key", "sesame",
                    "--catalog.kind", "hive"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("'time.alowed-lateness', did you mean 'time.allowed-lateness'?")
        .hasMessageContaining("'users.cache-users' is '0', but must be at least 1")
        .hasMessageContaining("'users.pseudonym-key' is a secret")
        .hasMessageContaining("missing required key 'lake.root'")
        .hasMessageContaining("source is files, so input is required")
        .hasMessageContaining("a catalog is chosen, so catalog.uri is required")
        .hasMessageNotContaining("sesame");
  }

  @Test
  void aBackfillReadsThePlanThatItIsGiven() {
    assertThatThrownBy(() -> EngagementConfig.parse("--source", "raw", "--lake.root", "file:/l"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("source is raw, so input is required: the plan of a backfill");
    EngagementConfig config =
        EngagementConfig.parse(
            "--source", "raw", "--input", "file:/l/plan.json", "--lake.root", "file:/l");
    assertThat(config.isBatch()).isTrue();
    assertThat(config.mode()).isEqualTo("bounded");
    assertThat(config.deadLetters().topics()).isFalse();
    assertThat(config.input().files()).isEqualTo("file:/l/plan.json");
  }

  @Test
  void typesPerTopicLeaveOutTopicsThatTakeAny() {
    EngagementConfig config =
        EngagementConfig.parse("--config", MINIMAL, "--validation.types-per-topic", "true");
    assertThat(config.rules().allowedTypes())
        .isEqualTo(
            Map.of(
                "install", Set.of("install"),
                "view_notification", Set.of("view_notification"),
                "open_notification", Set.of("open_notification")));
  }

  @Test
  void configuredTopicsReplaceTheDefault() {
    EngagementConfig config =
        EngagementConfig.parse(
            "--config", MINIMAL, "--topics.session", "session_start session_end");
    assertThat(config.topics())
        .isEqualTo(Map.of("session", Set.of("session_start", "session_end")));
  }

  @Test
  void theOptionsTableIsCurrent() {
    OptionDocs.verify(
        Path.of("../docs/options.md"),
        """
        # Options of the engagement job

        Given in a YAML file (`--config FILE`), as nested maps or dotted keys, or as `--KEY VALUE`, which wins.
        Durations are written `10 min`, `24 h`; sizes `256 kb`, `1 mb`. This page is generated from the code.

        """
            + OptionDocs.markdown(EngagementConfig.OPTIONS));
  }
}

package io.millrace.job.engagement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.codec.json.JsonEventDecoder;
import io.millrace.config.ConfigException;
import io.millrace.config.OptionDocs;
import io.millrace.config.PassThrough;
import io.millrace.config.Secret;
import io.millrace.lake.catalog.CatalogSpec;
import io.millrace.rollup.RollupSpec;
import io.millrace.session.SessionRules;
import io.millrace.validation.ValidationRules;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.configuration.MemorySize;
import org.junit.jupiter.api.Test;

class EngagementConfigTest {
  private static final String MINIMAL = "config/engagement.minimal.yaml";
  private static final String REFERENCE = "config/engagement.reference.yaml";
  private static final String DIMENSIONS_ARE =
      "argument: 'rollups.dimensions' is 'device_tipe;country;properties.Plan;country', but ";
  private static final String COUNTERS_ARE =
      "argument: 'rollups.counters' is"
          + " 'total_views:view_notification,country:move,purchases:Purchase', but ";
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
                    "correlation-id",
                    PassThrough.NONE),
                TOPICS,
                ValidationRules.DEFAULTS,
                new JsonEventDecoder.Limits(1 << 20, 32, 64, 1024, 128, true),
                new EngagementConfig.Time(
                    Duration.ofMinutes(2),
                    Duration.ofMinutes(1),
                    Duration.ofMinutes(10),
                    Duration.ofMinutes(10)),
                new EngagementConfig.Users(
                    Duration.ofHours(24), 50_000, MemorySize.ofMebiBytes(128), null, null),
                null,
                new EngagementConfig.Sessions(true, SessionRules.DEFAULTS, "sessions"),
                new EngagementConfig.Rollups(
                    true,
                    RollupSpec.defaults(),
                    100_000,
                    Duration.ofSeconds(5),
                    Duration.ofHours(24),
                    "rollups.live",
                    null),
                new EngagementConfig.Anomalies(
                    true,
                    EngagementConfig.AnomalyInput.FINAL,
                    List.of(
                        "total_events",
                        "total_installs",
                        "total_sessions",
                        "active_users",
                        "notification_ctr",
                        "bounce_rate"),
                    Set.of(0, 0b100),
                    168,
                    "anomalies"),
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
                    "correlation-id",
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
                    Duration.ofMinutes(2),
                    Duration.ofMinutes(1),
                    Duration.ofMinutes(10),
                    Duration.ofMinutes(10)),
                new EngagementConfig.Users(
                    Duration.ofHours(24),
                    50_000,
                    MemorySize.ofMebiBytes(128),
                    Secret.of("env:MILLRACE_PSEUDONYM_KEY"),
                    "erasures"),
                new EngagementConfig.Dimension(
                    "s3://lake/dimensions/devices-and-countries.jsonl",
                    null,
                    Duration.ofSeconds(30)),
                new EngagementConfig.Sessions(
                    true,
                    new SessionRules(
                        Duration.ofMinutes(30),
                        Duration.ofHours(24),
                        10_000,
                        false,
                        50,
                        "screen",
                        1_772_323_200_000L),
                    "sessions"),
                new EngagementConfig.Rollups(
                    true,
                    new RollupSpec(
                        List.of("device_type", "country", "properties.plan"),
                        List.of(0b111, 0b011, 0b010, 0b100, 0),
                        Map.of("total_purchases", "purchase"),
                        Map.of(
                            "country", Set.of("DE", "FR", "US"),
                            "properties.plan", Set.of("free", "paid"))),
                    100_000,
                    Duration.ofSeconds(5),
                    Duration.ofHours(24),
                    "rollups.live",
                    new EngagementConfig.Jdbc(
                        "jdbc:postgresql://postgres:5432/millrace",
                        "millrace",
                        Secret.of("env:MILLRACE_POSTGRES_PASSWORD"),
                        "live_")),
                new EngagementConfig.Anomalies(
                    true,
                    EngagementConfig.AnomalyInput.FINAL,
                    List.of("total_events", "total_purchases", "active_users"),
                    Set.of(0, 0b100),
                    168,
                    "anomalies"),
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
        .doesNotContain(
            "KAFKA_PASSWORD", "MILLRACE_PSEUDONYM_KEY", "MILLRACE_POSTGRES", "truststore.password}")
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
  void whatIsWrongWithRollupsIsToldWithKeyValueAndWhatIsAllowed() {
    assertThatThrownBy(
            () ->
                EngagementConfig.parse(
                    "--rollups.dimensions", "device_tipe, country, properties.Plan, country",
                    "--rollups.counters.total_views", "view_notification",
                    "--rollups.counters.country", "move",
                    "--rollups.counters.purchases", "Purchase",
                    "--rollups.max-cells", "0",
                    "--time.input-ends-at", "yesterday"))
        .isInstanceOf(ConfigException.class)
        .satisfies(
            e ->
                assertThat(((ConfigException) e).problems())
                    .containsExactlyInAnyOrder(
                        "missing required key 'lake.root'",
                        "source is kafka, so kafka.bootstrap-servers is required",
                        "argument: 'rollups.max-cells' is '0', but must be from 1 to 10000000",
                        "argument: 'time.input-ends-at' is 'yesterday', but must be an instant in"
                            + " UTC, for example 2026-03-01T00:00:00Z",
                        DIMENSIONS_ARE
                            + "'device_tipe' is none of device_type, os_version, app_version,"
                            + " country, region, city and properties.NAME, did you mean"
                            + " 'device_type'?",
                        DIMENSIONS_ARE
                            + "the property of 'properties.Plan' must be of the form"
                            + " [a-z][a-z0-9_]{0,62}",
                        DIMENSIONS_ARE + "'country' is named twice",
                        COUNTERS_ARE + "'total_views' is a column of the rollups already",
                        COUNTERS_ARE + "'country' is a column of the rollups already",
                        COUNTERS_ARE
                            + "the event type 'Purchase' of 'purchases' must be of the form"
                            + " [a-z][a-z0-9_]{0,63}"));
  }

  @Test
  void setsAndValuesOfUnknownDimensionsAreRefused() {
    assertThatThrownBy(
            () ->
                EngagementConfig.parse(
                    "--config", MINIMAL,
                    "--rollups.grouping-sets", "contry+device_type, ()",
                    "--rollups.allowed-values.city", "Jena",
                    "--rollups.allowed-values.country", " , "))
        .isInstanceOf(ConfigException.class)
        .satisfies(
            e ->
                assertThat(((ConfigException) e).problems())
                    .containsExactlyInAnyOrder(
                        "argument: 'rollups.grouping-sets' is 'contry+device_type;()', but 'contry'"
                            + " in the set 'contry+device_type' is none of the dimensions"
                            + " device_type, app_version, country, did you mean 'country'?",
                        "argument: 'rollups.allowed-values' is 'city:Jena,country: , ', but 'city'"
                            + " is none of the dimensions device_type, app_version, country",
                        "argument: 'rollups.allowed-values' is 'city:Jena,country: , ', but"
                            + " 'country' must have at least one value"));
  }

  @Test
  void aListOfSetsGetsTheFinestAndTheTotalAdded() {
    EngagementConfig config =
        EngagementConfig.parse(
            "--config", MINIMAL, "--rollups.grouping-sets", "country, app_version + country");
    assertThat(config.rollups().spec().sets()).containsExactly(0b111, 0b110, 0b100, 0);
  }

  @Test
  void filesHaveNoTopicsAndNothingLive() {
    EngagementConfig config =
        EngagementConfig.parse(
            "--source", "files",
            "--input", "/in",
            "--lake.root", "file:///lake",
            "--rollups.jdbc.url", "jdbc:postgresql://h/d");
    assertThat(config.sessions().enabled()).isTrue();
    assertThat(config.sessions().topic()).isNull();
    assertThat(config.rollups().isLive()).isFalse();
    assertThat(config.rollups().jdbc()).isNull();
    assertThat(config.anomalies().topic()).isNull();
  }

  @Test
  void whatIsEmptyOrOffIsNotConnected() {
    EngagementConfig empty =
        EngagementConfig.parse(
            "--config", MINIMAL,
            "--sessions.topic", "",
            "--rollups.live-topic", "",
            "--anomalies.topic", "");
    assertThat(empty.sessions().topic()).isNull();
    assertThat(empty.rollups().isLive()).isFalse();
    assertThat(empty.anomalies().topic()).isNull();
    EngagementConfig off =
        EngagementConfig.parse(
            "--config", MINIMAL,
            "--sessions.enabled", "false",
            "--rollups.enabled", "false",
            "--anomalies.enabled", "false");
    assertThat(off.sessions().topic()).isNull();
    assertThat(off.rollups().isLive()).isFalse();
    assertThat(off.anomalies().topic()).isNull();
  }

  @Test
  void whatNeedsWhatIsTold() {
    assertThatThrownBy(
            () ->
                EngagementConfig.parse(
                    "--config", MINIMAL,
                    "--rollups.enabled", "false",
                    "--rollups.jdbc.password", "env:P",
                    "--rollups.jdbc.url", "jdbc:postgresql://h/d?user=u&password=sesame"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("with rollups.enabled false, anomalies.enabled must be false, too")
        .hasMessageContaining("rollups.jdbc.password is given, so rollups.jdbc.user is required")
        .hasMessageContaining(
            "'rollups.jdbc.url' is 'jdbc:postgresql://h/d?user=u&password=***', but must be without"
                + " a password: that is for rollups.jdbc.password")
        .hasMessageNotContaining("sesame");
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
            + OptionDocs.markdown(EngagementOptions.OPTIONS));
  }
}

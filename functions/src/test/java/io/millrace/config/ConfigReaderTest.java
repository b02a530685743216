package io.millrace.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.MemorySize;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigReaderTest {
  enum Source {
    KAFKA,
    JSON_FILES
  }

  static final ConfigOption<String> SERVERS =
      ConfigOptions.key("kafka.bootstrap-servers")
          .stringType()
          .noDefaultValue()
          .withDescription("Where the brokers are.");
  static final ConfigOption<Source> SOURCE =
      ConfigOptions.key("source").enumType(Source.class).defaultValue(Source.KAFKA);
  static final ConfigOption<Duration> GAP =
      ConfigOptions.key("timeline.session-gap")
          .durationType()
          .defaultValue(Duration.ofMinutes(30))
          .withDescription("Inactivity that ends a session.");
  static final ConfigOption<Duration> LATENESS =
      ConfigOptions.key("timeline.allowed-lateness")
          .durationType()
          .defaultValue(Duration.ofMinutes(10));
  static final ConfigOption<MemorySize> MAX_RECORD =
      ConfigOptions.key("validation.max-record-size")
          .memoryType()
          .defaultValue(MemorySize.ofMebiBytes(1));
  static final ConfigOption<Integer> PARALLELISM =
      ConfigOptions.key("parallelism").intType().noDefaultValue();
  static final ConfigOption<Boolean> RAW =
      ConfigOptions.key("raw.enabled").booleanType().defaultValue(true);
  static final ConfigOption<List<String>> TOPICS =
      ConfigOptions.key("topics").stringType().asList().defaultValues("install", "session");
  static final ConfigOption<Map<String, String>> TYPES =
      ConfigOptions.key("types").mapType().defaultValue(Map.of());
  static final ConfigOption<String> PSEUDONYM =
      ConfigOptions.key("identity.pseudonym-key").stringType().noDefaultValue();

  static final OptionSet OPTIONS =
      OptionSet.builder()
          .required(SERVERS)
          .option(SOURCE)
          .option(GAP, Check.moreThan(Duration.ZERO))
          .option(LATENESS)
          .option(MAX_RECORD)
          .option(PARALLELISM, Check.between(1, 128))
          .option(RAW)
          .option(TOPICS)
          .option(TYPES)
          .secret(PSEUDONYM)
          .passThrough("kafka.properties", "Handed on to Kafka's clients.")
          .rule(
              settings -> settings.get(LATENESS).compareTo(settings.get(GAP)) <= 0,
              "'timeline.allowed-lateness' must not be longer than 'timeline.session-gap'",
              LATENESS,
              GAP)
          .build();

  private static final String MINIMAL = "kafka.bootstrap-servers: broker:9092\n";

  private static Settings read(String yaml, String... arguments) {
    return ConfigReader.of(OPTIONS).yaml("job.yaml", yaml).arguments(arguments).read();
  }

  private static List<String> problems(String yaml, String... arguments) {
    try {
      read(yaml, arguments);
    } catch (ConfigException e) {
      return e.problems();
    }
    return List.of();
  }

  @Test
  void defaultsStandWhereNothingIsGiven() {
    Settings settings = read(MINIMAL);
    assertThat(settings.get(SERVERS)).isEqualTo("broker:9092");
    assertThat(settings.get(SOURCE)).isEqualTo(Source.KAFKA);
    assertThat(settings.get(GAP)).isEqualTo(Duration.ofMinutes(30));
    assertThat(settings.find(PARALLELISM)).isEmpty();
    assertThat(settings.findSecret(PSEUDONYM)).isEmpty();
    assertThat(settings.properties("kafka.properties")).isEqualTo(PassThrough.NONE);
  }

  @Test
  void everyTypeIsReadFromNestedAndDottedKeys() {
    Settings settings =
        read(
            """
            kafka:
              bootstrap-servers: broker:9092
              properties:
                ssl.protocol: TLSv1.3
                sasl: {mechanism: PLAIN}
                retries: 010
            kafka.properties.client.id: millrace
            source: json-files
            timeline: {session-gap: 45 min, allowed-lateness: 90s}
            validation.max-record-size: 2 mb
            parallelism: 4
            raw.enabled: False
            topics: [install, "a;b"]
            types:
              view.notification: view
              install: install
            identity.pseudonym-key: env:PSEUDONYM
            """);
    assertThat(settings.get(SOURCE)).isEqualTo(Source.JSON_FILES);
    assertThat(settings.get(GAP)).isEqualTo(Duration.ofMinutes(45));
    assertThat(settings.get(LATENESS)).isEqualTo(Duration.ofSeconds(90));
    assertThat(settings.get(MAX_RECORD)).isEqualTo(MemorySize.ofMebiBytes(2));
    assertThat(settings.find(PARALLELISM)).isEqualTo(Optional.of(4));
    assertThat(settings.get(RAW)).isFalse();
    assertThat(settings.get(TOPICS)).containsExactly("install", "a;b");
    assertThat(settings.get(TYPES))
        .isEqualTo(Map.of("view.notification", "view", "install", "install"));
    assertThat(settings.findSecret(PSEUDONYM)).contains(Secret.of("env:PSEUDONYM"));
    assertThat(settings.properties("kafka.properties").unresolved())
        .isEqualTo(
            Map.of(
                "ssl.protocol", "TLSv1.3",
                "sasl.mechanism", "PLAIN",
                "retries", "010",
                "client.id", "millrace"));
  }

  @Test
  void argumentsReplaceOverridesAndTheseTheFile() {
    Settings settings =
        ConfigReader.of(OPTIONS)
            .yaml("job.yaml", MINIMAL + "source: kafka\nparallelism: 1\ntimeline.session-gap: 1 h")
            .overrides(Map.of("parallelism", "2", "timeline.session-gap", "2 h"))
            .arguments("--timeline.session-gap", "3 h", "--source=JSON_FILES", "--raw.enabled")
            .read();
    assertThat(settings.find(PARALLELISM)).contains(2);
    assertThat(settings.get(GAP)).isEqualTo(Duration.ofHours(3));
    assertThat(settings.get(SOURCE)).isEqualTo(Source.JSON_FILES);
    assertThat(settings.get(RAW)).isTrue();
  }

  @Test
  void listsAndMapsAreGivenInOneArgument() {
    String[] lists = {"a;b", "a, b", "[a, 'b']"};
    for (String list : lists) {
      assertThat(read(MINIMAL, "--topics", list).get(TOPICS)).containsExactly("a", "b");
    }
    assertThat(read(MINIMAL, "--topics=").get(TOPICS)).isEmpty();
    for (String map : new String[] {"a:1,b:2", "{a: 1, b: 2}"}) {
      assertThat(read(MINIMAL, "--types", map).get(TYPES)).isEqualTo(Map.of("a", "1", "b", "2"));
    }
  }

  @Test
  void singleEntriesOfMapsAndPropertiesAreReplaced() {
    String yaml = MINIMAL + "types: {a: 1, b: 2}\nkafka.properties: {acks: all, client.id: x}\n";
    Settings settings = read(yaml, "--types.b", "3", "--kafka.properties.acks", "1");
    assertThat(settings.get(TYPES)).isEqualTo(Map.of("a", "1", "b", "3"));
    assertThat(settings.properties("kafka.properties").unresolved())
        .isEqualTo(Map.of("acks", "1", "client.id", "x"));
    assertThat(read(MINIMAL + "types: 'a:1,b:2'", "--types.b=3").get(TYPES))
        .isEqualTo(Map.of("a", "1", "b", "3"));
    assertThat(read(yaml, "--types", "c:4").get(TYPES)).isEqualTo(Map.of("c", "4"));
    assertThat(read(MINIMAL + "types: {}").get(TYPES)).isEmpty();
  }

  @Test
  void emptyKeysAndSectionsMeanNothingIsGiven() {
    assertThat(read(MINIMAL + "timeline:\nparallelism:\nvalidation: {}\n").find(PARALLELISM))
        .isEmpty();
    assertThat(problems("")).containsExactly("missing required key 'kafka.bootstrap-servers'");
  }

  @Test
  void unknownKeysAreRefusedWithTheNearestKnownOne() {
    assertThat(
            problems(
                MINIMAL
                    + """
                    timeline.alowed-lateness: 1 min
                    session-gap: 1 min
                    kafka.propertys.acks: all
                    colour: red
                    topcis: [a]
                    """,
                "--paralelism=2"))
        .containsExactly(
            "job.yaml:2: unknown key 'timeline.alowed-lateness',"
                + " did you mean 'timeline.allowed-lateness'?",
            "job.yaml:3: unknown key 'session-gap', did you mean 'timeline.session-gap'?",
            "job.yaml:4: unknown key 'kafka.propertys.acks',"
                + " did you mean 'kafka.properties.acks'?",
            "job.yaml:5: unknown key 'colour', --help lists the known ones",
            "job.yaml:6: unknown key 'topcis', did you mean 'topics'?",
            "argument: unknown key 'paralelism', did you mean 'parallelism'?");
  }

  @Test
  void badValuesSayWhatIsAllowed() {
    assertThat(
            problems(
                MINIMAL
                    + """
                    source: s3
                    timeline.session-gap: 30
                    timeline.allowed-lateness: soon
                    validation.max-record-size: 1024
                    parallelism: 2.5
                    raw.enabled: 'yes'
                    topics: {a: b}
                    types: [a]
                    """))
        .containsExactly(
            "job.yaml:8: unknown key 'topics.a', did you mean 'topics'?",
            "job.yaml:2: 'source' is 's3', but allowed is one of kafka, json-files,"
                + " for example 'kafka'",
            "job.yaml:3: 'timeline.session-gap' is '30', but allowed is a duration with a unit"
                + " (ms, s, min, h, d), for example '30 min'",
            "job.yaml:4: 'timeline.allowed-lateness' is 'soon', but allowed is a duration with a"
                + " unit (ms, s, min, h, d), for example '10 min'",
            "job.yaml:5: 'validation.max-record-size' is '1024', but allowed is a size with a unit"
                + " (b, kb, mb, gb), for example '1 mb'",
            "job.yaml:6: 'parallelism' is '2.5', but allowed is a whole number, for example '4'",
            "job.yaml:7: 'raw.enabled' is 'yes', but allowed is true or false, for example 'true'",
            "job.yaml:9: 'types' is 'a', but allowed is a map of strings, for example 'a:1,b:2'");
  }

  @Test
  void checksAndRulesAreReportedWithTheValue() {
    assertThat(problems(MINIMAL + "timeline.session-gap: 0 s\n", "--parallelism", "129"))
        .containsExactly(
            "job.yaml:2: 'timeline.session-gap' is '0 ms', but must be more than 0 ms",
            "argument: 'parallelism' is '129', but must be from 1 to 128");
    assertThat(problems(MINIMAL + "timeline.session-gap: 5 min\n"))
        .containsExactly(
            "'timeline.allowed-lateness' must not be longer than 'timeline.session-gap'");
  }

  @Test
  void aRuleThatReadsAMissingValueIsNotTried() {
    OptionSet options =
        OptionSet.builder()
            .required(SERVERS)
            .rule(settings -> settings.get(SERVERS).isEmpty(), "must be empty")
            .build();
    assertThatThrownBy(() -> ConfigReader.of(options).read())
        .hasMessage(
            "1 problem in the configuration:\n  missing required key 'kafka.bootstrap-servers'");
  }

  @Test
  void duplicateKeysAreRefusedHoweverTheyAreWritten() {
    assertThat(
            problems(
                """
                kafka.bootstrap-servers: a:1
                source: kafka
                source: kafka
                timeline:
                  session-gap: 1 h
                timeline.session-gap: 2 h
                timeline:
                  allowed-lateness: 1 s
                """,
                "--parallelism=1",
                "--parallelism=2"))
        .containsExactly(
            "job.yaml:3: duplicate key 'source', given in line 2 already",
            "job.yaml:6: duplicate key 'timeline.session-gap', given in line 5 already",
            "job.yaml:7: duplicate key 'timeline', given in line 4 already",
            "argument '--parallelism' is given twice");
    assertThat(problems(MINIMAL + "types: 'a:1'\ntypes.b: 2\n"))
        .containsExactly("job.yaml:2: 'types' is given both as a whole and entry by entry");
  }

  @Test
  void secretsAreAcceptedByReferenceOnlyAndNeverPrinted() {
    assertThat(problems(MINIMAL + "identity.pseudonym-key: hunter2\n"))
        .containsExactly(
            "job.yaml:2: 'identity.pseudonym-key' is a secret, so it is given by reference:"
                + " 'identity.pseudonym-key: env:NAME' for an environment variable,"
                + " or 'identity.pseudonym-key: file:/path' for a file");
    assertThat(problems(MINIMAL, "--identity.pseudonym-key", "hunter2"))
        .singleElement()
        .asString()
        .startsWith("argument: 'identity.pseudonym-key' is a secret")
        .doesNotContain("hunter2");
  }

  @Test
  void malformedFilesAreReportedWithoutQuotingThem() {
    assertThat(problems("kafka.bootstrap-servers: a\nidentity.pseudonym-key: 'hunter2\n"))
        .containsExactly("job.yaml:2: this is not valid YAML");
    assertThat(problems("x: y\nkafka: ]\n"))
        .containsExactly(
            "job.yaml:2: this is not valid YAML",
            "job.yaml:1: unknown key 'x', --help lists the known ones");
    assertThat(problems("- a\n"))
        .containsExactly("job.yaml:1: expected keys and values, one per line");
    assertThat(problems(MINIMAL + "---\nsource: kafka\n"))
        .containsExactly(
            "job.yaml:3: a configuration is one document, but here a second one begins");
    assertThat(problems("source: &s kafka\nkafka.bootstrap-servers: *s\n"))
        .startsWith("job.yaml:2: 'kafka.bootstrap-servers' is an alias; write its value out");
    assertThat(problems(MINIMAL + "topics: [a, [b]]\n"))
        .containsExactly(
            "job.yaml:2: 'topics' is a list, and its elements may only be plain values");
  }

  @Test
  void argumentsThatAreNotPairsAreRefused() {
    assertThat(problems(MINIMAL, "engagement", "--parallelism", "--source", "kafka"))
        .containsExactly(
            "argument 1 is not of the form --key value or --key=value",
            "argument '--parallelism' has no value");
  }

  @Test
  void propertiesMustBeStringsAndTheirReferencesWellFormed() {
    assertThat(
            problems(
                MINIMAL
                    + """
                    kafka.properties:
                      ssl.keystore.password: ${env:9}
                      bootstrap: [a, b]
                      sasl.password: ${file:relative}
                      sasl.jaas.config: password="${env:OK}"
                    """))
        .containsExactly(
            "job.yaml:4: 'kafka.properties.bootstrap' is not a single string",
            "job.yaml:5: 'kafka.properties.sasl.password' refers to '${file:relative}',"
                + " but allowed are ${env:NAME} and ${file:/path}",
            "job.yaml:3: 'kafka.properties.ssl.keystore.password' refers to '${env:9}',"
                + " but allowed are ${env:NAME} and ${file:/path}");
  }

  record TimelineConfig(String servers, Duration gap, Duration lateness) {
    TimelineConfig {
      if (servers.isBlank()) {
        throw new IllegalArgumentException("'kafka.bootstrap-servers' must not be blank");
      }
    }

    static TimelineConfig from(Settings settings) {
      settings.require(
          settings.get(GAP).toMinutes() % 5 == 0, GAP, "must be a multiple of 5 minutes");
      settings.require(settings.get(LATENESS).toDays() == 0, LATENESS, "must be less than a day");
      return new TimelineConfig(settings.get(SERVERS), settings.get(GAP), settings.get(LATENESS));
    }
  }

  @Test
  void theRecordIsBuiltOnce() {
    assertThat(
            ConfigReader.of(OPTIONS)
                .arguments("--kafka.bootstrap-servers", "b:1")
                .build(TimelineConfig::from))
        .isEqualTo(new TimelineConfig("b:1", Duration.ofMinutes(30), Duration.ofMinutes(10)));
    assertThatThrownBy(
            () ->
                ConfigReader.of(OPTIONS)
                    .arguments("--kafka.bootstrap-servers", " ")
                    .build(TimelineConfig::from))
        .isInstanceOf(ConfigException.class)
        .hasMessage(
            "1 problem in the configuration:\n  'kafka.bootstrap-servers' must not be blank");
  }

  @Test
  void allProblemsAreReportedTogether() {
    assertThatThrownBy(
            () ->
                ConfigReader.of(OPTIONS)
                    .yaml(
                        "job.yaml",
                        """
                        timeline:
                          session-gap: 32 min
                          alowed-lateness: 5 min
                        source: s3
                        source: kafka
                        identity.pseudonym-key: hunter2
                        """)
                    .arguments("--parallelism", "0", "--raw.enabled=maybe")
                    .build(TimelineConfig::from))
        .isInstanceOf(ConfigException.class)
        .hasMessage(
            """
            8 problems in the configuration:
              job.yaml:5: duplicate key 'source', given in line 4 already
              job.yaml:3: unknown key 'timeline.alowed-lateness', did you mean \
            'timeline.allowed-lateness'?
              missing required key 'kafka.bootstrap-servers'
              job.yaml:4: 'source' is 's3', but allowed is one of kafka, json-files, for example \
            'kafka'
              argument: 'raw.enabled' is 'maybe', but allowed is true or false, for example 'true'
              job.yaml:6: 'identity.pseudonym-key' is a secret, so it is given by reference: \
            'identity.pseudonym-key: env:NAME' for an environment variable, or \
            'identity.pseudonym-key: file:/path' for a file
              argument: 'parallelism' is '0', but must be from 1 to 128
              job.yaml:2: 'timeline.session-gap' is '32 min', but must be a multiple of 5 minutes\
            """);
  }

  @Test
  void theFileIsNamedByAnArgument(@TempDir Path dir) throws IOException {
    Path file = Files.writeString(dir.resolve("job.yaml"), MINIMAL);
    assertThat(ConfigReader.of(OPTIONS).arguments("--config", file.toString()).read().get(SERVERS))
        .isEqualTo("broker:9092");
    assertThatThrownBy(
            () -> ConfigReader.of(OPTIONS).yaml("a", MINIMAL).file(dir.resolve("none")).read())
        .hasMessage(
            "1 problem in the configuration:\n  there is no file '" + dir.resolve("none") + "'");
    assertThatThrownBy(() -> ConfigReader.of(OPTIONS).yaml("a", MINIMAL).file(file).read())
        .hasMessage(
            "1 problem in the configuration:\n"
                + "  two files are given, 'a' and 'job.yaml'; one is allowed");
  }

  @Test
  void olderNamesOfAKeyAreRead() {
    ConfigOption<Integer> renamed =
        ConfigOptions.key("new").intType().defaultValue(1).withDeprecatedKeys("old");
    OptionSet options = OptionSet.builder().option(renamed).build();
    assertThat(ConfigReader.of(options).yaml("a", "old: 2").read().get(renamed)).isEqualTo(2);
    assertThatThrownBy(() -> ConfigReader.of(options).yaml("a", "old: 2\nnew: 3").read())
        .hasMessage(
            "1 problem in the configuration:\n"
                + "  a:1: 'old' is an older name of 'new', which is given too");
  }

  @Test
  void theEffectiveConfigurationIsDescribedWithoutSecrets() {
    Settings settings =
        read(
            MINIMAL
                + """
                kafka.properties:
                  acks: all
                  sasl.jaas.config: PlainLoginModule required password="hunter2";
                  ssl.key.password: hunter2
                identity.pseudonym-key: env:PSEUDONYM
                types: {a: b, api-key: hunter2}
                """,
            "--parallelism=2",
            "--kafka.properties.ssl.truststore.password=hunter2");
    assertThat(settings.describe())
        .isEqualTo(
            """
            kafka.bootstrap-servers = broker:9092 (file)
            source = kafka (default)
            timeline.session-gap = 30 min (default)
            timeline.allowed-lateness = 10 min (default)
            validation.max-record-size = 1 mb (default)
            parallelism = 2 (override)
            raw.enabled = true (default)
            topics = install;session (default)
            types = a:b,api-key:*** (file)
            identity.pseudonym-key = *** (file)
            kafka.properties.acks = all (file)
            kafka.properties.sasl.jaas.config = *** (file)
            kafka.properties.ssl.key.password = *** (file)
            kafka.properties.ssl.truststore.password = *** (override)""");
    assertThat(settings).hasToString(settings.describe());
  }

  @Test
  void misuseOfDeclarationsIsABug() {
    Settings settings = read(MINIMAL);
    assertThatThrownBy(() -> settings.get(PARALLELISM))
        .hasMessage("option 'parallelism' may be left out: read it with find()");
    assertThatThrownBy(() -> settings.find(PSEUDONYM))
        .hasMessage("option 'identity.pseudonym-key' is a secret: read it with secret()");
    assertThatThrownBy(() -> settings.findSecret(SERVERS))
        .hasMessage("option 'kafka.bootstrap-servers' is no secret");
    assertThatThrownBy(() -> settings.properties("s3")).hasMessage("prefix 's3' is not declared");
    assertThatThrownBy(() -> settings.get(ConfigOptions.key("x").intType().defaultValue(1)))
        .hasMessage("option 'x' is not declared");
    assertThatThrownBy(() -> OptionSet.builder().option(GAP).option(GAP))
        .hasMessage("option 'timeline.session-gap' is declared twice");
    assertThatThrownBy(() -> OptionSet.builder().required(GAP))
        .hasMessage(
            "option 'timeline.session-gap' is required or secret, so it cannot have a default");
    assertThatThrownBy(() -> OptionSet.builder().option(GAP).passThrough("timeline", "").build())
        .hasMessage("option 'timeline.session-gap' lies under a pass-through prefix");
  }
}

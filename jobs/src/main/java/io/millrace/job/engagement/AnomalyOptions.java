package io.millrace.job.engagement;

import static org.apache.flink.configuration.ConfigOptions.key;

import io.millrace.config.OptionSet;
import io.millrace.config.Settings;
import io.millrace.job.engagement.EngagementConfig.AnomalyInput;
import org.apache.flink.configuration.ConfigOption;

/** The options of anomaly detection, and what is made of them. */
final class AnomalyOptions {
  static final ConfigOption<Boolean> ENABLED =
      key("anomalies.enabled")
          .booleanType()
          .defaultValue(true)
          .withDescription("Look for anomalies in the rollups.");
  static final ConfigOption<AnomalyInput> INPUT =
      key("anomalies.input")
          .enumType(AnomalyInput.class)
          .defaultValue(AnomalyInput.FINAL)
          .withDescription(
              "Which values are looked at: final rows, or live ones, which are there sooner and may "
                  + "still change.");
  static final ConfigOption<String> TOPIC =
      key("anomalies.topic")
          .stringType()
          .defaultValue("anomalies")
          .withDescription(
              "Topic that anomalies are sent to, in transactions; it has to exist. Empty: none. With "
                  + "source files there is none.");

  static final OptionSet OPTIONS =
      OptionSet.builder()
          .option(ENABLED)
          .option(INPUT)
          .option(TOPIC, RollupOptions.TOPIC_NAME)
          .build();

  private AnomalyOptions() {}

  static EngagementConfig.Anomalies from(Settings s, boolean topics) {
    boolean enabled = s.get(ENABLED);
    String topic = s.get(TOPIC);
    return new EngagementConfig.Anomalies(
        enabled, s.get(INPUT), enabled && topics && !topic.isEmpty() ? topic : null);
  }
}

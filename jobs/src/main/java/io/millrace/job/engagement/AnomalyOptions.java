package io.millrace.job.engagement;

import static org.apache.flink.configuration.ConfigOptions.key;

import io.millrace.anomaly.AnomalyRules;
import io.millrace.anomaly.MetricRule;
import io.millrace.config.Check;
import io.millrace.config.OptionSet;
import io.millrace.config.Settings;
import io.millrace.job.engagement.EngagementConfig.AnomalyInput;
import io.millrace.rollup.ObserveRollups;
import io.millrace.rollup.RollupSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
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
              "Which values are looked at: final rows, or live ones, which are told as soon as no "
                  + "event of their hour can be missing, by sessions.gap earlier; of sessions they "
                  + "have what has ended by then.");
  static final ConfigOption<List<String>> METRICS =
      key("anomalies.metrics")
          .stringType()
          .asList()
          .defaultValues(
              "total_events",
              "total_installs",
              "total_sessions",
              "active_users",
              "notification_ctr",
              "bounce_rate")
          .withDescription(
              "What is watched, hour by hour: figures of the rollups, as "
                  + String.join(", ", ObserveRollups.metrics(RollupSpec.defaults()))
                  + ", and any of rollups.counters.");
  static final ConfigOption<List<String>> CELLS =
      key("anomalies.cells")
          .stringType()
          .asList()
          .noDefaultValue()
          .withDescription(
              "The cells that are watched, as in rollups.grouping-sets: () for the total, country "
                  + "for each country. Unless told: the total, and each country where the rollups "
                  + "have it.");
  static final ConfigOption<Integer> MAX_EMPTY =
      key("anomalies.max-empty-hours")
          .intType()
          .defaultValue(AnomalyRules.DEFAULT_MAX_EMPTY_WINDOWS)
          .withDescription("Hours without a row after which a cell is not watched any more.");
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
          .option(METRICS, Check.of("at least one metric", m -> !m.isEmpty()))
          .option(CELLS, Check.of("at least one set", c -> !c.isEmpty()))
          .option(MAX_EMPTY, Check.between(1, 10_000))
          .build();

  private AnomalyOptions() {}

  static EngagementConfig.Anomalies from(Settings s, RollupSpec rollups, boolean topics) {
    boolean enabled = s.get(ENABLED);
    String topic = s.get(TOPIC);
    List<String> metrics = s.get(METRICS).stream().map(String::strip).distinct().toList();
    List<String> known = ObserveRollups.metrics(rollups);
    for (String metric : metrics) {
      s.require(
          known.contains(metric),
          METRICS,
          "'"
              + metric
              + "' is none of the rollups' figures "
              + String.join(", ", known)
              + RollupOptions.didYouMean(metric, known));
    }
    return new EngagementConfig.Anomalies(
        enabled,
        s.get(INPUT),
        metrics,
        cells(s, rollups),
        s.get(MAX_EMPTY),
        enabled && topics && !topic.isEmpty() ? topic : null);
  }

  /**
   * How the metrics are watched.
   *
   * @param delay how long after the end of an hour its rows are there
   */
  static AnomalyRules rules(EngagementConfig.Anomalies options, Duration delay) {
    List<MetricRule> rules = new ArrayList<>();
    for (String metric : options.metrics()) {
      if (ObserveRollups.RATIOS.contains(metric)) {
        rules.add(MetricRule.ratio(metric));
      } else if (ObserveRollups.AMOUNTS.contains(metric)) {
        rules.add(MetricRule.amount(metric));
      } else {
        rules.add(MetricRule.count(metric));
      }
    }
    return new AnomalyRules(rules, delay, options.maxEmptyHours());
  }

  private static Set<Integer> cells(Settings s, RollupSpec rollups) {
    Set<Integer> cells = new TreeSet<>();
    if (s.find(CELLS).isEmpty()) {
      cells.add(0);
      int country = rollups.dimensions().indexOf("country");
      if (country >= 0 && rollups.sets().contains(1 << country)) {
        cells.add(1 << country);
      }
      return cells;
    }
    for (String set : s.get(CELLS)) {
      List<Integer> mask =
          RollupOptions.masks(s, CELLS, List.of(set.strip()), rollups.dimensions());
      s.require(
          rollups.sets().containsAll(mask),
          CELLS,
          "'" + set + "' is none of rollups.grouping-sets");
      cells.addAll(mask);
    }
    return cells;
  }
}

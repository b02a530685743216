package io.millrace.job.engagement;

import static org.apache.flink.configuration.ConfigOptions.key;

import io.millrace.config.Check;
import io.millrace.config.NearestKey;
import io.millrace.config.OptionSet;
import io.millrace.config.Settings;
import io.millrace.lake.parquet.RollupTable;
import io.millrace.rollup.RollupSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.apache.flink.configuration.ConfigOption;

/** The options of rollups, and what is made of them. */
final class RollupOptions {
  private static final String CUBE = "cube";
  private static final String PROPERTY = "properties.";
  private static final int MAX_DIMENSIONS = 8;
  private static final int MAX_COUNTERS = 32;

  /** A name that every engine takes for a column without asking. */
  private static final Pattern COLUMN = Pattern.compile("[a-z][a-z0-9_]{0,62}");

  private static final Pattern EVENT_TYPE = Pattern.compile("[a-z][a-z0-9_]{0,63}");

  /** A topic, or empty for none. */
  static final Check<String> TOPIC_NAME = Check.matching("[A-Za-z0-9._-]{0,249}");

  static final ConfigOption<Boolean> ENABLED =
      key("rollups.enabled")
          .booleanType()
          .defaultValue(true)
          .withDescription(
              "Count per hour and per UTC day, by dimensions, and write the tables below "
                  + "aggregated/.");
  static final ConfigOption<List<String>> DIMENSIONS =
      key("rollups.dimensions")
          .stringType()
          .asList()
          .defaultValues(RollupSpec.DEFAULT_DIMENSIONS.toArray(String[]::new))
          .withDescription(
              "What is counted by: any of "
                  + String.join(", ", RollupSpec.FIELDS)
                  + " and properties.NAME, at most 8. They are columns of tables that exist: other "
                  + "dimensions need a fresh lake.root.");
  static final ConfigOption<List<String>> GROUPING_SETS =
      key("rollups.grouping-sets")
          .stringType()
          .asList()
          .defaultValues(CUBE)
          .withDescription(
              "The combinations of dimensions that get rows: cube for all, or a list of sets such"
                  + " as device_type+country, country, (). All dimensions together and (), the"
                  + " total, always get rows.");
  static final ConfigOption<Map<String, String>> COUNTERS =
      key("rollups.counters")
          .mapType()
          .defaultValue(Map.of())
          .withDescription(
              "Further columns, each with the event type that it counts, as total_purchases: "
                  + "purchase.");
  static final ConfigOption<Map<String, String>> ALLOWED_VALUES =
      key("rollups.allowed-values")
          .mapType()
          .defaultValue(Map.of())
          .withDescription(
              "For a dimension, the values that are told apart, by comma; every other one is OTHER."
                  + " A dimension that is not named has all of its values.");
  static final ConfigOption<Integer> MAX_CELLS =
      key("rollups.max-cells")
          .intType()
          .defaultValue(100_000)
          .withDescription(
              "Most cells of a window that get rows of their own; beyond, the smallest are folded "
                  + "into OTHER and their distinct users are estimated.");
  static final ConfigOption<Duration> LIVE_INTERVAL =
      key("rollups.live-interval")
          .durationType()
          .defaultValue(Duration.ofSeconds(5))
          .withDescription(
              "How often cells that changed are sent to the live topic and table; and how long an "
                  + "event may wait for others, with which its user is looked up.");
  static final ConfigOption<Duration> LIVE_RETENTION =
      key("rollups.live-retention")
          .durationType()
          .defaultValue(Duration.ofHours(24))
          .withDescription(
              "How long, in event time, a cell stays in the live topic after its final row; then a "
                  + "tombstone follows.");
  static final ConfigOption<String> LIVE_TOPIC =
      key("rollups.live-topic")
          .stringType()
          .defaultValue("rollups.live")
          .withDescription(
              "Compacted topic of the present value of every cell; it has to exist. Empty: none. "
                  + "With source files there is none.");
  static final ConfigOption<String> JDBC_URL =
      key("rollups.jdbc.url")
          .stringType()
          .noDefaultValue()
          .withDescription(
              "jdbc:postgresql://HOST:PORT/DATABASE of a PostgreSQL that gets the same values as "
                  + "the live topic, one row per cell; its table is made with "
                  + "sql/ddl/postgres.sql. None with source files.");
  static final ConfigOption<String> JDBC_USER =
      key("rollups.jdbc.user")
          .stringType()
          .noDefaultValue()
          .withDescription("User of that database.");
  static final ConfigOption<String> JDBC_PASSWORD =
      key("rollups.jdbc.password")
          .stringType()
          .noDefaultValue()
          .withDescription("Password of that user.");
  static final ConfigOption<String> JDBC_TABLE_PREFIX =
      key("rollups.jdbc.table-prefix")
          .stringType()
          .defaultValue("")
          .withDescription("Stands before the names of the table and its views.");

  /** Parameters of the driver that make objects of classes by name, or write files. */
  private static final Pattern LOADS_CODE =
      Pattern.compile(
          "[?&](\\w*factory\\w*|sslhostnameverifier|sslpasswordcallback"
              + "|authenticationPluginClassName|xmlFactoryFactory|logger\\w*)=",
          Pattern.CASE_INSENSITIVE);

  static final OptionSet OPTIONS =
      OptionSet.builder()
          .option(ENABLED)
          .option(
              DIMENSIONS,
              Check.of(
                  "1 to " + MAX_DIMENSIONS + " dimensions",
                  d -> !d.isEmpty() && d.size() <= MAX_DIMENSIONS))
          .option(GROUPING_SETS)
          .option(
              COUNTERS,
              Check.of("at most " + MAX_COUNTERS + " counters", c -> c.size() <= MAX_COUNTERS))
          .option(ALLOWED_VALUES)
          .option(MAX_CELLS, Check.between(1, 10_000_000))
          .option(LIVE_INTERVAL, Check.between(Duration.ofMillis(100), Duration.ofHours(1)))
          .option(LIVE_RETENTION, Check.atLeast(Duration.ZERO))
          .option(LIVE_TOPIC, TOPIC_NAME)
          .option(
              JDBC_URL,
              Check.matching("jdbc:postgresql:.+"),
              Check.of(
                  "without a password: that is for rollups.jdbc.password",
                  url -> !namesPassword(url)),
              Check.of(
                  "without parameters that name a class or a log file",
                  url -> !LOADS_CODE.matcher(url).find()))
          .option(JDBC_USER)
          .secret(JDBC_PASSWORD)
          .option(JDBC_TABLE_PREFIX, Check.matching("([a-z_][a-z0-9_]{0,27})?"))
          .rule(
              s -> s.findSecret(JDBC_PASSWORD).isEmpty() || s.find(JDBC_USER).isPresent(),
              "rollups.jdbc.password is given, so rollups.jdbc.user is required",
              JDBC_PASSWORD,
              JDBC_USER)
          .build();

  private final Settings settings;
  private boolean sound = true;

  private RollupOptions(Settings settings) {
    this.settings = settings;
  }

  private static boolean namesPassword(String url) {
    return url.toLowerCase(Locale.ROOT).contains("password=");
  }

  static EngagementConfig.Rollups from(Settings s, boolean live) {
    boolean enabled = s.get(ENABLED);
    String topic = s.get(LIVE_TOPIC);
    String url = s.find(JDBC_URL).orElse("");
    return new EngagementConfig.Rollups(
        enabled,
        new RollupOptions(s).spec(),
        s.get(MAX_CELLS),
        s.get(LIVE_INTERVAL),
        s.get(LIVE_RETENTION),
        enabled && live && !topic.isEmpty() ? topic : null,
        enabled && live && !url.isEmpty()
            ? new EngagementConfig.Jdbc(
                url,
                s.find(JDBC_USER).orElse(null),
                s.findSecret(JDBC_PASSWORD).orElse(null),
                s.get(JDBC_TABLE_PREFIX))
            : null);
  }

  /** What is rolled up; the default when anything is wrong with it, which is noted then. */
  private RollupSpec spec() {
    List<String> dimensions = settings.get(DIMENSIONS).stream().map(String::strip).toList();
    checkDimensions(dimensions);
    Map<String, String> counters = new TreeMap<>(settings.get(COUNTERS));
    counters.replaceAll((column, type) -> type.strip());
    checkCounters(counters, dimensions);
    if (!sound) {
      return RollupSpec.defaults();
    }
    Map<String, Set<String>> allowed = allowed(dimensions);
    List<Integer> sets = sets(dimensions);
    if (!sound) {
      return RollupSpec.defaults();
    }
    return sets == null
        ? RollupSpec.cube(dimensions, counters, allowed)
        : new RollupSpec(dimensions, sets, counters, allowed);
  }

  private void checkDimensions(List<String> dimensions) {
    Set<String> columns = new HashSet<>();
    for (String dimension : dimensions) {
      String column = column(dimension);
      if (dimension.startsWith(PROPERTY)) {
        require(
            COLUMN.matcher(column).matches(),
            DIMENSIONS,
            "the property of '" + dimension + "' must be of the form " + COLUMN);
        require(
            !RollupTable.reservedColumns().contains(column),
            DIMENSIONS,
            "'" + column + "' is a column of the rollups already");
      } else {
        require(
            RollupSpec.FIELDS.contains(dimension),
            DIMENSIONS,
            "'"
                + dimension
                + "' is none of "
                + String.join(", ", RollupSpec.FIELDS)
                + " and properties.NAME"
                + didYouMean(dimension, RollupSpec.FIELDS));
      }
      require(columns.add(column), DIMENSIONS, "'" + column + "' is named twice");
    }
    if (dimensions.isEmpty() || dimensions.size() > MAX_DIMENSIONS) {
      sound = false; // noted by the option's check
    }
  }

  private void checkCounters(Map<String, String> counters, List<String> dimensions) {
    List<String> columns = dimensions.stream().map(RollupOptions::column).toList();
    counters.forEach(
        (column, type) -> {
          require(
              COLUMN.matcher(column).matches(),
              COUNTERS,
              "the column '" + column + "' must be of the form " + COLUMN);
          require(
              !RollupTable.reservedColumns().contains(column) && !columns.contains(column),
              COUNTERS,
              "'" + column + "' is a column of the rollups already");
          require(
              EVENT_TYPE.matcher(type).matches(),
              COUNTERS,
              "the event type '"
                  + type
                  + "' of '"
                  + column
                  + "' must be of the form "
                  + EVENT_TYPE);
        });
  }

  private Map<String, Set<String>> allowed(List<String> dimensions) {
    Map<String, Set<String>> allowed = new TreeMap<>();
    settings
        .get(ALLOWED_VALUES)
        .forEach(
            (name, values) -> {
              int dimension = dimension(name, dimensions, ALLOWED_VALUES, "");
              Set<String> told = new TreeSet<>();
              Arrays.stream(values.split(",", -1))
                  .map(String::strip)
                  .filter(v -> !v.isEmpty())
                  .forEach(told::add);
              require(
                  !told.isEmpty(), ALLOWED_VALUES, "'" + name + "' must have at least one value");
              if (dimension >= 0) {
                allowed.put(dimensions.get(dimension), told);
              }
            });
    return allowed;
  }

  /** Masks of the kept dimensions; null for all there are. */
  private List<Integer> sets(List<String> dimensions) {
    List<String> given = settings.get(GROUPING_SETS).stream().map(String::strip).toList();
    return given.equals(List.of(CUBE)) ? null : masks(GROUPING_SETS, given, dimensions);
  }

  /** Masks of sets of dimensions that an option names; what is wrong with them is noted. */
  static List<Integer> masks(
      Settings s, ConfigOption<?> option, List<String> given, List<String> dimensions) {
    return new RollupOptions(s).masks(option, given, dimensions);
  }

  private List<Integer> masks(ConfigOption<?> option, List<String> given, List<String> dimensions) {
    List<Integer> masks = new ArrayList<>();
    for (String set : given) {
      int mask = 0;
      if (!set.equals("()")) {
        for (String name : new LinkedHashSet<>(Arrays.asList(set.split("\\+", -1)))) {
          int dimension = dimension(name.strip(), dimensions, option, " in the set '" + set + "'");
          mask |= dimension < 0 ? 0 : 1 << dimension;
        }
      }
      masks.add(mask);
    }
    return masks;
  }

  /** The position of a dimension, by its name or column; -1 after noting that there is none. */
  private int dimension(
      String name, List<String> dimensions, ConfigOption<?> option, String where) {
    for (int i = 0; i < dimensions.size(); i++) {
      if (name.equals(dimensions.get(i)) || name.equals(column(dimensions.get(i)))) {
        return i;
      }
    }
    require(
        false,
        option,
        "'"
            + name
            + "'"
            + where
            + " is none of the dimensions "
            + String.join(", ", dimensions)
            + didYouMean(name, dimensions));
    return -1;
  }

  private void require(boolean holds, ConfigOption<?> option, String message) {
    sound &= holds;
    settings.require(holds, option, message);
  }

  static String didYouMean(String name, List<String> known) {
    return NearestKey.find(name, known).map(k -> ", did you mean '" + k + "'?").orElse("");
  }

  private static String column(String dimension) {
    return dimension.startsWith(PROPERTY) ? dimension.substring(PROPERTY.length()) : dimension;
  }
}

package io.millrace.transform.clean;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.millrace.transform.LocalTables;
import io.millrace.transform.Rows;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import javax.annotation.Nullable;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.util.TestStreamEnvironment;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;

/**
 * clean_nan and outlier_detection on random tables, against what their rules say in plain Java. A
 * table has many columns, each a case of its own, because a run costs more than a column.
 */
class StatisticsPropertyTest {
  private static final int COLUMNS = 12;
  private static final int MOST_ROWS = 40;
  private static final List<DataType> TYPES =
      List.of(DataTypes.BIGINT(), DataTypes.DOUBLE(), DataTypes.STRING(), DataTypes.BOOLEAN());

  /** Texts are compared by code points; by UTF-16 the last two would stand the other way round. */
  private static final List<String> TEXTS =
      List.of("", "B", "a", "\u00e9", "\uff5a", "\ud83d\ude00");

  private static MiniCluster cluster;
  private static Path root;

  @BeforeContainer
  static void start() throws Exception {
    cluster =
        new MiniCluster(
            new MiniClusterConfiguration.Builder()
                .setNumTaskManagers(1)
                .setNumSlotsPerTaskManager(8)
                .build());
    cluster.start();
    TestStreamEnvironment.setAsContext(cluster, 2);
    root = Files.createTempDirectory("statistics");
  }

  @AfterContainer
  static void stop() throws Exception {
    TestStreamEnvironment.unsetAsContext();
    cluster.close();
    Files.delete(root);
  }

  /** Rows of COLUMNS columns whose types take turns; missing is null, in DOUBLE also NaN. */
  private static Object[][] table(Random random, int rows) {
    double[] missing = random.doubles(COLUMNS).toArray();
    Object[][] table = new Object[rows][COLUMNS];
    for (Object[] row : table) {
      for (int c = 0; c < COLUMNS; c++) {
        // One column of each type has hardly a value, one hardly a gap.
        boolean gap = random.nextDouble() < (c < 4 ? 0.97 : missing[c] / 2);
        row[c] = gap ? gap(random, c) : value(random, c);
      }
    }
    return table;
  }

  @Nullable
  private static Object gap(Random random, int column) {
    return type(column).getLogicalType().is(LogicalTypeRoot.DOUBLE) && random.nextBoolean()
        ? Double.NaN
        : null;
  }

  /** Few values, so that several are the most frequent. */
  private static Object value(Random random, int column) {
    return switch (column % TYPES.size()) {
      case 0 -> (long) random.nextInt(-3, 4);
      case 1 -> random.nextInt(-4, 5) / 4.0;
      case 2 -> TEXTS.get(random.nextInt(TEXTS.size()));
      default -> random.nextBoolean();
    };
  }

  private static DataType type(int column) {
    return TYPES.get(column % TYPES.size());
  }

  private static boolean isNumeric(int column) {
    return column % TYPES.size() < 2;
  }

  private static boolean isMissing(@Nullable Object value) {
    return value == null || (value instanceof Double number && number.isNaN());
  }

  private static List<List<Object>> clean(Object[][] table, Map<String, ?> arguments) {
    LocalTables tables = new LocalTables(root);
    List<String> names = IntStream.range(0, COLUMNS).mapToObj(c -> "c " + c).toList();
    List<DataType> types = IntStream.range(0, COLUMNS).mapToObj(c -> type(c)).toList();
    Rows out = tables.lower(new CleanNan(), arguments, tables.rows(names, types, table));
    assertThat(tables.problems).isEmpty();
    assertThat(out.columns()).isEqualTo(names);
    return LocalTables.collect(out);
  }

  private static List<Object> present(Object[][] table, int column) {
    List<Object> values = new ArrayList<>();
    for (Object[] row : table) {
      if (!isMissing(row[column])) {
        values.add(row[column]);
      }
    }
    return values;
  }

  private static double[] numbers(Object[][] table, int column) {
    return present(table, column).stream().mapToDouble(v -> ((Number) v).doubleValue()).toArray();
  }

  /** Every row with its gaps filled by one value per column, which is null for none. */
  private static List<List<Object>> filled(Object[][] table, Object[] fills) {
    List<List<Object>> rows = new ArrayList<>();
    for (Object[] row : table) {
      List<Object> filled = new ArrayList<>();
      for (int c = 0; c < COLUMNS; c++) {
        filled.add(isMissing(row[c]) ? fills[c] : row[c]);
      }
      rows.add(filled);
    }
    return rows;
  }

  /** Numbers are compared as such: a mean's last digit depends on the order of a sum. */
  private static void assertSame(List<List<Object>> actual, List<List<Object>> expected) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int r = 0; r < expected.size(); r++) {
      for (int c = 0; c < COLUMNS; c++) {
        Object value = expected.get(r).get(c);
        if (value instanceof Double number) {
          assertThat(actual.get(r).get(c)).as("row %d, column %d", r, c).isInstanceOf(Double.class);
          assertThat((Double) actual.get(r).get(c)).isCloseTo(number, within(1e-12));
        } else {
          assertThat(actual.get(r).get(c)).as("row %d, column %d", r, c).isEqualTo(value);
        }
      }
    }
  }

  /** Whole numbers that means and medians are filled into are DOUBLE, gaps or none. */
  private static List<List<Object>> integersAsDoubles(List<List<Object>> rows) {
    return rows.stream()
        .map(
            row ->
                row.stream()
                    .map(
                        value ->
                            value instanceof Long number ? (Object) number.doubleValue() : value)
                    .toList())
        .toList();
  }

  @Property(tries = 2, shrinking = ShrinkingMode.OFF)
  void dropKeepsWholeRows(@ForAll Random random) {
    Object[][] table = table(random, MOST_ROWS);
    List<List<Object>> expected = new ArrayList<>();
    for (Object[] row : table) {
      if (IntStream.range(6, COLUMNS).noneMatch(c -> isMissing(row[c]))) {
        List<Object> kept = new ArrayList<>(Arrays.asList(row));
        expected.add(kept);
      }
    }
    List<String> columns = IntStream.range(6, COLUMNS).mapToObj(c -> "c " + c).toList();

    List<List<Object>> actual = clean(table, Map.of("strategy", "drop", "columns", columns));

    // Columns that were not asked about keep their NaN.
    assertThat(actual).isEqualTo(expected);
  }

  @Property(tries = 2, shrinking = ShrinkingMode.OFF)
  void fillMean(@ForAll Random random, @ForAll @IntRange(min = 1, max = MOST_ROWS) int rows) {
    Object[][] table = table(random, rows);
    Object[] fills = new Object[COLUMNS];
    for (int c = 0; c < COLUMNS; c++) {
      double[] numbers = isNumeric(c) ? numbers(table, c) : new double[0];
      fills[c] = numbers.length == 0 ? null : Arrays.stream(numbers).sum() / numbers.length;
    }

    assertSame(
        clean(table, Map.of("strategy", "fill_mean")), integersAsDoubles(filled(table, fills)));
  }

  @Property(tries = 2, shrinking = ShrinkingMode.OFF)
  void fillMedian(@ForAll Random random, @ForAll @IntRange(min = 1, max = MOST_ROWS) int rows) {
    Object[][] table = table(random, rows);
    Object[] fills = new Object[COLUMNS];
    for (int c = 0; c < COLUMNS; c++) {
      double[] sorted = isNumeric(c) ? numbers(table, c) : new double[0];
      Arrays.sort(sorted);
      int n = sorted.length;
      fills[c] = n == 0 ? null : (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
    }

    assertSame(
        clean(table, Map.of("strategy", "fill_median")), integersAsDoubles(filled(table, fills)));
  }

  @Property(tries = 3, shrinking = ShrinkingMode.OFF)
  void fillModeTakesTheSmallestOfTheMostFrequent(
      @ForAll Random random, @ForAll @IntRange(min = 1, max = MOST_ROWS) int rows) {
    Object[][] table = table(random, rows);
    Object[] fills = new Object[COLUMNS];
    for (int c = 0; c < COLUMNS; c++) {
      fills[c] = mode(present(table, c));
    }

    assertSame(clean(table, Map.of("strategy", "fill_mode")), filled(table, fills));
  }

  @Nullable
  private static Object mode(List<Object> values) {
    Map<Object, Integer> counts = new HashMap<>();
    values.forEach(value -> counts.merge(value, 1, Integer::sum));
    int most = counts.values().stream().mapToInt(Integer::intValue).max().orElse(0);
    return counts.keySet().stream()
        .filter(value -> counts.get(value) == most)
        .min(StatisticsPropertyTest::compare)
        .orElse(null);
  }

  private static int compare(Object a, Object b) {
    return a instanceof String text
        ? Arrays.compare(text.codePoints().toArray(), ((String) b).codePoints().toArray())
        : a instanceof Boolean bool
            ? Boolean.compare(bool, (Boolean) b)
            : Double.compare(((Number) a).doubleValue(), ((Number) b).doubleValue());
  }

  @Property(tries = 2, shrinking = ShrinkingMode.OFF)
  void fillValueKeepsIntegers(
      @ForAll Random random, @ForAll @IntRange(min = -9, max = 9) int value) {
    Object[][] table = table(random, MOST_ROWS);
    List<String> columns = new ArrayList<>();
    Object[][] expected = new Object[table.length][];
    for (int c = 0; c < COLUMNS; c++) {
      if (isNumeric(c)) {
        columns.add("c " + c);
      }
    }
    for (int r = 0; r < table.length; r++) {
      expected[r] = table[r].clone();
      for (int c = 0; c < COLUMNS; c++) {
        if (isNumeric(c) && isMissing(expected[r][c])) {
          expected[r][c] = c % 4 == 0 ? (Object) (long) value : (Object) (double) value;
        }
      }
    }

    assertThat(
            clean(table, Map.of("strategy", "fill_value", "fill_value", value, "columns", columns)))
        .isEqualTo(Arrays.stream(expected).map(Arrays::asList).toList());
  }

  @Property(tries = 2, shrinking = ShrinkingMode.OFF)
  void fillFromTheNearestRow(@ForAll Random random, @ForAll boolean forward) {
    Object[][] table = table(random, MOST_ROWS);
    Object[][] expected = new Object[table.length][COLUMNS];
    for (int c = 0; c < COLUMNS; c++) {
      Object last = null;
      for (int i = 0; i < table.length; i++) {
        int r = forward ? i : table.length - 1 - i;
        last = isMissing(table[r][c]) ? last : table[r][c];
        expected[r][c] = last;
      }
    }

    assertThat(clean(table, Map.of("strategy", forward ? "ffill" : "bfill")))
        .isEqualTo(Arrays.stream(expected).map(Arrays::asList).toList());
  }

  @Property(tries = 6, shrinking = ShrinkingMode.OFF)
  void outliersAreRowsTooManyDeviationsAway(
      @ForAll Random random,
      @ForAll boolean whole,
      @ForAll @IntRange(min = 3, max = MOST_ROWS) int rows,
      @ForAll boolean inside) {
    Object[][] table = new Object[rows][1];
    for (Object[] row : table) {
      double value = random.nextDouble() < 0.1 ? random.nextGaussian() * 50 : random.nextInt(9);
      row[0] =
          random.nextDouble() < 0.2 ? null : whole ? (Object) Math.round(value) : (Object) value;
    }
    double[] numbers = numbers(table, 0);
    Assume.that(numbers.length > 0);
    double mean = Arrays.stream(numbers).sum() / numbers.length;
    double squares = Arrays.stream(numbers).map(x -> (x - mean) * (x - mean)).sum();
    double deviation = numbers.length < 2 ? 0 : Math.sqrt(squares / (numbers.length - 1));
    // Just beside a value, so that another deviation, such as that of a population, shows.
    double some = Math.abs(numbers[random.nextInt(numbers.length)] - mean) / deviation;
    double threshold = deviation == 0 || some == 0 ? 1 : some * (inside ? 1.001 : 0.999);
    List<List<Object>> expected = new ArrayList<>();
    for (Object[] row : table) {
      double z = row[0] == null ? 0 : Math.abs(((Number) row[0]).doubleValue() - mean) / deviation;
      // Which side of the threshold the last digit falls on is nobody's rule.
      Assume.that(Math.abs(z - threshold) > 1e-9 || deviation == 0);
      if (deviation == 0 || z <= threshold) {
        expected.add(Arrays.asList(row));
      }
    }

    LocalTables tables = new LocalTables(root);
    Rows in =
        tables.rows(List.of("x"), List.of(whole ? DataTypes.BIGINT() : DataTypes.DOUBLE()), table);
    Rows out =
        tables.lower(new RemoveOutliers(), Map.of("column", "x", "z_threshold", threshold), in);

    assertThat(tables.problems).isEmpty();
    assertThat(LocalTables.collect(out)).isEqualTo(expected);
  }
}

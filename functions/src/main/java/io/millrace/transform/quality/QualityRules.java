package io.millrace.transform.quality;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import io.millrace.config.NearestKey;
import io.millrace.transform.function.FindViolations;
import io.millrace.transform.function.FindViolations.Rule;
import java.io.Serializable;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import javax.annotation.Nullable;

/**
 * The rules of a quality step, as they were written. A rule of the whole input may name a column
 * that is not there: the report says so, and the check fails.
 *
 * @param maxNullRatio null unless null cells are checked
 * @param columnTypes the expected type, by column
 * @param rowRules what is asked of single rows
 * @param zScore the greatest distance from the mean in sample deviations, by column
 * @param quantiles bounds by the share of values below, by column
 */
record QualityRules(
    long minRows,
    @Nullable Double maxNullRatio,
    boolean duplicates,
    Map<String, String> columnTypes,
    List<String> uniqueColumns,
    Map<String, Bounds> valueRange,
    boolean completeness,
    List<Rule> rowRules,
    Map<String, Double> zScore,
    Map<String, Bounds> mean,
    Map<String, Bounds> median,
    Map<String, Bounds> stdev,
    Map<String, Map<Double, Bounds>> quantiles)
    implements Serializable {

  /** Every rule, in the order of the page. */
  static final List<String> NAMES =
      List.of(
          "min_rows",
          "check_null_ratio",
          "threshold_null_ratio",
          "check_duplicates",
          "check_column_types",
          "check_unique_columns",
          "check_value_range",
          "check_completeness",
          "not_null",
          "regex",
          "allowed_values",
          "z_score",
          "mean",
          "median",
          "stdev",
          "quantiles");

  private static final double DEFAULT_NULL_RATIO = 0.5;

  /**
   * A range, both ends inclusive; null where there is no end.
   *
   * @param valid false when what was written is no range
   */
  record Bounds(@Nullable BigDecimal min, @Nullable BigDecimal max, boolean valid)
      implements Serializable {
    static final Bounds INVALID = new Bounds(null, null, false);

    static Bounds of(JsonNode node) {
      JsonNode min = node.path("min");
      JsonNode max = node.path("max");
      boolean numbers = (isAbsent(min) || min.isNumber()) && (isAbsent(max) || max.isNumber());
      if (!node.isObject() || !numbers) {
        return INVALID;
      }
      Bounds bounds =
          new Bounds(
              isAbsent(min) ? null : min.decimalValue(),
              isAbsent(max) ? null : max.decimalValue(),
              true);
      boolean empty =
          bounds.min != null && bounds.max != null && bounds.min.compareTo(bounds.max) > 0;
      return empty ? INVALID : bounds;
    }

    private static boolean isAbsent(JsonNode node) {
      return node.isMissingNode() || node.isNull();
    }

    /** Whether all of the values from {@code low} to {@code high} lie within. */
    boolean hold(Number low, Number high) {
      if (isNoNumber(low) || isNoNumber(high)) {
        return false;
      }
      return (min == null || decimal(low).compareTo(min) >= 0)
          && (max == null || decimal(high).compareTo(max) <= 0);
    }

    private static boolean isNoNumber(Number number) {
      return !Double.isFinite(number.doubleValue());
    }

    private static BigDecimal decimal(Number number) {
      return new BigDecimal(number.toString());
    }
  }

  /** Reads the rules; {@code problem} hears of everything that is wrong with them, one by one. */
  static QualityRules parse(JsonNode rules, Consumer<String> problem) {
    if (!rules.isObject()) {
      problem.accept("rules is '" + rules + "', but must be a map of " + String.join(", ", NAMES));
      return new Reader(rules, problem).read();
    }
    rules
        .fieldNames()
        .forEachRemaining(
            name -> {
              if (!NAMES.contains(name)) {
                problem.accept(
                    "rules."
                        + name
                        + " is not known"
                        + NearestKey.find(name, NAMES)
                            .map(near -> "; did you mean " + near + "?")
                            .orElse("; known are " + String.join(", ", NAMES)));
              }
            });
    return new Reader(rules, problem).read();
  }

  /** The names of rules that look at all rows, of which unbounded input has no last. */
  List<String> ofTheEnd() {
    List<String> names = new ArrayList<>();
    if (minRows > 0) {
      names.add("min_rows");
    }
    if (duplicates) {
      names.add("check_duplicates");
    }
    if (!columnTypes.isEmpty()) {
      names.add("check_column_types");
    }
    if (!uniqueColumns.isEmpty()) {
      names.add("check_unique_columns");
    }
    if (completeness) {
      names.add("check_completeness");
    }
    return names;
  }

  /** Whether there are rules about statistics, which unbounded input has by key. */
  boolean haveStatistics() {
    return maxNullRatio != null
        || !(zScore.isEmpty()
            && mean.isEmpty()
            && median.isEmpty()
            && stdev.isEmpty()
            && quantiles.isEmpty());
  }

  /** All columns that rules name. */
  Set<String> columns() {
    Set<String> names = new TreeSet<>(columnTypes.keySet());
    names.addAll(uniqueColumns);
    names.addAll(valueRange.keySet());
    rowRules.forEach(rule -> names.add(rule.column()));
    List.of(zScore, mean, median, stdev, quantiles).forEach(map -> names.addAll(map.keySet()));
    return names;
  }

  private static final class Reader {
    private final JsonNode rules;
    private final Consumer<String> problem;

    Reader(JsonNode rules, Consumer<String> problem) {
      this.rules = rules;
      this.problem = problem;
    }

    QualityRules read() {
      JsonNode minRows = rules.path("min_rows");
      if (!minRows.isMissingNode() && (!minRows.canConvertToLong() || minRows.asLong() < 0)) {
        wrong("min_rows", minRows, "a number of rows, 0 or more");
      }
      JsonNode ratio = rules.path("threshold_null_ratio");
      if (!ratio.isMissingNode() && !(ratio.isNumber() && within(ratio.asDouble()))) {
        wrong("threshold_null_ratio", ratio, "a number from 0 to 1");
      }
      Map<String, String> types = new LinkedHashMap<>();
      each("check_column_types", "a map of columns and types", (c, n) -> types.put(c, n.asText()));
      Map<String, Bounds> ranges = new LinkedHashMap<>();
      each("check_value_range", "a map of columns", (c, n) -> ranges.put(c, Bounds.of(n)));
      Map<String, Double> scores = new LinkedHashMap<>();
      each(
          "z_score",
          "a map of columns and numbers above 0",
          (column, node) -> {
            if (node.isNumber() && node.asDouble() > 0) {
              scores.put(column, node.asDouble());
            } else {
              wrong("z_score." + column, node, "a number above 0");
            }
          });
      Map<String, Map<Double, Bounds>> quantiles = new LinkedHashMap<>();
      each("quantiles", "a map of columns", (column, node) -> quantiles(column, node, quantiles));
      return new QualityRules(
          minRows.asLong(0),
          flag("check_null_ratio") ? (Double) ratio.asDouble(DEFAULT_NULL_RATIO) : null,
          flag("check_duplicates"),
          types,
          List.copyOf(texts("check_unique_columns")),
          ranges,
          flag("check_completeness"),
          rowRules(),
          scores,
          bounds("mean"),
          bounds("median"),
          bounds("stdev"),
          quantiles);
    }

    private List<Rule> rowRules() {
      List<Rule> found = new ArrayList<>();
      for (String column : texts("not_null")) {
        found.add(new Rule(FindViolations.Test.NOT_NULL, column, List.of()));
      }
      each(
          "regex",
          "a map of columns and expressions",
          (column, node) -> {
            try {
              Pattern.compile(node.asText());
              found.add(new Rule(FindViolations.Test.REGEX, column, List.of(node.asText())));
            } catch (PatternSyntaxException e) {
              wrong("regex." + column, node, "an expression of RE2: " + e.getMessage());
            }
          });
      each(
          "allowed_values",
          "a map of columns and lists",
          (column, node) -> {
            if (!node.isArray() || node.isEmpty()) {
              wrong("allowed_values." + column, node, "a list of values");
              return;
            }
            Set<String> operands = new TreeSet<>();
            for (JsonNode value : node) {
              operands.add(
                  FindViolations.canonical(
                      value.isNumber() ? value.numberValue() : value.asText()));
            }
            found.add(new Rule(FindViolations.Test.ALLOWED, column, List.copyOf(operands)));
          });
      return List.copyOf(found);
    }

    private void quantiles(
        String column, JsonNode node, Map<String, Map<Double, Bounds>> quantiles) {
      if (!node.isObject()) {
        wrong("quantiles." + column, node, "a map of shares from 0 to 1 and ranges");
        return;
      }
      Map<Double, Bounds> ofColumn = new LinkedHashMap<>();
      node.properties()
          .forEach(
              entry -> {
                String key = "quantiles." + column + "." + entry.getKey();
                Double share = share(entry.getKey());
                if (share == null) {
                  wrong(key, node, "a map of shares from 0 to 1 and ranges");
                } else {
                  ofColumn.put(share, checked(key, entry.getValue()));
                }
              });
      quantiles.put(column, ofColumn);
    }

    @Nullable
    private static Double share(String text) {
      try {
        double share = Double.parseDouble(text);
        return within(share) ? share : null;
      } catch (NumberFormatException e) {
        return null;
      }
    }

    private static boolean within(double share) {
      return share >= 0 && share <= 1;
    }

    private Map<String, Bounds> bounds(String rule) {
      Map<String, Bounds> found = new LinkedHashMap<>();
      each(rule, "a map of columns", (c, node) -> found.put(c, checked(rule + "." + c, node)));
      return found;
    }

    private Bounds checked(String key, JsonNode node) {
      Bounds bounds = Bounds.of(node);
      if (!bounds.valid()) {
        wrong(key, node, "a range such as {min: 0, max: 10}");
      }
      return bounds;
    }

    private boolean flag(String rule) {
      JsonNode node = rules.path(rule);
      if (!node.isMissingNode() && !node.isBoolean()) {
        wrong(rule, node, "true or false");
      }
      return node.asBoolean(false);
    }

    private List<String> texts(String rule) {
      List<String> texts = new ArrayList<>();
      JsonNode node = rules.path(rule);
      if (node.isArray()) {
        node.forEach(element -> texts.add(element.asText()));
      } else if (!node.isMissingNode()) {
        wrong(rule, node, "a list of columns");
      }
      return texts.stream().distinct().toList();
    }

    private void each(String rule, String allowed, BiConsumer<String, JsonNode> take) {
      JsonNode node = rules.path(rule);
      if (node.isObject()) {
        node.properties().forEach(entry -> take.accept(entry.getKey(), entry.getValue()));
      } else if (!node.isMissingNode()) {
        wrong(rule, node, allowed);
      }
    }

    private void wrong(String key, JsonNode value, String allowed) {
      String text = value.isValueNode() ? value.asText() : value.toString();
      problem.accept("rules." + key + " is '" + text + "', but must be " + allowed);
    }
  }
}

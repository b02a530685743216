package io.millrace.transform.quality;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.transform.column.ColumnKind;
import io.millrace.transform.function.FindViolations.Rule;
import io.millrace.transform.quality.QualityRules.Bounds;
import java.io.Serializable;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import javax.annotation.Nullable;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.types.Row;

/**
 * Makes the report of a quality step from the one row of {@link QualityStatistics}: {@code rows},
 * {@code cols}, {@code checks}, and in {@code failed} the checks because of which the run must end.
 */
final class JudgeQuality implements MapFunction<Row, String> {
  private static final long serialVersionUID = 1L;
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The key of the names of checks that end the run. */
  static final String FAILED = "failed";

  /**
   * A column of the input.
   *
   * @param index its position among the visible ones
   * @param kind the name of its {@link ColumnKind}
   * @param ranged whether it has a least and a greatest value
   */
  record ColumnFacts(int index, String pandasType, String sqlType, String kind, boolean ranged)
      implements Serializable {}

  private final QualityRules rules;
  private final LinkedHashMap<String, ColumnFacts> columns;
  private final String onFail;
  private final boolean failOnErrors;

  JudgeQuality(
      QualityRules rules, Map<String, ColumnFacts> columns, String onFail, boolean failOnErrors) {
    this.rules = rules;
    this.columns = new LinkedHashMap<>(columns);
    this.onFail = onFail;
    this.failOnErrors = failOnErrors;
  }

  /** The shares of values below which quantiles of a column are wanted, in order. */
  static List<Double> shares(QualityRules rules, String column) {
    List<Double> shares = new ArrayList<>();
    if (rules.median().containsKey(column)) {
      shares.add(0.5);
    }
    shares.addAll(rules.quantiles().getOrDefault(column, Map.of()).keySet());
    return shares;
  }

  @Override
  public String map(Row row) throws JsonProcessingException {
    return JSON.writeValueAsString(new Judgement(row).report());
  }

  private final class Judgement {
    private final Row row;
    private final long n;
    private final Map<String, Object> checks = new LinkedHashMap<>();
    private final Set<String> failed = new LinkedHashSet<>();

    Judgement(Row row) {
      this.row = row;
      this.n = number("n").longValue();
    }

    Map<String, Object> report() {
      boolean enough = n >= rules.minRows();
      checks.put("min_rows", enough);
      note("min_rows", enough);
      if (rules.maxNullRatio() != null) {
        nullRatio(rules.maxNullRatio());
      }
      if (rules.duplicates()) {
        long duplicates = number("duplicates").longValue();
        checks.put("duplicates", fields("duplicate_rows", duplicates, "pass", duplicates == 0));
        note("duplicates", duplicates == 0);
      }
      rules.columnTypes().forEach(this::columnType);
      rules.uniqueColumns().forEach(this::uniqueColumn);
      rules.valueRange().forEach(this::valueRange);
      if (rules.completeness()) {
        completeness();
      }
      rowRules();
      rules.zScore().forEach(this::zScore);
      rules.mean().forEach((column, bounds) -> moment("mean", column, bounds));
      rules.median().forEach(this::median);
      rules.stdev().forEach((column, bounds) -> moment("stdev", column, bounds));
      rules.quantiles().forEach(this::quantiles);

      Map<String, Object> report = new LinkedHashMap<>();
      report.put("rows", n);
      report.put("cols", columns.size());
      report.put("checks", checks);
      report.put(FAILED, failed);
      return report;
    }

    /** A failed check ends the run when every one does. */
    private void note(String check, boolean pass) {
      if (!pass && failOnErrors) {
        failed.add(check);
      }
    }

    private void nullRatio(double most) {
      long cells = n * columns.size();
      long nulls = cells;
      for (ColumnFacts column : columns.values()) {
        nulls -= number("nonnull_" + column.index()).longValue();
      }
      double ratio = cells == 0 ? 0 : (double) nulls / cells;
      checks.put("null_ratio", fields("value", ratio, "threshold", most, "pass", ratio <= most));
      note("null_ratio", ratio <= most);
    }

    private void columnType(String column, String expected) {
      ColumnFacts facts = columns.get(column);
      String wanted = expected.toLowerCase(Locale.ROOT);
      boolean pass = facts != null && isOfType(facts, wanted);
      put(
          "column_types",
          column,
          pass,
          fields("expected", expected, "actual", facts == null ? "missing" : facts.pandasType()));
    }

    private boolean isOfType(ColumnFacts facts, String wanted) {
      ColumnKind kind = ColumnKind.valueOf(facts.kind());
      return switch (wanted) {
        case "numeric" -> kind.isNumeric() || kind == ColumnKind.BOOLEAN;
        case "string" -> facts.pandasType().equals("object");
        case "datetime" -> kind == ColumnKind.TEMPORAL;
        default ->
            facts.pandasType().contains(wanted)
                || facts.sqlType().toLowerCase(Locale.ROOT).contains(wanted);
      };
    }

    private void uniqueColumn(String column) {
      ColumnFacts facts = columns.get(column);
      if (facts == null) {
        put("unique_columns", column, false, fields("reason", "column not found"));
        return;
      }
      Number distinct = number("distinct_" + facts.index());
      Number all = number("nonnull_" + facts.index());
      put(
          "unique_columns",
          column,
          distinct.longValue() == all.longValue(),
          fields("unique_values", distinct, "non_null_rows", all));
    }

    private void valueRange(String column, Bounds bounds) {
      ColumnFacts facts = columns.get(column);
      String reason =
          !bounds.valid()
              ? "invalid bounds"
              : facts == null
                  ? "column not found"
                  : !facts.ranged() ? "column is not numeric" : null;
      if (reason != null) {
        put("value_range", column, false, fields("reason", reason));
        return;
      }
      Number min = number("min_" + facts.index());
      Number max = number("max_" + facts.index());
      put(
          "value_range",
          column,
          min == null || bounds.hold(min, max),
          fields(
              "actual_min",
              min,
              "actual_max",
              max,
              "expected_min",
              bounds.min(),
              "expected_max",
              bounds.max()));
    }

    private void completeness() {
      columns.forEach(
          (column, facts) -> {
            Number filled = number("nonnull_" + facts.index());
            double ratio = n == 0 ? 0 : (double) filled.longValue() / n;
            group("completeness")
                .put(
                    column,
                    fields(
                        "non_null", filled,
                        "total", n,
                        "ratio",
                            BigDecimal.valueOf(ratio)
                                .setScale(4, RoundingMode.HALF_EVEN)
                                .doubleValue()));
          });
    }

    private void rowRules() {
      Long[] counts = (Long[]) (rules.rowRules().isEmpty() ? null : row.getField("violations"));
      for (int i = 0; i < rules.rowRules().size(); i++) {
        Rule rule = rules.rowRules().get(i);
        long rows = i < counts.length ? counts[i] : 0;
        boolean leave = onFail.equals("drop") || onFail.equals("quarantine");
        String key = rule.test().key();
        Map<String, Object> fields = fields("failed_rows", rows, "on_fail", onFail);
        fields.put("pass", rows == 0);
        group(key).put(rule.column(), fields);
        if (rows > 0 && (onFail.equals("fail") || (failOnErrors && !leave))) {
          failed.add(key);
        }
      }
    }

    private void zScore(String column, double most) {
      Number deviation = momentOf(column, "stddev");
      if (!isKnown("z_score", column)) {
        return;
      }
      ColumnFacts facts = columns.get(column);
      Double greatest = null;
      if (deviation != null && deviation.doubleValue() > 0) {
        double mean = momentOf(column, "mean").doubleValue();
        double low = number("min_" + facts.index()).doubleValue();
        double high = number("max_" + facts.index()).doubleValue();
        greatest = Math.max(high - mean, mean - low) / deviation.doubleValue();
      }
      put(
          "z_score",
          column,
          greatest == null || greatest <= most,
          fields("max_abs_z", greatest, "threshold", most));
    }

    private void moment(String check, String column, Bounds bounds) {
      if (isKnown(check, column)) {
        put(check, column, momentOf(column, check.equals("stdev") ? "stddev" : check), bounds);
      }
    }

    @Nullable
    private Double momentOf(String column, String name) {
      ColumnFacts facts = columns.get(column);
      if (facts == null || !ColumnKind.valueOf(facts.kind()).isNumeric()) {
        return null;
      }
      Row moments = (Row) row.getField("moments_" + facts.index());
      return (Double) moments.getField(name);
    }

    private void median(String column, Bounds bounds) {
      if (isKnown("median", column)) {
        put("median", column, quantile(column, 0, 0.5), bounds);
      }
    }

    private void quantiles(String column, Map<Double, Bounds> wanted) {
      if (!isKnown("quantiles", column)) {
        return;
      }
      Map<String, Object> values = new LinkedHashMap<>();
      boolean pass = true;
      int q = rules.median().containsKey(column) ? 1 : 0;
      for (Map.Entry<Double, Bounds> entry : wanted.entrySet()) {
        Double value = quantile(column, q++, entry.getKey());
        pass &= value != null && entry.getValue().hold(value, value);
        values.put(
            entry.getKey().toString(),
            fields("value", value, "min", entry.getValue().min(), "max", entry.getValue().max()));
      }
      put("quantiles", column, pass, values);
    }

    /** Between two values in proportion, as pandas has it by default. */
    @Nullable
    private Double quantile(String column, int q, double share) {
      String suffix = columns.get(column).index() + "_" + q;
      Number low = number("low_" + suffix);
      Number high = number("high_" + suffix);
      if (low == null || high == null) {
        return null;
      }
      double place = share * (number("n_" + suffix).longValue() - 1);
      double between = place - Math.floor(place);
      return low.doubleValue() + between * (high.doubleValue() - low.doubleValue());
    }

    /** Puts the reason when the column is not there, or has no numbers. */
    private boolean isKnown(String check, String column) {
      ColumnFacts facts = columns.get(column);
      if (facts == null) {
        put(check, column, false, fields("reason", "column not found"));
        return false;
      }
      if (!ColumnKind.valueOf(facts.kind()).isNumeric()) {
        put(check, column, false, fields("reason", "column is not numeric"));
        return false;
      }
      return true;
    }

    /** A statistic that there is none of lies in no range. */
    private void put(String check, String column, @Nullable Double value, Bounds bounds) {
      put(
          check,
          column,
          value != null && bounds.hold(value, value),
          fields("value", value, "min", bounds.min(), "max", bounds.max()));
    }

    private void put(String check, String column, boolean pass, Map<String, Object> fields) {
      fields.put("pass", pass);
      group(check).put(column, fields);
      note(check, pass);
    }

    @SuppressWarnings("unchecked")
    private Map<String, Object> group(String check) {
      return (Map<String, Object>)
          checks.computeIfAbsent(check, name -> new LinkedHashMap<String, Object>());
    }

    @Nullable
    private Number number(String name) {
      return (Number) row.getField(name);
    }
  }

  private static Map<String, Object> fields(Object... namesAndValues) {
    Map<String, Object> fields = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      Object value = namesAndValues[i + 1];
      boolean unwritable = value instanceof Double d && !Double.isFinite(d);
      fields.put((String) namesAndValues[i], unwritable ? null : value);
    }
    return fields;
  }
}

package io.millrace.transform.quality;

import io.millrace.transform.QualityGateException;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.column.ColumnKind;
import io.millrace.transform.column.ColumnTexts;
import io.millrace.transform.column.EventTime;
import io.millrace.transform.keyed.JudgeByKey;
import io.millrace.transform.keyed.JudgeByKey.Check;
import io.millrace.transform.keyed.JudgeByKey.Of;
import io.millrace.transform.keyed.JudgeRow;
import io.millrace.transform.keyed.JudgeRow.Range;
import io.millrace.transform.keyed.KeyedRows;
import io.millrace.transform.keyed.Violations;
import io.millrace.transform.keyed.Violations.OnFail;
import io.millrace.transform.quality.QualityRules.Bounds;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import javax.annotation.Nullable;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.Expressions;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;

/** Quality of unbounded rows: each is judged by itself, then by statistics of its key. */
final class QualityByKey {
  private QualityByKey() {}

  /** The rows that pass; null when a problem was reported. */
  @Nullable
  static Rows lower(Step step, QualityRules rules, Rows rows) {
    OnFail onFail = onFail(step, rules);
    List<Range> ranges = ranges(step, rules, rows);
    List<Check> checks = checks(step, rules, rows);
    if (onFail == null || ranges == null || checks == null) {
      return null;
    }
    String id = step.id();
    Violations violations = new Violations(onFail, failed -> new QualityGateException(id, failed));
    Rows passed = rows;
    if (!rules.rowRules().isEmpty() || !ranges.isEmpty()) {
      passed = rows.with(row(step, rules, ranges, violations, rows));
    }
    if (checks.isEmpty()) {
      return passed;
    }
    KeyedRows keyed = KeyedRows.of(step, passed);
    return keyed == null
        ? null
        : passed.with(
            keyed.through(
                step,
                "judge-by-key",
                new JudgeByKey(violations, keyed.scope(), checks, keyed.type()),
                keyed.type()));
  }

  @Nullable
  private static OnFail onFail(Step step, QualityRules rules) {
    boolean possible = true;
    if (!rules.ofTheEnd().isEmpty()) {
      step.error(
          "rules",
          "rules has "
              + String.join(", ", rules.ofTheEnd())
              + ", but the input never ends, so that is never known");
      possible = false;
    }
    if (step.arguments().bool("fail_on_errors")) {
      step.error(
          "fail_on_errors",
          "fail_on_errors is true, but the input never ends; on_fail: fail ends the run with the"
              + " first row that violates a rule");
      possible = false;
    }
    String onFail = step.arguments().text("on_fail");
    if (onFail.equals("quarantine")) {
      step.error(
          "on_fail",
          "on_fail is 'quarantine', but must be fail, drop or warn: the input never ends, so a"
              + " quarantine file is never whole");
      possible = false;
    }
    return possible ? OnFail.valueOf(onFail.toUpperCase(Locale.ROOT)) : null;
  }

  /** The rows without those that are refused for themselves. */
  private static Table row(
      Step step, QualityRules rules, List<Range> ranges, Violations violations, Rows rows) {
    Table judged =
        rules.rowRules().isEmpty()
            ? rows.table()
                .addColumns(
                    Expressions.nullOf(DataTypes.ARRAY(DataTypes.INT())).as(AssessQuality.VIOLATED))
            : AssessQuality.withViolations(rules, rows);
    DataType dataType = EventTime.rowType(judged);
    RowType type = (RowType) dataType.getLogicalType();
    RowType output = new RowType(false, type.getFields().subList(0, type.getFieldCount() - 1));
    List<String> names =
        rules.rowRules().stream().map(rule -> rule.test().key() + " of " + rule.column()).toList();
    String uid = step.id() + ":judge";
    DataStream<RowData> passed =
        step.tables()
            .<RowData>toDataStream(judged, dataType)
            .process(new JudgeRow(violations, names, ranges, type), InternalTypeInfo.of(output))
            .uid(uid)
            .name(uid);
    Optional<String> time = EventTime.column(rows);
    return time.isPresent()
        ? EventTime.ofStream(step.tables(), passed, output, time.get())
        : step.tables().fromDataStream(passed);
  }

  @Nullable
  private static List<Range> ranges(Step step, QualityRules rules, Rows rows) {
    List<Range> ranges = new ArrayList<>();
    boolean all = true;
    for (Map.Entry<String, Bounds> range : rules.valueRange().entrySet()) {
      String column = range.getKey();
      if (!range.getValue().valid()) {
        step.error(
            "rules",
            "rules.check_value_range." + column + " must be a range such as {min: 0, max: 10}");
        all = false;
      } else if (isNumber(step, "check_value_range", column, rows)) {
        ranges.add(
            new Range(
                "value_range of " + column,
                position(rows, column),
                min(range.getValue()),
                max(range.getValue())));
      } else {
        all = false;
      }
    }
    return all ? ranges : null;
  }

  @Nullable
  private static List<Check> checks(Step step, QualityRules rules, Rows rows) {
    List<Check> checks = new ArrayList<>();
    boolean[] all = {true};
    if (rules.maxNullRatio() != null) {
      checks.add(new Check("null_ratio", Of.NULL_RATIO, -1, 0, null, rules.maxNullRatio()));
    }
    Map<String, Map<String, Bounds>> simple =
        Map.of("mean", rules.mean(), "stdev", rules.stdev(), "median", rules.median());
    for (String rule : List.of("mean", "stdev", "median")) {
      simple
          .get(rule)
          .forEach(
              (column, bounds) -> {
                if (all[0] &= isNumber(step, rule, column, rows)) {
                  Of of = Of.valueOf(rule.toUpperCase(Locale.ROOT));
                  checks.add(
                      new Check(
                          rule + " of " + column,
                          of,
                          position(rows, column),
                          0,
                          min(bounds),
                          max(bounds)));
                }
              });
    }
    rules
        .zScore()
        .forEach(
            (column, most) -> {
              if (all[0] &= isNumber(step, "z_score", column, rows)) {
                checks.add(
                    new Check(
                        "z_score of " + column, Of.Z_SCORE, position(rows, column), 0, null, most));
              }
            });
    rules
        .quantiles()
        .forEach(
            (column, wanted) -> {
              if (all[0] &= isNumber(step, "quantiles", column, rows)) {
                wanted.forEach(
                    (share, bounds) ->
                        checks.add(
                            new Check(
                                "quantile " + share + " of " + column,
                                Of.QUANTILE,
                                position(rows, column),
                                share,
                                min(bounds),
                                max(bounds))));
              }
            });
    return all[0] ? checks : null;
  }

  private static boolean isNumber(Step step, String rule, String column, Rows rows) {
    String key = "rules." + rule + " has '" + column + "', ";
    if (!rows.columns().contains(column)) {
      // A report cannot say so, as it does of bounded input.
      step.error("rules", key + "but " + ColumnTexts.noSuchColumn(column, rows.columns()));
      return false;
    }
    if (!ColumnKind.of(rows.type(column)).isNumeric()) {
      step.error(
          "rules",
          key
              + "which is "
              + ColumnKind.name(rows.type(column).getLogicalType())
              + ", but must be a number");
      return false;
    }
    return true;
  }

  private static int position(Rows rows, String column) {
    return rows.table().getResolvedSchema().getColumnNames().indexOf(column);
  }

  @Nullable
  private static Double min(Bounds bounds) {
    return bounds.min() == null ? null : (Double) bounds.min().doubleValue();
  }

  @Nullable
  private static Double max(Bounds bounds) {
    return bounds.max() == null ? null : (Double) bounds.max().doubleValue();
  }
}

package io.millrace.transform.quality;

import static org.apache.flink.table.api.Expressions.$;
import static org.apache.flink.table.api.Expressions.call;
import static org.apache.flink.table.api.Expressions.lit;

import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.column.ColumnKind;
import io.millrace.transform.column.EventTime;
import io.millrace.transform.column.MissingValues;
import io.millrace.transform.column.ValueFrequencies;
import io.millrace.transform.function.CountViolations;
import io.millrace.transform.function.Moments;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.table.api.ApiExpression;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.expressions.Expression;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;

/**
 * What the rules need to know of the whole input, as one row: counts, ranges and moments in one
 * aggregation; distinct values and quantiles in another, when they are asked for; duplicates in a
 * third. Names of its columns: {@code n}, {@code violations}, {@code duplicates}, and {@code
 * nonnull_i}, {@code min_i}, {@code max_i}, {@code moments_i}, {@code distinct_i}, {@code
 * low_i_share}, {@code high_i_share} for the i-th visible column.
 */
final class QualityStatistics {
  private final QualityRules rules;
  private final Rows rows;
  private final List<String> names;

  QualityStatistics(QualityRules rules, Rows rows) {
    this.rules = rules;
    this.rows = rows;
    this.names = rows.columns();
  }

  /** The visible columns by name, as the report has to describe them. */
  Map<String, JudgeQuality.ColumnFacts> columns() {
    Map<String, JudgeQuality.ColumnFacts> facts = new LinkedHashMap<>();
    for (int i = 0; i < names.size(); i++) {
      var type = rows.type(names.get(i)).getLogicalType();
      ColumnKind kind = ColumnKind.of(type);
      facts.put(
          names.get(i),
          new JudgeQuality.ColumnFacts(
              i, ColumnKind.pandasName(type), ColumnKind.name(type), kind.name(), isRanged(kind)));
    }
    return facts;
  }

  private static boolean isRanged(ColumnKind kind) {
    return kind.isNumeric() || kind == ColumnKind.BOOLEAN;
  }

  /**
   * The one row.
   *
   * @param judged the rows; with the column {@code violated} when there are rules on rows
   */
  Table lower(Step step, Table judged, String violated) {
    Rows plain =
        MissingValues.asNulls(step, rows.with(judged), new LinkedHashSet<>(names), violated);
    List<String> parts = new ArrayList<>();
    parts.add(counts(plain.table(), violated).toString());
    List<String> listed = new ArrayList<>(present(rules.uniqueColumns()));
    Set<String> quantiled = new LinkedHashSet<>(present(rules.median().keySet()));
    quantiled.addAll(present(rules.quantiles().keySet()));
    quantiled.removeIf(column -> !ColumnKind.of(rows.type(column)).isNumeric());
    for (String column : quantiled) {
      if (!listed.contains(column)) {
        listed.add(column);
      }
    }
    if (!listed.isEmpty()) {
      Table frequencies = ValueFrequencies.of(step.tables(), rows.with(plain.table()), listed);
      if (!present(rules.uniqueColumns()).isEmpty()) {
        parts.add(distinct(step, frequencies, listed).toString());
      }
      if (!quantiled.isEmpty()) {
        parts.add(quantiles(step, frequencies, listed, quantiled).toString());
      }
    }
    if (rules.duplicates()) {
      parts.add(duplicates(step, plain.table()).toString());
    }
    return step.tables().sqlQuery("SELECT * FROM " + String.join(" CROSS JOIN ", parts));
  }

  private List<String> present(Iterable<String> columns) {
    List<String> present = new ArrayList<>();
    for (String column : columns) {
      if (names.contains(column)) {
        present.add(column);
      }
    }
    return present;
  }

  private Table counts(Table table, String violated) {
    List<Expression> select = new ArrayList<>();
    select.add(lit(1).count().as("n"));
    if (!rules.rowRules().isEmpty()) {
      select.add(call(CountViolations.class, $(violated)).as("violations"));
    }
    Set<String> counted = new LinkedHashSet<>();
    if (rules.maxNullRatio() != null || rules.completeness()) {
      counted.addAll(names);
    }
    counted.addAll(present(rules.uniqueColumns()));
    for (String column : counted) {
      select.add($(column).count().as("nonnull_" + names.indexOf(column)));
    }
    Set<String> ranged = new LinkedHashSet<>(present(rules.valueRange().keySet()));
    ranged.addAll(present(rules.zScore().keySet()));
    for (String column : ranged) {
      ColumnKind kind = ColumnKind.of(rows.type(column));
      if (isRanged(kind)) {
        ApiExpression value =
            kind == ColumnKind.BOOLEAN ? $(column).cast(DataTypes.INT()) : $(column);
        select.add(value.min().as("min_" + names.indexOf(column)));
        select.add(value.max().as("max_" + names.indexOf(column)));
      }
    }
    Set<String> moments = new LinkedHashSet<>(present(rules.zScore().keySet()));
    moments.addAll(present(rules.mean().keySet()));
    moments.addAll(present(rules.stdev().keySet()));
    for (String column : moments) {
      if (ColumnKind.of(rows.type(column)).isNumeric()) {
        select.add(
            call(Moments.class, $(column).cast(DataTypes.DOUBLE()))
                .as("moments_" + names.indexOf(column)));
      }
    }
    return table.select(select.toArray(Expression[]::new));
  }

  private Table distinct(Step step, Table frequencies, List<String> listed) {
    List<String> select = new ArrayList<>();
    for (String column : present(rules.uniqueColumns())) {
      select.add(
          "COUNT(CASE WHEN col = "
              + listed.indexOf(column)
              + " THEN 1 END) AS distinct_"
              + names.indexOf(column));
    }
    return step.tables().sqlQuery("SELECT " + String.join(", ", select) + " FROM " + frequencies);
  }

  private Table quantiles(
      Step step, Table frequencies, List<String> listed, Set<String> quantiled) {
    List<String> select = new ArrayList<>();
    for (String column : quantiled) {
      List<Double> shares = shares(column);
      for (int q = 0; q < shares.size(); q++) {
        String place = "(CAST('" + shares.get(q) + "' AS DOUBLE) * (n - 1))";
        String suffix = names.indexOf(column) + "_" + q;
        int col = listed.indexOf(column);
        select.add(ValueFrequencies.at(col, "FLOOR" + place) + " AS low_" + suffix);
        select.add(ValueFrequencies.at(col, "CEIL" + place) + " AS high_" + suffix);
        select.add("MAX(CASE WHEN col = " + col + " THEN n END) AS n_" + suffix);
      }
    }
    return step.tables()
        .sqlQuery(
            "SELECT "
                + String.join(", ", select)
                + " FROM "
                + ValueFrequencies.places(step.tables(), frequencies));
  }

  /** The shares that are asked of a column, the median among them: the order of its suffixes. */
  private List<Double> shares(String column) {
    return JudgeQuality.shares(rules, column);
  }

  private Table duplicates(Step step, Table table) {
    List<String> keys = new ArrayList<>();
    for (String column : names) {
      String c = Rows.quote(column);
      keys.add(
          ColumnKind.of(rows.type(column)) == ColumnKind.OTHER
              ? "CAST(" + c + " AS STRING) AS " + c
              : c);
    }
    Table compared = step.tables().sqlQuery("SELECT " + String.join(", ", keys) + " FROM " + table);
    DataType type = EventTime.rowType(compared);
    String uid = step.id() + ":fingerprint";
    Table fingerprints =
        step.tables()
            .fromDataStream(
                step.tables()
                    .<RowData>toDataStream(compared, type)
                    .map(new FingerprintRows((RowType) type.getLogicalType()))
                    .returns(InternalTypeInfo.of(FingerprintRows.TYPE))
                    .uid(uid)
                    .name(uid));
    return step.tables()
        .sqlQuery(
            "SELECT COALESCE(SUM(copies - 1), 0) AS duplicates FROM (SELECT COUNT(*) AS copies"
                + " FROM "
                + fingerprints
                + " GROUP BY f0, f1)");
  }
}

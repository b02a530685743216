package io.millrace.transform.quality;

import static org.apache.flink.table.api.Expressions.$;
import static org.apache.flink.table.api.Expressions.call;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.config.NearestKey;
import io.millrace.transform.Arguments;
import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Outcome;
import io.millrace.transform.Parameter;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.Transform;
import io.millrace.transform.column.ColumnKind;
import io.millrace.transform.function.FindViolations;
import io.millrace.transform.function.FindViolations.Rule;
import io.millrace.transform.keyed.KeyedRows;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.table.api.ApiExpression;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.expressions.Expression;

/**
 * {@code data_quality}: checks rules on the whole input, and rules on each row. Rows pass as they
 * are, or not at all:
 *
 * <pre>
 *   rows -+-> statistics -> judge -+-> report
 *         |                        `-> gate: ends the job, or tells that it is open
 *         |                        ^     |
 *         +------------------------+-----+-> rows, from then on; without those that are dropped
 *         |                        |
 *         `-> quarantine ----------'  rows that violate a rule, and why: whole before the gate
 * </pre>
 */
public final class AssessQuality implements Transform {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String CHECKS = "checks";
  static final String VIOLATED = "__violated";

  private static final Declaration DECLARATION =
      new Declaration(
          "data_quality",
          Kind.TRANSFORM,
          Inputs.ONE,
          "Checks the quality of rows, which pass unchanged.",
          List.of(
              Parameter.object("rules")
                  .require()
                  .doc(
                      "Of the whole input: min_rows, check_null_ratio with threshold_null_ratio"
                          + " (0.5), check_duplicates, check_column_types {column: numeric, string,"
                          + " datetime or a part of the type's name}, check_unique_columns"
                          + " [columns], check_value_range, mean, median and stdev {column: {min,"
                          + " max}}, quantiles {column: {0.9: {min, max}}}, z_score {column: the"
                          + " most}, and check_completeness, which only reports. Of each row:"
                          + " not_null [columns], regex {column: an RE2 expression found in the"
                          + " text}, allowed_values {column: [values]}; nulls pass the latter two."
                          + " On unbounded input min_rows, check_duplicates, check_column_types,"
                          + " check_unique_columns and check_completeness are not possible;"
                          + " check_value_range is asked of each row, and so are the others, of its"
                          + " key's statistics."),
              Parameter.bool("fail_on_errors")
                  .defaultTo(false)
                  .doc(
                      "Whether the run ends with exit code 3 when a check fails. No row passes"
                          + " before that is known."),
              Parameter.text("on_fail")
                  .oneOf("fail", "drop", "quarantine", "warn")
                  .defaultTo("warn")
                  .doc(
                      "What becomes of rows that violate a rule of each row. fail ends the run;"
                          + " drop leaves them out; quarantine leaves them out and writes them with"
                          + " the reasons to PIPELINE/quarantine/STEP.jsonl, also when the run ends"
                          + " with exit code 3; warn lets them pass. With drop and quarantine they"
                          + " do not count for fail_on_errors. On unbounded input it is for all"
                          + " rules, and there is no quarantine."),
              Parameter.key(),
              Parameter.over()),
          List.of(
              """
              pipeline:
                name: quality
                steps:
                  - id: read
                    service: extract_csv
                    params: {file_path: orders.csv}
                  - id: check
                    service: data_quality
                    params:
                      rules: {min_rows: 1, check_duplicates: true, check_completeness: true}
                    depends_on: [read]
                  - id: save
                    service: load_data
                    params: {format: csv}
                    depends_on: [check]
              """));

  @Override
  public Declaration declaration() {
    return DECLARATION;
  }

  @Override
  public boolean needsScope(Arguments arguments) {
    JsonNode rules = arguments.raw("rules");
    return rules != null && QualityRules.parse(rules, problem -> {}).haveStatistics();
  }

  @Override
  @Nullable
  public Rows lower(Step step, List<Rows> inputs) {
    Rows rows = inputs.get(0);
    List<String> problems = new ArrayList<>();
    JsonNode written = step.arguments().raw("rules");
    QualityRules rules =
        QualityRules.parse(written == null ? JSON.createObjectNode() : written, problems::add);
    checkColumns(rules, rows, step, problems);
    problems.forEach(problem -> step.error("rules", problem));
    if (!problems.isEmpty()) {
      return null;
    }
    String onFail = step.arguments().text("on_fail");
    if (!step.bounded()) {
      return QualityByKey.lower(step, rules, rows);
    }
    KeyedRows.warnOfScope(step);
    boolean failOnErrors = step.arguments().bool("fail_on_errors");

    Table judged = rules.rowRules().isEmpty() ? rows.table() : withViolations(rules, rows);
    QualityStatistics statistics = new QualityStatistics(rules, rows);
    DataStream<String> verdicts =
        step.tables()
            .toDataStream(statistics.lower(step, judged, VIOLATED))
            .map(new JudgeQuality(rules, statistics.columns(), onFail, failOnErrors))
            .returns(Types.STRING)
            .uid(step.id() + ":judge")
            .name(step.id() + ":judge")
            .setParallelism(1);
    step.collect(CHECKS, verdicts);

    boolean drops = onFail.equals("drop") || onFail.equals("quarantine");
    DataStream<String> heard = verdicts;
    if (onFail.equals("quarantine") && !rules.rowRules().isEmpty()) {
      heard = verdicts.union(quarantine(step, rules, rows, judged));
    }
    Table passing =
        drops && !rules.rowRules().isEmpty() ? judged.where($(VIOLATED).isNull()) : judged;
    String columns = String.join(", ", rows.all().stream().map(Rows::quote).toList());
    String select = "SELECT " + columns + " FROM " + passing;
    boolean gates = failOnErrors || (onFail.equals("fail") && !rules.rowRules().isEmpty());
    if (gates) {
      DataStream<Boolean> open =
          heard
              .transform(step.id() + ":gate", Types.BOOLEAN, new QualityGate(step.id()))
              .uid(step.id() + ":gate")
              .setParallelism(1)
              // The report is told by a task that has ended well before this one fails.
              .startNewChain();
      Table once =
          step.tables()
              .sqlQuery(
                  "SELECT COUNT(*) AS `__gates` FROM "
                      + step.tables().fromDataStream(open).as("passed"));
      select += " CROSS JOIN " + once + " WHERE `__gates` > 0";
    }
    return rows.with(step.tables().sqlQuery(select));
  }

  /** Columns of rules on rows have to be there; what the whole input lacks is for the report. */
  private static void checkColumns(
      QualityRules rules, Rows rows, Step step, List<String> problems) {
    for (Rule rule : rules.rowRules()) {
      String key = "rules." + rule.test().key();
      if (!rows.columns().contains(rule.column())) {
        problems.add(
            key
                + " has '"
                + rule.column()
                + "', which is no column of the input"
                + NearestKey.find(rule.column(), rows.columns())
                    .map(near -> "; did you mean '" + near + "'?")
                    .orElse("; it has " + String.join(", ", rows.columns())));
      } else if (rule.test() == FindViolations.Test.REGEX
          && ColumnKind.of(rows.type(rule.column())) != ColumnKind.TEXT) {
        problems.add(
            key
                + " has '"
                + rule.column()
                + "' of type "
                + ColumnKind.name(rows.type(rule.column()).getLogicalType())
                + ", but an expression is for text");
      }
    }
    for (String column : rules.columns()) {
      boolean ofRow = rules.rowRules().stream().anyMatch(rule -> rule.column().equals(column));
      if (step.bounded() && !ofRow && !rows.columns().contains(column)) {
        step.warn("rules", "rules name '" + column + "', which is no column of the input");
      }
    }
  }

  static Table withViolations(QualityRules rules, Rows rows) {
    Expression[] values =
        rules.rowRules().stream().map(rule -> $(rule.column())).toArray(Expression[]::new);
    ApiExpression violated = call(new FindViolations(rules.rowRules()), (Object[]) values);
    return rows.table().addColumns(violated.as(VIOLATED));
  }

  /** Writes rows that violate a rule; what it gives has no element, and ends with the file. */
  private static DataStream<String> quarantine(
      Step step, QualityRules rules, Rows rows, Table judged) {
    Path target =
        step.site().files().resolve(step.site().pipeline() + "/quarantine/" + step.id() + ".jsonl");
    String columns = String.join(", ", rows.all().stream().map(Rows::quote).toList());
    Table refused =
        step.tables()
            .sqlQuery(
                "SELECT "
                    + columns
                    + ", "
                    + Rows.quote(VIOLATED)
                    + " FROM "
                    + judged
                    + " WHERE "
                    + Rows.quote(VIOLATED)
                    + " IS NOT NULL ORDER BY "
                    + rows.orderBy(true));
    DataStream<String> written =
        step.tables()
            .toDataStream(refused)
            .map(new WriteReasons(rules.rowRules(), rows.columns(), VIOLATED))
            .returns(Types.STRING)
            .uid(step.id() + ":reasons")
            .name(step.id() + ":reasons")
            .setParallelism(1)
            .transform(
                step.id() + ":quarantine",
                Types.STRING,
                new WriteLines(step.temporary(target).toString()))
            .uid(step.id() + ":quarantine")
            .setParallelism(1);
    step.publishAlways(step.temporary(target), target);
    step.fact("quarantine_file", target.toString());
    return written;
  }

  @Override
  public Map<String, Object> figures(Outcome outcome) {
    Map<String, Object> figures = new LinkedHashMap<>();
    for (String text : outcome.collected().getOrDefault(CHECKS, List.of())) {
      try {
        JsonNode report = JSON.readTree(text);
        report.properties().forEach(e -> figures.put(e.getKey(), e.getValue()));
      } catch (JsonProcessingException e) {
        throw new IllegalStateException("a quality report is no JSON: " + text, e);
      }
    }
    figures.putAll(outcome.facts());
    return figures;
  }
}

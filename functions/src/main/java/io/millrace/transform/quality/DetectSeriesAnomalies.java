package io.millrace.transform.quality;

import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Parameter;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.Transform;
import io.millrace.transform.column.ColumnTexts;
import io.millrace.transform.column.EventTime;
import io.millrace.transform.function.EpochMillis;
import io.millrace.transform.function.JudgeAnomaly;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeFamily;
import org.apache.flink.table.types.logical.LogicalTypeRoot;

/**
 * {@code detect_anomalies}: judges each value of a series by those before it, see {@link
 * io.millrace.anomaly.Detector}.
 */
public final class DetectSeriesAnomalies implements Transform {
  private static final List<String> ADDED = List.of("expected", "score", "severity");
  private static final String JUDGE = "millrace_judge_anomaly";
  private static final String MILLIS = "millrace_epoch_millis";

  @Override
  public Declaration declaration() {
    return new Declaration(
        "detect_anomalies",
        Kind.TRANSFORM,
        Inputs.ONE,
        "Judges each value of a series by those before it in time, and adds what was expected, a"
            + " score from 0 to 1, and a severity: none, warning or critical.",
        List.of(
            Parameter.column("time")
                .require()
                .doc(
                    "The column of the time: a timestamp, a date, epoch seconds or milliseconds, or"
                        + " ISO 8601 text; UTC where it names no zone. Of unbounded input it is the"
                        + " event time."),
            Parameter.column("value").require().doc("The column of the value, a number."),
            Parameter.columns("key")
                .doc("The columns that tell series apart; needed for unbounded input."),
            Parameter.integer("min_samples")
                .atLeast(2)
                .defaultTo(10)
                .doc("Values of a series before the first that is judged."),
            Parameter.integer("patience")
                .atLeast(1)
                .defaultTo(48)
                .doc(
                    "Anomalous values in a row after which the series is taken to have changed for"
                        + " good.")),
        List.of(
            """
            pipeline:
              name: air
              steps:
                - id: read
                  service: extract_csv
                  params: {file_path: readings.csv}
                - id: judge
                  service: detect_anomalies
                  depends_on: [read]
                  params:
                    time: at
                    value: CO(GT)
                    key: [station]
                - id: save
                  service: load_data
                  depends_on: [judge]
                  params: {format: csv}
            """));
  }

  @Override
  public Rows lower(Step step, List<Rows> inputs) {
    Rows in = inputs.get(0);
    String time = step.arguments().text("time");
    String value = step.arguments().text("value");
    List<String> key = List.copyOf(new LinkedHashSet<>(step.arguments().texts("key")));
    if (!ColumnTexts.areThere(step, "time", List.of(time), in)
        || !ColumnTexts.areThere(step, "value", List.of(value), in)
        || !ColumnTexts.areThere(step, "key", key, in)
        || !fits(step, in, time, value, key)) {
      return null;
    }
    String all = String.join(", ", in.all().stream().map(Rows::quote).toList());
    String series =
        key.isEmpty()
            ? ""
            : "PARTITION BY " + String.join(", ", key.stream().map(Rows::quote).toList()) + " ";
    String order = Rows.quote(time);
    if (step.bounded()) {
      order = MILLIS + "(" + source(in, time) + "), " + in.orderBy(true);
    }
    List<String> columns = new ArrayList<>(in.columns().stream().map(Rows::quote).toList());
    ADDED.forEach(column -> columns.add("`__order_verdict`." + Rows.quote(column)));
    in.order().forEach(column -> columns.add(Rows.quote(column)));
    StreamTableEnvironment tables = step.tables();
    tables.createTemporarySystemFunction(JUDGE, JudgeAnomaly.class);
    tables.createTemporarySystemFunction(MILLIS, EpochMillis.class);
    try {
      Table judged =
          tables.sqlQuery(
              "SELECT "
                  + String.join(", ", columns)
                  + " FROM (SELECT "
                  + all
                  + ", "
                  + JUDGE
                  + "("
                  + MILLIS
                  + "("
                  + source(in, time)
                  + "), CAST("
                  + Rows.quote(value)
                  + " AS DOUBLE), "
                  + step.arguments().integer("min_samples")
                  + ", "
                  + step.arguments().integer("patience")
                  + ") OVER ("
                  + series
                  + "ORDER BY "
                  + order
                  + " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS `__order_verdict` FROM "
                  + in.table()
                  + ")");
      return in.with(judged);
    } finally {
      tables.dropTemporarySystemFunction(JUDGE);
      tables.dropTemporarySystemFunction(MILLIS);
    }
  }

  /** The time as a type that the function takes. */
  private static String source(Rows in, String time) {
    LogicalType type = in.type(time).getLogicalType();
    String column = Rows.quote(time);
    if (type.is(LogicalTypeFamily.EXACT_NUMERIC)) {
      return "CAST(" + column + " AS BIGINT)";
    }
    if (type.is(LogicalTypeFamily.NUMERIC)) {
      return "CAST(" + column + " AS DOUBLE)";
    }
    return column;
  }

  private static boolean fits(Step step, Rows in, String time, String value, List<String> key) {
    boolean fits = true;
    for (String column : ADDED) {
      if (in.columns().contains(column)) {
        step.error(null, "the input has a column '" + column + "' already; rename it before");
        fits = false;
      }
    }
    LogicalType number = in.type(value).getLogicalType();
    if (!number.is(LogicalTypeFamily.NUMERIC)) {
      step.error(
          "value",
          "value is '"
              + value
              + "', which is "
              + number.copy(true).asSummaryString()
              + ", but must be a number; cast it before");
      fits = false;
    }
    LogicalType at = in.type(time).getLogicalType();
    boolean isTime =
        at.is(LogicalTypeFamily.TIMESTAMP)
            || at.is(LogicalTypeFamily.NUMERIC)
            || at.is(LogicalTypeFamily.CHARACTER_STRING)
            || at.is(LogicalTypeRoot.DATE);
    if (!isTime) {
      step.error(
          "time",
          "time is '"
              + time
              + "', which is "
              + at.copy(true).asSummaryString()
              + ", but must be a time, a number or a text");
      fits = false;
    }
    return (step.bounded() || isKeyedByTime(step, in, time, key)) && fits;
  }

  private static boolean isKeyedByTime(Step step, Rows in, String time, List<String> key) {
    if (key.isEmpty()) {
      step.error("key", "key is missing: with unbounded input, name the columns of the series");
      return false;
    }
    Optional<String> eventTime = EventTime.column(in);
    if (!eventTime.equals(Optional.of(time))) {
      step.error(
          "time",
          "time is '"
              + time
              + "', but with unbounded input must be the event time"
              + eventTime.map(column -> ", '" + column + "'").orElse(", which it does not have"));
      return false;
    }
    return true;
  }
}

package io.millrace.transform;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

/**
 * One step run over rows of a test, with what it would report.
 *
 * @param columns the visible columns that came out
 * @param rows their values, in order
 * @param told what it told its report, by name
 */
public record StepRun(
    Transform entry,
    Step step,
    Rows input,
    List<String> columns,
    List<List<Object>> rows,
    Map<String, List<String>> told) {
  /** Runs an entry that has no problem with what it is given. */
  public static StepRun of(
      LocalTables tables, Transform entry, Map<String, ?> arguments, Rows input) {
    Step step = tables.step(entry, arguments);
    Rows output = entry.lower(step, List.of(input));
    if (output == null) {
      throw new AssertionError(tables.problems.toString());
    }
    List<List<Object>> values = LocalTables.collect(output);
    Map<String, List<String>> told = new LinkedHashMap<>();
    step.collected().forEach((name, texts) -> told.put(name, texts(step, texts)));
    return new StepRun(entry, step, input, output.columns(), values, told);
  }

  /** The step's figures; counts the rows that came in by a job of its own. */
  public Map<String, Object> figures() {
    return entry.figures(
        new Outcome(
            step.arguments(),
            List.of(counts(input.columns(), LocalTables.collect(input))),
            counts(columns, rows),
            told,
            step.facts()));
  }

  private static Outcome.Counts counts(List<String> columns, List<List<Object>> rows) {
    List<Long> nulls = new ArrayList<>();
    for (int i = 0; i < columns.size(); i++) {
      int column = i;
      nulls.add(rows.stream().filter(row -> row.get(column) == null).count());
    }
    return new Outcome.Counts(rows.size(), columns, nulls);
  }

  /** What a step tells its report, from a job of its own. */
  public static List<String> texts(Step step, DataStream<String> texts) {
    List<String> told = new ArrayList<>();
    try (CloseableIterator<Row> rows = step.tables().fromDataStream(texts).execute().collect()) {
      rows.forEachRemaining(row -> told.add((String) row.getField(0)));
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    return told;
  }

  /** One column's values. */
  public List<Object> column(String name) {
    int i = columns.indexOf(name);
    return rows.stream().map(row -> row.get(i)).toList();
  }
}

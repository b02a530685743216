package io.millrace.transform.keyed;

import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.column.ColumnTexts;
import io.millrace.transform.column.EventTime;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import javax.annotation.Nullable;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;

/**
 * Unbounded rows as a stream by the step's {@code key}, for statistics over its {@code over}.
 *
 * @param key positions of the key's columns
 * @param type of the rows, their event time a plain time
 */
public record KeyedRows(Rows rows, int[] key, Scope scope, DataType dataType, RowType type) {

  /** What the step's arguments make of rows; null when a problem was reported. */
  @Nullable
  public static KeyedRows of(Step step, Rows rows) {
    List<String> names = List.copyOf(new LinkedHashSet<>(step.arguments().texts("key")));
    if (names.isEmpty()) {
      step.error("key", "key is missing: the input never ends, so statistics need a key");
      return null;
    }
    if (!ColumnTexts.areThere(step, "key", names, rows)) {
      return null;
    }
    Scope scope = scope(step);
    if (scope == null) {
      return null;
    }
    if (EventTime.column(rows).isEmpty()) {
      step.error(
          "over",
          "the input has no event time, by which statistics of unbounded input are made; name one"
              + " by time in extract_kafka");
      return null;
    }
    List<String> columns = rows.table().getResolvedSchema().getColumnNames();
    DataType dataType = EventTime.rowType(rows.table());
    return new KeyedRows(
        rows,
        names.stream().mapToInt(columns::indexOf).toArray(),
        scope,
        dataType,
        (RowType) dataType.getLogicalType());
  }

  @Nullable
  private static Scope scope(Step step) {
    String over = step.arguments().optionalText("over").orElse("");
    if (over.isEmpty()) {
      step.error(
          "over",
          "over is missing: the input never ends, so statistics cover an event time such as 1 h, or"
              + " all");
      return null;
    }
    if (over.equals("all")) {
      return Scope.ALL;
    }
    Duration range = step.arguments().duration("over");
    if (range.toMillis() <= 0) {
      step.error("over", "over is '" + over + "', but must be at least 1 ms, or all");
      return null;
    }
    return new Scope(range.toMillis());
  }

  /** Warns of a scope that bounded input has no use for. */
  public static void warnOfScope(Step step) {
    for (String parameter : List.of("key", "over")) {
      if (step.arguments().has(parameter)) {
        step.warn(
            parameter, parameter + " is not used: statistics of bounded input are over all of it");
      }
    }
  }

  /** Positions of columns in the rows. */
  public int[] positions(List<String> columns) {
    List<String> names = type.getFieldNames();
    return columns.stream().mapToInt(names::indexOf).toArray();
  }

  /**
   * Sends the rows through an operator, each to the instance of its key.
   *
   * @param name the operator's, behind the step's id
   * @param output the rows that leave, with the same event time
   */
  public Table through(
      Step step,
      String name,
      KeyedProcessFunction<RowData, RowData, RowData> operator,
      RowType output) {
    LogicalType[] keyTypes = new LogicalType[key.length];
    for (int i = 0; i < key.length; i++) {
      keyTypes[i] = type.getTypeAt(key[i]);
    }
    String uid = step.id() + ":" + name;
    DataStream<RowData> stream =
        step.tables()
            .<RowData>toDataStream(rows.table(), dataType)
            .keyBy(new KeyOfRow(key, type), InternalTypeInfo.ofFields(keyTypes))
            .process(operator, InternalTypeInfo.of(output))
            .uid(uid)
            .name(uid);
    return EventTime.ofStream(step.tables(), stream, output, EventTime.column(rows).orElseThrow());
  }
}

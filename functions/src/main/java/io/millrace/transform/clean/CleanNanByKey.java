package io.millrace.transform.clean;

import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.column.ColumnKind;
import io.millrace.transform.column.EventTime;
import io.millrace.transform.keyed.CarryForward;
import io.millrace.transform.keyed.FillByKey;
import io.millrace.transform.keyed.KeyedRows;
import java.util.ArrayList;
import java.util.List;
import javax.annotation.Nullable;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.DoubleType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;

/** Fills of unbounded rows: with statistics of each key, which cover a range of event time. */
final class CleanNanByKey {
  private CleanNanByKey() {}

  /** Fills; null when a problem was reported. */
  @Nullable
  static Rows lower(Step step, Rows rows, List<String> columns, boolean all) {
    String strategy = step.arguments().text("strategy");
    if (strategy.equals("bfill")) {
      step.error(
          "strategy",
          "strategy is 'bfill', but the input never ends: what comes behind a row is not known;"
              + " use ffill");
      return null;
    }
    KeyedRows keyed = KeyedRows.of(step, rows);
    if (keyed == null) {
      return null;
    }
    List<String> wanted =
        switch (strategy) {
          case "fill_mode" -> CleanNan.countable(step, rows, columns, all);
          case "ffill" -> nullable(rows, columns);
          default -> CleanNan.numeric(rows, columns);
        };
    if (wanted == null) {
      return null;
    }
    List<String> filled = new ArrayList<>(wanted);
    // Neither can be missing: there is no row without them.
    EventTime.column(rows).ifPresent(filled::remove);
    if (filled.isEmpty()) {
      return rows;
    }
    boolean numbers = strategy.equals("fill_mean") || strategy.equals("fill_median");
    int[] positions = keyed.positions(filled);
    RowType output = numbers ? withNumbers(keyed.type(), positions) : keyed.type();
    KeyedProcessFunction<RowData, RowData, RowData> operator =
        switch (strategy) {
          case "fill_mean" -> fill(FillByKey.With.MEAN, keyed, positions, output);
          case "fill_median" -> fill(FillByKey.With.MEDIAN, keyed, positions, output);
          case "fill_mode" -> fill(FillByKey.With.MODE, keyed, positions, output);
          case "ffill" -> new CarryForward(keyed.scope(), positions, keyed.type());
          default -> throw new IllegalArgumentException("strategy " + strategy);
        };
    return rows.with(keyed.through(step, "fill", operator, output));
  }

  private static FillByKey fill(
      FillByKey.With with, KeyedRows keyed, int[] positions, RowType output) {
    return new FillByKey(with, keyed.scope(), positions, keyed.type(), output);
  }

  private static List<String> nullable(Rows rows, List<String> columns) {
    return columns.stream().filter(c -> rows.type(c).getLogicalType().isNullable()).toList();
  }

  /** The columns at these positions as they are when filled: whole numbers become DOUBLE. */
  private static RowType withNumbers(RowType type, int[] positions) {
    List<RowType.RowField> fields = new ArrayList<>(type.getFields());
    for (int position : positions) {
      RowType.RowField field = fields.get(position);
      boolean whole = ColumnKind.of(field.getType()) == ColumnKind.INTEGER;
      LogicalType filled = whole ? new DoubleType() : field.getType();
      fields.set(position, new RowType.RowField(field.getName(), filled));
    }
    return new RowType(type.isNullable(), fields);
  }
}

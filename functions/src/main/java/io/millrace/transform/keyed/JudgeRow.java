package io.millrace.transform.keyed;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import javax.annotation.Nullable;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.util.Collector;

/** Judges unbounded rows one by one; their last column has the rules found violated before. */
public final class JudgeRow extends ProcessFunction<RowData, RowData> {
  private static final long serialVersionUID = 1L;

  /**
   * Values of a column of numbers have to lie in a range; nulls pass, and so does NaN, as no value.
   *
   * @param column its position
   */
  public record Range(String rule, int column, @Nullable Double min, @Nullable Double max)
      implements Serializable {
    boolean holds(double value) {
      return Double.isNaN(value)
          || ((min == null || value >= min) && (max == null || value <= max));
    }
  }

  private final Violations violations;
  private final ArrayList<String> rules;
  private final ArrayList<Range> ranges;
  private final ArrayList<ColumnValues> values = new ArrayList<>();
  private final RowData.FieldGetter[] getters;

  /**
   * Judges rows of that type, of which all but the last column leaves.
   *
   * @param rules the names of what the last column, an array of positions, may name
   */
  public JudgeRow(Violations violations, List<String> rules, List<Range> ranges, RowType type) {
    this.violations = violations;
    this.rules = new ArrayList<>(rules);
    this.ranges = new ArrayList<>(ranges);
    for (Range range : ranges) {
      values.add(new ColumnValues(range.column(), type.getTypeAt(range.column())));
    }
    List<LogicalType> types = type.getChildren();
    this.getters = new RowData.FieldGetter[types.size() - 1];
    for (int i = 0; i < getters.length; i++) {
      getters[i] = RowData.createFieldGetter(types.get(i), i);
    }
  }

  @Override
  public void processElement(RowData row, Context context, Collector<RowData> out) {
    List<String> violated = new ArrayList<>();
    if (!row.isNullAt(getters.length)) {
      ArrayData found = row.getArray(getters.length);
      for (int i = 0; i < found.size(); i++) {
        violated.add(rules.get(found.getInt(i)));
      }
    }
    for (int i = 0; i < ranges.size(); i++) {
      Object value = values.get(i).of(row);
      if (value != null && !ranges.get(i).holds(values.get(i).number(value))) {
        violated.add(ranges.get(i).rule());
      }
    }
    if (violations.pass(violated, getRuntimeContext())) {
      GenericRowData passed = new GenericRowData(row.getRowKind(), getters.length);
      for (int i = 0; i < getters.length; i++) {
        passed.setField(i, getters[i].getFieldOrNull(row));
      }
      out.collect(passed);
    }
  }
}

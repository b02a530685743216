package io.millrace.transform.keyed;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import javax.annotation.Nullable;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.util.Collector;

/**
 * Judges unbounded rows by statistics of their key: of the rows up to each, and with it, in the
 * order of event time. What is refused has counted. A statistic that there is none of is not
 * judged; a late row is judged at once by what is known.
 */
public final class JudgeByKey extends KeyedProcessFunction<RowData, RowData, RowData> {
  private static final long serialVersionUID = 1L;

  /** What a check is of. */
  public enum Of {
    /** The distance of the row's value from the mean, in sample deviations. */
    Z_SCORE,
    MEAN,
    STDEV,
    QUANTILE,
    MEDIAN,
    /** The share of cells that are null. */
    NULL_RATIO
  }

  /**
   * One check, whose figure has to lie in a range.
   *
   * @param rule its name
   * @param column position of the column; -1 for all
   * @param share of values below a quantile
   */
  public record Check(
      String rule, Of of, int column, double share, @Nullable Double min, @Nullable Double max)
      implements Serializable {
    boolean holds(@Nullable Double figure) {
      return figure == null || ((min == null || figure >= min) && (max == null || figure <= max));
    }

    private boolean isOfQuantiles() {
      return of == Of.QUANTILE || of == Of.MEDIAN;
    }
  }

  private final Violations violations;
  private final Scope scope;
  private final ArrayList<Check> checks;
  private final RowType type;

  /** The columns that statistics are kept of, before which those of nulls are. */
  private final ArrayList<Integer> columns;

  private final ArrayList<ColumnValues> values = new ArrayList<>();
  private transient HeldRows held;
  private transient Panes panes;

  /** Judges rows of that type. */
  public JudgeByKey(Violations violations, Scope scope, List<Check> checks, RowType type) {
    this.violations = violations;
    this.scope = scope;
    this.checks = new ArrayList<>(checks);
    this.type = type;
    TreeSet<Integer> judged = new TreeSet<>();
    checks.stream().map(Check::column).filter(column -> column >= 0).forEach(judged::add);
    this.columns = new ArrayList<>(judged);
    columns.forEach(column -> values.add(new ColumnValues(column, type.getTypeAt(column))));
  }

  @Override
  public void open(OpenContext context) {
    held = new HeldRows(getRuntimeContext(), type);
    panes = new Panes(getRuntimeContext(), scope, columns.size() + 1);
  }

  @Override
  public void processElement(RowData row, Context context, Collector<RowData> out)
      throws Exception {
    long time = context.timestamp();
    if (!held.hold(row, time, context.timerService())) {
      judge(row, time, context.timerService().currentWatermark(), context, out);
    }
  }

  @Override
  public void onTimer(long time, OnTimerContext context, Collector<RowData> out) throws Exception {
    for (RowData row : held.take(time)) {
      judge(row, time, time, context, out);
    }
    panes.forget(time);
  }

  private void judge(RowData row, long time, long now, Context context, Collector<RowData> out)
      throws Exception {
    panes.add(time, now, context.timerService(), statistics -> count(row, statistics));
    Statistics[] known = panes.at(time);
    List<String> violated = new ArrayList<>();
    for (Check check : checks) {
      if (!check.holds(figure(check, row, known))) {
        violated.add(check.rule());
      }
    }
    if (violations.pass(violated, getRuntimeContext())) {
      out.collect(row);
    }
  }

  private void count(RowData row, Statistics[] statistics) {
    int nulls = 0;
    for (int i = 0; i < type.getFieldCount(); i++) {
      nulls += isMissing(row, i) ? 1 : 0;
    }
    statistics[0].addNumber((double) nulls / type.getFieldCount(), Statistics.Kind.MOMENTS);
    for (int i = 0; i < columns.size(); i++) {
      Double value = number(row, i);
      if (value != null) {
        int column = columns.get(i);
        boolean moments = false;
        boolean quantiles = false;
        for (Check check : checks) {
          moments |= check.column() == column && !check.isOfQuantiles();
          quantiles |= check.column() == column && check.isOfQuantiles();
        }
        if (moments) {
          statistics[i + 1].addNumber(value, Statistics.Kind.MOMENTS);
        }
        if (quantiles) {
          statistics[i + 1].addNumber(value, Statistics.Kind.QUANTILES);
        }
      }
    }
  }

  private boolean isMissing(RowData row, int i) {
    if (row.isNullAt(i)) {
      return true;
    }
    return switch (type.getTypeAt(i).getTypeRoot()) {
      case DOUBLE -> Double.isNaN(row.getDouble(i));
      case FLOAT -> Float.isNaN(row.getFloat(i));
      default -> false;
    };
  }

  @Nullable
  private Double number(RowData row, int i) {
    Object value = values.get(i).of(row);
    if (value == null) {
      return null;
    }
    double number = values.get(i).number(value);
    return Double.isNaN(number) ? null : number;
  }

  @Nullable
  private Double figure(Check check, RowData row, Statistics[] known) {
    int i = columns.indexOf(check.column());
    Statistics statistics = known[i + 1];
    return switch (check.of()) {
      case MEAN, NULL_RATIO -> statistics.mean();
      case STDEV -> statistics.deviation();
      case MEDIAN -> statistics.median();
      case QUANTILE -> statistics.quantile(check.share());
      case Z_SCORE -> {
        Double value = number(row, i);
        Double deviation = statistics.deviation();
        yield value == null || deviation == null || deviation == 0
            ? null
            : (Double) (Math.abs(value - statistics.mean()) / deviation);
      }
    };
  }
}

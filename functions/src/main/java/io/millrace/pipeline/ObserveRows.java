package io.millrace.pipeline;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.apache.flink.api.common.accumulators.Accumulator;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.binary.BinaryRowData;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.RowType;

/**
 * Passes the rows of one step on, and counts them and what is missing in each visible column: null,
 * or NaN, as pandas and {@code clean_nan} have it. Its uid is the step's id.
 */
public final class ObserveRows extends AbstractStreamOperator<RowData>
    implements OneInputStreamOperator<RowData, RowData>, BoundedOneInput {
  private static final long serialVersionUID = 1L;

  private final String accumulator;
  private final int[] visible;
  private final LogicalTypeRoot[] roots;
  private final int[] floating;
  private transient Counts counts;

  /**
   * Counts into the accumulator of that name.
   *
   * @param type of the rows
   * @param visible the positions of the visible columns
   */
  public ObserveRows(String accumulator, RowType type, int[] visible) {
    this.accumulator = accumulator;
    this.visible = visible.clone();
    this.roots =
        IntStream.of(visible)
            .mapToObj(i -> type.getTypeAt(i).getTypeRoot())
            .toArray(LogicalTypeRoot[]::new);
    this.floating =
        IntStream.range(0, roots.length)
            .filter(i -> roots[i] == LogicalTypeRoot.DOUBLE || roots[i] == LogicalTypeRoot.FLOAT)
            .toArray();
  }

  /** The name of the accumulator of a step. */
  public static String accumulator(String stepId) {
    return "step " + stepId;
  }

  @Override
  public void open() throws Exception {
    super.open();
    counts = new Counts(visible.length);
    getRuntimeContext().addAccumulator(accumulator, counts);
  }

  @Override
  public void processElement(StreamRecord<RowData> element) {
    RowData row = element.getValue();
    counts.rows++;
    // Most rows have no null, which a binary row tells of all its columns at once.
    if (!(row instanceof BinaryRowData binary) || binary.anyNull()) {
      for (int i = 0; i < visible.length; i++) {
        if (isMissing(row, visible[i], roots[i])) {
          counts.nulls[i]++;
        }
      }
    } else {
      for (int i : floating) {
        if (isMissing(row, visible[i], roots[i])) {
          counts.nulls[i]++;
        }
      }
    }
    if (counts.firstMillis == Long.MAX_VALUE) {
      counts.firstMillis = System.currentTimeMillis();
    }
    output.collect(element);
  }

  private static boolean isMissing(RowData row, int column, LogicalTypeRoot root) {
    return row.isNullAt(column)
        || (root == LogicalTypeRoot.DOUBLE && Double.isNaN(row.getDouble(column)))
        || (root == LogicalTypeRoot.FLOAT && Float.isNaN(row.getFloat(column)));
  }

  @Override
  public void endInput() {
    long now = System.currentTimeMillis();
    counts.firstMillis = Math.min(counts.firstMillis, now);
    counts.lastMillis = now;
    counts.ended = 1;
  }

  /** What one step's operators have counted so far; several add up. */
  public static final class Counts implements Accumulator<Counts, Counts> {
    private static final long serialVersionUID = 1L;

    private long rows;
    private long[] nulls;
    private long firstMillis = Long.MAX_VALUE;
    private long lastMillis = Long.MIN_VALUE;
    private int ended;

    public Counts(int columns) {
      nulls = new long[columns];
    }

    public long rows() {
      return rows;
    }

    public long[] nulls() {
      return nulls.clone();
    }

    /** How many operators have seen the end of their input. */
    public int ended() {
      return ended;
    }

    /** Wall-clock milliseconds from the first row to the end of input; 0 while it has no end. */
    public long durationMillis() {
      return ended == 0 ? 0 : lastMillis - firstMillis;
    }

    @Override
    public void add(Counts value) {
      merge(value);
    }

    @Override
    public Counts getLocalValue() {
      return this;
    }

    @Override
    public void resetLocal() {
      rows = 0;
      Arrays.fill(nulls, 0);
      firstMillis = Long.MAX_VALUE;
      lastMillis = Long.MIN_VALUE;
      ended = 0;
    }

    @Override
    public void merge(Accumulator<Counts, Counts> other) {
      Counts that = other.getLocalValue();
      rows += that.rows;
      for (int i = 0; i < nulls.length; i++) {
        nulls[i] += that.nulls[i];
      }
      firstMillis = Math.min(firstMillis, that.firstMillis);
      lastMillis = Math.max(lastMillis, that.lastMillis);
      ended += that.ended;
    }

    @Override
    public Counts clone() {
      Counts copy = new Counts(nulls.length);
      copy.merge(this);
      return copy;
    }
  }
}
